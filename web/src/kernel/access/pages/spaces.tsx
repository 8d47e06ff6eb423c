import {
  ActionIcon,
  Badge,
  Button,
  Group,
  MultiSelect,
  Paper,
  Stack,
  TagsInput,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import {
  IconArchive,
  IconArchiveOff,
  IconPencil,
  IconUsersGroup,
  IconUsers,
} from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { RequirePermission } from '@/kernel/tenancy/require-permission';
import { Dialog } from '@/ui/dialog';
import { notifyFailed } from '@/ui/notify';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { roleMembersQuery, spacesQuery, type Space } from '../queries';

type Asked = { what: 'add' } | { what: 'edit' | 'members'; space: Space };

export function SpacesPage() {
  const { t } = useTranslation('access');
  const { can } = useOrganization();
  const [asked, setAsked] = useState<Asked | null>(null);
  const close = () => {
    setAsked(null);
  };
  const title =
    asked === null || asked.what === 'add'
      ? t('spaces.add')
      : t(`spaces.${asked.what}`, { name: asked.space.name });
  return (
    <>
      <PageHeader
        title={t('spaces.title')}
        description={t('spaces.text')}
        actions={
          can('access.spaces.manage') && (
            <Button
              onClick={() => {
                setAsked({ what: 'add' });
              }}
            >
              {t('spaces.add')}
            </Button>
          )
        }
      />
      <RequirePermission permission="access.spaces.read">
        <SpaceList ask={setAsked} />
      </RequirePermission>
      <Dialog opened={asked !== null} onClose={close} title={title}>
        {(asked?.what === 'add' || asked?.what === 'edit') && (
          <SpaceForm space={asked.what === 'edit' ? asked.space : null} onDone={close} />
        )}
        {asked?.what === 'members' && <MembersForm space={asked.space} onDone={close} />}
      </Dialog>
    </>
  );
}

function SpaceList({ ask }: { ask: (asked: Asked) => void }) {
  const { t } = useTranslation('access');
  const { id, api, can } = useOrganization();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(spacesQuery(id));
  const archive = useMutation({
    mutationFn: ({ space, archived }: { space: Space; archived: boolean }) =>
      reply(
        api.PUT('/api/v1/access/spaces/{id}/archived', {
          params: { path: { id: space.id } },
          body: { archived },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: [id, 'access', 'spaces'] }),
    onError: notifyFailed,
  });
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <LoadingState />;
  if (data.length === 0) {
    return (
      <EmptyState icon={IconUsersGroup} title={t('spaces.empty')}>
        {t('spaces.emptyText')}
      </EmptyState>
    );
  }
  return (
    <Stack gap="sm">
      {data.map((space) => {
        const archived = space.archived_at != null;
        const turn = t(archived ? 'spaces.restore' : 'spaces.archive', { name: space.name });
        return (
          <Paper key={space.id} withBorder p="md" data-testid="space">
            <Group justify="space-between" wrap="nowrap" align="flex-start">
              <Stack gap={4} miw={0}>
                <Group gap="xs">
                  <Text fw={600}>{space.name}</Text>
                  {space.mine && (
                    <Badge variant="light" c="var(--mantine-color-text)">
                      {t('spaces.mine')}
                    </Badge>
                  )}
                  {archived && (
                    <Badge variant="light" color="gray" c="var(--mantine-color-text)">
                      {t('spaces.archived')}
                    </Badge>
                  )}
                </Group>
                {space.description !== '' && (
                  <Text size="sm" c="dimmed">
                    {space.description}
                  </Text>
                )}
                <Text size="sm">
                  {t('spaces.people')}: {space.members.length}
                  {space.departments.length > 0 &&
                    ` · ${t('spaces.departments')}: ${space.departments.join(', ')}`}
                </Text>
              </Stack>
              {can('access.spaces.manage') && (
                <Group gap={4} wrap="nowrap">
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={t('spaces.members', { name: space.name })}
                    onClick={() => {
                      ask({ what: 'members', space });
                    }}
                  >
                    <IconUsers size={16} />
                  </ActionIcon>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={t('spaces.edit', { name: space.name })}
                    onClick={() => {
                      ask({ what: 'edit', space });
                    }}
                  >
                    <IconPencil size={16} />
                  </ActionIcon>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={turn}
                    onClick={() => {
                      archive.mutate({ space, archived: !archived });
                    }}
                  >
                    {archived ? <IconArchiveOff size={16} /> : <IconArchive size={16} />}
                  </ActionIcon>
                </Group>
              )}
            </Group>
          </Paper>
        );
      })}
    </Stack>
  );
}

function SpaceForm({ space, onDone }: { space: Space | null; onDone: () => void }) {
  const { t } = useTranslation('access');
  const { id, api } = useOrganization();
  const client = useQueryClient();
  const [name, setName] = useState(space?.name ?? '');
  const [description, setDescription] = useState(space?.description ?? '');
  const [tried, setTried] = useState(false);
  const nameOk = name.trim() !== '' && name.trim().length <= 80;
  const save = useMutation({
    mutationFn: () => {
      const body = { name: name.trim(), description: description.trim() };
      return space === null
        ? reply(api.POST('/api/v1/access/spaces', { body }))
        : reply(
            api.PUT('/api/v1/access/spaces/{id}', { params: { path: { id: space.id } }, body }),
          );
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: [id, 'access', 'spaces'] });
      onDone();
    },
  });
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (nameOk) save.mutate();
      }}
    >
      <Stack>
        {save.isError && <ErrorState error={save.error} />}
        <TextInput
          label={t('name')}
          value={name}
          data-autofocus
          error={tried && !nameOk ? t('invalidName') : null}
          onChange={(event) => {
            setName(event.currentTarget.value);
          }}
        />
        <Textarea
          label={t('description')}
          value={description}
          maxLength={500}
          autosize
          onChange={(event) => {
            setDescription(event.currentTarget.value);
          }}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t('cancel')}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {t('save')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function MembersForm({ space, onDone }: { space: Space; onDone: () => void }) {
  const { t } = useTranslation('access');
  const { id, api } = useOrganization();
  const client = useQueryClient();
  const { data, error } = useQuery(roleMembersQuery(id));
  const [members, setMembers] = useState(space.members);
  const [departments, setDepartments] = useState(space.departments);
  const save = useMutation({
    mutationFn: (known: string[]) =>
      reply(
        api.PUT('/api/v1/access/spaces/{id}/members', {
          params: { path: { id: space.id } },
          // Who has left the organisation meanwhile is left out.
          body: { members: members.filter((member) => known.includes(member)), departments },
        }),
      ),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: [id, 'access', 'spaces'] });
      onDone();
    },
  });
  if (error !== null) return <ErrorState error={error} />;
  if (data === undefined) return <LoadingState />;
  const known = new Set(
    data.map(({ department }) => department ?? '').filter((name) => name !== ''),
  );
  return (
    <Stack>
      {save.isError && <ErrorState error={save.error} />}
      <MultiSelect
        label={t('spaces.people')}
        searchable
        data={data.map(({ id: value, name, email }) => ({
          value,
          label: email == null || email === name ? name : `${name} · ${email}`,
        }))}
        value={members}
        onChange={setMembers}
      />
      <TagsInput
        label={t('spaces.departments')}
        description={t('spaces.departmentsHint')}
        data={[...known]}
        value={departments}
        acceptValueOnBlur
        onChange={setDepartments}
      />
      <Group justify="flex-end">
        <Button variant="default" onClick={onDone}>
          {t('cancel')}
        </Button>
        <Button
          loading={save.isPending}
          onClick={() => {
            save.mutate(data.map(({ id: member }) => member));
          }}
        >
          {t('save')}
        </Button>
      </Group>
    </Stack>
  );
}
