import { AppShell, Burger, Group, ScrollArea } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import { Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Bell } from '@/kernel/notifications/bell';
import { useOrganization } from '@/kernel/tenancy/organization';
import { Brand } from '@/ui/brand';
import { setBrandColour } from '../brand-colour';
import { lastOrganization } from '../last-organization';
import classes from './app-layout.module.css';
import { EndingBanner } from './ending-banner';
import { Navigation } from './navigation';
import { OrganizationSwitcher } from './organization-switcher';
import { UserMenu } from './user-menu';
import { VisitBanner } from './visit-banner';

/** Frame of every page inside an organisation. */
export function AppLayout() {
  const { t } = useTranslation('shell');
  const { slug, themeColour } = useOrganization();
  const [opened, { toggle, close }] = useDisclosure(false);
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const previous = useRef(path);
  // One bell: in the header of a narrow window, else beside the name.
  const narrow = useMediaQuery('(max-width: 47.99em)', false, { getInitialValueInEffect: false });

  useEffect(() => {
    lastOrganization.set(slug);
  }, [slug]);

  useEffect(() => {
    setBrandColour(themeColour);
  }, [themeColour]);

  useEffect(
    () => () => {
      setBrandColour(null);
    },
    [],
  );

  useEffect(() => {
    close();
    // A new page is announced by moving the focus to its heading; the first one is announced anyway.
    if (previous.current !== undefined && previous.current !== path) {
      document.getElementById('page-title')?.focus({ preventScroll: true });
    }
    previous.current = path;
  }, [path, close]);

  return (
    <>
      <a href="#main" className={classes.skip}>
        {t('skip')}
      </a>
      <AppShell
        layout="alt"
        header={{ height: { base: 56, sm: 0 } }}
        navbar={{ width: 252, breakpoint: 'sm', collapsed: { mobile: !opened } }}
        padding={0}
      >
        <AppShell.Header hiddenFrom="sm" className={classes.header}>
          <Group h="100%" px="md" justify="space-between">
            <Brand />
            <Group gap="xs" wrap="nowrap">
              {narrow && <Bell />}
              <Burger
                opened={opened}
                onClick={toggle}
                size="sm"
                aria-label={t('openNavigation')}
                aria-expanded={opened}
              />
            </Group>
          </Group>
        </AppShell.Header>
        <AppShell.Navbar className={classes.navbar}>
          <AppShell.Section p="md" pb="xs">
            <Group justify="space-between" mb="md" px={4}>
              <Brand />
              {!narrow && <Bell />}
              <Burger
                opened
                onClick={close}
                size="sm"
                hiddenFrom="sm"
                aria-label={t('closeNavigation')}
              />
            </Group>
            <OrganizationSwitcher />
          </AppShell.Section>
          <AppShell.Section grow component={ScrollArea} px="md">
            <Navigation />
          </AppShell.Section>
          <AppShell.Section p="md" className={classes.user}>
            <UserMenu />
          </AppShell.Section>
        </AppShell.Navbar>
        <AppShell.Main id="main" tabIndex={-1} className={classes.main}>
          <div className={classes.page}>
            <VisitBanner />
            <EndingBanner />
            <Outlet />
          </div>
        </AppShell.Main>
      </AppShell>
    </>
  );
}
