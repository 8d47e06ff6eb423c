import { Alert, Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useSaveMapping } from '../commands/save-mapping';
import {
  doubledTargets,
  isComplete,
  mappingOf,
  sheetsOf,
  type Import,
  type SheetMapping,
  type Template,
} from '../model';
import { SheetMappingFields } from './sheet-mapping-fields';
import { ErrorState } from '@/ui/states/error-state';

/** Says what each sheet holds and which column is which; the server's own findings are chosen already. */
export function MappingForm({
  run,
  template,
  onSaved,
  cancel,
}: {
  run: Import;
  template: Template;
  onSaved?: () => void;
  cancel?: ReactNode;
}) {
  const { t } = useTranslation('imports');
  const [mappings, setMappings] = useState(() => mappingOf(sheetsOf(run)));
  const sheets = sheetsOf(run);
  const doubled = template.sheets.filter(({ key }) => doubledTargets(mappings).has(key));
  const save = useSaveMapping(run.id);
  const change = (changed: SheetMapping) => {
    setMappings((all) => all.map((one) => (one.name === changed.name ? changed : one)));
  };
  const nothing = mappings.every(({ target }) => target === null);

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(mappings, { onSuccess: () => onSaved?.() });
      }}
    >
      <Stack>
        <div>
          <Title order={2} size="h4">
            {t('mapping.title')}
          </Title>
          <Text size="sm" c="dimmed" mt={4}>
            {t('mapping.description')}
          </Text>
        </div>
        {save.isError && <ErrorState error={save.error} />}
        {mappings.map((mapping, index) => {
          const sheet = sheets[index];
          return sheet === undefined ? null : (
            <Paper key={mapping.name} withBorder p="lg">
              <SheetMappingFields
                sheet={sheet}
                mapping={mapping}
                template={template}
                onChange={change}
              />
            </Paper>
          );
        })}
        {nothing && (
          <Alert color="yellow" icon={<IconAlertTriangle />}>
            {t('mapping.noSheet')}
          </Alert>
        )}
        {doubled.length > 0 && (
          <Alert color="yellow" icon={<IconAlertTriangle />}>
            {t('mapping.doubledTarget', {
              targets: doubled.map(({ title }) => title).join(', '),
            })}
          </Alert>
        )}
        <Group justify="flex-end">
          {cancel}
          <Button type="submit" loading={save.isPending} disabled={!isComplete(mappings, template)}>
            {t('mapping.save')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
