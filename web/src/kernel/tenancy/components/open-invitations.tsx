import { ActionIcon, Alert, Badge, Box, Group, Menu, Text, Title } from '@mantine/core';
import { IconDots, IconLink, IconMailForward, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { CopyField } from '@/ui/copy-field';
import { Dialog } from '@/ui/dialog';
import { formatDateTime } from '@/ui/format';
import { notifyDone, notifyFailed } from '@/ui/notify';
import { DataTable, type Column } from '@/ui/table/data-table';
import { DateText } from '@/ui/values';
import { useOrganization } from '../organization';
import { openInvitationsQuery, type Invitation, type OpenInvitation } from '../queries';

const SIZE = 25;

/** Invitations that nobody has taken up yet; nothing if there are none. */
export function OpenInvitations() {
  const { t, i18n } = useTranslation('tenancy');
  const { id, api } = useOrganization();
  const queryClient = useQueryClient();
  const { data, error, refetch } = useQuery(openInvitationsQuery(id));
  const [page, setPage] = useState(1);
  const [renewed, setRenewed] = useState<Invitation | null>(null);
  const onSuccess = async () => {
    await Promise.all([
      queryClient.invalidateQueries({ queryKey: openInvitationsQuery(id).queryKey }),
      queryClient.invalidateQueries({ queryKey: [id, 'organization'] }),
    ]);
  };
  const { mutate: resend } = useMutation({
    mutationFn: (invitation: OpenInvitation) =>
      reply(
        api.POST('/api/v1/tenancy/open-invitations/{id}/resend', {
          params: { path: { id: invitation.id } },
        }),
      ),
    onSuccess: async (invitation) => {
      if (invitation.mailed) {
        notifyDone(t('invitations.sent', { email: invitation.email ?? '' }));
      } else {
        setRenewed(invitation);
      }
      await onSuccess();
    },
    onError: notifyFailed,
  });
  const { mutate: revoke } = useMutation({
    mutationFn: (invitation: OpenInvitation) =>
      reply(
        api.DELETE('/api/v1/tenancy/open-invitations/{id}', {
          params: { path: { id: invitation.id } },
        }),
      ),
    onSuccess: async () => {
      notifyDone(t('invitations.revoked'));
      await onSuccess();
    },
    onError: notifyFailed,
  });

  const columns = useMemo<Column<OpenInvitation>[]>(
    () => [
      {
        key: 'email',
        header: t('invitations.for'),
        render: ({ email, invited_by }) => (
          <Box miw={0}>
            <Text size="sm" fw={550} truncate>
              {email ?? t('invitations.byLink')}
            </Text>
            {typeof invited_by === 'string' && (
              <Text size="xs" c="dimmed" truncate>
                {t('invitations.by', { name: invited_by })}
              </Text>
            )}
          </Box>
        ),
      },
      {
        key: 'role',
        header: t('members.role'),
        render: ({ role, department }) => (
          <>
            {t(`roles.${role}`)}
            {typeof department === 'string' && (
              <Text size="xs" c="dimmed">
                {department}
              </Text>
            )}
          </>
        ),
      },
      {
        key: 'expires_at',
        header: t('invitations.until'),
        render: ({ expires_at, expired }) =>
          expired ? (
            <Badge color="gray" variant="light" tt="none">
              {t('invitations.expired')}
            </Badge>
          ) : (
            <DateText value={expires_at} />
          ),
      },
      {
        key: 'actions',
        header: t('members.actions'),
        align: 'right',
        width: 90,
        render: (invitation) => (
          <Menu position="bottom-end" withinPortal>
            <Menu.Target>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t('members.actionsFor', {
                  name: invitation.email ?? t('invitations.byLink'),
                })}
              >
                <IconDots size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item
                leftSection={<IconMailForward size={16} aria-hidden />}
                onClick={() => {
                  resend(invitation);
                }}
              >
                {t(
                  typeof invitation.email === 'string'
                    ? 'invitations.resend'
                    : 'invitations.newLink',
                )}
              </Menu.Item>
              <Menu.Item
                color="red"
                leftSection={<IconTrash size={16} aria-hidden />}
                onClick={() => {
                  revoke(invitation);
                }}
              >
                {t('invitations.revoke')}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        ),
      },
    ],
    [t, resend, revoke],
  );

  if (data?.length === 0) return null;
  return (
    <Box component="section" mt="xl" aria-labelledby="open-invitations">
      <Title order={2} size="h4" mb="sm" id="open-invitations">
        {t('invitations.title')}
      </Title>
      <DataTable
        caption={t('invitations.title')}
        columns={columns}
        rows={data?.slice((page - 1) * SIZE, page * SIZE)}
        total={data?.length}
        rowKey={(invitation) => invitation.id}
        state={{ page, size: SIZE, setPage }}
        error={error}
        onRetry={() => void refetch()}
        minWidth={520}
        empty={null}
      />
      <Dialog
        opened={renewed !== null}
        onClose={() => {
          setRenewed(null);
        }}
        title={t('invitations.newLink')}
      >
        {renewed !== null && (
          <Group>
            <Alert icon={<IconLink />} color="ink" role="status" w="100%">
              {t('members.linkReady', { date: formatDateTime(renewed.expires_at, i18n.language) })}
            </Alert>
            <Box w="100%">
              <CopyField label={t('members.link')} value={renewed.url} />
            </Box>
          </Group>
        )}
      </Dialog>
    </Box>
  );
}
