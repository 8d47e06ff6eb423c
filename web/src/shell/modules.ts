/** All modules of the web app, in the order of the navigation. A new app adds its line here. */
import { purchasing } from '@/apps/purchasing/app';
import { imports } from '@/engines/imports/app';
import { tenancy } from '@/kernel/tenancy/module';

export const modules = [purchasing, imports, tenancy] as const;
export const moduleRoutes = [...purchasing.routes, ...imports.routes, ...tenancy.routes] as const;
