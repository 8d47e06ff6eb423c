import { ActionIcon, Group, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { formatInteger } from '@/ui/format';

/** Leads through a folder page by page. How much is in it is not counted: a folder may hold millions. */
export function FolderPager({
  page,
  more,
  setPage,
}: {
  page: number;
  more: boolean;
  setPage: (page: number) => void;
}) {
  const { t, i18n } = useTranslation('files');
  if (page === 1 && !more) return null;
  return (
    <Group justify="flex-end" gap="xs" component="nav" aria-label={t('pages')}>
      <Text size="sm" c="dimmed" className="tnum" aria-live="polite">
        {t('page', { number: formatInteger(page, i18n.language) })}
      </Text>
      <ActionIcon
        variant="default"
        aria-label={t('ui:table.previous')}
        disabled={page <= 1}
        onClick={() => setPage(page - 1)}
      >
        <IconChevronLeft size={16} />
      </ActionIcon>
      <ActionIcon
        variant="default"
        aria-label={t('ui:table.next')}
        disabled={!more}
        onClick={() => setPage(page + 1)}
      >
        <IconChevronRight size={16} />
      </ActionIcon>
    </Group>
  );
}
