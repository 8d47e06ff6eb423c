import { Button, Group, Paper, Select, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { LANGUAGES } from '@/kernel/i18n';
import { useModules } from '@/kernel/module';
import { PageHeader } from '@/ui/page-header';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { useOrganization } from '../../organization';
import { settingsQuery, type OrganizationSettings } from '../../queries';
import { RequirePermission } from '../../require-permission';
import { useChangeOrganization } from '../use-change-organization';

export function GeneralPage() {
  const { t } = useTranslation('tenancy');
  return (
    <>
      <PageHeader title={t('general.title')} description={t('general.description')} />
      <RequirePermission permission="tenancy.organization.read">
        <Loaded />
      </RequirePermission>
    </>
  );
}

function Loaded() {
  const { id } = useOrganization();
  const { data, error, refetch } = useQuery(settingsQuery(id));
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <LoadingState />;
  return <GeneralForm settings={data} />;
}

/** Pages of all modules that an organisation may choose to show first. */
function usePages() {
  const modules = useModules();
  const { t } = useTranslation();
  return useMemo(
    () =>
      modules.flatMap(({ name, titleKey, navigation }) =>
        navigation
          .filter(({ path }) => !path.startsWith('/settings'))
          .map(({ labelKey, path }) => ({
            value: path,
            label: `${t(`${name}:${titleKey}`)}: ${t(`${name}:${labelKey}`)}`,
          })),
      ),
    [modules, t],
  );
}

function GeneralForm({ settings }: { settings: OrganizationSettings }) {
  const { t } = useTranslation('tenancy');
  const { can } = useOrganization();
  const pages = usePages();
  const readOnly = !can('tenancy.organization.update');
  const mutation = useChangeOrganization();
  const zones = useMemo(() => ['UTC', ...Intl.supportedValuesOf('timeZone')], []);
  const form = useForm({
    initialValues: {
      name: settings.name,
      slug: settings.slug,
      timeZone: settings.time_zone,
      language: settings.language,
      home: settings.home ?? '',
    },
    validate: {
      name: (value) => (value.trim() === '' ? t('create.invalid') : null),
      slug: (value) =>
        /^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/.test(value) ? null : t('general.slugInvalid'),
    },
  });

  return (
    <Paper withBorder p="lg" maw={640}>
      <form
        noValidate
        onSubmit={form.onSubmit(({ name, slug, timeZone, language, home }) => {
          mutation.mutate(
            {
              name: name.trim(),
              slug,
              time_zone: timeZone,
              language,
              home: home === '' ? null : home,
            },
            {
              onSuccess: () => {
                form.resetDirty();
              },
            },
          );
        })}
      >
        <Stack>
          {mutation.isError && <ErrorState error={mutation.error} />}
          <TextInput
            label={t('create.name')}
            maxLength={200}
            readOnly={readOnly}
            {...form.getInputProps('name')}
          />
          <TextInput
            label={t('general.slug')}
            description={t('general.slugHint', { address: `${window.location.host}/o/` })}
            maxLength={63}
            readOnly={readOnly}
            {...form.getInputProps('slug')}
          />
          <Select
            label={t('general.timeZone')}
            searchable
            allowDeselect={false}
            data={zones.includes(settings.time_zone) ? zones : [settings.time_zone, ...zones]}
            limit={200}
            maxDropdownHeight={280}
            readOnly={readOnly}
            {...form.getInputProps('timeZone')}
          />
          <Select
            label={t('general.language')}
            description={t('general.languageHint')}
            allowDeselect={false}
            data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
            readOnly={readOnly}
            {...form.getInputProps('language')}
          />
          <Select
            label={t('general.home')}
            description={t('general.homeHint')}
            allowDeselect={false}
            data={[{ value: '', label: t('general.homeDefault') }, ...pages]}
            readOnly={readOnly}
            {...form.getInputProps('home')}
          />
          {!readOnly && (
            <Group justify="flex-end">
              <Button type="submit" loading={mutation.isPending} disabled={!form.isDirty()}>
                {t('save')}
              </Button>
            </Group>
          )}
        </Stack>
      </form>
    </Paper>
  );
}
