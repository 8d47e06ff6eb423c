import { Grid, Skeleton, Stack } from '@mantine/core';
import { IconClipboardList } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { RequirePermission } from '@/kernel/tenancy/require-permission';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { BoardFigures } from '../components/board-figures';
import { ImportButton } from '../components/import-button';
import { LevelsPanel } from '../components/levels-panel';
import { MonthsPanel } from '../components/months-panel';
import { RisksPanel } from '../components/risks-panel';
import { TotalsPanel } from '../components/totals-panel';
import { totalOrders } from '../model';
import { boardQuery } from '../queries';

export function BoardPage() {
  const { t } = useTranslation('purchasing');
  return (
    <>
      <PageHeader
        title={t('board.title')}
        description={t('board.description')}
        actions={<ImportButton />}
      />
      <RequirePermission permission="purchasing.orders.read">
        <Panels />
      </RequirePermission>
    </>
  );
}

function Panels() {
  const { t } = useTranslation('purchasing');
  const organization = useOrganization();
  const { data: board, error, refetch } = useQuery(boardQuery(organization));

  if (error !== null && board === undefined) {
    return <ErrorState error={error} onRetry={() => void refetch()} />;
  }
  if (board === undefined) return <Loading />;
  if (totalOrders(board) === 0) {
    return (
      <div data-testid="board-empty">
        <EmptyState
          icon={IconClipboardList}
          title={t('board.empty')}
          action={<ImportButton primary />}
        >
          {t('board.emptyText')}
        </EmptyState>
      </div>
    );
  }
  return (
    <Stack gap="md">
      <BoardFigures board={board} />
      <Grid gap="md">
        <Grid.Col span={{ base: 12, xl: 7 }}>
          <TotalsPanel totals={board.totals} />
        </Grid.Col>
        <Grid.Col span={{ base: 12, xl: 5 }}>
          <LevelsPanel board={board} />
        </Grid.Col>
        <Grid.Col span={12}>
          <MonthsPanel board={board} />
        </Grid.Col>
      </Grid>
      <RisksPanel risks={board.top_risks} />
    </Stack>
  );
}

function Loading() {
  return (
    <Stack gap="md" aria-hidden>
      <Skeleton height={92} />
      <Grid gap="md">
        <Grid.Col span={{ base: 12, xl: 7 }}>
          <Skeleton height={240} />
        </Grid.Col>
        <Grid.Col span={{ base: 12, xl: 5 }}>
          <Skeleton height={240} />
        </Grid.Col>
      </Grid>
      <Skeleton height={280} />
    </Stack>
  );
}
