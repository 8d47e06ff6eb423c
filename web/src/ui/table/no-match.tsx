import { Button } from '@mantine/core';
import { IconFilterOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { EmptyState } from '../states/empty-state';

export function NoMatch({ onReset }: { onReset: () => void }) {
  const { t } = useTranslation('ui');
  return (
    <EmptyState
      icon={IconFilterOff}
      title={t('table.noMatch')}
      action={
        <Button variant="default" onClick={onReset}>
          {t('table.reset')}
        </Button>
      }
    >
      {t('table.noMatchHint')}
    </EmptyState>
  );
}
