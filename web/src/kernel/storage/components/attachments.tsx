import { Stack, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { useOwnView } from '../view';
import { FileBrowser } from './file-browser';

/** The files of one record, as a part of its page. Nothing for whoever may not see files. */
export function Attachments({ prefix }: { prefix: string }) {
  const { t } = useTranslation('files');
  const { can } = useOrganization();
  const view = useOwnView();
  if (!can('storage.objects.read')) return null;
  return (
    <Stack gap="sm" component="section" aria-label={t('attachments')}>
      <Title order={2} size="h3">
        {t('attachments')}
      </Title>
      <FileBrowser key={prefix} prefix={prefix} start={t('attachments')} view={view} />
    </Stack>
  );
}
