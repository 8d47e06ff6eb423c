import { createRoute } from '@tanstack/react-router';
import { organizationRoute } from '@/kernel/routing/routes';
import { anySearch } from '@/kernel/routing/search';
import { FilesPage } from './pages/files';

const filesRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: '/files',
  validateSearch: anySearch,
  component: FilesPage,
});

export const filesRoutes = [filesRoute] as const;
