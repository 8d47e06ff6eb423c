import { Box, NativeSelect, NavLink } from '@mantine/core';
import { Link, Navigate, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { NoPermission } from '@/ui/states/no-permission';
import { useOrganization } from '../organization';
import classes from './layout.module.css';
import { SETTINGS_SECTIONS } from './sections';

function useSections() {
  const { t } = useTranslation();
  const { slug, can } = useOrganization();
  return SETTINGS_SECTIONS.filter(({ permission }) => can(permission)).map(
    ({ labelKey, icon, path }) => ({ label: t(labelKey), icon, to: `/o/${slug}/settings/${path}` }),
  );
}

/** Frame of the settings: a list of its sections, beside the page or, on a narrow screen, above it. */
export function SettingsLayout() {
  const { t } = useTranslation('tenancy');
  const navigate = useNavigate();
  const sections = useSections();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const current = sections.find(({ to }) => path === to || path.startsWith(`${to}/`));
  return (
    <div className={classes.frame}>
      <Box component="nav" aria-label={t('settings')} visibleFrom="md" className={classes.list}>
        <ul className={classes.items}>
          {sections.map(({ label, icon: Symbol, to }) => (
            <li key={to}>
              <NavLink
                component={Link}
                to={to}
                label={label}
                className={classes.link}
                activeOptions={{ includeSearch: false }}
                leftSection={<Symbol size={18} stroke={1.6} aria-hidden />}
              />
            </li>
          ))}
        </ul>
      </Box>
      <NativeSelect
        hiddenFrom="md"
        aria-label={t('settings')}
        data={sections.map(({ label, to }) => ({ value: to, label }))}
        value={current?.to ?? ''}
        onChange={(event) => void navigate({ to: event.currentTarget.value })}
      />
      <Box miw={0}>
        <Outlet />
      </Box>
    </div>
  );
}

/** The settings themselves: their first section that the user may see. */
export function SettingsIndex() {
  const first = useSections()[0];
  if (first === undefined) return <NoPermission permission="tenancy.organization.read" />;
  return <Navigate to={first.to} replace />;
}
