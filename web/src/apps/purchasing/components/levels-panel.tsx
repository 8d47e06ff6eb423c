import { Box, Group, Stack, Text } from '@mantine/core';
import { DonutChart } from '@mantine/charts';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { LEVEL_COLOR, LEVELS, LevelBadge } from '@/ui/level';
import { Count } from '@/ui/values';
import { totalOrders, type Board } from '../model';
import { Panel } from './panel';
import { AnchorLink } from '@/ui/links';

export function LevelsPanel({ board }: { board: Board }) {
  const { t } = useTranslation(['purchasing', 'ui']);
  const { slug } = useOrganization();
  const counts = LEVELS.map((level) => ({
    level,
    orders: board.levels.find((one) => one.level === level)?.orders ?? 0,
  }));
  return (
    <Panel title={t('board.levels')}>
      <Group justify="space-around" gap="xl">
        {/* The list beside it says the same in words. */}
        <Box aria-hidden>
          <DonutChart
            size={170}
            thickness={22}
            paddingAngle={2}
            withLabels={false}
            withTooltip={false}
            chartLabel={String(totalOrders(board))}
            data={counts.map(({ level, orders }) => ({
              name: t(`ui:levels.${level}`),
              value: orders,
              color: `${LEVEL_COLOR[level]}.6`,
            }))}
            pieProps={{ isAnimationActive: false, rootTabIndex: -1 }}
            pieChartProps={{ accessibilityLayer: false }}
          />
        </Box>
        <Stack gap={10} component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
          {counts.map(({ level, orders }) => (
            <Group key={level} component="li" justify="space-between" gap="xl" wrap="nowrap">
              <AnchorLink
                to="/o/$org/purchasing/orders"
                params={{ org: slug }}
                search={{ level }}
                underline="never"
                lh={1}
              >
                <LevelBadge level={level} />
              </AnchorLink>
              <Text fw={600} className="tnum" data-testid={`level-${level}-count`}>
                <Count value={orders} />
              </Text>
            </Group>
          ))}
        </Stack>
      </Group>
    </Panel>
  );
}
