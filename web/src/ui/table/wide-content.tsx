import { Box } from '@mantine/core';
import { useMergedRef, useResizeObserver } from '@mantine/hooks';
import { useRef, type ReactNode } from 'react';

/** Scrolls sideways what is wider than the window, by keyboard too; where nothing is cut off it is no tab stop. */
export function WideContent({
  label,
  minWidth,
  children,
}: {
  label: string;
  minWidth: number;
  children: ReactNode;
}) {
  const outer = useRef<HTMLDivElement>(null);
  const [observe, { width }] = useResizeObserver<HTMLDivElement>();
  const ref = useMergedRef(outer, observe);
  const scrolls = width > 0 && width < minWidth;
  return (
    <Box
      ref={ref}
      style={{ overflowX: 'auto' }}
      {...(scrolls ? { tabIndex: 0, role: 'region', 'aria-label': label } : {})}
    >
      <Box miw={minWidth}>{children}</Box>
    </Box>
  );
}
