import { Alert, Code, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { forgetRefusal, refusalOfProvider } from './api';

/** Why a provider led back here without what was asked for; nothing otherwise. */
export function Refusal({ title }: { title: string }) {
  const { t, i18n } = useTranslation('providers');
  // Kept for as long as this page is: the next one does not say it again.
  const [refusal] = useState(refusalOfProvider);
  useEffect(() => forgetRefusal, []);
  if (refusal === null) return null;
  const known = i18n.exists(`providers:refused.${refusal.code}`);
  return (
    <Alert role="alert" color="yellow" icon={<IconAlertTriangle />} title={title}>
      <Text size="sm">{t(known ? `refused.${refusal.code}` : 'refused.other')}</Text>
      <Text size="xs" mt={6}>
        <Code>{refusal.code}</Code>
      </Text>
    </Alert>
  );
}
