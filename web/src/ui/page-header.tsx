import { Anchor, Box, Breadcrumbs, Group, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useEffect, type ReactNode } from 'react';

export interface Crumb {
  label: string;
  to: string;
}

/** Heading of every page; it also names the browser tab. */
export function PageHeader({
  title,
  description,
  crumbs = [],
  badge,
  actions,
}: {
  title: string;
  description?: ReactNode;
  crumbs?: Crumb[];
  badge?: ReactNode;
  actions?: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Tenon`;
  }, [title]);

  return (
    <Box component="header" mb="lg">
      {crumbs.length > 0 && (
        <Breadcrumbs mb={6} separator="/" separatorMargin={8}>
          {crumbs.map(({ label, to }) => (
            <Anchor key={to} component={Link} to={to} size="sm" c="dimmed">
              {label}
            </Anchor>
          ))}
          <span />
        </Breadcrumbs>
      )}
      <Group justify="space-between" align="flex-start" gap="md">
        <Box miw={0}>
          <Group gap="sm">
            <Title order={1} size="h2" tabIndex={-1} id="page-title">
              {title}
            </Title>
            {badge}
          </Group>
          {description !== undefined && (
            <Text c="dimmed" size="sm" mt={4} maw={720}>
              {description}
            </Text>
          )}
        </Box>
        {actions !== undefined && <Group gap="sm">{actions}</Group>}
      </Group>
    </Box>
  );
}
