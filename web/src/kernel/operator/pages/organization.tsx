import { Badge, Button, Group, Paper, Select, Stack, Table, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useRoleName } from '@/kernel/tenancy/role-name';
import { Dialog } from '@/ui/dialog';
import { DialogForm } from '@/ui/dialog-form';
import { PageHeader } from '@/ui/page-header';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { WideContent } from '@/ui/table/wide-content';
import { api, FEATURES, organizationQuery, plansQuery, type OrganizationDetail } from '../queries';
import { ReasonField } from '../reason-field';
import { OrganizationState } from './organizations';

const MINUTES = ['30', '60', '240', '480'] as const;

interface Change {
  plan?: string;
  flags?: Record<string, boolean | null>;
  suspended?: boolean;
  reason?: string;
}

export function OrganizationPage() {
  const { t } = useTranslation('operator');
  const { id = '' } = useParams({ strict: false });
  const { data, error, refetch } = useQuery(organizationQuery(id));
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <LoadingState />;
  return (
    <>
      <PageHeader
        title={data.organization.name}
        description={data.organization.slug}
        back={{ label: t('organizations.title'), to: '/operator/organizations' }}
        badge={<OrganizationState organization={data.organization} />}
        actions={
          <>
            <Enter organization={data} />
            <Suspend organization={data} />
          </>
        }
      />
      <Stack gap="lg">
        <Plan organization={data} />
        <Members organization={data} />
      </Stack>
    </>
  );
}

function useChange(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: Change) =>
      reply(
        api.PATCH('/api/v1/operator/organizations/{id}', {
          params: { path: { id } },
          body: change as never,
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ['operator', 'organizations'] }),
  });
}

function Plan({ organization }: { organization: OrganizationDetail }) {
  const { t } = useTranslation('operator');
  const change = useChange(organization.organization.id);
  const { plan } = organization.organization;
  const { data: plans } = useQuery(plansQuery());
  const flags: Record<string, unknown> = organization.flags;
  const settings = (['plan', 'on', 'off'] as const).map((value) => ({
    value,
    label: t(`organization.setting.${value}`),
  }));
  return (
    <Paper withBorder p="lg" component="section">
      {change.isError && <ErrorState error={change.error} />}
      <Select
        label={t('organizations.plan')}
        maw={320}
        data={plans?.map(({ name, title }) => ({ value: name, label: title })) ?? [plan]}
        value={plan}
        allowDeselect={false}
        disabled={change.isPending}
        onChange={(next) => {
          if (next !== null && next !== plan) change.mutate({ plan: next });
        }}
      />
      <Title order={2} size="h5" mt="lg">
        {t('organization.flags')}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t('organization.flagsText')}
      </Text>
      <Group>
        {FEATURES.map((feature) => (
          <Select
            key={feature}
            label={t(`organization.feature.${feature}`)}
            data={settings}
            value={flags[feature] === true ? 'on' : flags[feature] === false ? 'off' : 'plan'}
            allowDeselect={false}
            disabled={change.isPending}
            onChange={(next) => {
              change.mutate({ flags: { [feature]: next === 'plan' ? null : next === 'on' } });
            }}
          />
        ))}
      </Group>
    </Paper>
  );
}

function Members({ organization }: { organization: OrganizationDetail }) {
  const { t } = useTranslation('operator');
  const roleName = useRoleName();
  return (
    <section aria-labelledby="members-title">
      <Title order={2} size="h5" mb="sm" id="members-title">
        {t('organization.members')}
      </Title>
      <Paper withBorder>
        <WideContent label={t('organization.members')} minWidth={420}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">{t('name')}</Table.Th>
                <Table.Th scope="col">{t('email')}</Table.Th>
                <Table.Th scope="col">{t('organization.role')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {organization.members.map((member) => (
                <Table.Tr key={member.id}>
                  <Table.Td>{member.name ?? ''}</Table.Td>
                  <Table.Td>{member.email ?? ''}</Table.Td>
                  <Table.Td>
                    <Group gap={6}>
                      {roleName({ ...member, role: member.role as 'owner' })}
                      {(member.banned || member.suspended) && (
                        <Badge size="sm" variant="light" color="red" c="var(--mantine-color-text)">
                          {member.banned ? t('organization.banned') : t('organization.suspended')}
                        </Badge>
                      )}
                    </Group>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </WideContent>
      </Paper>
    </section>
  );
}

function Suspend({ organization }: { organization: OrganizationDetail }) {
  const { t } = useTranslation('operator');
  const { id, name, suspended_at } = organization.organization;
  const change = useChange(id);
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState('');
  const close = () => {
    setAsking(false);
    setReason('');
    change.reset();
  };
  const suspended = suspended_at != null;
  const verb = t(suspended ? 'organization.restore' : 'organization.suspend');
  // Whom nobody shuts out needs no reason to come back.
  const reasonOk = suspended || reason.trim() !== '';
  return (
    <>
      <Button
        variant={suspended ? 'default' : 'light'}
        color={suspended ? undefined : 'red'}
        onClick={() => {
          setAsking(true);
        }}
      >
        {verb}
      </Button>
      <Dialog opened={asking} onClose={close} title={verb}>
        <DialogForm
          text={t(suspended ? 'organization.restoreText' : 'organization.suspendText', { name })}
          ok={reasonOk}
          error={change.error}
          pending={change.isPending}
          submit={verb}
          color={suspended ? undefined : 'red'}
          onSubmit={() => {
            change.mutate(
              {
                suspended: !suspended,
                ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
              },
              { onSuccess: close },
            );
          }}
          onCancel={close}
        >
          {(tried) => (
            <ReasonField
              value={reason}
              onChange={setReason}
              missing={tried && !reasonOk}
              optional={suspended}
            />
          )}
        </DialogForm>
      </Dialog>
    </>
  );
}

function Enter({ organization }: { organization: OrganizationDetail }) {
  const { t } = useTranslation('operator');
  const client = useQueryClient();
  const { id, name } = organization.organization;
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState('');
  const [minutes, setMinutes] = useState<(typeof MINUTES)[number]>('60');
  const close = () => {
    setAsking(false);
    setReason('');
  };
  const enter = useMutation({
    mutationFn: () =>
      reply(
        api.POST('/api/v1/operator/organizations/{id}/visits', {
          params: { path: { id } },
          body: { reason: reason.trim(), minutes: Number(minutes) },
        }),
      ),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['operator', 'visits'] });
      close();
    },
  });
  return (
    <>
      <Button
        onClick={() => {
          setAsking(true);
        }}
      >
        {t('visit.enter')}
      </Button>
      <Dialog opened={asking} onClose={close} title={t('visit.enter')}>
        <DialogForm
          text={t('visit.text', { name })}
          ok={reason.trim() !== ''}
          error={enter.error}
          pending={enter.isPending}
          submit={t('visit.enter')}
          onSubmit={() => {
            enter.mutate();
          }}
          onCancel={close}
        >
          {(tried) => (
            <>
              <ReasonField
                value={reason}
                onChange={setReason}
                missing={tried && reason.trim() === ''}
              />
              <Select
                label={t('visit.minutes')}
                data={MINUTES.map((value) => ({ value, label: t(`visit.choices.${value}`) }))}
                value={minutes}
                allowDeselect={false}
                onChange={(next) => {
                  if (next !== null) setMinutes(next);
                }}
              />
            </>
          )}
        </DialogForm>
      </Dialog>
    </>
  );
}
