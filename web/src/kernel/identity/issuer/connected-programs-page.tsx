import { Container, Title, VisuallyHidden } from '@mantine/core';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Brand } from '@/ui/brand';
import { ConnectedPrograms } from '../pages/account/connected-programs';

/** The section of the account on a page of its own. */
export function ConnectedProgramsPage() {
  const { t } = useTranslation('issuer');
  const title = t('programs.title');
  useEffect(() => {
    document.title = `${title} · Tenon`;
  }, [title]);
  return (
    <Container size="sm" py="xl" component="main" id="main">
      <Brand />
      <VisuallyHidden>
        <Title order={1}>{title}</Title>
      </VisuallyHidden>
      <div style={{ marginTop: 32 }}>
        <ConnectedPrograms />
      </div>
    </Container>
  );
}
