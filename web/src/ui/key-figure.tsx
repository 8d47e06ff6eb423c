import { Group, Paper, Text } from '@mantine/core';
import type { ReactNode } from 'react';

/** One number worth a glance, with its name. */
export function KeyFigure({
  label,
  children,
  note,
  accent,
  testId,
}: {
  label: string;
  children: ReactNode;
  note?: ReactNode;
  /** A colour of the theme, when the figure asks for attention. */
  accent?: string | undefined;
  testId?: string;
}) {
  return (
    <Paper withBorder p={{ base: 'sm', xs: 'md' }} h="100%">
      <Group gap={6} wrap="nowrap" mb={6}>
        {accent !== undefined && (
          <span
            aria-hidden
            style={{
              width: 8,
              height: 8,
              borderRadius: 8,
              flex: 'none',
              background: `var(--mantine-color-${accent}-6)`,
            }}
          />
        )}
        <Text fz={{ base: 'xs', xs: 'sm' }} c="dimmed" truncate>
          {label}
        </Text>
      </Group>
      <Text fz={{ base: 22, xs: 26 }} lh={1.15} fw={650} className="tnum" data-testid={testId}>
        {children}
      </Text>
      {note !== undefined && (
        <Text size="xs" c="dimmed" mt={4} component="div">
          {note}
        </Text>
      )}
    </Paper>
  );
}
