import { Box, Group, Menu, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconCheck, IconPlus, IconSelector } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { OrganizationAvatar } from '@/kernel/tenancy/organization-avatar';
import { organizationsQuery } from '@/kernel/tenancy/queries';
import classes from './menus.module.css';

export function OrganizationSwitcher() {
  const { t } = useTranslation(['shell', 'tenancy']);
  const { id, name, roleName, logo } = useOrganization();
  const { data: organizations = [] } = useQuery(organizationsQuery());
  return (
    <Menu width={236} position="bottom-start" withinPortal>
      <Menu.Target>
        <UnstyledButton className={classes.button} data-framed>
          <VisuallyHidden>{t('switch')}: </VisuallyHidden>
          <Group gap="sm" wrap="nowrap">
            <OrganizationAvatar size={30} variant="filled" id={id} name={name} logo={logo} />
            <Box miw={0} flex={1}>
              <Text size="sm" fw={600} truncate data-testid="organization-name">
                {name}
              </Text>
              <Text size="xs" c="dimmed" truncate>
                {roleName}
              </Text>
            </Box>
            <IconSelector size={16} aria-hidden />
          </Group>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('organizations')}</Menu.Label>
        {organizations.map((organization) => (
          <Menu.Item
            key={organization.id}
            component={Link}
            to={`/o/${organization.slug}`}
            leftSection={
              <OrganizationAvatar
                size={22}
                id={organization.id}
                name={organization.name}
                logo={organization.logo}
              />
            }
            rightSection={organization.id === id ? <IconCheck size={16} aria-hidden /> : null}
          >
            {organization.name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          component={Link}
          to="/new-organization"
          leftSection={<IconPlus size={16} aria-hidden />}
        >
          {t('newOrganization')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
