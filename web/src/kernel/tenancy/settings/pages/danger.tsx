import { Button, Card, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconDownload } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { download, reply } from '@/api/client';
import { Dialog } from '@/ui/dialog';
import { Confirm, DialogForm, FormButtons } from '@/ui/dialog-form';
import { formatDateTime } from '@/ui/format';
import { notifyDone } from '@/ui/notify';
import { PageHeader } from '@/ui/page-header';
import { ErrorState } from '@/ui/states/error-state';
import { useOrganization } from '../../organization';
import {
  membersQuery,
  organizationSessionQuery,
  organizationsQuery,
  settingsQuery,
} from '../../queries';

export function DangerPage() {
  const { t } = useTranslation('tenancy');
  const { can, member } = useOrganization();
  return (
    <>
      <PageHeader title={t('danger.title')} description={t('danger.description')} />
      <Stack maw={640}>
        {can('tenancy.organization.export') && <Export />}
        {can('tenancy.organization.transfer') && <Transfer />}
        {member && <Leave />}
        {can('tenancy.organization.delete') && <Deletion />}
      </Stack>
    </>
  );
}

function Section({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <Card component="section" padding="lg">
      <Title order={2} size="h4">
        {title}
      </Title>
      <Text size="sm" c="dimmed" mt={4} mb="md">
        {text}
      </Text>
      <Stack align="flex-start">{children}</Stack>
    </Card>
  );
}

function Export() {
  const { t } = useTranslation('tenancy');
  const { id, slug } = useOrganization();
  const mutation = useMutation({
    mutationFn: () => download('/api/v1/tenancy/organization/export', id, `${slug}.zip`),
  });
  return (
    <Section title={t('danger.export')} text={t('danger.exportText')}>
      <Stack align="flex-start">
        {mutation.isError && <ErrorState error={mutation.error} />}
        <Button
          variant="default"
          loading={mutation.isPending}
          leftSection={<IconDownload size={16} aria-hidden />}
          onClick={() => {
            mutation.mutate();
          }}
        >
          {t('danger.exportButton')}
        </Button>
      </Stack>
    </Section>
  );
}

function Transfer() {
  const { t } = useTranslation('tenancy');
  const { id, api, user } = useOrganization();
  const queryClient = useQueryClient();
  const [opened, { open, close }] = useDisclosure(false);
  const [search, setSearch] = useState('');
  const [heir, setHeir] = useState<string | null>(null);
  const { data, error, refetch } = useQuery({
    ...membersQuery(id, { search, limit: 20, offset: 0 }),
    enabled: opened,
  });
  const mutation = useMutation({
    mutationFn: (user_id: string) =>
      reply(api.POST('/api/v1/tenancy/organization/transfer', { body: { user_id } })),
    onSuccess: async () => {
      close();
      notifyDone(t('danger.transferred'));
      await queryClient.invalidateQueries({ queryKey: [id] });
    },
  });
  const people = (data?.members ?? []).filter(
    ({ user_id, suspended_at }) =>
      user_id !== user.id && (suspended_at === null || suspended_at === undefined),
  );
  return (
    <Section title={t('danger.transfer')} text={t('danger.transferText')}>
      <Button variant="default" onClick={open}>
        {t('danger.transferButton')}
      </Button>
      <Dialog opened={opened} onClose={close} title={t('danger.transfer')}>
        <Stack>
          {mutation.isError && <ErrorState error={mutation.error} />}
          {error !== null && <ErrorState error={error} onRetry={() => void refetch()} />}
          <Select
            data-autofocus
            label={t('danger.heir')}
            description={t('danger.heirHint')}
            searchable
            clearable
            nothingFoundMessage={t('danger.nobody')}
            filter={({ options }) => options}
            data={people.map(({ user_id, name, email }) => ({
              value: user_id,
              label:
                name === null || name === undefined ? (email ?? '') : `${name} (${email ?? ''})`,
            }))}
            value={heir}
            onChange={setHeir}
            onSearchChange={(text) => {
              // What stands in the field after a choice is no search.
              setSearch(text.includes('(') ? '' : text);
            }}
          />
          <FormButtons
            submit={t('danger.transferButton')}
            pending={mutation.isPending}
            color="red"
            disabled={heir === null}
            onSubmit={() => {
              if (heir !== null) mutation.mutate(heir);
            }}
            onCancel={close}
          />
        </Stack>
      </Dialog>
    </Section>
  );
}

function Leave() {
  const { t } = useTranslation('tenancy');
  const { id, name, api } = useOrganization();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [opened, { open, close }] = useDisclosure(false);
  const mutation = useMutation({
    mutationFn: () => reply(api.POST('/api/v1/tenancy/organization/leave')),
    onSuccess: async () => {
      close();
      notifyDone(t('danger.left', { organization: name }));
      await queryClient.invalidateQueries({ queryKey: organizationsQuery().queryKey });
      await navigate({ to: '/' });
      queryClient.removeQueries({ queryKey: [id] });
    },
  });
  return (
    <Section title={t('danger.leave')} text={t('danger.leaveText')}>
      <Button variant="default" onClick={open}>
        {t('danger.leaveButton')}
      </Button>
      <Dialog
        opened={opened}
        onClose={close}
        title={t('danger.leaveTitle', { organization: name })}
      >
        <Confirm
          text={t('danger.leaveConfirm')}
          error={mutation.error}
          pending={mutation.isPending}
          submit={t('danger.leaveButton')}
          onSubmit={() => {
            mutation.mutate();
          }}
          onCancel={close}
        />
      </Dialog>
    </Section>
  );
}

function Deletion() {
  const { t, i18n } = useTranslation('tenancy');
  const { id, name, api, deleteAfter } = useOrganization();
  const queryClient = useQueryClient();
  const [opened, { open, close }] = useDisclosure(false);
  const [typed, setTyped] = useState('');
  const refresh = async () => {
    await Promise.all([
      queryClient.invalidateQueries({ queryKey: organizationSessionQuery(id).queryKey }),
      queryClient.invalidateQueries({ queryKey: settingsQuery(id).queryKey }),
    ]);
  };
  const ask = useMutation({
    mutationFn: () =>
      reply(api.POST('/api/v1/tenancy/organization/deletion', { body: { name: typed.trim() } })),
    onSuccess: async () => {
      close();
      setTyped('');
      await refresh();
    },
  });
  const takeBack = useMutation({
    mutationFn: () => reply(api.DELETE('/api/v1/tenancy/organization/deletion')),
    onSuccess: async () => {
      notifyDone(t('danger.kept'));
      await refresh();
    },
  });
  if (deleteAfter !== null) {
    return (
      <Section
        title={t('danger.deletion')}
        text={t('danger.pending', { date: formatDateTime(deleteAfter, i18n.language) })}
      >
        <Stack align="flex-start">
          {takeBack.isError && <ErrorState error={takeBack.error} />}
          <Button
            loading={takeBack.isPending}
            onClick={() => {
              takeBack.mutate();
            }}
          >
            {t('danger.keepButton')}
          </Button>
        </Stack>
      </Section>
    );
  }
  return (
    <Section title={t('danger.deletion')} text={t('danger.deletionText')}>
      <Button color="red" variant="outline" onClick={open}>
        {t('danger.deletionButton')}
      </Button>
      <Dialog
        opened={opened}
        onClose={close}
        title={t('danger.deletionTitle', { organization: name })}
      >
        <DialogForm
          text={t('danger.deletionConfirm')}
          error={ask.error}
          pending={ask.isPending}
          submit={t('danger.deletionButton')}
          color="red"
          disabled={typed.trim() !== name}
          ok={typed.trim() === name}
          onSubmit={() => {
            ask.mutate();
          }}
          onCancel={close}
        >
          {() => (
            <TextInput
              data-autofocus
              label={t('danger.typeName', { organization: name })}
              autoComplete="off"
              value={typed}
              onChange={(event) => {
                setTyped(event.currentTarget.value);
              }}
            />
          )}
        </DialogForm>
      </Dialog>
    </Section>
  );
}
