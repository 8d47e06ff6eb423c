import { Box, Paper, Select, Table, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ROLES } from '@/kernel/tenancy/queries';
import { WideContent } from '@/ui/table/wide-content';
import type { Roles } from '../../queries';

/** Which built-in role has which permission. */
export function Matrix({ roles }: { roles: Roles }) {
  const { t } = useTranslation('access');
  const weakestFirst = [...ROLES].reverse();
  // A narrow screen has room for one role beside the permissions.
  const narrow = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false });
  const [chosen, setChosen] = useState<(typeof ROLES)[number]>('member');
  const shown = narrow ? [chosen] : weakestFirst;
  return (
    <Paper withBorder>
      {narrow && (
        <Box p="sm">
          <Select
            label={t('roles.role')}
            data={weakestFirst.map((role) => ({ value: role, label: t(`tenancy:roles.${role}`) }))}
            value={chosen}
            allowDeselect={false}
            onChange={(role) => {
              const found = ROLES.find((one) => one === role);
              if (found !== undefined) setChosen(found);
            }}
          />
        </Box>
      )}
      <WideContent label={t('roles.matrix')} minWidth={narrow ? 0 : 780}>
        <Table verticalSpacing={6} horizontalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{t('roles.permission')}</Table.Th>
              {shown.map((role) => (
                <Table.Th key={role} scope="col" ta="center">
                  {t(`tenancy:roles.${role}`)}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {roles.permissions.map(({ name, description, from }) => (
              <Table.Tr key={name}>
                <Table.Th scope="row" fw={400}>
                  <Text size="sm">{description}</Text>
                  <Text size="xs" c="dimmed">
                    {name}
                  </Text>
                </Table.Th>
                {shown.map((role) => {
                  const has = weakestFirst.indexOf(role) >= weakestFirst.indexOf(from);
                  return (
                    <Table.Td key={role} ta="center">
                      {has ? (
                        <IconCheck size={16} role="img" aria-label={t('roles.has')} />
                      ) : (
                        <Text span c="dimmed" aria-label={t('roles.hasNot')} role="img">
                          –
                        </Text>
                      )}
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </WideContent>
    </Paper>
  );
}
