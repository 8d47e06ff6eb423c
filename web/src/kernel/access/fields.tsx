import { Badge, Group, Select, TagsInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { rolesQuery } from './queries';

const LIFETIMES = ['7', '30', '90', '366', '0'] as const;
export type Lifetime = (typeof LIFETIMES)[number];

/** Days for the server, which knows no end as null. */
export const daysOf = (lifetime: Lifetime): number | null =>
  lifetime === '0' ? null : Number(lifetime);

/** How long a key or token is good. */
export function LifetimeField({
  value,
  onChange,
}: {
  value: Lifetime;
  onChange: (value: Lifetime) => void;
}) {
  const { t } = useTranslation('access');
  return (
    <Select
      label={t('lasts')}
      data={LIFETIMES.map((days) => ({ value: days, label: t(`lifetimes.${days}`) }))}
      value={value}
      allowDeselect={false}
      onChange={(next) => {
        if (next !== null) onChange(next);
      }}
    />
  );
}

/** Names of permissions and patterns, with those that there are offered. */
export function PatternsField({
  organizationId,
  label,
  hint,
  value,
  error,
  onChange,
}: {
  organizationId: string | null;
  label: string;
  hint?: string;
  value: string[];
  error?: string | null;
  onChange: (value: string[]) => void;
}) {
  const { t } = useTranslation('access');
  const { data } = useQuery({
    ...rolesQuery(organizationId ?? ''),
    enabled: organizationId !== null,
  });
  const names = data?.permissions.filter(({ own }) => own).map(({ name }) => name) ?? [];
  const apps = [...new Set(names.map((name) => `${name.split('.')[0] ?? ''}.*`))];
  return (
    <TagsInput
      label={label}
      description={hint ?? t('patternsHint')}
      data={[...apps, ...names]}
      value={value}
      error={error}
      limit={20}
      maxDropdownHeight={220}
      acceptValueOnBlur
      splitChars={[',', ' ']}
      onChange={onChange}
    />
  );
}

/** A few names, and how many more there are. */
export function Names({ names, most = 3 }: { names: readonly string[]; most?: number }) {
  return (
    <Group gap={4}>
      {names.slice(0, most).map((name) => (
        <Badge
          key={name}
          variant="light"
          color="gray"
          tt="none"
          fw={500}
          c="var(--mantine-color-text)"
        >
          {name}
        </Badge>
      ))}
      {names.length > most && (
        <Badge variant="outline" color="gray" c="dimmed" title={names.slice(most).join(', ')}>
          +{names.length - most}
        </Badge>
      )}
    </Group>
  );
}
