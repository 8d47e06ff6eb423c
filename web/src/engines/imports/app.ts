import { IconFileImport } from '@tabler/icons-react';
import { defineModule } from '@/kernel/module';
import { importsMessages } from './messages';
import { importsRoutes } from './routes';

export const imports = defineModule({
  name: 'imports',
  titleKey: 'group',
  navigation: [
    {
      labelKey: 'title',
      icon: IconFileImport,
      path: '/imports',
      permission: 'imports.runs.read',
    },
  ],
  messages: importsMessages,
  routes: importsRoutes,
});
