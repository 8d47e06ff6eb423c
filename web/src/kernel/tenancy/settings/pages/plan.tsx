import { Badge, Card, Group, List, Progress, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { formatInteger } from '@/ui/format';
import { PageHeader } from '@/ui/page-header';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { useOrganization } from '../../organization';
import { settingsQuery } from '../../queries';

export function PlanPage() {
  const { t } = useTranslation('tenancy');
  const { id } = useOrganization();
  const { data, error, refetch } = useQuery(settingsQuery(id));
  return (
    <>
      <PageHeader title={t('plan.title')} description={t('plan.description')} />
      {error !== null ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : data === undefined ? (
        <LoadingState />
      ) : (
        <Stack maw={640}>
          <Card padding="lg">
            <Group justify="space-between">
              <Title order={2} size="h4">
                {t('plan.current')}
              </Title>
              <Badge size="lg" variant="light" tt="none">
                {data.plan.title}
              </Badge>
            </Group>
            <Stack mt="md">
              <Used
                label={t('plan.members')}
                used={data.usage.members + data.usage.open_invitations}
                most={data.plan.members ?? null}
              />
              <Used
                label={t('plan.departments')}
                used={data.usage.departments}
                most={data.plan.departments ?? null}
              />
            </Stack>
          </Card>
          <Card padding="lg">
            <Title order={2} size="h4" mb="md">
              {t('plan.includes')}
            </Title>
            <List
              spacing="xs"
              size="sm"
              icon={
                <ThemeIcon size={20} radius="xl" color="teal" variant="light" aria-hidden>
                  <IconCheck size={13} />
                </ThemeIcon>
              }
            >
              {data.plan.features.map((feature) => (
                <List.Item key={feature}>{t(`plan.features.${feature}`)}</List.Item>
              ))}
            </List>
          </Card>
        </Stack>
      )}
    </>
  );
}

function Used({ label, used, most }: { label: string; used: number; most: number | null }) {
  const { t, i18n } = useTranslation('tenancy');
  const number = (value: number) => formatInteger(value, i18n.language);
  return (
    <div>
      <Group justify="space-between" mb={6}>
        <Text size="sm">{label}</Text>
        <Text size="sm" c="dimmed" className="tnum">
          {most === null
            ? t('plan.unlimited', { used: number(used) })
            : t('plan.used', { used: number(used), most: number(most) })}
        </Text>
      </Group>
      {most !== null && (
        <Progress
          value={Math.min(100, (used / most) * 100)}
          color={used >= most ? 'red' : 'ink'}
          aria-label={label}
        />
      )}
    </div>
  );
}
