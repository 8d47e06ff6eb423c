import { IconFolders } from '@tabler/icons-react';
import { defineModule } from '@/kernel/module';
import { filesMessages } from './messages';
import { filesRoutes } from './routes';

export const files = defineModule({
  name: 'files',
  titleKey: 'group',
  navigation: [
    { labelKey: 'title', icon: IconFolders, path: '/files', permission: 'storage.objects.read' },
  ],
  messages: filesMessages,
  routes: filesRoutes,
});
