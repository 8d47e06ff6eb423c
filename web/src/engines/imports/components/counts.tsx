import { Box, Group, Paper, SimpleGrid, Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { KeyFigure } from '@/ui/key-figure';
import { Count } from '@/ui/values';
import { sheetsOf, type Import, type Template } from '../model';
import classes from './counts.module.css';

/** How many rows will be saved and how many not: in all, and for each sheet. */
export function Counts({ run, template }: { run: Import; template: Template | undefined }) {
  const { t } = useTranslation('imports');
  const { accepted, refused, warnings } = run.counts;
  const targets = sheetsOf(run).filter(({ target }) => target !== null);
  return (
    <Box className={classes.layout}>
      <SimpleGrid cols={3} spacing={{ base: 'xs', xs: 'md' }}>
        <KeyFigure label={t('counts.short.accepted')} accent="teal" testId="accepted-count">
          <Count value={accepted} />
        </KeyFigure>
        <KeyFigure
          label={t('counts.short.refused')}
          accent={refused > 0 ? 'red' : 'gray'}
          testId="refused-count"
        >
          <Count value={refused} />
        </KeyFigure>
        <KeyFigure
          label={t('counts.short.warnings')}
          accent={warnings > 0 ? 'yellow' : 'gray'}
          testId="warning-count"
        >
          <Count value={warnings} />
        </KeyFigure>
      </SimpleGrid>
      {targets.length > 0 && (
        <Paper withBorder className={classes.sheets}>
          <Table horizontalSpacing="sm" verticalSpacing={7} aria-label={t('counts.sheets')}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">{t('counts.sheet')}</Table.Th>
                {(['accepted', 'refused', 'warnings'] as const).map((kind) => (
                  <Table.Th scope="col" key={kind} ta="right">
                    {t(`counts.short.${kind}`)}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {targets.map((sheet) => {
                const title = template?.sheets.find(({ key }) => key === sheet.target)?.title;
                return (
                  <Table.Tr key={sheet.name}>
                    <Table.Th scope="row" fw={400}>
                      <Group gap={6} wrap="nowrap">
                        <Text size="sm" fw={550} truncate>
                          {sheet.name}
                        </Text>
                        {title !== undefined && title !== sheet.name && (
                          <Text size="xs" c="dimmed" truncate visibleFrom="sm">
                            {title}
                          </Text>
                        )}
                      </Group>
                    </Table.Th>
                    {(['accepted', 'refused', 'warnings'] as const).map((kind) => (
                      <Table.Td
                        key={kind}
                        ta="right"
                        aria-label={`${sheet.name}: ${t(`counts.short.${kind}`)}`}
                        data-testid={`sheet-${sheet.target}-${kind}`}
                      >
                        <Count value={sheet[kind]} />
                      </Table.Td>
                    ))}
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        </Paper>
      )}
    </Box>
  );
}
