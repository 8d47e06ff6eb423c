import { ActionIcon, Button, Group, Text, TextInput } from '@mantine/core';
import { IconPencil, IconSitemap, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/ui/dialog';
import { Confirm, DialogForm } from '@/ui/dialog-form';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { DataTable, type Column } from '@/ui/table/data-table';
import { rowRange, type TableSpec } from '@/ui/table/table-state';
import { useTableUrlState } from '@/ui/table/use-table-url-state';
import { useLast } from '@/ui/use-last';
import { Count } from '@/ui/values';
import { useDepartmentChanges } from '../../commands/change-departments';
import { useOrganization } from '../../organization';
import { departmentsQuery, type Department } from '../../queries';
import { RequirePermission } from '../../require-permission';

const TABLE: TableSpec = {};

export function DepartmentsPage() {
  const { t } = useTranslation('tenancy');
  const { can } = useOrganization();
  const [asked, setAsked] = useState<Asked | null>(null);
  return (
    <>
      <PageHeader
        title={t('departments.title')}
        description={t('departments.description')}
        actions={
          can('tenancy.departments.update') && (
            <Button
              onClick={() => {
                setAsked({ what: 'add' });
              }}
            >
              {t('departments.add')}
            </Button>
          )
        }
      />
      <RequirePermission permission="tenancy.members.read">
        <DepartmentTable ask={setAsked} />
      </RequirePermission>
      <DepartmentDialog
        asked={asked}
        onClose={() => {
          setAsked(null);
        }}
      />
    </>
  );
}

type Asked = { what: 'add' } | { what: 'rename' | 'remove'; department: Department };

function DepartmentTable({ ask }: { ask: (asked: Asked) => void }) {
  const { t } = useTranslation('tenancy');
  const { id, can } = useOrganization();
  const state = useTableUrlState(TABLE);
  const { data, error, refetch } = useQuery(departmentsQuery(id));
  const mayChange = can('tenancy.departments.update');
  const [from, to] = rowRange(state);
  const columns = useMemo<Column<Department>[]>(
    () => [
      {
        key: 'name',
        header: t('departments.name'),
        render: ({ name }) => (
          <Text size="sm" fw={550}>
            {name}
          </Text>
        ),
      },
      {
        key: 'members',
        header: t('members.title'),
        align: 'right',
        render: ({ members }) => <Count value={members} />,
      },
      ...(mayChange
        ? [
            {
              key: 'actions',
              header: t('members.actions'),
              align: 'right' as const,
              render: (department: Department) => (
                <Group gap={4} justify="flex-end" wrap="nowrap">
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={t('departments.rename', { name: department.name })}
                    onClick={() => {
                      ask({ what: 'rename', department });
                    }}
                  >
                    <IconPencil size={16} />
                  </ActionIcon>
                  <ActionIcon
                    variant="subtle"
                    color="red"
                    aria-label={t('departments.remove', { name: department.name })}
                    onClick={() => {
                      ask({ what: 'remove', department });
                    }}
                  >
                    <IconTrash size={16} />
                  </ActionIcon>
                </Group>
              ),
            },
          ]
        : []),
    ],
    [t, mayChange, ask],
  );
  return (
    <DataTable
      caption={t('departments.title')}
      columns={columns}
      rows={data?.slice(from, to + 1)}
      total={data?.length}
      rowKey={(department) => department.id}
      state={state}
      error={error}
      onRetry={() => void refetch()}
      minWidth={320}
      empty={
        <EmptyState icon={IconSitemap} title={t('departments.empty')}>
          {t('departments.emptyText')}
        </EmptyState>
      }
    />
  );
}

function DepartmentDialog({ asked, onClose }: { asked: Asked | null; onClose: () => void }) {
  const { t } = useTranslation('tenancy');
  const last = useLast(asked);
  const title =
    last === null || last.what === 'add'
      ? t('departments.add')
      : t(`departments.${last.what}`, { name: last.department.name });
  return (
    <Dialog opened={asked !== null} onClose={onClose} title={title}>
      {asked !== null && <DepartmentForm asked={asked} onDone={onClose} />}
    </Dialog>
  );
}

function DepartmentForm({ asked, onDone }: { asked: Asked; onDone: () => void }) {
  const { t } = useTranslation('tenancy');
  const [name, setName] = useState(asked.what === 'rename' ? asked.department.name : '');
  const { add, rename, remove } = useDepartmentChanges(onDone);
  const { error, isPending } = { add, rename, remove }[asked.what];
  if (asked.what === 'remove') {
    return (
      <Confirm
        text={t('departments.removeText')}
        error={error}
        pending={isPending}
        submit={t('departments.removeButton')}
        onSubmit={() => {
          remove.mutate(asked.department.id);
        }}
        onCancel={onDone}
      />
    );
  }
  return (
    <DialogForm
      ok={name.trim() !== ''}
      error={error}
      pending={isPending}
      submit={t('save')}
      onSubmit={() => {
        if (asked.what === 'add') add.mutate(name.trim());
        else rename.mutate({ id: asked.department.id, name: name.trim() });
      }}
      onCancel={onDone}
    >
      {() => (
        <TextInput
          data-autofocus
          label={t('departments.name')}
          maxLength={80}
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value);
          }}
        />
      )}
    </DialogForm>
  );
}
