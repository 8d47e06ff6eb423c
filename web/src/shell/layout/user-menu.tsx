import {
  Avatar,
  Box,
  Group,
  Button,
  Divider,
  Popover,
  SegmentedControl,
  Text,
  UnstyledButton,
  VisuallyHidden,
  useMantineColorScheme,
  type MantineColorScheme,
} from '@mantine/core';
import { IconDots, IconLogout, IconServerCog, IconUserCircle } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { LANGUAGES } from '@/kernel/i18n';
import { signOut } from '@/kernel/identity/session';
import { useOrganization } from '@/kernel/tenancy/organization';
import { ButtonLink } from '@/ui/links';
import { notifyFailed } from '@/ui/notify';
import classes from './menus.module.css';

const SCHEMES: readonly MantineColorScheme[] = ['light', 'dark', 'auto'];

export function UserMenu() {
  const { t, i18n } = useTranslation(['shell', 'identity']);
  const { user, operator } = useOrganization();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const leave = useMutation({ mutationFn: signOut, onError: notifyFailed });
  const name = user.name ?? user.email;
  return (
    <Popover width={252} position="top-start" withinPortal trapFocus>
      <Popover.Target>
        <UnstyledButton className={classes.button}>
          <VisuallyHidden>{t('account')}: </VisuallyHidden>
          <Group gap="sm" wrap="nowrap">
            <Avatar size={30} radius="xl" name={name} aria-hidden />
            <Box miw={0} flex={1}>
              <Text size="sm" fw={550} truncate>
                {name}
              </Text>
              <Text size="xs" c="dimmed" truncate>
                {user.email}
              </Text>
            </Box>
            <IconDots size={16} aria-hidden />
          </Group>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Text size="xs" c="dimmed" fw={600} mb={4}>
          {t('theme.label')}
        </Text>
        <Box pb="sm">
          <SegmentedControl
            fullWidth
            size="xs"
            aria-label={t('theme.label')}
            data={SCHEMES.map((value) => ({ value, label: t(`theme.${value}`) }))}
            value={colorScheme}
            onChange={(value) => {
              setColorScheme(value);
            }}
          />
        </Box>
        <Text size="xs" c="dimmed" fw={600} mb={4}>
          {t('language')}
        </Text>
        <Box pb="sm">
          <SegmentedControl
            fullWidth
            size="xs"
            aria-label={t('language')}
            data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
            value={i18n.language.slice(0, 2)}
            onChange={(language) => void i18n.changeLanguage(language)}
          />
        </Box>
        <Divider my="sm" />
        <ButtonLink
          to="/account"
          fullWidth
          variant="default"
          mb="xs"
          leftSection={<IconUserCircle size={16} aria-hidden />}
        >
          {t('yourAccount')}
        </ButtonLink>
        {operator && (
          <ButtonLink
            to="/operator"
            fullWidth
            variant="default"
            mb="xs"
            leftSection={<IconServerCog size={16} aria-hidden />}
          >
            {t('console')}
          </ButtonLink>
        )}
        <Button
          fullWidth
          variant="default"
          loading={leave.isPending}
          leftSection={<IconLogout size={16} aria-hidden />}
          onClick={() => {
            leave.mutate();
          }}
        >
          {t('identity:signOut')}
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}
