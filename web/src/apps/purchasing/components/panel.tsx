import { Box, Group, Paper, Title } from '@mantine/core';
import { useId, type ReactNode } from 'react';

/** A titled part of the board. */
export function Panel({
  title,
  action,
  children,
  flush = false,
}: {
  title: string;
  action?: ReactNode;
  children: ReactNode;
  /** The content reaches the edges, as tables do. */
  flush?: boolean;
}) {
  const id = useId();
  return (
    <Paper
      withBorder
      component="section"
      aria-labelledby={id}
      h="100%"
      style={{ overflow: 'hidden' }}
    >
      <Group justify="space-between" px="md" pt="md" pb={flush ? 'xs' : 'md'}>
        <Title order={2} size="h4" id={id}>
          {title}
        </Title>
        {action}
      </Group>
      <Box px={flush ? 0 : 'md'} pb={flush ? 0 : 'md'}>
        {children}
      </Box>
    </Paper>
  );
}
