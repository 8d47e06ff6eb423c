import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconArrowsShuffle, IconDownload, IconInfoCircle, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { download } from '@/api/client';
import { asApiError, toApiError } from '@/api/errors';
import { useOrganization } from '@/kernel/tenancy/organization';
import { RequirePermission } from '@/kernel/tenancy/require-permission';
import { formatDateTime } from '@/ui/format';
import { notifyFailed } from '@/ui/notify';
import { PageHeader } from '@/ui/page-header';
import { ErrorState } from '@/ui/states/error-state';
import { NotFound } from '@/ui/states/not-found';
import { LoadingState } from '@/ui/states/loading-state';
import { ConfirmImport } from '../commands/confirm-import';
import { EndImport } from '../commands/end-import';
import { Counts } from '../components/counts';
import { ImportSteps } from '../components/import-steps';
import { Notices } from '../components/notices';
import { MappingForm } from '../components/mapping-form';
import { Preview } from '../components/preview';
import { ProgressPanel } from '../components/progress-panel';
import { Result } from '../components/result';
import { StateBadge } from '../components/state-badge';
import { stageOf, type Import, type Stage } from '../model';
import { templatesQuery } from '../queries';
import { useFollowedImport } from '../use-followed-import';
import { ButtonLink } from '@/ui/links';

const STEP: Record<Stage, 0 | 1 | 2 | 3> = {
  reading: 0,
  matching: 1,
  review: 1,
  committing: 2,
  committed: 3,
  failed: 0,
  closed: 0,
};

export function ImportDetailPage() {
  return (
    <RequirePermission permission="imports.runs.read">
      <ImportDetail />
    </RequirePermission>
  );
}

function ImportDetail() {
  const { t } = useTranslation('imports');
  const { slug } = useOrganization();
  const { id } = useParams({ from: '/o/$org/imports/$id' });
  const { data: run, error, refetch } = useFollowedImport(id);

  if (error !== null && run === undefined) {
    if (asApiError(error).isNotFound) return <NotFound />;
    return <ErrorState error={error} onRetry={() => void refetch()} />;
  }
  if (run === undefined) return <LoadingState height="50vh" />;
  const stage = stageOf(run.state);
  return (
    <>
      <PageHeader
        title={run.filename}
        back={{ label: t('title'), to: `/o/${slug}/imports` }}
        badge={<StateBadge state={run.state} />}
        actions={<Actions run={run} stage={stage} />}
        {...(stage === 'review' ? { description: t('review.text') } : {})}
      />
      {stage !== 'closed' && stage !== 'failed' && <ImportSteps active={STEP[stage]} />}
      <Body run={run} stage={stage} />
    </>
  );
}

function Actions({ run, stage }: { run: Import; stage: Stage }) {
  const { can } = useOrganization();
  return (
    <>
      {(stage === 'review' || stage === 'committed') && run.counts.refused > 0 && (
        <ErrorWorkbook run={run} />
      )}
      {(stage === 'review' || stage === 'matching' || stage === 'reading') &&
        can('imports.runs.create') && <EndImport id={run.id} how="cancel" />}
      {stage === 'review' && can('imports.runs.create') && <ConfirmImport run={run} />}
      {stage === 'committed' && can('imports.runs.undo') && <EndImport id={run.id} how="undo" />}
    </>
  );
}

function ErrorWorkbook({ run }: { run: Import }) {
  const { t } = useTranslation('imports');
  const { id } = useOrganization();
  const fetchWorkbook = useMutation({
    mutationFn: () =>
      download(`/api/v1/imports/${run.id}/error-workbook`, id, `refused-${run.filename}`),
    onError: notifyFailed,
  });
  return (
    <Button
      variant="default"
      leftSection={<IconDownload size={16} aria-hidden />}
      loading={fetchWorkbook.isPending}
      onClick={() => {
        fetchWorkbook.mutate();
      }}
    >
      {t('errorWorkbook')}
    </Button>
  );
}

function Body({ run, stage }: { run: Import; stage: Stage }) {
  switch (stage) {
    case 'reading':
    case 'committing':
      return <ProgressPanel kind={stage} progress={run.progress ?? null} />;
    case 'matching':
      return <Matching run={run} />;
    case 'review':
      return <Review run={run} />;
    case 'committed':
      return <Committed run={run} />;
    case 'failed':
      return <Failed run={run} />;
    case 'closed':
      return <Closed run={run} />;
  }
}

/** The server could not tell every column by itself; what it found is chosen already. */
function Matching({ run }: { run: Import }) {
  const organization = useOrganization();
  const { data: templates } = useQuery(templatesQuery(organization));
  const template = templates?.find(({ name }) => name === run.template);
  if (template === undefined) return <LoadingState />;
  return (
    <Stack>
      <Problem run={run} color="yellow" />
      <Notices notices={run.notices} />
      <MappingForm run={run} template={template} />
    </Stack>
  );
}

/** Why the import stopped or waits. */
function Problem({ run, color }: { run: Import; color: 'red' | 'yellow' }) {
  if (run.error == null) return null;
  return <ErrorState error={toApiError(422, run.error)} color={color} />;
}

function Review({ run }: { run: Import }) {
  const { t } = useTranslation('imports');
  const organization = useOrganization();
  const { data: templates } = useQuery(templatesQuery(organization));
  const template = templates?.find(({ name }) => name === run.template);
  const [editing, { open, close }] = useDisclosure(false);

  if (editing && template !== undefined) {
    return (
      <MappingForm
        key={run.validation_version}
        run={run}
        template={template}
        onSaved={close}
        cancel={
          <Button variant="default" onClick={close}>
            {t('ui:cancel')}
          </Button>
        }
      />
    );
  }
  return (
    <Stack gap="lg">
      <Counts run={run} template={template} />
      <Notices notices={run.notices} />
      <Preview
        run={run}
        template={template}
        action={
          organization.can('imports.runs.create') && (
            <Button
              variant="default"
              size="xs"
              leftSection={<IconArrowsShuffle size={14} aria-hidden />}
              onClick={open}
            >
              {t('mapping.edit')}
            </Button>
          )
        }
      />
    </Stack>
  );
}

function Committed({ run }: { run: Import }) {
  const organization = useOrganization();
  const { data: templates } = useQuery(templatesQuery(organization));
  return (
    <Stack gap="lg">
      <Result run={run} />
      <Counts run={run} template={templates?.find(({ name }) => name === run.template)} />
    </Stack>
  );
}

function Failed({ run }: { run: Import }) {
  const { t } = useTranslation('imports');
  return (
    <Stack data-testid="import-failed">
      <Problem run={run} color="red" />
      <Text size="sm">{t('failed.text')}</Text>
      <Another run={run} />
    </Stack>
  );
}

function Closed({ run }: { run: Import }) {
  const { t, i18n } = useTranslation('imports');
  const undone = run.state === 'undone';
  return (
    <Stack>
      <Alert
        color="gray"
        icon={<IconInfoCircle />}
        role="status"
        title={t(undone ? 'closed.undone' : 'closed.cancelled')}
      >
        {undone
          ? t('closed.undoneText', { date: formatDateTime(run.undone_at ?? '', i18n.language) })
          : t('closed.cancelledText')}
      </Alert>
      <Another run={run} />
    </Stack>
  );
}

function Another({ run }: { run: Import }) {
  const { t } = useTranslation('imports');
  const { slug, can } = useOrganization();
  if (!can('imports.runs.create')) return null;
  return (
    <Group>
      <ButtonLink
        to="/o/$org/imports/new"
        params={{ org: slug }}
        search={{ template: run.template }}
        variant="default"
        leftSection={<IconPlus size={16} aria-hidden />}
      >
        {t('failed.another')}
      </ButtonLink>
    </Group>
  );
}
