/** What an app, an engine or a part of the kernel adds to the web app. */
import type { Icon } from '@tabler/icons-react';
import { createContext, useContext } from 'react';
import type { Messages } from './i18n';

export interface NavigationItem {
  /** Key in the module's own words. */
  labelKey: string;
  icon: Icon;
  /** Path below the organisation, such as `/purchasing/orders`. */
  path: string;
  permission: string;
  /** Marked as current only on this very path, since deeper ones have entries of their own. */
  exact?: boolean;
}

/** How a committed import is summed up, and where to look next. */
export interface ImportResult {
  /** Numbers in the import's summary, by a path such as `alerts.opened`. */
  figures: readonly { labelKey: string; path: string }[];
  /** Paths below the organisation. */
  links: readonly { labelKey: string; path: string }[];
}

export interface Module<Routes = readonly unknown[]> {
  name: string;
  titleKey: string;
  navigation: readonly NavigationItem[];
  messages: Messages;
  routes: Routes;
  /** By the import template. */
  importResults?: Readonly<Record<string, ImportResult>>;
}

/** Keeps the exact type of the routes, which typed links need. */
export function defineModule<const Routes extends readonly unknown[]>(
  module: Module<Routes>,
): Module<Routes> {
  return module;
}

export const ModulesContext = createContext<readonly Module[]>([]);

export function useModules(): readonly Module[] {
  return useContext(ModulesContext);
}
