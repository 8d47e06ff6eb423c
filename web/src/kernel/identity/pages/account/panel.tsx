import { Group, Paper, Text, Title } from '@mantine/core';
import { useId, type ReactNode } from 'react';

/** One matter of the account. */
export function Panel({
  title,
  description,
  badge,
  children,
}: {
  title: string;
  description: string;
  badge?: ReactNode;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <Paper component="section" withBorder p="lg" aria-labelledby={id}>
      <Group gap="sm">
        <Title order={2} size="h4" id={id}>
          {title}
        </Title>
        {badge}
      </Group>
      <Text size="sm" c="dimmed" mt={4} mb="md" maw={620}>
        {description}
      </Text>
      {children}
    </Paper>
  );
}
