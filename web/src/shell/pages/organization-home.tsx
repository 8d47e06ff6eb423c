import { IconApps } from '@tabler/icons-react';
import { Navigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { EmptyState } from '@/ui/states/empty-state';
import { useNavigation } from '../layout/use-navigation';

/** Opens the page that the organisation shows first, or else the first that the user may see. */
export function OrganizationHome() {
  const { t } = useTranslation('shell');
  const { name, slug, home } = useOrganization();
  const items = useNavigation().flatMap((group) => group.items);
  const first = items.find(({ to }) => to === `/o/${slug}${home ?? ''}`) ?? items[0];
  if (first !== undefined) return <Navigate to={first.to} replace />;
  return (
    <EmptyState icon={IconApps} title={t('nothing.title', { organization: name })}>
      {t('nothing.text')}
    </EmptyState>
  );
}
