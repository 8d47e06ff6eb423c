import type { Translation } from '@/kernel/i18n';

const en = {
  or: 'or',
  signInWith: 'Continue with {{provider}}',
  waysIn: {
    title: 'Ways in',
    description: 'Each of these opens your account. Add another before you lose one.',
    email: 'E-mail address',
    emailText: 'With a password, or with a link or code in a mail',
    lastUsed: 'Last used {{date}}',
    neverUsed: 'Not used yet',
    only: 'Your only way in stays until you add another.',
    add: 'Add {{provider}}',
    remove: 'Remove',
    removeLabel: 'Remove {{way}}',
    removeTitle: 'Remove this way in?',
    removeText: '{{way}} will not open your account any more.',
    removeEmailText:
      'Your password goes, too, and your address becomes the one of another way in. You sign in with what is left.',
    removed: '{{way}} was removed',
  },
  refused: {
    title: 'You are not signed in',
    linkTitle: 'Nothing was added',
    access_denied: 'The provider did not let you through, or you turned back.',
    provider_refused: 'The provider did not let you through, or you turned back.',
    provider_email_needs_verification:
      'The provider does not know yet that the address is yours. Confirm it there, then try again.',
    email_exists:
      'There is an account with this address already. Sign in to it as before, then add this way in under your account.',
    signup_disabled: 'New accounts are made by invitation only. Ask for one.',
    user_banned: 'This account is closed for a time. Ask whoever runs this installation.',
    bad_oauth_state: 'This sign-in took too long, or began in another window. Try again.',
    identity_already_exists: 'This account of the provider opens an account here already.',
    other: 'Something went wrong between the provider and this installation. Try again later.',
  },
};

const de: Translation<typeof en> = {
  or: 'oder',
  signInWith: 'Weiter mit {{provider}}',
  waysIn: {
    title: 'Anmeldewege',
    description:
      'Jeder davon öffnet Ihr Konto. Fügen Sie einen weiteren hinzu, bevor Sie einen verlieren.',
    email: 'E-Mail-Adresse',
    emailText: 'Mit einem Passwort oder mit einem Link oder Code aus einer E-Mail',
    lastUsed: 'Zuletzt benutzt {{date}}',
    neverUsed: 'Noch nicht benutzt',
    only: 'Ihr einziger Anmeldeweg bleibt, bis Sie einen weiteren hinzufügen.',
    add: '{{provider}} hinzufügen',
    remove: 'Entfernen',
    removeLabel: '{{way}} entfernen',
    removeTitle: 'Diesen Anmeldeweg entfernen?',
    removeText: '{{way}} öffnet Ihr Konto dann nicht mehr.',
    removeEmailText:
      'Auch Ihr Passwort wird gelöscht, und Ihre Adresse wird die eines anderen Anmeldewegs. Sie melden sich mit dem an, was bleibt.',
    removed: '{{way}} wurde entfernt',
  },
  refused: {
    title: 'Sie sind nicht angemeldet',
    linkTitle: 'Es wurde nichts hinzugefügt',
    access_denied: 'Der Anbieter hat Sie nicht durchgelassen, oder Sie sind umgekehrt.',
    provider_refused: 'Der Anbieter hat Sie nicht durchgelassen, oder Sie sind umgekehrt.',
    provider_email_needs_verification:
      'Der Anbieter weiß noch nicht, dass die Adresse Ihre ist. Bestätigen Sie sie dort und versuchen Sie es erneut.',
    email_exists:
      'Zu dieser Adresse gibt es schon ein Konto. Melden Sie sich wie bisher an und fügen Sie diesen Anmeldeweg unter Ihrem Konto hinzu.',
    signup_disabled: 'Neue Konten gibt es nur auf Einladung. Bitten Sie um eine.',
    user_banned:
      'Dieses Konto ist vorübergehend gesperrt. Wenden Sie sich an den Betreiber dieser Installation.',
    bad_oauth_state:
      'Diese Anmeldung hat zu lange gedauert oder in einem anderen Fenster begonnen. Versuchen Sie es erneut.',
    identity_already_exists: 'Dieses Konto beim Anbieter öffnet hier schon ein Konto.',
    other:
      'Zwischen dem Anbieter und dieser Installation ist etwas schiefgegangen. Versuchen Sie es später erneut.',
  },
};

export const providersMessages = { en, de };
