import { createRoute } from '@tanstack/react-router';
import { organizationRoute } from '@/kernel/routing/routes';
import { SettingsLayout } from './layout';

/** The frame of all settings of an organisation; pages of other modules hang here, too. */
export const settingsRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: '/settings',
  component: SettingsLayout,
});
