import { Button, Group, Paper, Select, Stack, Text, Title } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createApi, reply } from '@/api/client';
import { organizationsQuery } from '@/kernel/tenancy/queries';
import { Dialog } from '@/ui/dialog';
import { notifyFailed } from '@/ui/notify';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { DateText } from '@/ui/values';
import { ThingAction, ThingForm } from './blocks';
import { daysOf, LifetimeField, Names, PatternsField, type Lifetime } from './fields';
import { stateOf } from './pages/keys';
import { tokensQuery } from './queries';
import { ShownOnce } from './secret';

/** A person's own tokens: a section of their account. */
export function TokensSection() {
  const { t } = useTranslation('access');
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(tokensQuery());
  const [adding, setAdding] = useState(false);
  const close = () => {
    setAdding(false);
  };
  const revoke = useMutation({
    mutationFn: (id: string) =>
      reply(createApi().DELETE('/api/v1/access/tokens/{id}', { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['access', 'tokens'] }),
    onError: notifyFailed,
  });
  const good = data?.filter((token) => stateOf(token) === 'active');
  return (
    <Paper component="section" withBorder p="lg" aria-labelledby="tokens-title" id="tokens">
      <Group justify="space-between" align="flex-start">
        <Title order={2} size="h4" id="tokens-title">
          {t('tokens.title')}
        </Title>
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            setAdding(true);
          }}
        >
          {t('tokens.add')}
        </Button>
      </Group>
      <Text size="sm" c="dimmed" mt={4} mb="md" maw={620}>
        {t('tokens.text')}
      </Text>
      {error !== null && <ErrorState error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <LoadingState />}
      {good?.length === 0 && (
        <Text size="sm" c="dimmed">
          {t('tokens.empty')}
        </Text>
      )}
      <Stack gap="sm" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
        {good?.map((token) => (
          <Group
            key={token.id}
            component="li"
            justify="space-between"
            wrap="nowrap"
            data-testid="token"
          >
            <Stack gap={2} miw={0}>
              <Text size="sm" fw={550} truncate>
                {token.name}{' '}
                <Text span size="xs" c="dimmed" ff="monospace">
                  {token.prefix}…
                </Text>
              </Text>
              <Text size="xs" c="dimmed">
                {token.organization?.name ?? t('tokens.all')}
                {' · '}
                {t('expires')}:{' '}
                {token.expires_at == null ? t('never') : <DateText value={token.expires_at} />}
                {' · '}
                {t('lastUsed')}:{' '}
                {token.last_used_at == null ? (
                  t('notUsed')
                ) : (
                  <DateText value={token.last_used_at} />
                )}
              </Text>
              {token.scopes == null ? (
                <Text size="xs" c="dimmed">
                  {t('tokens.everything')}
                </Text>
              ) : (
                <Names names={token.scopes} />
              )}
            </Stack>
            <ThingAction
              label={t('keys.revoke', { name: token.name })}
              icon={IconTrash}
              color="red"
              loading={revoke.isPending && revoke.variables === token.id}
              onClick={() => {
                revoke.mutate(token.id);
              }}
            />
          </Group>
        ))}
      </Stack>
      <Dialog opened={adding} onClose={close} title={t('tokens.add')}>
        <TokenForm onDone={close} />
      </Dialog>
    </Paper>
  );
}

function TokenForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation('access');
  const client = useQueryClient();
  const { data: organizations } = useQuery(organizationsQuery());
  const [name, setName] = useState('');
  const [organization, setOrganization] = useState<string | null>(null);
  const [scopes, setScopes] = useState<string[]>([]);
  const [lifetime, setLifetime] = useState<Lifetime>('30');
  const make = useMutation({
    mutationFn: () =>
      reply(
        createApi().POST('/api/v1/access/tokens', {
          body: {
            name: name.trim(),
            organization,
            scopes: scopes.length === 0 ? null : scopes,
            expires_in_days: daysOf(lifetime),
          },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ['access', 'tokens'] }),
  });
  if (make.data !== undefined) {
    return (
      <ShownOnce
        label={t('keys.made', { name: name.trim() })}
        secret={make.data.secret}
        onDone={onDone}
      />
    );
  }
  return (
    <ThingForm
      name={name}
      onName={setName}
      error={make.error}
      pending={make.isPending}
      submit={t('tokens.add')}
      onSubmit={() => {
        make.mutate();
      }}
      onCancel={onDone}
    >
      {() => (
        <>
          <Select
            label={t('tokens.organization')}
            placeholder={t('tokens.all')}
            clearable
            data={organizations?.map(({ id: value, name: label }) => ({ value, label })) ?? []}
            value={organization}
            onChange={setOrganization}
          />
          <PatternsField
            organizationId={organization ?? organizations?.[0]?.id ?? null}
            label={t('tokens.narrow')}
            hint={t('tokens.narrowHint')}
            value={scopes}
            onChange={setScopes}
          />
          <LifetimeField value={lifetime} onChange={setLifetime} />
        </>
      )}
    </ThingForm>
  );
}
