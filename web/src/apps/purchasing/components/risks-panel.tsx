import { Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { LevelBadge, UtilisationBar } from '@/ui/level';
import { WideContent } from '@/ui/table/wide-content';
import { Money } from '@/ui/values';
import type { Board } from '../model';
import { Panel } from './panel';
import { AnchorLink } from '@/ui/links';

export function RisksPanel({ risks }: { risks: Board['top_risks'] }) {
  const { t } = useTranslation('purchasing');
  const { slug } = useOrganization();
  return (
    <Panel
      title={t('board.risks')}
      flush
      action={
        <AnchorLink
          to="/o/$org/purchasing/orders"
          params={{ org: slug }}
          search={{ sort: '-utilisation' }}
          size="sm"
        >
          {t('board.allOrders')}
        </AnchorLink>
      }
    >
      {risks.length === 0 ? (
        <Text size="sm" c="dimmed" px="md" pb="md">
          {t('board.risksNone')}
        </Text>
      ) : (
        <WideContent label={t('board.risks')} minWidth={760}>
          <Table horizontalSpacing="md" verticalSpacing="sm" highlightOnHover>
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">{t('orders.number')}</Table.Th>
                <Table.Th scope="col">{t('orders.supplier')}</Table.Th>
                <Table.Th scope="col" ta="right">
                  {t('orders.value')}
                </Table.Th>
                <Table.Th scope="col" ta="right">
                  {t('orders.billed')}
                </Table.Th>
                <Table.Th scope="col" w="24%">
                  {t('orders.utilisation')}
                </Table.Th>
                <Table.Th scope="col">{t('orders.level')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {risks.map((risk) => (
                <Table.Tr key={risk.id}>
                  <Table.Td>
                    <AnchorLink
                      to="/o/$org/purchasing/orders/$id"
                      params={{ org: slug, id: risk.id }}
                      size="sm"
                      fw={550}
                    >
                      {risk.number}
                    </AnchorLink>
                  </Table.Td>
                  <Table.Td>{risk.supplier}</Table.Td>
                  <Table.Td ta="right">
                    <Money amount={risk.current_value} currency={risk.currency} />
                  </Table.Td>
                  <Table.Td ta="right">
                    <Money amount={risk.billed_to_date} currency={risk.currency} />
                  </Table.Td>
                  <Table.Td>
                    <UtilisationBar value={risk.utilisation ?? null} level={risk.level} />
                  </Table.Td>
                  <Table.Td>
                    <LevelBadge level={risk.level} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </WideContent>
      )}
    </Panel>
  );
}
