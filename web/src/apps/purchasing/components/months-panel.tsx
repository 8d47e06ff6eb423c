import { BarChart } from '@mantine/charts';
import { Box, Paper, SegmentedControl, Text, VisuallyHidden } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { formatCompact, formatMoney, formatMonth, formatMonthShort } from '@/ui/format';
import { monthsOf, type Board } from '../model';
import { Panel } from './panel';

export function MonthsPanel({ board }: { board: Board }) {
  const { t, i18n } = useTranslation('purchasing');
  const currencies = board.totals.map(({ currency }) => currency);
  const [chosen, setChosen] = useState<string | null>(null);
  const currency = chosen !== null && currencies.includes(chosen) ? chosen : currencies[0];
  const months = currency === undefined ? [] : monthsOf(board, currency);
  const language = i18n.language;

  return (
    <Panel
      title={t('board.months')}
      action={
        currency !== undefined &&
        currencies.length > 1 && (
          <SegmentedControl
            size="xs"
            aria-label={t('board.currency')}
            data={currencies}
            value={currency}
            onChange={setChosen}
          />
        )
      }
    >
      {currency === undefined || months.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('board.monthsNone')}
        </Text>
      ) : (
        <>
          <Box aria-hidden>
            <BarChart
              h={230}
              data={months}
              dataKey="month"
              series={[{ name: 'height', color: 'ink.6', label: t('board.billed') }]}
              gridAxis="x"
              tickLine="none"
              maxBarWidth={34}
              barProps={{ radius: [4, 4, 0, 0], isAnimationActive: false }}
              barChartProps={{ accessibilityLayer: false }}
              xAxisProps={{
                interval: 'equidistantPreserveStart',
                tickFormatter: (month: string) => formatMonthShort(month, language),
              }}
              yAxisProps={{
                width: 62,
                tickFormatter: (value: number) => formatCompact(value, language),
              }}
              tooltipProps={{
                content: ({ payload }) => {
                  const month = payload[0]?.payload as (typeof months)[number] | undefined;
                  return month === undefined ? null : (
                    <Paper withBorder shadow="sm" px="sm" py={6}>
                      <Text size="xs" c="dimmed">
                        {formatMonth(month.month, language)}
                      </Text>
                      <Text size="sm" fw={600} className="tnum">
                        {formatMoney(month.billed, currency, language)}
                      </Text>
                    </Paper>
                  );
                },
              }}
            />
          </Box>
          <VisuallyHidden>
            <table>
              <caption>{t('board.months')}</caption>
              <thead>
                <tr>
                  <th scope="col">{t('board.month')}</th>
                  <th scope="col">{t('board.billed')}</th>
                </tr>
              </thead>
              <tbody>
                {months.map(({ month, billed }) => (
                  <tr key={month}>
                    <th scope="row">{formatMonth(month, language)}</th>
                    <td>{formatMoney(billed, currency, language)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </VisuallyHidden>
        </>
      )}
    </Panel>
  );
}
