import { Avatar, Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { IconPlugConnected } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { OAuthGrant } from '@supabase/supabase-js';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/ui/dialog';
import { Confirm } from '@/ui/dialog-form';
import { notifyDone } from '@/ui/notify';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { DateText } from '@/ui/values';
import { disconnect, grantsQuery } from '../../issuer/api';
import { Granted } from '../../issuer/granted';

/** The programs a person signed in to from here, each to be disconnected. */
export function ConnectedPrograms() {
  const { t } = useTranslation('issuer');
  const grants = useQuery(grantsQuery());
  return (
    <Paper component="section" withBorder p="lg" aria-label={t('programs.title')}>
      <Title order={2} size="h4">
        {t('programs.title')}
      </Title>
      <Text size="sm" c="dimmed" mt={4} mb="md" maw={620}>
        {t('programs.description')}
      </Text>
      {grants.isPending && <LoadingState height={80} />}
      {grants.isError && <ErrorState error={grants.error} onRetry={() => void grants.refetch()} />}
      {grants.data?.length === 0 && (
        <EmptyState icon={IconPlugConnected} title={t('programs.empty')} order={2} plain>
          {t('programs.emptyText')}
        </EmptyState>
      )}
      <Stack>
        {grants.data?.map((grant) => (
          <Program key={grant.client.id} grant={grant} />
        ))}
      </Stack>
    </Paper>
  );
}

function Program({ grant }: { grant: OAuthGrant }) {
  const { t } = useTranslation('issuer');
  const { client, scopes, granted_at } = grant;
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState(false);
  const leave = useMutation({
    mutationFn: () => disconnect(client.id),
    onSuccess: async () => {
      notifyDone(t('programs.done', { program: client.name }));
      await queryClient.invalidateQueries({ queryKey: grantsQuery().queryKey });
    },
  });
  return (
    <Paper component="article" withBorder p="md" aria-label={client.name}>
      <Group align="flex-start" justify="space-between" gap="md">
        <Group align="flex-start" gap="sm" wrap="nowrap" flex={1} miw={220}>
          <Avatar size={34} radius="md" name={client.name} aria-hidden />
          <div style={{ minWidth: 0 }}>
            <Title order={3} size="h5" style={{ overflowWrap: 'anywhere' }}>
              {client.name}
            </Title>
            <Text size="xs" c="dimmed" mb="xs">
              {t('programs.since')} <DateText value={granted_at} />
            </Text>
            <Granted scopes={scopes} label={client.name} />
          </div>
        </Group>
        <Button
          variant="default"
          size="xs"
          aria-label={t('programs.disconnectName', { program: client.name })}
          onClick={() => {
            setAsking(true);
          }}
        >
          {t('programs.disconnect')}
        </Button>
      </Group>
      <Dialog
        opened={asking}
        onClose={() => {
          setAsking(false);
        }}
        title={t('programs.question', { program: client.name })}
      >
        <Confirm
          text={t('programs.consequence')}
          error={leave.error}
          pending={leave.isPending}
          submit={t('programs.disconnect')}
          onSubmit={() => {
            leave.mutate();
          }}
          onCancel={() => {
            setAsking(false);
          }}
        />
      </Dialog>
    </Paper>
  );
}
