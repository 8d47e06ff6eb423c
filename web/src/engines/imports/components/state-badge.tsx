import { Badge } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { stageOf, type ImportState, type Stage } from '../model';

const COLOR: Record<Stage, string> = {
  reading: 'ink',
  matching: 'yellow',
  review: 'ink',
  committing: 'ink',
  committed: 'teal',
  failed: 'red',
  closed: 'gray',
};

export function StateBadge({ state }: { state: ImportState }) {
  const { t } = useTranslation('imports');
  return (
    <Badge
      variant="dot"
      color={COLOR[stageOf(state)]}
      tt="none"
      fw={550}
      data-testid="import-state"
    >
      {t(`states.${state}`)}
    </Badge>
  );
}
