/** Makes a role of the organisation's own, or changes one. */
import { Alert, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { DescriptionField, ThingForm } from '../../blocks';
import { Names, PatternsField } from '../../fields';
import { previewQuery, rolesQuery, type CustomRole } from '../../queries';
import { useForgetAccess } from './forget';

export function RoleForm({ role, onDone }: { role: CustomRole | null; onDone: () => void }) {
  const { t } = useTranslation('access');
  const { id, api } = useOrganization();
  const forget = useForgetAccess();
  const [name, setName] = useState(role?.name ?? '');
  const [description, setDescription] = useState(role?.description ?? '');
  const [includes, setIncludes] = useState<string[]>(role?.includes ?? []);
  const [excludes, setExcludes] = useState<string[]>(role?.excludes ?? []);
  const save = useMutation({
    mutationFn: () => {
      const body = { name: name.trim(), description: description.trim(), includes, excludes };
      return role === null
        ? reply(api.POST('/api/v1/access/roles', { body }))
        : reply(api.PUT('/api/v1/access/roles/{id}', { params: { path: { id: role.id } }, body }));
    },
    onSuccess: async () => {
      await forget();
      onDone();
    },
  });
  return (
    <ThingForm
      name={name}
      onName={setName}
      ok={includes.length > 0}
      error={save.error}
      pending={save.isPending}
      submit={t('save')}
      onSubmit={() => {
        save.mutate();
      }}
      onCancel={onDone}
    >
      {(tried) => (
        <>
          <DescriptionField value={description} onChange={setDescription} />
          <PatternsField
            organizationId={id}
            label={t('roles.includes')}
            value={includes}
            error={tried && includes.length === 0 ? t('invalidPatterns') : null}
            onChange={setIncludes}
          />
          <PatternsField
            organizationId={id}
            label={t('roles.excludes')}
            hint={t('roles.excludesHint')}
            value={excludes}
            onChange={setExcludes}
          />
          <Preview includes={includes} excludes={excludes} />
        </>
      )}
    </ThingForm>
  );
}

/** What the patterns grant, while they are written. */
function Preview({ includes, excludes }: { includes: string[]; excludes: string[] }) {
  const { t } = useTranslation('access');
  const { id } = useOrganization();
  const patterns = useMemo(() => ({ includes, excludes }), [includes, excludes]);
  const [settled] = useDebouncedValue(patterns, 150);
  const { data, error } = useQuery({
    ...previewQuery(id, settled),
    enabled: settled.includes.length > 0,
  });
  const { data: roles } = useQuery(rolesQuery(id));
  if (includes.length === 0) return null;
  if (error !== null) return <ErrorState error={error} />;
  if (data === undefined) return <LoadingState />;
  return (
    <Stack gap="xs" aria-live="polite" data-testid="role-preview">
      <Text size="sm" fw={550}>
        {t('roles.preview', { count: data.granted.length, all: roles?.permissions.length ?? 0 })}
      </Text>
      <Names names={data.granted} most={40} />
      {data.unknown.length > 0 && (
        <Alert color="yellow" variant="light">
          {t('roles.unknown', { names: data.unknown.join(', ') })}
        </Alert>
      )}
      {data.beyond.length > 0 && (
        <Alert color="red" variant="light">
          {t('roles.beyond', { names: data.beyond.join(', ') })}
        </Alert>
      )}
    </Stack>
  );
}
