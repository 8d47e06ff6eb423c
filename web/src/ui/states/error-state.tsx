import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { asApiError } from '@/api/errors';

/** A failed call in full: what happened, why, what to do, and the code to look it up by. */
export function ErrorState({
  error,
  title,
  color = 'red',
  onRetry,
}: {
  error: unknown;
  title?: string;
  /** `yellow` for what waits for the user and has not failed. */
  color?: 'red' | 'yellow';
  onRetry?: () => void;
}) {
  const { t, i18n } = useTranslation('ui');
  const { code, message, details, hint } = asApiError(error);
  const known = `errors:${code}`;
  const words = i18n.exists(known) ? t(known) : message;
  return (
    <Alert
      role="alert"
      color={color}
      variant="light"
      icon={<IconAlertTriangle />}
      title={title ?? words}
      data-testid="error-state"
    >
      <Stack gap="xs">
        {title !== undefined && <Text size="sm">{words}</Text>}
        {details !== null && (
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {details}
          </Text>
        )}
        {hint !== null && (
          <Text size="sm">
            <Text span inherit fw={600}>
              {t('states.hint')}:
            </Text>{' '}
            {hint}
          </Text>
        )}
        <Group gap="sm" mt={4}>
          {onRetry !== undefined && (
            <Button
              size="xs"
              variant="default"
              leftSection={<IconRefresh size={14} />}
              onClick={onRetry}
            >
              {t('states.retry')}
            </Button>
          )}
          <Text size="xs">
            {t('states.code')}: <Code>{code}</Code>
          </Text>
        </Group>
      </Stack>
    </Alert>
  );
}
