import { Box, Progress, Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { WideContent } from '@/ui/table/wide-content';
import { Count, Money, Percent } from '@/ui/values';
import { share, type Board } from '../model';
import { Panel } from './panel';

/** Amounts of different currencies are never added up. */
export function TotalsPanel({ totals }: { totals: Board['totals'] }) {
  const { t } = useTranslation('purchasing');
  return (
    <Panel title={t('board.totals')} flush>
      <WideContent label={t('board.totals')} minWidth={560}>
        <Table horizontalSpacing="md" verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{t('board.currency')}</Table.Th>
              <Table.Th scope="col" ta="right">
                {t('board.orders')}
              </Table.Th>
              <Table.Th scope="col" ta="right">
                {t('board.ordered')}
              </Table.Th>
              <Table.Th scope="col" ta="right">
                {t('board.billed')}
              </Table.Th>
              <Table.Th scope="col" ta="right">
                {t('board.open')}
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {totals.map(({ currency, orders, ordered, billed, open_commitment }) => {
              const billedShare = share(billed, ordered);
              return (
                <Table.Tr key={currency} data-testid={`totals-${currency}`}>
                  <Table.Th scope="row">{currency}</Table.Th>
                  <Table.Td ta="right">
                    <Count value={orders} />
                  </Table.Td>
                  <Table.Td ta="right" fw={600}>
                    <Money amount={ordered} currency={currency} />
                  </Table.Td>
                  <Table.Td ta="right">
                    <Money amount={billed} currency={currency} />
                    {billedShare !== null && (
                      <Box mt={4}>
                        <Progress
                          size={4}
                          value={Number(billedShare)}
                          aria-label={t('board.used')}
                          ml="auto"
                          maw={130}
                        />
                        <Text size="xs" c="dimmed" mt={2}>
                          <Percent value={billedShare} />
                        </Text>
                      </Box>
                    )}
                  </Table.Td>
                  <Table.Td ta="right">
                    <Money amount={open_commitment} currency={currency} />
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </WideContent>
    </Panel>
  );
}
