import { IconUsers } from '@tabler/icons-react';
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
  ],
  messages: tenancyMessages,
  routes: settingsRoutes,
});
