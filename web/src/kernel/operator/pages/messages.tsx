import { Badge, Button, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { IconMailCheck } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { notifyDone, notifyFailed } from '@/ui/notify';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { DateTimeText } from '@/ui/values';
import { api, messagesQuery, type MessageRow } from '../queries';

const STATES = ['uncertain', 'failed', 'queued', 'sent'] as const;
type State = (typeof STATES)[number];
type Decision = 'send_again' | 'counts_as_sent' | 'give_up';

/** Mails and text messages of the installation: those that may have been sent or not wait here for a decision. */
export function MessagesPage() {
  const { t } = useTranslation('operator');
  const client = useQueryClient();
  const [state, setState] = useState<State>('uncertain');
  const query = useInfiniteQuery(messagesQuery(state));
  const decide = useMutation({
    mutationFn: ({ id, decision }: { id: string; decision: Decision }) =>
      reply(
        api.POST('/api/v1/operator/messages/{id}/resolve', {
          params: { path: { id } },
          body: { decision },
        }),
      ),
    onSuccess: () => {
      notifyDone(t('messages.decided'));
    },
    onError: notifyFailed,
    onSettled: () => client.invalidateQueries({ queryKey: ['operator', 'messages'] }),
  });
  const rows = query.data?.pages.flatMap((page) => page.messages) ?? [];
  const busy = decide.isPending ? decide.variables.id : null;
  return (
    <>
      <PageHeader title={t('messages.title')} description={t('messages.text')} />
      <Stack>
        <SegmentedControl
          aria-label={t('messages.state')}
          data={STATES.map((value) => ({ value, label: t(`messages.states.${value}`) }))}
          value={state}
          onChange={(value) => {
            setState(value);
          }}
        />
        {state === 'uncertain' && (
          <Text size="sm" c="dimmed">
            {t('messages.uncertainText')}
          </Text>
        )}
        {query.isPending && <LoadingState />}
        {query.isError && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
        {query.isSuccess && rows.length === 0 && (
          <EmptyState icon={IconMailCheck} title={t('messages.empty')} />
        )}
        <Stack component="ul" gap="sm" m={0} p={0} style={{ listStyle: 'none' }}>
          {rows.map((row) => (
            <Row
              key={row.id}
              row={row}
              busy={busy === row.id}
              onDecide={(decision) => {
                decide.mutate({ id: row.id, decision });
              }}
            />
          ))}
        </Stack>
        {query.hasNextPage && (
          <Group justify="center">
            <Button
              variant="default"
              loading={query.isFetchingNextPage}
              onClick={() => void query.fetchNextPage()}
            >
              {t('messages.older')}
            </Button>
          </Group>
        )}
      </Stack>
    </>
  );
}

function Row({
  row,
  busy,
  onDecide,
}: {
  row: MessageRow;
  busy: boolean;
  onDecide: (decision: Decision) => void;
}) {
  const { t } = useTranslation('operator');
  const about = row.subject === '' ? row.kind : row.subject;
  const open = row.state === 'uncertain';
  return (
    <li data-testid="message">
      <Group justify="space-between" align="flex-start" gap="md">
        <div style={{ flex: 1, minWidth: 220, overflowWrap: 'anywhere' }}>
          <Group gap={6}>
            <Text size="sm" fw={550} dir="auto">
              {about}
            </Text>
            <Badge size="sm" variant="light" tt="none" c="var(--mantine-color-text)">
              {row.provider ?? row.channel}
            </Badge>
          </Group>
          <Text size="sm" c="dimmed">
            {row.recipient} · {row.kind} · <DateTimeText value={row.created_at} /> ·{' '}
            {t('messages.attempts', { count: row.attempts })}
          </Text>
          {row.error != null && <Text size="sm">{row.error}</Text>}
          {open && !row.repeatable && (
            <Text size="xs" c="dimmed">
              {t('messages.notKept')}
            </Text>
          )}
        </div>
        <Group gap="xs">
          {row.repeatable && (
            <Button
              size="xs"
              variant="default"
              loading={busy}
              aria-label={t('messages.againOf', { name: about })}
              onClick={() => {
                onDecide('send_again');
              }}
            >
              {t('messages.again')}
            </Button>
          )}
          {open && (
            <>
              <Button
                size="xs"
                variant="default"
                disabled={busy}
                aria-label={t('messages.countOf', { name: about })}
                onClick={() => {
                  onDecide('counts_as_sent');
                }}
              >
                {t('messages.count')}
              </Button>
              <Button
                size="xs"
                variant="default"
                disabled={busy}
                aria-label={t('messages.giveUpOf', { name: about })}
                onClick={() => {
                  onDecide('give_up');
                }}
              >
                {t('messages.giveUp')}
              </Button>
            </>
          )}
        </Group>
      </Group>
    </li>
  );
}
