import { Anchor, Box, Group, Text, Title } from '@mantine/core';
import { IconChevronLeft } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useEffect, type ReactNode } from 'react';
import classes from './page-header.module.css';

/** Heading of every page; it also names the browser tab. */
export function PageHeader({
  title,
  description,
  back,
  badge,
  actions,
}: {
  title: string;
  description?: ReactNode;
  /** The list this page belongs to. */
  back?: { label: string; to: string };
  badge?: ReactNode;
  actions?: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Tenon`;
  }, [title]);

  return (
    <Box component="header" mb="lg">
      {back !== undefined && (
        <Box mb={6}>
          <Anchor component={Link} to={back.to} size="sm" c="dimmed">
            <span className={classes.back}>
              <IconChevronLeft size={15} aria-hidden />
              {back.label}
            </span>
          </Anchor>
        </Box>
      )}
      <Box className={classes.row}>
        <Box miw={0}>
          <Group gap="sm">
            <Title order={1} size="h2" tabIndex={-1} id="page-title" className={classes.title}>
              {title}
            </Title>
            {badge}
          </Group>
          {description !== undefined && (
            <Text c="dimmed" size="sm" mt={4} maw={680}>
              {description}
            </Text>
          )}
        </Box>
        {actions !== undefined && <Group gap="sm">{actions}</Group>}
      </Box>
    </Box>
  );
}
