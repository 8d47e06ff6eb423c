import { ActionIcon, Group, Select, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { formatInteger } from '../format';
import { PAGE_SIZES } from './table-state';

export function Pager({
  total,
  page,
  size,
  setPage,
  setSize,
}: {
  total: number;
  page: number;
  size: number;
  setPage: (page: number) => void;
  setSize?: (size: number) => void;
}) {
  const { t, i18n } = useTranslation('ui');
  const sizeLabel = useId();
  const number = (value: number) => formatInteger(value, i18n.language);
  const from = (page - 1) * size + 1;
  const to = Math.min(page * size, total);
  return (
    <Group justify="space-between" gap="sm" component="nav" aria-label={t('table.pages')}>
      <Text size="sm" c="dimmed" className="tnum" aria-live="polite" data-testid="table-range">
        {total === 0 || from > total
          ? t('table.none')
          : t('table.range', { from: number(from), to: number(to), total: number(total) })}
      </Text>
      <Group gap="xs">
        {setSize !== undefined && total > PAGE_SIZES[0] && (
          <Group gap="xs" visibleFrom="sm">
            <Text size="sm" c="dimmed" id={sizeLabel}>
              {t('table.perPage')}
            </Text>
            <Select
              size="xs"
              w={72}
              aria-labelledby={sizeLabel}
              data={PAGE_SIZES.map(String)}
              value={String(size)}
              allowDeselect={false}
              onChange={(value) => {
                if (value !== null) setSize(Number(value));
              }}
            />
          </Group>
        )}
        <ActionIcon
          variant="default"
          aria-label={t('table.previous')}
          disabled={page <= 1}
          onClick={() => {
            setPage(page - 1);
          }}
        >
          <IconChevronLeft size={16} />
        </ActionIcon>
        <ActionIcon
          variant="default"
          aria-label={t('table.next')}
          disabled={to >= total}
          onClick={() => {
            setPage(page + 1);
          }}
        >
          <IconChevronRight size={16} />
        </ActionIcon>
      </Group>
    </Group>
  );
}
