import { createRoute, redirect } from '@tanstack/react-router';
import { rootRoute } from '@/kernel/routing/routes';
import { signInSearch, safeNext, type SignInSearch } from '@/kernel/routing/search';
import { ForgotPasswordPage } from './pages/forgot-password';
import { NewPasswordPage } from './pages/new-password';
import { SignInPage } from './pages/sign-in';
import { SignUpPage } from './pages/sign-up';
import { currentSession } from './session';

async function skipIfSignedIn({ search }: { search: SignInSearch }): Promise<void> {
  if ((await currentSession()) !== null) {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the router's own way
    throw redirect({ href: safeNext(search.next) });
  }
}

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: signInSearch,
  beforeLoad: skipIfSignedIn,
  component: SignInPage,
});

const signUpRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-up',
  validateSearch: signInSearch,
  beforeLoad: skipIfSignedIn,
  component: SignUpPage,
});

const forgotPasswordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/forgot-password',
  component: ForgotPasswordPage,
});

const newPasswordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/new-password',
  component: NewPasswordPage,
});

export const identityRoutes = [
  signInRoute,
  signUpRoute,
  forgotPasswordRoute,
  newPasswordRoute,
] as const;
