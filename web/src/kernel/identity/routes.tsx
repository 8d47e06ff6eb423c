import { createRoute, redirect } from '@tanstack/react-router';
import { requireSession, rootRoute } from '@/kernel/routing/routes';
import {
  secondFactorSearch,
  signInSearch,
  safeNext,
  type SignInSearch,
} from '@/kernel/routing/search';
import { AccountPage } from './pages/account/account-page';
import { ForgotPasswordPage } from './pages/forgot-password';
import { NewPasswordPage } from './pages/new-password';
import { PhoneSignInPage } from './pages/phone-sign-in';
import { SignInPage } from './pages/sign-in';
import { SignUpPage } from './pages/sign-up';
import { isRaised } from './factors/level';
import { SecondFactorPage } from './pages/second-factor';
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

const phoneSignInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in/phone',
  validateSearch: signInSearch,
  beforeLoad: skipIfSignedIn,
  component: PhoneSignInPage,
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

const secondFactorRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/second-factor',
  validateSearch: secondFactorSearch,
  beforeLoad: async ({ search }) => {
    const session = await currentSession();
    if (session === null) {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- the router's own way
      throw redirect({
        to: '/sign-in',
        search: search.next === undefined ? {} : { next: search.next },
      });
    }
    // Somebody who has confirmed already came by the way back.
    if (isRaised(session)) {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- the router's own way
      throw redirect({ href: safeNext(search.next) });
    }
  },
  component: SecondFactorPage,
});

const accountRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/account',
  beforeLoad: ({ location }) => requireSession(location.href),
  component: AccountPage,
});

export const identityRoutes = [
  signInRoute,
  phoneSignInRoute,
  signUpRoute,
  forgotPasswordRoute,
  newPasswordRoute,
  secondFactorRoute,
  accountRoute,
] as const;
