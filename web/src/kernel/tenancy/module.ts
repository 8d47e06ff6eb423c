import { IconSettings, IconUsers } from '@tabler/icons-react';
import { defineModule } from '@/kernel/module';
import { tenancyMessages } from './messages';
import { settingsRoutes } from './routes';

export const tenancy = defineModule({
  name: 'tenancy',
  titleKey: 'settings',
  navigation: [
    {
      labelKey: 'members.title',
      icon: IconUsers,
      path: '/settings/members',
      permission: 'tenancy.members.read',
    },
    {
      labelKey: 'general.title',
      icon: IconSettings,
      path: '/settings/general',
      permission: 'tenancy.organization.read',
    },
  ],
  messages: tenancyMessages,
  routes: settingsRoutes,
});
