import { Paper, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import type { Icon } from '@tabler/icons-react';
import type { ReactNode } from 'react';

/** Nothing here yet: says what would stand here and how to get it. */
export function EmptyState({
  icon: Symbol,
  title,
  children,
  action,
  plain = false,
  order = 2,
}: {
  icon: Icon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  /** Without a frame, for use inside a card. */
  plain?: boolean;
  /** 1 where it is the whole page. */
  order?: 1 | 2;
}) {
  return (
    <Paper
      withBorder={!plain}
      bg={plain ? 'transparent' : undefined}
      py={plain ? 'xl' : 64}
      px="md"
    >
      <Stack align="center" gap="xs" maw={460} mx="auto" ta="center">
        <ThemeIcon size={52} radius="xl" variant="light" color="gray" mb="xs" aria-hidden>
          <Symbol size={26} stroke={1.5} />
        </ThemeIcon>
        <Title order={order} size="h4">
          {title}
        </Title>
        {children !== undefined && (
          <Text c="dimmed" size="sm" component="div">
            {children}
          </Text>
        )}
        {action !== undefined && <div style={{ marginTop: 12 }}>{action}</div>}
      </Stack>
    </Paper>
  );
}
