import { Alert } from '@mantine/core';
import { IconClockExclamation } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { formatDate } from '@/ui/format';
import { AnchorLink } from '@/ui/links';

/** Says on every page that the organisation is going to be deleted, if it is. */
export function EndingBanner() {
  const { t, i18n } = useTranslation('shell');
  const { slug, name, deleteAfter, can } = useOrganization();
  if (deleteAfter === null) return null;
  return (
    <Alert role="status" color="red" icon={<IconClockExclamation />} mb="lg">
      {t('ending.text', { organization: name, date: formatDate(deleteAfter, i18n.language) })}{' '}
      {can('tenancy.organization.delete') && (
        <AnchorLink
          to="/o/$org/settings/danger"
          params={{ org: slug }}
          size="sm"
          c="inherit"
          underline="always"
        >
          {t('ending.change')}
        </AnchorLink>
      )}
    </Alert>
  );
}
