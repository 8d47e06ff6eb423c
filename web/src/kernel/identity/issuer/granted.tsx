import { List } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

const KNOWN = ['openid', 'email', 'profile', 'phone', 'offline_access', 'api'] as const;
type Scope = (typeof KNOWN)[number];

export function isScope(text: string): text is Scope {
  return KNOWN.some((scope) => scope === text);
}

/** What a program may do, in words. */
export function Granted({ scopes, label }: { scopes: string[]; label: string }) {
  const { t } = useTranslation('issuer');
  return (
    <List
      size="sm"
      spacing={6}
      aria-label={label}
      icon={<IconCheck size={16} color="var(--mantine-color-teal-6)" aria-hidden />}
    >
      {scopes.filter(isScope).map((scope) => (
        <List.Item key={scope} lh={1.4} fw={scope === 'api' ? 600 : undefined}>
          {t(`scopes.${scope}`)}
        </List.Item>
      ))}
    </List>
  );
}
