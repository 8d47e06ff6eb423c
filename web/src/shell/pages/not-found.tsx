import { Center } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { EmptyState } from '@/ui/states/empty-state';
import { ButtonLink } from '@/ui/links';

export function NotFoundPage() {
  const { t } = useTranslation('shell');
  return (
    <Center mih="60vh" data-testid="not-found">
      <EmptyState
        plain
        icon={IconMapOff}
        title={t('notFound.title')}
        action={
          <ButtonLink to="/" variant="default">
            {t('notFound.home')}
          </ButtonLink>
        }
      >
        {t('notFound.text')}
      </EmptyState>
    </Center>
  );
}
