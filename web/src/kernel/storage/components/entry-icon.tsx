import {
  IconFile,
  IconFileMusic,
  IconFileText,
  IconFileTypePdf,
  IconFolder,
  IconMovie,
  IconPhoto,
} from '@tabler/icons-react';
import { kindOf, type Entry } from '../model';

const ICONS = {
  image: IconPhoto,
  pdf: IconFileTypePdf,
  text: IconFileText,
  sound: IconFileMusic,
  film: IconMovie,
  other: IconFile,
};

export function EntryIcon({ entry }: { entry: Entry }) {
  const Symbol = entry.folder ? IconFolder : ICONS[kindOf(entry)];
  return <Symbol size={20} stroke={1.5} aria-hidden style={{ flexShrink: 0 }} />;
}
