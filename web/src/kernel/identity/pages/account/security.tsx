import { Alert, Badge, Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import {
  IconAlertTriangle,
  IconDeviceMobile,
  IconFingerprint,
  IconKey,
  IconMessage,
  IconPlus,
} from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/ui/dialog';
import { formatDate } from '@/ui/format';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import {
  factorsQuery,
  keysPossible,
  passkeysQuery,
  recoveryCodesQuery,
  removeFactor,
  removePasskey,
  renameFactor,
  renamePasskey,
} from '../../factors/api';
import { AddApp, AddKey, AddPasskey, AddPhone, freeName } from '../../factors/enrol';
import { Keepsake } from '../../factors/keepsake';
import { NewRecoveryCodes } from '../../factors/recovery-codes';
import { usePhoneFactor } from '../../ways';

/** What guards the account besides its password, and what opens it without one. */
export function SecuritySection() {
  return (
    <Stack gap="lg">
      <SecondFactor />
      <Passkeys />
    </Stack>
  );
}

function Panel({
  title,
  description,
  badge,
  children,
}: {
  title: string;
  description: string;
  badge?: ReactNode;
  children: ReactNode;
}) {
  return (
    <Paper component="section" withBorder p="lg" aria-label={title}>
      <Group gap="sm">
        <Title order={2} size="h4">
          {title}
        </Title>
        {badge}
      </Group>
      <Text size="sm" c="dimmed" mt={4} mb="md" maw={620}>
        {description}
      </Text>
      {children}
    </Paper>
  );
}

const named = (name: string | undefined, otherwise: string) =>
  name === undefined || name === '' ? otherwise : name;

const LIST = { listStyle: 'none', margin: 0, padding: 0 } as const;

type Adding = 'app' | 'key' | 'phone' | 'codes' | null;

const ICONS = { totp: IconDeviceMobile, webauthn: IconKey, phone: IconMessage };

function SecondFactor() {
  const { t, i18n } = useTranslation('factors');
  const queryClient = useQueryClient();
  const factors = useQuery(factorsQuery());
  const [adding, setAdding] = useState<Adding>(null);
  const { add: byText } = usePhoneFactor();
  const close = () => {
    setAdding(null);
  };
  const refresh = async () => {
    await Promise.all([
      queryClient.invalidateQueries({ queryKey: factorsQuery().queryKey }),
      queryClient.invalidateQueries({ queryKey: recoveryCodesQuery().queryKey }),
    ]);
  };
  const all = factors.data?.verified ?? [];
  const names = all.map(({ friendly_name }) => friendly_name);
  const added = () => {
    // The first factor is worth little without codes for when it is lost.
    setAdding(all.length === 0 ? 'codes' : null);
    void refresh();
  };
  return (
    <Panel
      title={t('section.title')}
      description={t('section.description')}
      badge={
        factors.data !== undefined && (
          <Badge variant="dot" color={all.length > 0 ? 'teal' : 'gray'}>
            {all.length > 0 ? t('section.on') : t('section.off')}
          </Badge>
        )
      }
    >
      {factors.isPending && <LoadingState height={80} />}
      {factors.isError && (
        <ErrorState error={factors.error} onRetry={() => void factors.refetch()} />
      )}
      {factors.data !== undefined && (
        <Stack gap="sm">
          {all.length === 0 ? (
            <Text size="sm">{t('section.none')}</Text>
          ) : (
            <ul style={LIST}>
              {all.map((factor) => (
                <Keepsake
                  key={factor.id}
                  icon={ICONS[factor.factor_type]}
                  name={named(factor.friendly_name, t(`types.${factor.factor_type}`))}
                  details={[
                    ...(named(factor.friendly_name, '').startsWith(t(`types.${factor.factor_type}`))
                      ? []
                      : [t(`types.${factor.factor_type}`)]),
                    ...(factor.factor_type === 'phone' ? [`+${factor.phone ?? ''}`] : []),
                    t('section.added', { date: formatDate(factor.created_at, i18n.language) }),
                  ].join(' · ')}
                  removeText={all.length === 1 ? t('section.removeLast') : t('section.removeText')}
                  rename={(name) => renameFactor(factor.id, name)}
                  remove={() => removeFactor(factor.id)}
                  onChanged={refresh}
                />
              ))}
            </ul>
          )}
          <Group gap="xs">
            <Button
              variant="default"
              leftSection={<IconPlus size={16} />}
              onClick={() => {
                setAdding('app');
              }}
            >
              {t('section.addApp')}
            </Button>
            <Button
              variant="default"
              leftSection={<IconPlus size={16} />}
              disabled={!keysPossible()}
              onClick={() => {
                setAdding('key');
              }}
            >
              {t('section.addKey')}
            </Button>
            {byText && (
              <Button
                variant="default"
                leftSection={<IconPlus size={16} />}
                onClick={() => {
                  setAdding('phone');
                }}
              >
                {t('section.addPhone')}
              </Button>
            )}
          </Group>
          {!keysPossible() && (
            <Text size="xs" c="dimmed">
              {t('step.noKeys')}
            </Text>
          )}
          {all.length > 0 && (
            <RecoveryCodes
              onMake={() => {
                setAdding('codes');
              }}
            />
          )}
        </Stack>
      )}
      <Dialog opened={adding === 'app'} onClose={close} title={t('app.title')}>
        <AddApp suggestion={freeName(t('types.totp'), names)} onDone={added} />
      </Dialog>
      <Dialog opened={adding === 'key'} onClose={close} title={t('key.title')}>
        <AddKey suggestion={freeName(t('types.webauthn'), names)} onDone={added} />
      </Dialog>
      <Dialog opened={adding === 'phone'} onClose={close} title={t('phone.title')}>
        <AddPhone suggestion={freeName(t('types.phone'), names)} onDone={added} />
      </Dialog>
      <CodesDialog opened={adding === 'codes'} onClose={close} />
    </Panel>
  );
}

function RecoveryCodes({ onMake }: { onMake: () => void }) {
  const { t } = useTranslation('factors');
  const codes = useQuery(recoveryCodesQuery());
  if (codes.isPending) return <LoadingState height={60} />;
  if (codes.isError) {
    return <ErrorState error={codes.error} onRetry={() => void codes.refetch()} />;
  }
  if (codes.data === null) {
    return (
      <Alert color="yellow" icon={<IconAlertTriangle />}>
        <Stack gap="xs" align="flex-start">
          <Text size="sm">{t('section.codesNone')}</Text>
          <Button size="xs" onClick={onMake}>
            {t('section.codesMake')}
          </Button>
        </Stack>
      </Alert>
    );
  }
  const { remaining, total } = codes.data;
  return (
    <Group justify="space-between" gap="xs">
      <Text size="sm">{t('section.codesLeft', { remaining, total })}</Text>
      <Button variant="default" size="xs" onClick={onMake}>
        {t('section.codesAgain')}
      </Button>
    </Group>
  );
}

/** Before codes that are good become void, the person is asked. */
function CodesDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation('factors');
  return (
    <Dialog opened={opened} onClose={onClose} title={t('recovery.title')}>
      <CodesDialogBody onClose={onClose} />
    </Dialog>
  );
}

function CodesDialogBody({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('factors');
  // Asked anew, once: a factor that was added a moment ago may have brought the answer to an end.
  const codes = useQuery({ ...recoveryCodesQuery(), refetchOnMount: 'always' });
  // As it was when the dialog opened: making codes changes the count.
  const [again, setAgain] = useState<boolean | null>(null);
  if (again !== null) return <NewRecoveryCodes again={again} onDone={onClose} />;
  if (codes.isPending || !codes.isFetchedAfterMount) return <LoadingState height={80} />;
  if (codes.isError) return <ErrorState error={codes.error} />;
  const exist = codes.data !== null;
  return (
    <Stack>
      <Text size="sm">{exist ? t('section.codesAgainText') : t('recovery.text')}</Text>
      <Group justify="flex-end">
        <Button
          onClick={() => {
            setAgain(exist);
          }}
        >
          {exist ? t('section.codesAgain') : t('section.codesMake')}
        </Button>
      </Group>
    </Stack>
  );
}

function Passkeys() {
  const { t, i18n } = useTranslation('factors');
  const queryClient = useQueryClient();
  const passkeys = useQuery(passkeysQuery());
  const [adding, setAdding] = useState(false);
  const close = () => {
    setAdding(false);
  };
  const refresh = () => queryClient.invalidateQueries({ queryKey: passkeysQuery().queryKey });
  const all = passkeys.data ?? [];
  const details = (date: string | undefined) =>
    date === undefined
      ? t('passkeys.never')
      : t('passkeys.used', { date: formatDate(date, i18n.language) });
  return (
    <Panel title={t('passkeys.title')} description={t('passkeys.description')}>
      {passkeys.isPending && <LoadingState height={80} />}
      {passkeys.isError && (
        <ErrorState error={passkeys.error} onRetry={() => void passkeys.refetch()} />
      )}
      {passkeys.data !== undefined && (
        <Stack gap="sm">
          {all.length === 0 ? (
            <Text size="sm">{t('passkeys.none')}</Text>
          ) : (
            <ul style={LIST}>
              {all.map(({ id, friendly_name, created_at, last_used_at }) => (
                <Keepsake
                  key={id}
                  icon={IconFingerprint}
                  name={named(friendly_name, t('passkeys.unnamed'))}
                  details={[
                    t('section.added', { date: formatDate(created_at, i18n.language) }),
                    details(last_used_at),
                  ].join(' · ')}
                  removeText={t('passkeys.removeText')}
                  rename={(name) => renamePasskey(id, name)}
                  remove={() => removePasskey(id)}
                  onChanged={refresh}
                />
              ))}
            </ul>
          )}
          <Group>
            <Button
              variant="default"
              leftSection={<IconPlus size={16} />}
              disabled={!keysPossible()}
              onClick={() => {
                setAdding(true);
              }}
            >
              {t('passkeys.add')}
            </Button>
          </Group>
          {!keysPossible() && (
            <Text size="xs" c="dimmed">
              {t('step.noKeys')}
            </Text>
          )}
        </Stack>
      )}
      <Dialog opened={adding} onClose={close} title={t('passkeys.addTitle')}>
        <AddPasskey
          suggestion={freeName(
            t('passkeys.unnamed'),
            all.map(({ friendly_name }) => friendly_name),
          )}
          onDone={() => {
            close();
            void refresh();
          }}
        />
      </Dialog>
    </Panel>
  );
}
