import { Center, Loader, VisuallyHidden } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export function LoadingState({ height = 240 }: { height?: number | string }) {
  const { t } = useTranslation('ui');
  return (
    <Center h={height} role="status">
      <Loader size="sm" type="dots" />
      <VisuallyHidden>{t('states.loading')}</VisuallyHidden>
    </Center>
  );
}
