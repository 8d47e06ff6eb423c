import { ActionIcon, Badge, Menu, Stack, Text } from '@mantine/core';
import {
  IconDots,
  IconKey,
  IconListDetails,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconSend,
  IconTrash,
  IconWebhook,
} from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { ListPage, ThingCard } from '@/kernel/access/blocks';
import { Names } from '@/kernel/access/fields';
import { useOrganization } from '@/kernel/tenancy/organization';
import { formatDateTime } from '@/ui/format';
import { notifyDone, notifyFailed } from '@/ui/notify';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { EndpointForm, RemoveForm, RotateForm } from '../forms';
import { endpointsQuery, type Endpoint } from '../queries';

type What = 'edit' | 'rotate' | 'remove';
type Ask = (what: What, endpoint: Endpoint) => void;

/** How an endpoint is, in one word. */
function stateOf({ enabled, disabled_because, failing_since }: Endpoint) {
  if (enabled) return failing_since == null ? 'on' : 'failing';
  if (disabled_because === 'gone') return 'gone';
  return disabled_because === 'failing' ? 'given_up' : 'person';
}

const COLOURS = { on: 'teal', failing: 'yellow', person: 'gray', gone: 'red', given_up: 'red' };

export function EndpointsPage() {
  const { t } = useTranslation('webhooks');
  const { name } = useOrganization();
  const titles = { edit: t('editTitle'), rotate: t('rotateTitle'), remove: t('removeTitle') };
  return (
    <ListPage<What, Endpoint>
      title={t('title')}
      text={t('text', { organization: name })}
      add={t('add')}
      read="webhooks.endpoints.read"
      manage="webhooks.endpoints.manage"
      list={(ask) => <Endpoints ask={ask} />}
      dialogTitle={({ what }) => titles[what]}
      dialog={(asked, close) => {
        if (asked === null) return <EndpointForm endpoint={null} onDone={close} />;
        if (asked.what === 'edit') return <EndpointForm endpoint={asked.thing} onDone={close} />;
        if (asked.what === 'rotate') return <RotateForm endpoint={asked.thing} onDone={close} />;
        return <RemoveForm endpoint={asked.thing} onDone={close} />;
      }}
    />
  );
}

function Endpoints({ ask }: { ask: Ask }) {
  const { t } = useTranslation('webhooks');
  const { id } = useOrganization();
  const { data, error, refetch } = useQuery(endpointsQuery(id));
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <LoadingState />;
  if (data.length === 0) {
    return (
      <EmptyState icon={IconWebhook} title={t('empty')}>
        {t('emptyText')}
      </EmptyState>
    );
  }
  return (
    <Stack>
      {data.map((endpoint) => (
        <EndpointCard key={endpoint.id} endpoint={endpoint} ask={ask} />
      ))}
    </Stack>
  );
}

function EndpointCard({ endpoint, ask }: { endpoint: Endpoint; ask: Ask }) {
  const { t, i18n } = useTranslation('webhooks');
  const state = stateOf(endpoint);
  const when = (moment: string) => formatDateTime(moment, i18n.language);
  return (
    <ThingCard
      name={endpoint.url}
      badges={
        <Badge variant="light" color={COLOURS[state]} c="var(--mantine-color-text)">
          {t(`states.${state}`)}
        </Badge>
      }
      description={endpoint.description}
      testId="endpoint"
      actions={<Actions endpoint={endpoint} ask={ask} />}
    >
      <Names names={endpoint.events} most={6} />
      {state === 'failing' && (
        <Text size="sm">{t('why.failing', { when: when(endpoint.failing_since ?? '') })}</Text>
      )}
      {(state === 'gone' || state === 'given_up') && <Text size="sm">{t(`why.${state}`)}</Text>}
      {endpoint.old_secret_until != null && (
        <Text size="sm" c="dimmed">
          {t('oldSecret', { when: when(endpoint.old_secret_until) })}
        </Text>
      )}
    </ThingCard>
  );
}

function Actions({ endpoint, ask }: { endpoint: Endpoint; ask: Ask }) {
  const { t } = useTranslation('webhooks');
  const { id, slug, api, can } = useOrganization();
  const client = useQueryClient();
  const changed = () => client.invalidateQueries({ queryKey: [id, 'webhooks'] });
  const params = { path: { id: endpoint.id } };
  const test = useMutation({
    mutationFn: () => reply(api.POST('/api/v1/webhooks/endpoints/{id}/test', { params })),
    onSuccess: async () => {
      notifyDone(t('tested'));
      await changed();
    },
    onError: notifyFailed,
  });
  const turn = useMutation({
    mutationFn: (enabled: boolean) =>
      reply(api.PATCH('/api/v1/webhooks/endpoints/{id}', { params, body: { enabled } })),
    onSuccess: async (_, enabled) => {
      notifyDone(t(enabled ? 'switchedOn' : 'switchedOff'));
      await changed();
    },
    onError: notifyFailed,
  });
  const icon = { size: 16, stroke: 1.6 };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={t('actionsFor', { url: endpoint.url })}
          loading={test.isPending || turn.isPending}
        >
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          component={Link}
          to={`/o/${slug}/settings/webhooks/log?endpoint=${endpoint.id}`}
          leftSection={<IconListDetails {...icon} />}
        >
          {t('showLog')}
        </Menu.Item>
        {can('webhooks.endpoints.manage') && (
          <>
            {endpoint.enabled && (
              <Menu.Item
                leftSection={<IconSend {...icon} />}
                onClick={() => {
                  test.mutate();
                }}
              >
                {t('test')}
              </Menu.Item>
            )}
            <Menu.Item
              leftSection={<IconPencil {...icon} />}
              onClick={() => {
                ask('edit', endpoint);
              }}
            >
              {t('edit')}
            </Menu.Item>
            <Menu.Item
              leftSection={<IconKey {...icon} />}
              onClick={() => {
                ask('rotate', endpoint);
              }}
            >
              {t('rotate')}
            </Menu.Item>
            <Menu.Item
              leftSection={
                endpoint.enabled ? <IconPlayerPause {...icon} /> : <IconPlayerPlay {...icon} />
              }
              onClick={() => {
                turn.mutate(!endpoint.enabled);
              }}
            >
              {endpoint.enabled ? t('off') : t('on')}
            </Menu.Item>
            <Menu.Item
              color="red"
              leftSection={<IconTrash {...icon} />}
              onClick={() => {
                ask('remove', endpoint);
              }}
            >
              {t('remove')}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
