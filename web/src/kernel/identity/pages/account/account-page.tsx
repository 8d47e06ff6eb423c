import { Container, Group, Stack } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Brand } from '@/ui/brand';
import { AnchorLink } from '@/ui/links';
import { PageHeader } from '@/ui/page-header';
import { SecuritySection } from './security';
import { WaysInSection } from './ways-in';

/** What people settle for themselves, whatever organisations they belong to. */
export function AccountPage() {
  const { t } = useTranslation('factors');
  return (
    <Container component="main" size="sm" py="xl" id="main">
      <Group justify="space-between" mb="xl">
        <Brand />
        <AnchorLink to="/" size="sm">
          {t('account.back')}
        </AnchorLink>
      </Group>
      <PageHeader title={t('account.title')} />
      <Stack gap="lg">
        <WaysInSection />
        <SecuritySection />
      </Stack>
    </Container>
  );
}
