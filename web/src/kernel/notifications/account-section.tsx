import { useTranslation } from 'react-i18next';
import { Panel } from '@/kernel/identity/pages/account/panel';
import { ButtonLink } from '@/ui/links';

/** The way from the account to what its owner wants to be told. */
export function NotificationsSection() {
  const { t } = useTranslation('notifications');
  return (
    <Panel title={t('preferences.title')} description={t('preferences.description')}>
      <ButtonLink to="/account/notifications" variant="default">
        {t('preferences.open')}
      </ButtonLink>
    </Panel>
  );
}
