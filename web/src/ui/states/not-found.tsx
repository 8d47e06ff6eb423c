import { Center } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { ButtonLink } from '../links';
import { EmptyState } from './empty-state';

/** For what does not exist, or not for this user: the two look alike on purpose. */
export function NotFound({ alone = false }: { alone?: boolean }) {
  const { t } = useTranslation('ui');
  return (
    <Center
      component={alone ? 'main' : 'div'}
      mih={alone ? '100dvh' : '60vh'}
      data-testid="not-found"
    >
      <EmptyState
        plain
        order={1}
        icon={IconMapOff}
        title={t('states.notFound')}
        action={
          <ButtonLink to="/" variant="default">
            {t('states.home')}
          </ButtonLink>
        }
      >
        {t('states.notFoundHint')}
      </EmptyState>
    </Center>
  );
}
