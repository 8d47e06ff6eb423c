import { Button, Center, Stack, Text } from '@mantine/core';
import { useQueryErrorResetBoundary } from '@tanstack/react-query';
import { useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { asApiError } from '@/api/errors';
import { ErrorState } from '@/ui/states/error-state';
import { NotFound } from '@/ui/states/not-found';

/** Takes the place of a page that failed, so that the rest goes on working. */
export function CrashPage({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation('ui');
  const router = useRouter();
  const { reset: resetQueries } = useQueryErrorResetBoundary();
  const problem = asApiError(error);

  useEffect(() => {
    resetQueries();
  }, [resetQueries]);

  if (problem.isNotFound) return <NotFound />;
  return (
    <Center mih="60vh" p="md">
      <Stack maw={560} w="100%">
        <ErrorState
          error={problem}
          title={problem.code === 'web.unexpected' ? t('states.crashed') : t('states.unexpected')}
          onRetry={() => {
            reset();
            void router.invalidate();
          }}
        />
        <Text size="sm" c="dimmed">
          {t('states.crashedHint')}
        </Text>
        <Button
          variant="default"
          onClick={() => {
            window.location.reload();
          }}
        >
          {t('states.reload')}
        </Button>
      </Stack>
    </Center>
  );
}
