import { IconBell, IconClipboardList, IconLayoutDashboard } from '@tabler/icons-react';
import { defineModule } from '@/kernel/module';
import { purchasingMessages } from './messages';
import { purchasingRoutes } from './routes';

export const purchasing = defineModule({
  name: 'purchasing',
  titleKey: 'title',
  navigation: [
    {
      labelKey: 'board.title',
      icon: IconLayoutDashboard,
      path: '/purchasing',
      permission: 'purchasing.orders.read',
      exact: true,
    },
    {
      labelKey: 'orders.title',
      icon: IconClipboardList,
      path: '/purchasing/orders',
      permission: 'purchasing.orders.read',
    },
    {
      labelKey: 'alerts.title',
      icon: IconBell,
      path: '/purchasing/alerts',
      permission: 'purchasing.alerts.read',
    },
  ],
  messages: purchasingMessages,
  routes: purchasingRoutes,
  importResults: {
    'purchasing.register': {
      figures: [
        { labelKey: 'result.orders', path: 'orders' },
        { labelKey: 'result.entries', path: 'entries' },
        { labelKey: 'result.suppliers', path: 'suppliers' },
        { labelKey: 'result.alerts', path: 'alerts.opened' },
      ],
      links: [
        { labelKey: 'result.toBoard', path: '/purchasing' },
        { labelKey: 'result.toOrders', path: '/purchasing/orders' },
        { labelKey: 'result.toAlerts', path: '/purchasing/alerts' },
      ],
    },
  },
});
