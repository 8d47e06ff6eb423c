import { Center } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { EmptyState } from '@/ui/states/empty-state';
import { ButtonLink } from '@/ui/links';

/** Stands inside the frame of an organisation, or alone when there is none to show. */
export function NotFoundPage({ alone = false }: { alone?: boolean }) {
  const { t } = useTranslation('shell');
  return (
    <Center component={alone ? 'main' : 'div'} mih="60vh" data-testid="not-found">
      <EmptyState
        plain
        order={1}
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
