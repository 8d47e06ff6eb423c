import { IconFileImport } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { ButtonLink } from '@/ui/links';

/** The way to the import engine, for those who may import orders. */
export function ImportButton({ primary = false }: { primary?: boolean }) {
  const { t } = useTranslation('purchasing');
  const { slug, can } = useOrganization();
  if (!can('purchasing.orders.import') || !can('imports.runs.create')) return null;
  return (
    <ButtonLink
      to="/o/$org/imports/new"
      params={{ org: slug }}
      search={{ template: 'purchasing.register' }}
      variant={primary ? 'filled' : 'default'}
      leftSection={<IconFileImport size={16} aria-hidden />}
    >
      {t('board.import')}
    </ButtonLink>
  );
}
