import type { Translation } from '@/kernel/i18n';

const en = {
  about: {
    label: 'About Tenon',
    title: 'One place where the work of your company fits together.',
    text: 'Bring your data in, see what needs attention, and act on it. Every organisation is walled off from every other.',
  },
  fields: {
    email: 'E-mail address',
    password: 'Password',
    passwordHint: 'At least 8 characters',
    name: 'Your name',
  },
  signIn: {
    title: 'Sign in',
    description: 'Welcome back.',
    submit: 'Sign in',
    expired: 'Your session has ended. Sign in again to go on where you were.',
    noAccount: 'New to Tenon?',
    toSignUp: 'Create an account',
  },
  signUp: {
    title: 'Create your account',
    description: 'It takes a minute. Your organisation comes next.',
    submit: 'Create account',
    haveAccount: 'Already have an account?',
    toSignIn: 'Sign in',
  },
  signOut: 'Sign out',
  invalid: {
    email: 'Enter an e-mail address, such as name@example.com',
    password: 'Use at least 8 characters',
    passwordMissing: 'Enter your password',
    name: 'Enter your name',
  },
};

const de: Translation<typeof en> = {
  about: {
    label: 'Über Tenon',
    title: 'Ein Ort, an dem die Arbeit Ihres Unternehmens zusammenpasst.',
    text: 'Holen Sie Ihre Daten herein, sehen Sie, was Aufmerksamkeit braucht, und handeln Sie. Jede Organisation ist von jeder anderen getrennt.',
  },
  fields: {
    email: 'E-Mail-Adresse',
    password: 'Passwort',
    passwordHint: 'Mindestens 8 Zeichen',
    name: 'Ihr Name',
  },
  signIn: {
    title: 'Anmelden',
    description: 'Willkommen zurück.',
    submit: 'Anmelden',
    expired:
      'Ihre Sitzung ist zu Ende. Melden Sie sich erneut an, um dort weiterzumachen, wo Sie waren.',
    noAccount: 'Neu bei Tenon?',
    toSignUp: 'Konto anlegen',
  },
  signUp: {
    title: 'Konto anlegen',
    description: 'Es dauert eine Minute. Danach kommt Ihre Organisation.',
    submit: 'Konto anlegen',
    haveAccount: 'Sie haben schon ein Konto?',
    toSignIn: 'Anmelden',
  },
  signOut: 'Abmelden',
  invalid: {
    email: 'Geben Sie eine E-Mail-Adresse ein, etwa name@example.com',
    password: 'Verwenden Sie mindestens 8 Zeichen',
    passwordMissing: 'Geben Sie Ihr Passwort ein',
    name: 'Geben Sie Ihren Namen ein',
  },
};

export const identityMessages = { en, de };

// Words for refusals that users meet often; every other one is shown as the server put it.
const enErrors = {
  invalid_credentials: 'E-mail address or password is wrong.',
  user_already_exists: 'An account with this e-mail address exists already. Sign in instead.',
  weak_password: 'This password is too weak. Use at least 8 characters.',
  email_address_invalid: 'This is not a valid e-mail address.',
  'network.unreachable': 'The server cannot be reached.',
};

const deErrors: Translation<typeof enErrors> = {
  invalid_credentials: 'E-Mail-Adresse oder Passwort ist falsch.',
  user_already_exists: 'Zu dieser E-Mail-Adresse gibt es schon ein Konto. Melden Sie sich an.',
  weak_password: 'Dieses Passwort ist zu schwach. Verwenden Sie mindestens 8 Zeichen.',
  email_address_invalid: 'Das ist keine gültige E-Mail-Adresse.',
  'network.unreachable': 'Der Server ist nicht erreichbar.',
};

export const errorMessages = { en: enErrors, de: deErrors };
