import { Text, Tooltip, VisuallyHidden } from '@mantine/core';
import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Column } from '@/ui/table/data-table';
import { worstLevel, type Issue, type PreviewRow, type TemplateField } from '../model';
import classes from './preview.module.css';

const LONGEST_UNBROKEN = 16;

const isNumberLike = (text: string) => text.length <= LONGEST_UNBROKEN && !/\s/.test(text);

function Cell({ text, issues }: { text: string; issues: readonly Issue[] }) {
  const { t } = useTranslation('imports');
  const level = worstLevel(issues);
  const shown = text === '' ? <span className={classes.empty}>{t('review.emptyCell')}</span> : text;
  if (level === null) {
    // Numbers of orders and the like hold hyphens, at which they should not break.
    return isNumberLike(text) ? <span className={classes.unbroken}>{text}</span> : text;
  }
  const message = issues.map((issue) => issue.message).join(' ');
  return (
    <Tooltip label={message} multiline maw={320} events={{ hover: true, focus: true, touch: true }}>
      {/* Focusable, so that the message reaches those without a mouse too. */}
      <button
        type="button"
        className={classes.cell}
        data-level={level}
        data-unbroken={isNumberLike(text) || undefined}
      >
        {shown}
        <VisuallyHidden>
          {t(`review.levels.${level}`)}: {message}
        </VisuallyHidden>
      </button>
    </Tooltip>
  );
}

function Problems({ issues }: { issues: readonly Issue[] }) {
  const { t } = useTranslation('imports');
  if (issues.length === 0) return null;
  return (
    <ul className={classes.problems}>
      {issues.map(({ field, code, level, message }) => (
        <li key={`${field}:${code}:${message}`} data-level={level}>
          <VisuallyHidden>{t(`review.levels.${level}`)}: </VisuallyHidden>
          {message}
        </li>
      ))}
    </ul>
  );
}

/** Row number and status, the fields of the sheet, and what is wrong in words. */
export function usePreviewColumns(
  keys: readonly string[],
  fields: readonly TemplateField[],
): Column<PreviewRow>[] {
  const { t } = useTranslation('imports');
  // Keys arrive in a new array with every page; their text tells whether they changed.
  const joined = keys.join('\n');
  return useMemo(
    () => [
      {
        key: 'row',
        header: t('review.row'),
        align: 'right',
        width: 52,
        render: ({ row }) => (
          <Text size="xs" c="dimmed" className="tnum">
            {row}
          </Text>
        ),
      },
      {
        key: 'status',
        header: t('review.status'),
        width: 60,
        render: ({ accepted }) =>
          accepted ? (
            <IconCircleCheck
              size={17}
              role="img"
              aria-label={t('review.isAccepted')}
              className={classes.accepted}
            />
          ) : (
            <IconCircleX
              size={17}
              role="img"
              aria-label={t('review.isRefused')}
              className={classes.refused}
            />
          ),
      },
      ...(joined === '' ? [] : joined.split('\n')).map((key): Column<PreviewRow> => {
        const field = fields.find((one) => one.key === key);
        return {
          key: `field-${key}`,
          header: field?.label ?? key,
          ...(field?.kind === 'decimal' ? { align: 'right' as const } : {}),
          ...(field !== undefined && field.kind !== 'text' ? { nowrap: true } : {}),
          render: ({ cells, issues }) => (
            <Cell text={cells[key] ?? ''} issues={issues.filter((issue) => issue.field === key)} />
          ),
        };
      }),
      {
        key: 'problems',
        header: t('review.problems'),
        render: ({ issues }) => <Problems issues={issues} />,
      },
    ],
    [joined, fields, t],
  );
}
