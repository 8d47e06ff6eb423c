/** All modules of the web app, in the order of the navigation. A new app adds its line here. */
import { purchasing } from '@/apps/purchasing/app';
import { imports } from '@/engines/imports/app';
import { files } from '@/kernel/storage/module';
import { tenancy } from '@/kernel/tenancy/module';

export const modules = [purchasing, imports, files, tenancy] as const;
export const moduleRoutes = [
  ...purchasing.routes,
  ...imports.routes,
  ...files.routes,
  ...tenancy.routes,
] as const;
