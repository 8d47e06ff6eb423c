import { ActionIcon, Menu } from '@mantine/core';
import {
  IconDots,
  IconDownload,
  IconEye,
  IconFolderSymlink,
  IconPencil,
  IconShare,
  IconTrash,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import type { Entry } from '../model';

export type Action = 'look' | 'save' | 'share' | 'rename' | 'move' | 'remove';

/** What can be done with a file or folder. */
export function EntryMenu({ entry, onAct }: { entry: Entry; onAct: (action: Action) => void }) {
  const { t } = useTranslation('files');
  const { can } = useOrganization();
  const mayWrite = can('storage.objects.write');
  const mayRemove = can('storage.objects.delete');
  if (entry.folder && !mayWrite && !mayRemove) return null;
  const items: [action: Action, symbol: typeof IconDots, shown: boolean][] = [
    ['look', IconEye, !entry.folder],
    ['save', IconDownload, !entry.folder],
    ['share', IconShare, !entry.folder],
    ['rename', IconPencil, mayWrite],
    ['move', IconFolderSymlink, mayWrite],
    ['remove', IconTrash, mayRemove],
  ];
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={t('actionsFor', { name: entry.name })}
        >
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {items
          .filter(([, , shown]) => shown)
          .map(([action, Symbol]) => (
            <Menu.Item
              key={action}
              color={action === 'remove' ? 'red' : undefined}
              leftSection={<Symbol size={16} aria-hidden />}
              onClick={() => onAct(action)}
            >
              {t(`actions.${action}`)}
            </Menu.Item>
          ))}
      </Menu.Dropdown>
    </Menu>
  );
}
