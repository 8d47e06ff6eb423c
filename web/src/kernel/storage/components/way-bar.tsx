import { Anchor, Breadcrumbs, Text } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { way } from '../model';
import classes from './files.module.css';

/** The folders around the one that is looked at, each a step back. */
export function WayBar({
  folder,
  start,
  quiet = false,
  label,
  onOpen,
}: {
  folder: string;
  /** What the outermost folder is called. */
  start: string;
  /** Whether a heading names the outermost folder already. */
  quiet?: boolean;
  /** What screen readers call it. */
  label?: string;
  onOpen: (folder: string) => void;
}) {
  const { t } = useTranslation('files');
  const here = useRef<HTMLSpanElement>(null);
  const shown = useRef(folder);
  // What was pressed to come here may be gone: the keyboard goes on from the folder's name.
  useEffect(() => {
    if (shown.current === folder) return;
    shown.current = folder;
    here.current?.focus();
  }, [folder]);
  const steps = [{ name: start, folder: '' }, ...way(folder)];
  return (
    <nav
      aria-label={label ?? t('way')}
      className={quiet && folder === '' ? classes.quiet : undefined}
    >
      <Breadcrumbs separatorMargin={6} classNames={{ root: classes.way }}>
        {steps.map((step, index) =>
          index === steps.length - 1 ? (
            <Text
              key={step.folder}
              ref={here}
              component="span"
              tabIndex={-1}
              aria-current="page"
              fw={600}
              size="sm"
              className={classes.name}
            >
              {step.name}
            </Text>
          ) : (
            <Anchor
              key={step.folder}
              component="button"
              type="button"
              size="sm"
              className={classes.name}
              onClick={() => onOpen(step.folder)}
            >
              {step.name}
            </Anchor>
          ),
        )}
      </Breadcrumbs>
    </nav>
  );
}
