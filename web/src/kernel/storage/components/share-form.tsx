import { Button, Group, Select, Stack, Text } from '@mantine/core';
import { IconLink } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { CopyField } from '@/ui/copy-field';
import { formatDateTime } from '@/ui/format';
import { notifyDone } from '@/ui/notify';
import { ErrorState } from '@/ui/states/error-state';
import { signed } from '../queries';

const HOUR = 3600;
const LIVES = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR, month: 30 * 24 * HOUR } as const;
type Life = keyof typeof LIVES;

/** Makes an address of a file that is good for a while, for everybody who has it. */
export function ShareForm({ path }: { path: string }) {
  const { t, i18n } = useTranslation('files');
  const organization = useOrganization();
  const [life, setLife] = useState<Life>('day');
  const share = useMutation({
    mutationFn: async () => {
      const until = new Date(Date.now() + LIVES[life] * 1000).toISOString();
      return { until, address: await signed(organization, path, LIVES[life]) };
    },
    onSuccess: async ({ address }) => {
      try {
        await navigator.clipboard.writeText(address);
        notifyDone(t('share.copied'));
      } catch {
        // Not every browser lets a page copy; the field below does in each case.
      }
    },
  });
  return (
    <Stack>
      <Text size="sm">{t('share.text')}</Text>
      <Group align="flex-end" gap="xs">
        <Select
          style={{ flex: 1 }}
          label={t('share.life')}
          data={Object.keys(LIVES).map((value) => ({ value, label: t(`share.lives.${value}`) }))}
          value={life}
          allowDeselect={false}
          onChange={(value) => {
            if (value !== null) setLife(value as Life);
            share.reset();
          }}
        />
        <Button
          leftSection={<IconLink size={16} />}
          loading={share.isPending}
          onClick={() => share.mutate()}
        >
          {t('share.make')}
        </Button>
      </Group>
      {share.isError && <ErrorState error={share.error} />}
      {share.data !== undefined && (
        <div role="status">
          <CopyField label={t('share.link')} value={share.data.address} />
          <Text size="sm" c="dimmed" mt={4}>
            {t('share.until', { date: formatDateTime(share.data.until, i18n.language) })}
          </Text>
        </div>
      )}
    </Stack>
  );
}
