import { NativeSelect } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Sort } from '@/ui/table/table-state';

const SORTS = {
  name: { column: 'name', descending: false },
  nameBack: { column: 'name', descending: true },
  newest: { column: 'updated_at', descending: true },
  oldest: { column: 'updated_at', descending: false },
} as const;
const NAMES = Object.keys(SORTS) as (keyof typeof SORTS)[];

/** The order, where the columns that would tell and change it have no room. */
export function SortSelect({
  sort,
  setSort,
}: {
  sort: Sort | null;
  setSort: (sort: Sort) => void;
}) {
  const { t } = useTranslation('files');
  const now = NAMES.find(
    (name) => SORTS[name].column === sort?.column && SORTS[name].descending === sort.descending,
  );
  return (
    <NativeSelect
      hiddenFrom="md"
      aria-label={t('sort')}
      data={NAMES.map((value) => ({ value, label: t(`sorts.${value}`) }))}
      value={now ?? 'name'}
      onChange={({ currentTarget }) => {
        const wanted = NAMES.find((name) => name === currentTarget.value);
        if (wanted !== undefined) setSort(SORTS[wanted]);
      }}
    />
  );
}
