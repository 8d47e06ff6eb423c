import { Badge, MultiSelect, Stack, Text } from '@mantine/core';
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
import { departmentsQuery } from '@/kernel/tenancy/queries';
import { FormButtons } from '@/ui/dialog-form';
import { notifyFailed } from '@/ui/notify';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { DescriptionField, ListPage, ThingAction, ThingCard, ThingForm } from '../blocks';
import { roleMembersQuery, spacesQuery, type Space } from '../queries';

type Ask = (what: 'edit' | 'members', space: Space) => void;

export function SpacesPage() {
  const { t } = useTranslation('access');
  return (
    <ListPage<'edit' | 'members', Space>
      title={t('spaces.title')}
      text={t('spaces.text')}
      add={t('spaces.add')}
      read="access.spaces.read"
      manage="access.spaces.manage"
      list={(ask) => <SpaceList ask={ask} />}
      dialogTitle={({ what, thing }) => t(`spaces.${what}`, { name: thing.name })}
      dialog={(asked, close) =>
        asked?.what === 'members' ? (
          <MembersForm space={asked.thing} onDone={close} />
        ) : (
          <SpaceForm space={asked?.thing ?? null} onDone={close} />
        )
      }
    />
  );
}

function SpaceList({ ask }: { ask: Ask }) {
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
          <ThingCard
            key={space.id}
            name={space.name}
            description={space.description}
            testId="space"
            badges={
              <>
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
              </>
            }
            actions={
              can('access.spaces.manage') && (
                <>
                  <ThingAction
                    label={t('spaces.members', { name: space.name })}
                    icon={IconUsers}
                    onClick={() => {
                      ask('members', space);
                    }}
                  />
                  <ThingAction
                    label={t('spaces.edit', { name: space.name })}
                    icon={IconPencil}
                    onClick={() => {
                      ask('edit', space);
                    }}
                  />
                  <ThingAction
                    label={turn}
                    icon={archived ? IconArchiveOff : IconArchive}
                    onClick={() => {
                      archive.mutate({ space, archived: !archived });
                    }}
                  />
                </>
              )
            }
          >
            <Text size="sm">
              {t('spaces.people')}: {space.members.length}
              {space.departments.length > 0 &&
                ` · ${t('spaces.departments')}: ${space.departments.join(', ')}`}
            </Text>
          </ThingCard>
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
    <ThingForm
      name={name}
      onName={setName}
      error={save.error}
      pending={save.isPending}
      submit={t('save')}
      onSubmit={() => {
        save.mutate();
      }}
      onCancel={onDone}
    >
      {() => <DescriptionField value={description} onChange={setDescription} />}
    </ThingForm>
  );
}

function MembersForm({ space, onDone }: { space: Space; onDone: () => void }) {
  const { t } = useTranslation('access');
  const { id, api } = useOrganization();
  const client = useQueryClient();
  const { data, error } = useQuery(roleMembersQuery(id));
  const { data: departmentNames } = useQuery(departmentsQuery(id));
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
      <MultiSelect
        label={t('spaces.departments')}
        description={t('spaces.departmentsHint')}
        searchable
        data={departmentNames?.map(({ name }) => name) ?? departments}
        value={departments}
        onChange={setDepartments}
      />
      <FormButtons
        submit={t('save')}
        pending={save.isPending}
        onSubmit={() => {
          save.mutate(data.map(({ id: member }) => member));
        }}
        onCancel={onDone}
      />
    </Stack>
  );
}
