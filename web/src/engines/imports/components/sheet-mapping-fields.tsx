import { Alert, Group, NumberInput, Select, Stack, Table, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import {
  columnLetters,
  doubledColumns,
  missingFields,
  type ImportSheet,
  type SheetMapping,
  type Template,
} from '../model';

const LAST_HEADER_ROW = 1000;

export function SheetMappingFields({
  sheet,
  mapping,
  template,
  onChange,
}: {
  sheet: ImportSheet;
  mapping: SheetMapping;
  template: Template;
  onChange: (mapping: SheetMapping) => void;
}) {
  const { t } = useTranslation('imports');
  const target = template.sheets.find(({ key }) => key === mapping.target);
  const missing = missingFields(mapping, template);
  const doubled = doubledColumns(mapping);
  const columns = sheet.headers.map((header, index) => ({
    value: String(index),
    label: `${columnLetters(index)} · ${header === '' ? t('mapping.unnamed') : header}`,
  }));

  return (
    <Stack gap="sm">
      <Group align="flex-start" grow preventGrowOverflow={false}>
        <Select
          label={t('mapping.target', { sheet: mapping.name })}
          placeholder={t('mapping.ignore')}
          data={template.sheets.map(({ key, title }) => ({ value: key, label: title }))}
          value={mapping.target}
          clearable
          onChange={(value) => {
            onChange({
              ...mapping,
              target: value,
              // Other fields, so other columns; the server's findings hold for its own target only.
              columns: value === sheet.target ? { ...sheet.columns } : {},
            });
          }}
        />
        {target !== undefined && (
          <NumberInput
            label={t('mapping.headerRow')}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            description={t('mapping.headerRowHint')}
            min={1}
            max={LAST_HEADER_ROW}
            allowDecimal={false}
            value={mapping.header_row ?? ''}
            onChange={(value) => {
              onChange({ ...mapping, header_row: typeof value === 'number' ? value : null });
            }}
          />
        )}
      </Group>
      {target !== undefined && (
        <Table verticalSpacing={6} layout="fixed" mt="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{t('mapping.field')}</Table.Th>
              <Table.Th scope="col">{t('mapping.column')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {target.fields.map((field) => {
              const column = mapping.columns[field.key] ?? null;
              return (
                <Table.Tr key={field.key}>
                  <Table.Td>
                    <Text size="sm" fw={550}>
                      {field.label}{' '}
                      {field.required && (
                        <Text span size="xs" c="dimmed" fw={400}>
                          {t('mapping.required')}
                        </Text>
                      )}
                    </Text>
                    <Text size="xs" c="dimmed" visibleFrom="sm">
                      {field.help}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <Select
                      aria-label={t('mapping.columnFor', { field: field.label })}
                      placeholder={t('mapping.none')}
                      searchable
                      clearable
                      data={columns}
                      value={column === null ? null : String(column)}
                      error={
                        (field.required && column === null) ||
                        (column !== null && doubled.has(column))
                      }
                      onChange={(value) => {
                        onChange({
                          ...mapping,
                          columns: {
                            ...mapping.columns,
                            [field.key]: value === null ? null : Number(value),
                          },
                        });
                      }}
                    />
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      )}
      {(missing.length > 0 || doubled.size > 0) && (
        <Alert
          color="yellow"
          icon={<IconAlertTriangle />}
          role="status"
          data-testid="mapping-problems"
        >
          {missing.length > 0 && (
            <Text size="sm">
              {t('mapping.missing', { fields: missing.map(({ label }) => label).join(', ') })}
            </Text>
          )}
          {doubled.size > 0 && (
            <Text size="sm">
              {t('mapping.doubled', { columns: [...doubled].map(columnLetters).join(', ') })}
            </Text>
          )}
        </Alert>
      )}
    </Stack>
  );
}
