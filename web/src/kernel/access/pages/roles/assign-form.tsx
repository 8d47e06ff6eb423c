/** Gives a role to members, and takes it from them. */
import { Button, Checkbox, Group, Select, Stack, Text } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { ThingAction } from '../../blocks';
import { roleMembersQuery, type CustomRole } from '../../queries';
import { useForgetAccess } from './forget';

export function AssignForm({ role }: { role: CustomRole }) {
  const { t } = useTranslation('access');
  const { id, api } = useOrganization();
  const forget = useForgetAccess();
  const { data, error } = useQuery(roleMembersQuery(id));
  const [member, setMember] = useState<string | null>(null);
  const [only, setOnly] = useState(false);
  const assign = useMutation({
    mutationFn: (given: { member: string; role: string | null; only: boolean }) =>
      reply(
        api.PUT('/api/v1/access/members/{id}/role', {
          params: { path: { id: given.member } },
          body: { role: given.role, only: given.only },
        }),
      ),
    onSuccess: async () => {
      setMember(null);
      await forget();
    },
  });
  if (error !== null) return <ErrorState error={error} />;
  if (data === undefined) return <LoadingState />;
  const holders = data.filter(({ custom_role }) => custom_role === role.id);
  const others = data.filter(({ custom_role }) => custom_role !== role.id);
  return (
    <Stack>
      {assign.isError && <ErrorState error={assign.error} />}
      {holders.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('roles.nobody')}
        </Text>
      ) : (
        <Stack gap={4} component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
          {holders.map((holder) => (
            <Group key={holder.id} component="li" justify="space-between" wrap="nowrap">
              <Text size="sm" truncate>
                {holder.name}{' '}
                <Text span size="xs" c="dimmed">
                  {holder.custom_only
                    ? t('roles.alone')
                    : t('roles.besides', { role: t(`tenancy:roles.${holder.role}`) })}
                </Text>
              </Text>
              <ThingAction
                label={t('roles.take', { name: holder.name })}
                icon={IconX}
                color="red"
                loading={assign.isPending && assign.variables.member === holder.id}
                onClick={() => {
                  assign.mutate({ member: holder.id, role: null, only: false });
                }}
              />
            </Group>
          ))}
        </Stack>
      )}
      <Select
        label={t('roles.assignTo')}
        searchable
        data={others.map(({ id: value, name, email }) => ({
          value,
          label: email == null || email === name ? name : `${name} · ${email}`,
        }))}
        value={member}
        onChange={setMember}
      />
      <Checkbox
        label={t('roles.assignOnly')}
        checked={only}
        onChange={(event) => {
          setOnly(event.currentTarget.checked);
        }}
      />
      <Group justify="flex-end">
        <Button
          disabled={member === null}
          loading={assign.isPending}
          onClick={() => {
            if (member !== null) assign.mutate({ member, role: role.id, only });
          }}
        >
          {t('roles.assignButton')}
        </Button>
      </Group>
    </Stack>
  );
}
