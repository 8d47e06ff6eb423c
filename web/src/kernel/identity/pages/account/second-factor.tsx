import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import { IconDeviceMobile, IconKey, IconMessage, IconPlus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/ui/dialog';
import { formatDate } from '@/ui/format';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import {
  factorsQuery,
  keysPossible,
  recoveryCodesQuery,
  removeFactor,
  renameFactor,
} from '../../factors/api';
import { AddApp, AddKey, AddPhone, freeName } from '../../factors/enrol';
import { Keepsake, KEEPSAKES, named } from '../../factors/keepsake';
import { usePhoneFactor } from '../../ways';
import { Panel } from './panel';
import { CodesDialog, RecoveryCodes } from './recovery-codes';

type Adding = 'app' | 'key' | 'phone' | 'codes' | null;

const ICONS = { totp: IconDeviceMobile, webauthn: IconKey, phone: IconMessage };

/** What guards the account besides its password. */
export function SecondFactorSection() {
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
            <ul style={KEEPSAKES}>
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
