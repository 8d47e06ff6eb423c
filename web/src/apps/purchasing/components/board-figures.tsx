import { SimpleGrid } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { KeyFigure } from '@/ui/key-figure';
import { LEVEL_COLOR } from '@/ui/level';
import { Count } from '@/ui/values';
import classes from './board-figures.module.css';
import { totalOrders, type Board } from '../model';
import { AnchorLink } from '@/ui/links';

/** The five numbers to look at first; each leads to what it counts. */
export function BoardFigures({ board }: { board: Board }) {
  const { t } = useTranslation('purchasing');
  const { slug } = useOrganization();
  const at = (wanted: string) => board.levels.find(({ level }) => level === wanted)?.orders ?? 0;
  const orders = (value: number, search: Record<string, string>) => (
    <AnchorLink
      to="/o/$org/purchasing/orders"
      params={{ org: slug }}
      search={search}
      c="inherit"
      inherit
    >
      <Count value={value} />
    </AnchorLink>
  );
  return (
    <SimpleGrid cols={{ base: 2, lg: 5 }} spacing="md" className={classes.figures}>
      <KeyFigure label={t('board.orders')} testId="order-count">
        {orders(totalOrders(board), {})}
      </KeyFigure>
      <KeyFigure label={t('board.over')} accent={LEVEL_COLOR.over_budget}>
        {orders(at('over_budget'), { level: 'over_budget' })}
      </KeyFigure>
      <KeyFigure label={t('board.critical')} accent={LEVEL_COLOR.critical}>
        {orders(at('critical'), { level: 'critical' })}
      </KeyFigure>
      <KeyFigure label={t('board.openAlerts')} testId="open-alerts">
        <AnchorLink
          to="/o/$org/purchasing/alerts"
          params={{ org: slug }}
          search={{ state: 'open' }}
          c="inherit"
          inherit
        >
          <Count value={board.open_alerts} />
        </AnchorLink>
      </KeyFigure>
      <KeyFigure label={t('board.overdue')} testId="overdue-count">
        <Count value={board.overdue} />
      </KeyFigure>
    </SimpleGrid>
  );
}
