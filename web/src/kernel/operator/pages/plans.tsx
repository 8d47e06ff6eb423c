import {
  ActionIcon,
  Button,
  Checkbox,
  Group,
  NumberInput,
  Paper,
  Stack,
  Table,
  Text,
  TextInput,
} from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { Dialog } from '@/ui/dialog';
import { Confirm, DialogForm } from '@/ui/dialog-form';
import { PageHeader } from '@/ui/page-header';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { WideContent } from '@/ui/table/wide-content';
import { Count } from '@/ui/values';
import { api, FEATURES, plansQuery, type Feature, type Plan } from '../queries';

const HIGHEST = 1_000_000;

/** The plans of the installation: what each entitles to, and how many organisations have it. */
export function PlansPage() {
  const { t } = useTranslation('operator');
  const { data, error, refetch } = useQuery(plansQuery());
  const [asked, setAsked] = useState<Plan | 'new' | null>(null);
  const [leaving, setLeaving] = useState<Plan | null>(null);
  const close = () => {
    setAsked(null);
    setLeaving(null);
  };
  return (
    <>
      <PageHeader
        title={t('plans.title')}
        description={t('plans.text')}
        actions={
          <Button
            onClick={() => {
              setAsked('new');
            }}
          >
            {t('plans.add')}
          </Button>
        }
      />
      {error !== null && <ErrorState error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <LoadingState />}
      {data !== undefined && <PlanTable plans={data} onEdit={setAsked} onRemove={setLeaving} />}
      <Dialog
        opened={asked !== null}
        onClose={close}
        title={
          asked === null || asked === 'new'
            ? t('plans.add')
            : t('plans.edit', { name: asked.title })
        }
      >
        {asked !== null && <PlanForm plan={asked === 'new' ? null : asked} onDone={close} />}
      </Dialog>
      <Dialog
        opened={leaving !== null}
        onClose={close}
        title={t('plans.remove', { name: leaving?.title ?? '' })}
      >
        {leaving !== null && <Removal plan={leaving} onDone={close} />}
      </Dialog>
    </>
  );
}

/** The last question before a plan goes; who has it still is what the refusal says. */
function Removal({ plan, onDone }: { plan: Plan; onDone: () => void }) {
  const { t } = useTranslation('operator');
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      reply(api.DELETE('/api/v1/operator/plans/{name}', { params: { path: { name: plan.name } } })),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: plansQuery().queryKey });
      onDone();
    },
  });
  return (
    <Confirm
      text={t('plans.removeText')}
      error={remove.error}
      pending={remove.isPending}
      submit={t('plans.removeButton')}
      onSubmit={() => {
        remove.mutate();
      }}
      onCancel={onDone}
    />
  );
}

/** The names with the one at an index moved by a step; none where there is no such place. */
function moved(plans: Plan[], index: number, step: -1 | 1): string[] | null {
  const names = plans.map(({ name }) => name);
  const [name, other] = [names[index], names[index + step]];
  if (name === undefined || other === undefined) return null;
  names[index] = other;
  names[index + step] = name;
  return names;
}

function PlanTable({
  plans,
  onEdit,
  onRemove,
}: {
  plans: Plan[];
  onEdit: (plan: Plan) => void;
  onRemove: (plan: Plan) => void;
}) {
  const { t } = useTranslation('operator');
  const client = useQueryClient();
  const order = useMutation({
    mutationFn: (names: string[]) => reply(api.PUT('/api/v1/operator/plans', { body: { names } })),
    // Another operator may have made or removed one.
    onSettled: () => client.invalidateQueries({ queryKey: plansQuery().queryKey }),
  });
  const move = (index: number, step: -1 | 1) => {
    const names = moved(plans, index, step);
    return (
      <ActionIcon
        variant="default"
        size="md"
        aria-label={t(step < 0 ? 'plans.up' : 'plans.down', { name: plans[index]?.title })}
        disabled={names === null || order.isPending}
        onClick={() => {
          if (names !== null) order.mutate(names);
        }}
      >
        {step < 0 ? <IconArrowUp size={16} /> : <IconArrowDown size={16} />}
      </ActionIcon>
    );
  };
  const limit = (most: number | null | undefined) =>
    most == null ? t('plans.noLimit') : <Count value={most} />;
  return (
    <Paper withBorder>
      {order.isError && <ErrorState error={order.error} />}
      <WideContent label={t('plans.title')} minWidth={760}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{t('plans.name')}</Table.Th>
              <Table.Th scope="col">{t('plans.members')}</Table.Th>
              <Table.Th scope="col">{t('plans.departments')}</Table.Th>
              <Table.Th scope="col">{t('plans.features')}</Table.Th>
              <Table.Th scope="col">{t('plans.organizations')}</Table.Th>
              <Table.Th scope="col">{t('plans.actions')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {plans.map((plan, index) => (
              <Table.Tr key={plan.name} data-testid="plan">
                <Table.Th scope="row" fw={550}>
                  {plan.title}
                  <Text size="xs" c="dimmed">
                    {plan.name}
                  </Text>
                </Table.Th>
                <Table.Td>{limit(plan.members)}</Table.Td>
                <Table.Td>{limit(plan.departments)}</Table.Td>
                <Table.Td>
                  {plan.features.length === 0
                    ? t('plans.nothing')
                    : plan.features
                        .map((feature) => t(`organization.feature.${feature}`))
                        .join(', ')}
                </Table.Td>
                <Table.Td>
                  <Count value={plan.organizations} />
                </Table.Td>
                <Table.Td>
                  <Group gap="xs" wrap="nowrap">
                    {move(index, -1)}
                    {move(index, 1)}
                    <Button
                      size="xs"
                      variant="default"
                      aria-label={t('plans.edit', { name: plan.title })}
                      onClick={() => {
                        onEdit(plan);
                      }}
                    >
                      {t('change')}
                    </Button>
                    <Button
                      size="xs"
                      variant="subtle"
                      color="red"
                      aria-label={t('plans.remove', { name: plan.title })}
                      onClick={() => {
                        onRemove(plan);
                      }}
                    >
                      {t('plans.removeButton')}
                    </Button>
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </WideContent>
    </Paper>
  );
}

function PlanForm({ plan, onDone }: { plan: Plan | null; onDone: () => void }) {
  const { t } = useTranslation('operator');
  const client = useQueryClient();
  const [title, setTitle] = useState(plan?.title ?? '');
  const [members, setMembers] = useState<number | string>(plan?.members ?? '');
  const [departments, setDepartments] = useState<number | string>(plan?.departments ?? '');
  const [features, setFeatures] = useState<Feature[]>(plan?.features ?? []);
  const titleOk = title.trim() !== '' && title.trim().length <= 80;
  const limitOk = (value: number | string, least: number) =>
    value === '' || (Number.isInteger(value) && Number(value) >= least && Number(value) <= HIGHEST);
  const save = useMutation({
    mutationFn: () => {
      const limit = (value: number | string) => (value === '' ? null : Number(value));
      const body = {
        title: title.trim(),
        members: limit(members),
        departments: limit(departments),
        features,
      };
      return plan === null
        ? reply(api.POST('/api/v1/operator/plans', { body }))
        : reply(
            api.PUT('/api/v1/operator/plans/{name}', {
              params: { path: { name: plan.name } },
              body,
            }),
          );
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: plansQuery().queryKey });
      onDone();
    },
  });
  return (
    <DialogForm
      ok={titleOk && limitOk(members, 1) && limitOk(departments, 0)}
      error={save.error}
      pending={save.isPending}
      submit={t('save')}
      onSubmit={() => {
        save.mutate();
      }}
      onCancel={onDone}
    >
      {(tried) => (
        <>
          <TextInput
            label={t('plans.name')}
            value={title}
            data-autofocus
            error={tried && !titleOk ? t('plans.nameInvalid') : null}
            onChange={(event) => {
              setTitle(event.currentTarget.value);
            }}
          />
          <NumberInput
            label={t('plans.members')}
            description={t('plans.limitHint')}
            allowDecimal={false}
            allowNegative={false}
            value={members}
            error={tried && !limitOk(members, 1) ? t('plans.limitInvalid') : null}
            onChange={setMembers}
          />
          <NumberInput
            label={t('plans.departments')}
            description={t('plans.limitHint')}
            allowDecimal={false}
            allowNegative={false}
            value={departments}
            error={tried && !limitOk(departments, 0) ? t('plans.limitInvalid') : null}
            onChange={setDepartments}
          />
          <Checkbox.Group
            label={t('plans.features')}
            value={features}
            onChange={(next) => {
              setFeatures(FEATURES.filter((feature) => next.includes(feature)));
            }}
          >
            <Stack gap="xs" mt="xs">
              {FEATURES.map((feature) => (
                <Checkbox
                  key={feature}
                  value={feature}
                  label={t(`organization.feature.${feature}`)}
                />
              ))}
            </Stack>
          </Checkbox.Group>
        </>
      )}
    </DialogForm>
  );
}
