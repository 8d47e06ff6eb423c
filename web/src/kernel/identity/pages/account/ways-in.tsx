import { Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { UserIdentity } from '@supabase/supabase-js';
import { IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/ui/dialog';
import { Confirm } from '@/ui/dialog-form';
import { formatDate } from '@/ui/format';
import { notifyDone } from '@/ui/notify';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { linkWith, providersQuery, unlink, waysInQuery } from '../../providers/api';
import { ProviderIcon } from '../../providers/provider-icon';
import { Refusal } from '../../providers/refusal';

const LIST = { listStyle: 'none', margin: 0, padding: 0 } as const;

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

/** What opens the account: one's own address, and accounts with providers. */
export function WaysInSection() {
  const { t } = useTranslation('providers');
  const ways = useQuery(waysInQuery());
  const providers = useQuery(providersQuery());
  const [leaving, setLeaving] = useState<UserIdentity | null>(null);
  const link = useMutation({
    mutationFn: (provider: string) => linkWith(provider, window.location.pathname),
  });
  const label = (provider: string) =>
    provider === 'email'
      ? t('waysIn.email')
      : (providers.data?.find(({ name }) => name === provider)?.label ?? provider);
  const linked = new Set(ways.data?.map(({ provider }) => provider));
  const others = (providers.data ?? []).filter(({ name }) => !linked.has(name));
  return (
    <Paper component="section" withBorder p="lg" aria-label={t('waysIn.title')} id="ways-in">
      <Title order={2} size="h4">
        {t('waysIn.title')}
      </Title>
      <Text size="sm" c="dimmed" mt={4} mb="md" maw={620}>
        {t('waysIn.description')}
      </Text>
      <Stack gap="md">
        <Refusal title={t('refused.linkTitle')} />
        {ways.isPending && <LoadingState height={80} />}
        {ways.isError && <ErrorState error={ways.error} onRetry={() => void ways.refetch()} />}
        {ways.data !== undefined && (
          <ul style={LIST}>
            {ways.data.map((way) => (
              <WayIn
                key={way.identity_id}
                way={way}
                label={label(way.provider)}
                only={ways.data.length < 2}
                onRemove={() => {
                  setLeaving(way);
                }}
              />
            ))}
          </ul>
        )}
        {ways.data?.length === 1 && (
          <Text size="sm" c="dimmed">
            {t('waysIn.only')}
          </Text>
        )}
        {link.isError && <ErrorState error={link.error} />}
        {ways.data !== undefined && others.length > 0 && (
          <Group gap="sm">
            {others.map((provider) => (
              <Button
                key={provider.name}
                variant="default"
                size="sm"
                leftSection={<IconPlus size={16} aria-hidden />}
                loading={link.isPending && link.variables === provider.name}
                onClick={() => {
                  link.mutate(provider.name);
                }}
              >
                {t('waysIn.add', { provider: provider.label })}
              </Button>
            ))}
          </Group>
        )}
      </Stack>
      <Dialog
        opened={leaving !== null}
        onClose={() => {
          setLeaving(null);
        }}
        title={t('waysIn.removeTitle')}
      >
        {leaving !== null && (
          <Remove
            way={leaving}
            label={label(leaving.provider)}
            onDone={() => {
              setLeaving(null);
            }}
          />
        )}
      </Dialog>
    </Paper>
  );
}

function WayIn({
  way,
  label,
  only,
  onRemove,
}: {
  way: UserIdentity;
  label: string;
  only: boolean;
  onRemove: () => void;
}) {
  const { t, i18n } = useTranslation('providers');
  const data = way.identity_data ?? {};
  const who = text(data.email) ?? text(data.user_name) ?? text(data.name);
  const used = text(way.last_sign_in_at);
  return (
    <li>
      <Group justify="space-between" gap="sm" py="xs">
        <Group gap="sm" wrap="nowrap" miw={0} flex={1}>
          <ProviderIcon name={way.provider} />
          <div style={{ minWidth: 0 }}>
            <Text size="sm" fw={600}>
              {label}
            </Text>
            {who !== undefined && (
              <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
                {who}
              </Text>
            )}
            <Text size="xs" c="dimmed">
              {way.provider === 'email' && `${t('waysIn.emailText')} · `}
              {used === undefined
                ? t('waysIn.neverUsed')
                : t('waysIn.lastUsed', { date: formatDate(used, i18n.language) })}
            </Text>
          </div>
        </Group>
        {!only && (
          <Button
            variant="subtle"
            color="red"
            size="xs"
            aria-label={t('waysIn.removeLabel', { way: label })}
            onClick={onRemove}
          >
            {t('waysIn.remove')}
          </Button>
        )}
      </Group>
    </li>
  );
}

function Remove({ way, label, onDone }: { way: UserIdentity; label: string; onDone: () => void }) {
  const { t } = useTranslation('providers');
  const queryClient = useQueryClient();
  const mutation = useMutation({
    mutationFn: () => unlink(way),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: waysInQuery().queryKey });
      notifyDone(t('waysIn.removed', { way: label }));
      onDone();
    },
  });
  return (
    <Confirm
      text={t('waysIn.removeText', { way: label })}
      error={mutation.error}
      pending={mutation.isPending}
      submit={t('waysIn.remove')}
      onSubmit={() => {
        mutation.mutate();
      }}
      onCancel={onDone}
    >
      {way.provider === 'email' && <Text size="sm">{t('waysIn.removeEmailText')}</Text>}
    </Confirm>
  );
}
