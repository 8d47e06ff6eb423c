import { IconLock } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { EmptyState } from './empty-state';

export function NoPermission({ permission }: { permission: string }) {
  const { t } = useTranslation('ui');
  return (
    <EmptyState icon={IconLock} title={t('states.noPermission')}>
      {t('states.noPermissionHint', { permission })}
    </EmptyState>
  );
}
