import { Badge, Box, Button, Group, Stack, Text } from '@mantine/core';
import { IconDeviceDesktop, IconDeviceMobile } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { formatDateTime } from '@/ui/format';
import { notifyDone, notifyFailed } from '@/ui/notify';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { endOtherSessions, endSession, sessionsQuery, type OwnSession } from './api';
import { device } from './device';
import { Panel } from './panel';

/** Where the person is signed in, and signing out from afar. */
export function SessionsSection() {
  const { t } = useTranslation('account');
  const client = useQueryClient();
  const sessions = useQuery(sessionsQuery());
  const end = useMutation({
    mutationFn: (id: string | null) => (id === null ? endOtherSessions() : endSession(id)),
    onSuccess: () => {
      notifyDone(t('sessions.ended'));
    },
    onError: notifyFailed,
    onSettled: () => client.invalidateQueries(sessionsQuery()),
  });
  const list = sessions.data ?? [];
  return (
    <Panel title={t('sessions.title')} description={t('sessions.description')}>
      {sessions.isPending && <LoadingState height={120} />}
      {sessions.isError && (
        <ErrorState error={sessions.error} onRetry={() => void sessions.refetch()} />
      )}
      <Stack gap="sm" component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
        {list.map((session) => (
          <Entry
            key={session.id}
            session={session}
            busy={end.isPending}
            onEnd={() => {
              end.mutate(session.id);
            }}
          />
        ))}
      </Stack>
      {list.length > 1 && (
        <Button
          mt="md"
          variant="default"
          loading={end.isPending && end.variables === null}
          onClick={() => {
            end.mutate(null);
          }}
        >
          {t('sessions.endOthers')}
        </Button>
      )}
    </Panel>
  );
}

function Entry({
  session,
  busy,
  onEnd,
}: {
  session: OwnSession;
  busy: boolean;
  onEnd: () => void;
}) {
  const { t, i18n } = useTranslation('account');
  const { browser, system, mobile } = device(session.user_agent ?? '');
  const name = [browser ?? t('sessions.program'), system].filter(Boolean).join(' · ');
  const Symbol = mobile ? IconDeviceMobile : IconDeviceDesktop;
  return (
    <Group component="li" justify="space-between" wrap="nowrap" gap="sm">
      <Group gap="sm" wrap="nowrap" miw={0}>
        <Symbol size={22} stroke={1.5} aria-hidden style={{ flex: 'none' }} />
        <Box miw={0}>
          <Group gap="xs">
            <Text size="sm" fw={550}>
              {name}
            </Text>
            {session.current && <Badge size="sm">{t('sessions.current')}</Badge>}
          </Group>
          <Text size="xs" c="dimmed">
            {t('sessions.used', { at: formatDateTime(session.refreshed_at, i18n.language) })}
            {session.ip !== null && ` · ${session.ip}`}
          </Text>
        </Box>
      </Group>
      {!session.current && (
        <Button
          size="xs"
          variant="subtle"
          color="red"
          disabled={busy}
          aria-label={t('sessions.endOne', { name })}
          onClick={onEnd}
          style={{ flex: 'none' }}
        >
          {t('sessions.end')}
        </Button>
      )}
    </Group>
  );
}
