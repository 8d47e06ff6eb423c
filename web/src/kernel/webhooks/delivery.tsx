import { Badge, Button, Code, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { reply, type Reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { notifyDone } from '@/ui/notify';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { DateTimeText } from '@/ui/values';
import { deliveryQuery } from './queries';
import { COLOURS } from './states';

type Call = Reply<'/api/v1/webhooks/deliveries/{id}'>['calls'][number];

/** As JSON for people, if it is some. */
function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** All there is to tell of a delivery, and a button that sends it again. */
export function DeliveryDetail({ id: delivery }: { id: string }) {
  const { t } = useTranslation('webhooks');
  const { id, api, can } = useOrganization();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(deliveryQuery(id, delivery));
  const again = useMutation({
    mutationFn: () =>
      reply(
        api.POST('/api/v1/webhooks/deliveries/{id}/resend', {
          params: { path: { id: delivery } },
        }),
      ),
    onSuccess: async () => {
      notifyDone(t('log.sentAgain'));
      await client.invalidateQueries({ queryKey: [id, 'webhooks'] });
    },
  });
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <LoadingState />;
  return (
    <Stack data-testid="delivery">
      <Group justify="space-between">
        <Badge variant="light" color={COLOURS[data.state]} c="var(--mantine-color-text)">
          {t(`log.states.${data.state}`)}
        </Badge>
        {data.next_at != null && (
          <Text size="sm">
            {t('log.next')}: <DateTimeText value={data.next_at} />
          </Text>
        )}
      </Group>
      {again.error !== null && <ErrorState error={again.error} />}
      <Title order={3} size="h5">
        {t('log.calls')}
      </Title>
      {data.calls.length === 0 && (
        <Text size="sm" c="dimmed">
          {t('log.noCalls')}
        </Text>
      )}
      {data.calls.map((call) => (
        <CallCard key={call.n} call={call} />
      ))}
      <Title order={3} size="h5">
        {t('log.body')}
      </Title>
      <Text size="xs" c="dimmed" ff="monospace">
        webhook-id: {data.message_id}
      </Text>
      <Code block tabIndex={0} mah={320} style={{ overflow: 'auto' }}>
        {pretty(data.body)}
      </Code>
      {can('webhooks.endpoints.manage') && (
        <Group justify="flex-end">
          <Button
            loading={again.isPending}
            onClick={() => {
              again.mutate();
            }}
          >
            {t('log.again')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

function CallCard({ call }: { call: Call }) {
  const { t } = useTranslation('webhooks');
  return (
    <Paper withBorder p="sm" data-testid="call">
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={550}>
          {t('log.call', { n: call.n })}: {call.status ?? call.error ?? t('log.noAnswer')}
        </Text>
        <Text size="xs" c="dimmed">
          <DateTimeText value={call.at} /> · {t('log.took', { ms: call.duration_ms })}
        </Text>
      </Group>
      {call.answer !== '' && (
        <Code block tabIndex={0} mt={6} mah={160} style={{ overflow: 'auto' }}>
          {call.answer}
        </Code>
      )}
    </Paper>
  );
}
