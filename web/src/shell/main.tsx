import '@fontsource-variable/inter';
import '@mantine/core/styles.css';
import '@mantine/charts/styles.css';
import '@mantine/dropzone/styles.css';
import '@mantine/notifications/styles.css';
import './global.css';

import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode, useMemo, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { startLanguages } from '@/kernel/i18n';
import { onSecondFactorRequired } from '@/kernel/identity/factors/required';
import { onSignedOut } from '@/kernel/identity/session';
import { ModulesContext } from '@/kernel/module';
import { queryClient } from '@/kernel/routing/query-client';
import { useBrandColour } from './brand-colour';
import { modules } from './modules';
import { namespaces } from './namespaces';
import { router } from './router';
import { themeIn, variables } from './theme';

/** Pages that need no session. */
const OPEN_TO_ALL = /^\/(sign-in|sign-up|forgot-password|new-password|mailbox|invite)(\/|$)/;

await startLanguages(namespaces);

// Whatever ended the session, nothing of it may stay on the screen.
onSignedOut((wanted) => {
  const { pathname, href } = router.state.location;
  queryClient.clear();
  if (OPEN_TO_ALL.test(pathname)) return;
  void router.navigate({
    to: '/sign-in',
    search: wanted ? {} : { next: href, reason: 'expired' },
  });
});

onSecondFactorRequired(() => {
  const { pathname, href } = router.latestLocation;
  if (pathname === '/second-factor') return;
  void router.navigate({ to: '/second-factor', search: { next: href, reason: 'organization' } });
});

function Themed({ children }: { children: ReactNode }) {
  const colour = useBrandColour();
  const theme = useMemo(() => themeIn(colour), [colour]);
  return (
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      {children}
    </MantineProvider>
  );
}

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element #root');

createRoot(root).render(
  <StrictMode>
    <Themed>
      <Notifications position="bottom-right" />
      <QueryClientProvider client={queryClient}>
        <ModulesContext.Provider value={modules}>
          <RouterProvider router={router} />
        </ModulesContext.Provider>
      </QueryClientProvider>
    </Themed>
  </StrictMode>,
);
