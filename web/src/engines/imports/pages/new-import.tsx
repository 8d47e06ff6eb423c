import {
  Alert,
  Box,
  Button,
  Group,
  List,
  Loader,
  Paper,
  Select,
  Stack,
  Text,
  Title,
} from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { IconCloudUpload, IconDownload, IconFileOff } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { download } from '@/api/client';
import type { Search } from '@/kernel/routing/search';
import { useOrganization } from '@/kernel/tenancy/organization';
import { RequirePermission } from '@/kernel/tenancy/require-permission';
import { notifyFailed } from '@/ui/notify';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { useUpload } from '../commands/upload';
import { ImportSteps } from '../components/import-steps';
import { FILE_ENDINGS, type Template } from '../model';
import { templatesQuery } from '../queries';
import classes from './new-import.module.css';

export function NewImportPage() {
  const { t } = useTranslation('imports');
  const { slug } = useOrganization();
  return (
    <>
      <PageHeader
        title={t('upload.title')}
        back={{ label: t('title'), to: `/o/${slug}/imports` }}
      />
      <RequirePermission permission="imports.runs.create">
        <ImportSteps active={0} />
        <TemplateChoice />
      </RequirePermission>
    </>
  );
}

function TemplateChoice() {
  const { t } = useTranslation('imports');
  const organization = useOrganization();
  const navigate = useNavigate();
  const search: Search = useSearch({ strict: false });
  const { data: templates, error, refetch } = useQuery(templatesQuery(organization));

  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (templates === undefined) return <LoadingState />;
  const template = templates.find(({ name }) => name === search.template) ?? templates[0];
  if (template === undefined) {
    return (
      <EmptyState icon={IconFileOff} title={t('upload.noTemplates')}>
        {t('upload.noTemplatesText')}
      </EmptyState>
    );
  }
  return (
    <Stack gap="lg">
      {templates.length > 1 && (
        <Select
          label={t('upload.choose')}
          maw={420}
          allowDeselect={false}
          data={templates.map(({ name, title }) => ({ value: name, label: title }))}
          value={template.name}
          onChange={(value) => {
            if (value !== null) {
              void navigate({
                to: '/o/$org/imports/new',
                params: { org: organization.slug },
                search: { template: value },
                replace: true,
              });
            }
          }}
        />
      )}
      <Box className={classes.layout}>
        <UploadPanel key={template.name} template={template} />
        <TemplateHelp template={template} />
      </Box>
    </Stack>
  );
}

function UploadPanel({ template }: { template: Template }) {
  const { t } = useTranslation('imports');
  const { slug } = useOrganization();
  const navigate = useNavigate();
  const upload = useUpload();
  const [rejected, setRejected] = useState<string | null>(null);

  const accept = (files: File[]) => {
    const file = files[0];
    if (file === undefined) return;
    setRejected(null);
    upload.mutate(
      { template: template.name, file, idempotencyKey: crypto.randomUUID() },
      {
        onSuccess: ({ id }) =>
          void navigate({ to: '/o/$org/imports/$id', params: { org: slug, id } }),
      },
    );
  };

  return (
    <Stack>
      {upload.isError && <ErrorState error={upload.error} />}
      {rejected !== null && (
        <Alert color="red" role="alert">
          {t('upload.rejected', { name: rejected, formats: t('upload.formats') })}
        </Alert>
      )}
      <Dropzone
        onDrop={accept}
        onReject={(rejections) => {
          setRejected(rejections[0]?.file.name ?? '');
        }}
        // Decided by the name: browsers disagree on the types of these files.
        validator={(file) =>
          FILE_ENDINGS.some((ending) => file.name.toLowerCase().endsWith(ending))
            ? null
            : { code: 'file-invalid-type', message: t('upload.formats') }
        }
        multiple={false}
        disabled={upload.isPending}
        className={classes.drop}
        inputProps={{ 'aria-label': t('upload.drop') }}
        aria-label={t('upload.drop')}
      >
        <Stack align="center" gap="xs" ta="center" className={classes.inner}>
          {upload.isPending ? (
            <>
              <Loader size="md" />
              <Text fw={550} role="status">
                {t('upload.uploading', { name: upload.variables.file.name })}
              </Text>
            </>
          ) : (
            <>
              <IconCloudUpload size={44} stroke={1.3} className={classes.icon} aria-hidden />
              <Text fw={600} fz="lg">
                <Dropzone.Accept>{t('upload.dropNow')}</Dropzone.Accept>
                <Dropzone.Idle>{t('upload.drop')}</Dropzone.Idle>
                <Dropzone.Reject>{t('upload.drop')}</Dropzone.Reject>
              </Text>
              <Text size="sm" c="dimmed">
                {t('upload.formats')}
              </Text>
            </>
          )}
        </Stack>
      </Dropzone>
    </Stack>
  );
}

function TemplateHelp({ template }: { template: Template }) {
  const { t } = useTranslation('imports');
  const { id } = useOrganization();
  const fetchTemplate = useMutation({
    mutationFn: () =>
      download(
        `/api/v1/imports/templates/${encodeURIComponent(template.name)}/workbook`,
        id,
        `${template.name}.xlsx`,
      ),
    onError: notifyFailed,
  });
  return (
    <Paper withBorder p="lg" component="aside" aria-labelledby="template-help">
      <Title order={2} size="h4" id="template-help">
        {t('upload.help')}
      </Title>
      <Text size="sm" c="dimmed" mt={4}>
        {template.description} {t('upload.helpText')}
      </Text>
      <Stack gap="md" mt="md">
        {template.sheets.map((sheet) => (
          <Box key={sheet.key}>
            <Text size="sm" fw={600} mb={4}>
              {sheet.title}
            </Text>
            <List size="sm" className={classes.fields}>
              {sheet.fields.map((field) => (
                <List.Item key={field.key}>
                  {field.label}
                  {field.required && (
                    <Text span size="xs" c="dimmed">
                      {' '}
                      ({t('upload.required')})
                    </Text>
                  )}
                </List.Item>
              ))}
            </List>
          </Box>
        ))}
      </Stack>
      <Group mt="lg">
        <Button
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden />}
          loading={fetchTemplate.isPending}
          onClick={() => {
            fetchTemplate.mutate();
          }}
        >
          {t('upload.template')}
        </Button>
      </Group>
    </Paper>
  );
}
