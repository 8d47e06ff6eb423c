import { ActionIcon, Alert, Badge, Button, Code, Group, Menu, Stack, Text } from '@mantine/core';
import { IconApps, IconDots, IconInfoCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchState } from '@/kernel/routing/use-search-state';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import type { Column } from '@/ui/table/data-table';
import { Count, DateText } from '@/ui/values';
import { ProgramDialog, type Asked } from '../programs/dialog';
import { programsQuery, type Program } from '../queries';
import { SearchedList } from '../searched-list';

/** The programs that sign people in here. */
export function ProgramsPage() {
  const { t } = useTranslation('operator');
  const search = useSearchState(['q']);
  const query = useQuery(programsQuery({ q: search.values.q, page: search.page }));
  const [asked, setAsked] = useState<Asked | null>(null);
  const columns = useMemo<Column<Program>[]>(
    () => [
      {
        key: 'name',
        header: t('programs.program'),
        render: (program) => <Named program={program} />,
      },
      {
        key: 'redirects',
        header: t('programs.redirects'),
        optional: true,
        render: ({ redirect_uris }) =>
          redirect_uris.map((uri) => (
            <Text key={uri} size="xs" style={{ overflowWrap: 'anywhere' }}>
              {uri}
            </Text>
          )),
      },
      {
        key: 'people',
        header: t('programs.people'),
        align: 'right',
        render: ({ people }) => <Count value={people} />,
      },
      {
        key: 'created',
        header: t('created'),
        optional: true,
        render: ({ created_at }) => <DateText value={created_at} />,
      },
      {
        key: 'actions',
        header: t('plans.actions'),
        align: 'right',
        render: (program) => <Actions program={program} onAsk={setAsked} />,
      },
    ],
    [t],
  );
  return (
    <>
      <PageHeader
        title={t('programs.title')}
        description={t('programs.text')}
        actions={
          <Button
            onClick={() => {
              setAsked({ what: 'register' });
            }}
          >
            {t('programs.add')}
          </Button>
        }
      />
      <Stack>
        {query.data?.enabled === false && (
          <Alert icon={<IconInfoCircle />} color="yellow" variant="light">
            {t('programs.off')}
          </Alert>
        )}
        <SearchedList
          search={search}
          query={query}
          caption={t('programs.title')}
          columns={columns}
          rows={query.data?.programs}
          rowProps={() => ({ 'data-testid': 'program' })}
          minWidth={300}
          empty={
            search.values.q === '' ? (
              <EmptyState icon={IconApps} title={t('programs.empty')}>
                {t('programs.emptyText')}
              </EmptyState>
            ) : (
              <EmptyState icon={IconApps} title={t('programs.notFound')} />
            )
          }
        />
      </Stack>
      <ProgramDialog
        asked={asked}
        onClose={() => {
          setAsked(null);
        }}
      />
    </>
  );
}

function Named({ program }: { program: Program }) {
  const { t } = useTranslation('operator');
  return (
    <>
      <Group gap={6}>
        <Text size="sm" fw={550} style={{ overflowWrap: 'anywhere' }}>
          {program.name}
        </Text>
        {program.self_registered && (
          <Badge size="sm" variant="light" color="yellow" tt="none" c="var(--mantine-color-text)">
            {t('programs.selfRegistered')}
          </Badge>
        )}
        {!program.confidential && (
          <Badge size="sm" variant="light" color="gray" tt="none" c="var(--mantine-color-text)">
            {t('programs.public')}
          </Badge>
        )}
      </Group>
      <Code fz={11} style={{ overflowWrap: 'anywhere' }}>
        {program.id}
      </Code>
    </>
  );
}

function Actions({ program, onAsk }: { program: Program; onAsk: (asked: Asked) => void }) {
  const { t } = useTranslation('operator');
  const { name } = program;
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={t('programs.actions', { name })}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          onClick={() => {
            onAsk({ what: 'change', program });
          }}
        >
          {t('change')}
        </Menu.Item>
        {program.confidential && (
          <Menu.Item
            onClick={() => {
              onAsk({ what: 'renew', program });
            }}
          >
            {t('programs.renew')}
          </Menu.Item>
        )}
        <Menu.Item
          color="red"
          onClick={() => {
            onAsk({ what: 'remove', program });
          }}
        >
          {t('programs.remove')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
