import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { supplierQuery, suppliersQuery } from '../queries';

/** Finds a supplier by name while typing; the server searches, since there may be thousands. */
export function SupplierFilter({
  value,
  onChange,
}: {
  value: string | null;
  onChange: (supplierId: string | null) => void;
}) {
  const { t } = useTranslation('purchasing');
  const organization = useOrganization();
  const [typed, setTyped] = useState('');
  const [search] = useDebouncedValue(typed.trim(), 250);
  const { data: chosen } = useQuery({
    ...supplierQuery(organization, value ?? ''),
    enabled: value !== null,
  });
  // The box holds the name of the chosen one, which is nothing to search for.
  const { data: found = [] } = useQuery(
    suppliersQuery(organization, search === chosen?.name ? '' : search),
  );
  const options = found.map(({ id, name }) => ({ value: id, label: name }));
  if (chosen != null && !options.some((option) => option.value === chosen.id)) {
    options.unshift({ value: chosen.id, label: chosen.name });
  }
  return (
    <Select
      aria-label={t('orders.supplier')}
      placeholder={t('orders.anySupplier')}
      searchable
      clearable
      w={{ base: '100%', xs: 200 }}
      data={options}
      value={value}
      onSearchChange={setTyped}
      nothingFoundMessage={t('orders.noSupplier')}
      onChange={onChange}
    />
  );
}
