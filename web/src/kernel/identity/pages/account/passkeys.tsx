import { Button, Group, Stack, Text } from '@mantine/core';
import { IconFingerprint, IconPlus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/ui/dialog';
import { formatDate } from '@/ui/format';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { keysPossible, passkeysQuery, removePasskey, renamePasskey } from '../../factors/api';
import { AddPasskey, freeName } from '../../factors/enrol';
import { Keepsake, KEEPSAKES, named } from '../../factors/keepsake';
import { Panel } from './panel';

/** What opens the account without a password. */
export function PasskeysSection() {
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
            <ul style={KEEPSAKES}>
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
