/** How far something is used up: the level as a badge and the figure as a bar. */
import { Badge, Box, Group, Progress, Text, Tooltip } from '@mantine/core';
import {
  IconAlertOctagon,
  IconAlertTriangle,
  IconCircleCheck,
  IconFlame,
  type Icon,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { formatPercent } from './format';
import classes from './level.module.css';

export const LEVELS = ['on_track', 'warning', 'critical', 'over_budget'] as const;
export type Level = (typeof LEVELS)[number];

export const LEVEL_COLOR: Record<Level, string> = {
  on_track: 'teal',
  warning: 'yellow',
  critical: 'orange',
  over_budget: 'red',
};

// A shape for each level, since colour alone does not reach everybody.
const LEVEL_ICON: Record<Level, Icon> = {
  on_track: IconCircleCheck,
  warning: IconAlertTriangle,
  critical: IconFlame,
  over_budget: IconAlertOctagon,
};

export function LevelBadge({ level, size = 'md' }: { level: Level; size?: 'sm' | 'md' | 'lg' }) {
  const { t } = useTranslation('ui');
  const Symbol = LEVEL_ICON[level];
  return (
    <Badge
      className={classes.badge}
      data-level={level}
      size={size}
      variant="default"
      leftSection={<Symbol size={13} stroke={2} aria-hidden />}
    >
      {t(`levels.${level}`)}
    </Badge>
  );
}

/** Widths are only drawn, so a floating-point number is good enough here. */
const width = (percent: number, scale: number) =>
  Math.max(0, Math.min(100, (percent / scale) * 100));

export interface Marks {
  warning: number;
  critical: number;
}

export const DEFAULT_MARKS: Marks = { warning: 80, critical: 95 };

export function UtilisationBar({
  value,
  level,
  marks,
  showValue = true,
  size = 'sm',
}: {
  value: string | number | null;
  level: Level;
  /** Draws the two marks and their figures. */
  marks?: Marks;
  showValue?: boolean;
  size?: 'sm' | 'lg';
}) {
  const { t, i18n } = useTranslation('ui');
  if (value === null) {
    return (
      <Text size="sm" c="dimmed">
        {t('utilisation.none')}
      </Text>
    );
  }
  const percent = formatPercent(value, i18n.language);
  const label = t('utilisation.label', { percent });
  // What lies above 100 % must still fit on the bar.
  const scale = marks === undefined ? 100 : Math.max(110, Math.ceil(Number(value) / 10) * 10);
  const bar = (
    <Progress.Root size={size === 'lg' ? 14 : 8} radius="xl" style={{ flex: 1 }}>
      <Progress.Section
        value={width(Number(value), scale)}
        color={`${LEVEL_COLOR[level]}.6`}
        aria-label={label}
        aria-valuetext={percent}
      />
    </Progress.Root>
  );
  if (marks === undefined) {
    return (
      <Group gap="sm" wrap="nowrap" miw={120}>
        {bar}
        {showValue && (
          <Text size="sm" className="tnum" w={58} ta="right">
            {percent}
          </Text>
        )}
      </Group>
    );
  }
  const points = [
    { at: marks.warning, name: t('levels.warning') },
    { at: marks.critical, name: t('levels.critical') },
    { at: 100, name: t('levels.over_budget') },
  ];
  return (
    <Box className={classes.marked}>
      <Group wrap="nowrap">{bar}</Group>
      {points.map(({ at, name }) => (
        <Tooltip key={at} label={`${name}: ${formatPercent(at, i18n.language)}`}>
          <span className={classes.mark} style={{ left: `${width(at, scale)}%` }} />
        </Tooltip>
      ))}
      <Text size="xs" c="dimmed" mt={10}>
        {t('utilisation.marks', {
          warning: formatPercent(marks.warning, i18n.language),
          critical: formatPercent(marks.critical, i18n.language),
        })}
      </Text>
    </Box>
  );
}
