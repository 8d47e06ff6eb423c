import { Alert, Button, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { IconArrowRight, IconCircleCheck } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useModules } from '@/kernel/module';
import { useOrganization } from '@/kernel/tenancy/organization';
import { formatDateTime, formatInteger } from '@/ui/format';
import { KeyFigure } from '@/ui/key-figure';
import { Count } from '@/ui/values';
import { summaryFigure, type Import } from '../model';

/** What a committed import brought, in the words of the app it belongs to. */
export function Result({ run }: { run: Import }) {
  const { t, i18n } = useTranslation('imports');
  const { slug } = useOrganization();
  const module = useModules().find(({ importResults }) => importResults?.[run.template]);
  const result = module?.importResults?.[run.template];
  const word = (key: string) => t(`${module?.name ?? ''}:${key}`);
  const figures = (result?.figures ?? []).flatMap(({ path, labelKey }) => {
    const value = summaryFigure(run.summary, path);
    return value === null ? [] : [{ path, label: word(labelKey), value }];
  });
  return (
    <Stack gap="md" data-testid="import-committed">
      <Alert color="teal" icon={<IconCircleCheck />} title={t('committed.title')} role="status">
        <Text size="sm">
          {t('committed.text', {
            rows: formatInteger(run.counts.accepted, i18n.language),
            date: formatDateTime(run.committed_at ?? '', i18n.language),
          })}
        </Text>
        {result !== undefined && (
          <Group gap="sm" mt="sm">
            {result.links.map(({ path, labelKey }) => (
              <Button
                key={path}
                component={Link}
                to={`/o/${slug}${path}`}
                size="xs"
                variant="default"
                rightSection={<IconArrowRight size={14} />}
              >
                {word(labelKey)}
              </Button>
            ))}
          </Group>
        )}
      </Alert>
      {figures.length > 0 && (
        <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="md">
          {figures.map(({ path, label, value }) => (
            <KeyFigure key={path} label={label}>
              <Count value={value} />
            </KeyFigure>
          ))}
        </SimpleGrid>
      )}
    </Stack>
  );
}
