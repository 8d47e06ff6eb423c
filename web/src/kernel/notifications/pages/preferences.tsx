import {
  Box,
  Button,
  Container,
  Group,
  Paper,
  Select,
  Stack,
  Switch,
  Table,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { IconBell } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { localeOf } from '@/ui/format';
import { AnchorLink } from '@/ui/links';
import { Brand } from '@/ui/brand';
import { notifyDone } from '@/ui/notify';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { changed, choiceOf } from '../choice';
import {
  preferencesQuery,
  savePreferences,
  type Channel,
  type Choice,
  type Kind,
  type Mode,
  type Preferences,
} from '../queries';

const ZONES = Intl.supportedValuesOf('timeZone');
const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour));
const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7];

/** What a person wants to be told, by which channel, and when: for all their organisations. */
export function PreferencesPage() {
  const { t, i18n } = useTranslation('notifications');
  const preferences = useQuery(preferencesQuery(i18n.language.slice(0, 2)));
  return (
    <Container component="main" size="md" py="xl" id="main">
      <Group justify="space-between" mb="xl">
        <Brand />
        <AnchorLink to="/" size="sm">
          {t('preferences.back')}
        </AnchorLink>
      </Group>
      <PageHeader
        title={t('preferences.title')}
        description={t('preferences.description')}
        back={{ label: t('preferences.account'), to: '/account' }}
      />
      {preferences.isPending && <LoadingState />}
      {preferences.isError && (
        <ErrorState error={preferences.error} onRetry={() => void preferences.refetch()} />
      )}
      {preferences.data !== undefined && <Form loaded={preferences.data} />}
    </Container>
  );
}

function Form({ loaded }: { loaded: Preferences }) {
  const { t } = useTranslation('notifications');
  const client = useQueryClient();
  const [choice, setChoice] = useState(() => choiceOf(loaded));
  const save = useMutation({
    mutationFn: () => savePreferences(choice),
    onSuccess: async () => {
      notifyDone(t('preferences.saved'));
      await client.invalidateQueries({ queryKey: ['notification-preferences'] });
    },
  });
  const set = (change: Partial<Choice>) => {
    save.reset();
    setChoice({ ...choice, ...change });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack gap="lg">
        <Section title={t('preferences.what')} text={t('preferences.whatText')}>
          {loaded.kinds.length === 0 ? (
            <EmptyState plain icon={IconBell} title={t('preferences.nothing')} />
          ) : (
            <Kinds loaded={loaded} choice={choice} set={set} />
          )}
        </Section>
        <Hours choice={choice} set={set} />
        <Digest choice={choice} set={set} />
        {save.isError && <ErrorState error={save.error} />}
        <Group>
          <Button type="submit" loading={save.isPending} disabled={!changed(loaded, choice)}>
            {t('preferences.save')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface PartProps {
  choice: Choice;
  set: (change: Partial<Choice>) => void;
}

function Section({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <Paper component="section" withBorder p="lg" aria-label={title}>
      <Title order={2} size="h4">
        {title}
      </Title>
      <Text size="sm" c="dimmed" mt={4} mb="md" maw={620}>
        {text}
      </Text>
      {children}
    </Paper>
  );
}

function Kinds({ loaded, choice, set }: PartProps & { loaded: Preferences }) {
  const { t } = useTranslation('notifications');
  const channels: Channel[] = ['app'];
  if (loaded.mail) channels.push('mail');
  if (loaded.sms) channels.push('sms');
  return (
    <Table.ScrollContainer minWidth={420}>
      <Table verticalSpacing="xs" aria-label={t('preferences.what')}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t('preferences.kind')}</Table.Th>
            {channels.map((channel) => (
              <Table.Th key={channel} scope="col" w={channel === 'mail' ? 170 : 90}>
                {t(`channel.${channel}`)}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {loaded.kinds.map((kind) => (
            <Table.Tr key={kind.name}>
              <Table.Th scope="row" fw={450}>
                {kind.label}
                {!kind.optional && (
                  <Text size="xs" c="dimmed">
                    {t('preferences.always')}
                  </Text>
                )}
              </Table.Th>
              {channels.map((channel) => (
                <Table.Td key={channel}>
                  <ModeField
                    kind={kind}
                    channel={channel}
                    mode={choice.kinds[kind.name]?.[channel] ?? kind[channel]}
                    onChange={(mode) => {
                      set({
                        kinds: {
                          ...choice.kinds,
                          [kind.name]: { ...choice.kinds[kind.name], [channel]: mode },
                        },
                      });
                    }}
                  />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function ModeField({
  kind,
  channel,
  mode,
  onChange,
}: {
  kind: Kind;
  channel: Channel;
  mode: Mode;
  onChange: (mode: Mode) => void;
}) {
  const { t } = useTranslation('notifications');
  const label = `${kind.label}: ${t(`channel.${channel}`)}`;
  // What must be told by this channel stays on.
  const fixed = !kind.optional && kind[channel] === 'now';
  if (channel === 'mail' && kind.digestable) {
    const modes: Mode[] = fixed ? ['now', 'digest'] : ['now', 'digest', 'off'];
    return (
      <Select
        size="xs"
        aria-label={label}
        allowDeselect={false}
        data={modes.map((value) => ({ value, label: t(`mode.${value}`) }))}
        value={mode}
        onChange={(value) => {
          onChange(value ?? 'now');
        }}
      />
    );
  }
  return (
    <Switch
      aria-label={label}
      checked={mode !== 'off'}
      disabled={fixed}
      onChange={(event) => {
        onChange(event.currentTarget.checked ? 'now' : 'off');
      }}
    />
  );
}

function Hours({ choice, set }: PartProps) {
  const { t } = useTranslation('notifications');
  const quiet = choice.quiet_from !== null;
  return (
    <Section title={t('quiet.title')} text={t('quiet.text')}>
      <Stack gap="sm" align="flex-start">
        <Switch
          label={t('quiet.on')}
          checked={quiet}
          onChange={(event) => {
            set(
              event.currentTarget.checked
                ? { quiet_from: '22:00', quiet_until: '07:00' }
                : { quiet_from: null, quiet_until: null },
            );
          }}
        />
        {quiet && (
          <Group>
            <TextInput
              type="time"
              required
              label={t('quiet.from')}
              value={choice.quiet_from ?? ''}
              onChange={(event) => {
                set({ quiet_from: event.currentTarget.value });
              }}
            />
            <TextInput
              type="time"
              required
              label={t('quiet.until')}
              value={choice.quiet_until ?? ''}
              onChange={(event) => {
                set({ quiet_until: event.currentTarget.value });
              }}
            />
          </Group>
        )}
        <Box w={320} maw="100%">
          <Select
            label={t('quiet.zone')}
            description={t('quiet.zoneText')}
            placeholder={t('quiet.zoneOrganization')}
            searchable
            clearable
            limit={100}
            data={ZONES}
            value={choice.zone}
            onChange={(zone) => {
              set({ zone });
            }}
          />
        </Box>
      </Stack>
    </Section>
  );
}

function Digest({ choice, set }: PartProps) {
  const { t, i18n } = useTranslation('notifications');
  const day = new Intl.DateTimeFormat(localeOf(i18n.language), {
    weekday: 'long',
    timeZone: 'UTC',
  });
  return (
    <Section title={t('digest.title')} text={t('digest.text')}>
      <Group align="flex-end">
        <Select
          label={t('digest.pace')}
          allowDeselect={false}
          data={(['daily', 'weekly'] as const).map((value) => ({
            value,
            label: t(`digest.${value}`),
          }))}
          value={choice.digest}
          onChange={(digest) => {
            set({ digest: digest === 'weekly' ? 'weekly' : 'daily' });
          }}
        />
        {choice.digest === 'weekly' && (
          <Select
            label={t('digest.weekday')}
            allowDeselect={false}
            // The first of January 2024 was a Monday.
            data={WEEKDAYS.map((value) => ({
              value: String(value),
              label: day.format(Date.UTC(2024, 0, value)),
            }))}
            value={String(choice.digest_weekday)}
            onChange={(value) => {
              set({ digest_weekday: Number(value ?? 1) });
            }}
          />
        )}
        <Select
          label={t('digest.hour')}
          allowDeselect={false}
          data={HOURS.map((value) => ({ value, label: `${value.padStart(2, '0')}:00` }))}
          value={String(choice.digest_hour)}
          onChange={(value) => {
            set({ digest_hour: Number(value ?? 8) });
          }}
        />
      </Group>
    </Section>
  );
}
