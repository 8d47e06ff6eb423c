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
  yourAccount: 'Your account',
  theme: { label: 'Appearance', light: 'Light', dark: 'Dark', auto: 'As system' },
  language: 'Language',
  ending: {
    text: '{{organization}} will be deleted with all its data on {{date}}.',
    change: 'See what can be done',
  },
  console: 'Operator console',
  visit: {
    text: 'You are in {{organization}} to help. Its owners see that.',
    left_one: 'A minute is left.',
    left_other: '{{count}} minutes are left.',
    leave: 'Leave',
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
  yourAccount: 'Ihr Konto',
  theme: { label: 'Darstellung', light: 'Hell', dark: 'Dunkel', auto: 'Wie System' },
  language: 'Sprache',
  ending: {
    text: '{{organization}} wird am {{date}} mit allen Daten gelöscht.',
    change: 'Was sich tun lässt',
  },
  console: 'Betreiberkonsole',
  visit: {
    text: 'Sie sind in {{organization}}, um zu helfen. Die Inhaber sehen das.',
    left_one: 'Noch eine Minute.',
    left_other: 'Noch {{count}} Minuten.',
    leave: 'Verlassen',
  },
  nothing: {
    title: 'Willkommen bei {{organization}}',
    text: 'Ihre Rolle öffnet noch keine App. Ein Admin der Organisation kann das ändern.',
  },
};

export const shellMessages = { en, de };
