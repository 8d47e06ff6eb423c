import { Container, Group, Stack } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { NotificationsSection } from '@/kernel/notifications/account-section';
import { TokensSection } from '@/kernel/access/tokens-section';
import { Brand } from '@/ui/brand';
import { AnchorLink } from '@/ui/links';
import { PageHeader } from '@/ui/page-header';
import { ConnectedPrograms } from './connected-programs';
import { DataSection } from './data';
import { PasskeysSection } from './passkeys';
import { PasswordSection } from './password';
import { ProfileSection } from './profile';
import { SecondFactorSection } from './second-factor';
import { WaysInSection } from './ways-in';
import { SessionsSection } from './sessions';

/** What people settle for themselves, whatever organisations they belong to: one section a matter. */
export function AccountPage() {
  const { t } = useTranslation('account');
  return (
    <Container component="main" size="sm" py="xl" id="main">
      <Group justify="space-between" mb="xl">
        <Brand />
        <AnchorLink to="/" size="sm">
          {t('back')}
        </AnchorLink>
      </Group>
      <PageHeader title={t('title')} description={t('description')} />
      <Stack gap="lg">
        <ProfileSection />
        <NotificationsSection />
        <PasswordSection />
        <WaysInSection />
        <SecondFactorSection />
        <PasskeysSection />
        <TokensSection />
        <SessionsSection />
        <ConnectedPrograms />
        <DataSection />
      </Stack>
    </Container>
  );
}
