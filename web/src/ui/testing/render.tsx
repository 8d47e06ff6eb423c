/** For tests: a component inside the library's theme, English words and a router at an address. */
import { MantineProvider } from '@mantine/core';
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from '@tanstack/react-router';
import { render } from '@testing-library/react';
import i18next from 'i18next';
import type { ReactNode } from 'react';
import { initReactI18next } from 'react-i18next';
import { uiMessages } from '../messages';

export async function speakEnglish(words: Record<string, object> = {}): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'en',
    resources: { en: { ui: uiMessages.en, ...words } },
    interpolation: { escapeValue: false },
  });
}

export async function renderAt(address: string, children: () => ReactNode) {
  const root = createRootRoute();
  const page = createRoute({
    getParentRoute: () => root,
    path: '/',
    validateSearch: (search: Record<string, unknown>) => search,
    component: () => children(),
  });
  const router = createRouter({
    routeTree: root.addChildren([page]),
    history: createMemoryHistory({ initialEntries: [address] }),
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search: Record<string, unknown>) => {
      const entries = Object.entries(search).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      );
      return entries.length === 0 ? '' : `?${new URLSearchParams(entries).toString()}`;
    },
  });
  await router.load();
  const view = render(
    <MantineProvider env="test">
      {/* The web app's own routes are declared for the whole program; a test brings its own. */}
      <RouterProvider router={router as never} />
    </MantineProvider>,
  );
  return { ...view, router };
}
