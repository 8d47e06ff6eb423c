import type { Translation } from '@/kernel/i18n';

const en = {
  skip: 'Skip to content',
  navigation: 'Main navigation',
  openNavigation: 'Open navigation',
  closeNavigation: 'Close navigation',
  switch: 'Switch organisation',
  organizations: 'Your organisations',
  newOrganization: 'New organisation',
  account: 'Account',
  theme: { label: 'Appearance', light: 'Light', dark: 'Dark', auto: 'As system' },
  language: 'Language',
  notFound: {
    title: 'Nothing is here',
    text: 'The page does not exist, or it belongs to an organisation you are not a member of.',
    home: 'Go to start page',
  },
  nothing: {
    title: 'Welcome to {{organization}}',
    text: 'Your role does not open any app yet. An admin of the organisation can change that.',
  },
};

const de: Translation<typeof en> = {
  skip: 'Zum Inhalt springen',
  navigation: 'Hauptnavigation',
  openNavigation: 'Navigation öffnen',
  closeNavigation: 'Navigation schließen',
  switch: 'Organisation wechseln',
  organizations: 'Ihre Organisationen',
  newOrganization: 'Neue Organisation',
  account: 'Konto',
  theme: { label: 'Darstellung', light: 'Hell', dark: 'Dunkel', auto: 'Wie System' },
  language: 'Sprache',
  notFound: {
    title: 'Hier ist nichts',
    text: 'Die Seite gibt es nicht, oder sie gehört zu einer Organisation, in der Sie nicht Mitglied sind.',
    home: 'Zur Startseite',
  },
  nothing: {
    title: 'Willkommen bei {{organization}}',
    text: 'Ihre Rolle öffnet noch keine App. Ein Admin der Organisation kann das ändern.',
  },
};

export const shellMessages = { en, de };
