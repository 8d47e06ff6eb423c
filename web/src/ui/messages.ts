import type { Translation } from './translation';

const en = {
  table: {
    range: '{{from}}–{{to}} of {{total}}',
    none: 'No rows',
    perPage: 'Rows per page',
    pages: 'Pages of the table',
    previous: 'Previous page',
    next: 'Next page',
    sortBy: 'Sort by {{column}}',
    clearSearch: 'Clear search',
    reset: 'Reset filters',
    noMatch: 'Nothing matches these filters',
    noMatchHint: 'Remove a filter or search for something else.',
    loading: 'Loading rows',
  },
  states: {
    loading: 'Loading',
    retry: 'Try again',
    code: 'Code',
    hint: 'What to do',
    details: 'Details',
    noPermission: 'You may not see this page',
    noPermissionHint:
      'Your role does not include the permission {{permission}}. An admin of the organisation can give it to you.',
    notFound: 'Nothing is here',
    notFoundHint:
      'The page does not exist, or it belongs to an organisation you are not a member of.',
    home: 'Go to start page',
    unexpected: 'Something went wrong',
    crashed: 'This page stopped working',
    crashedHint:
      'Your data is safe. Reload the page; if it happens again, tell your administrator the code below.',
    reload: 'Reload page',
  },
  levels: {
    on_track: 'On track',
    warning: 'Warning',
    critical: 'Critical',
    over_budget: 'Over budget',
  },
  utilisation: {
    label: '{{percent}} used',
    none: 'No value to measure against',
    marks: 'Warning at {{warning}}, critical at {{critical}}',
  },
  empty: '–',
  cancel: 'Cancel',
  close: 'Close',
  copy: 'Copy',
  copied: 'Copied',
};

const de: Translation<typeof en> = {
  table: {
    range: '{{from}}–{{to}} von {{total}}',
    none: 'Keine Zeilen',
    perPage: 'Zeilen pro Seite',
    pages: 'Seiten der Tabelle',
    previous: 'Vorige Seite',
    next: 'Nächste Seite',
    sortBy: 'Nach {{column}} sortieren',
    clearSearch: 'Suche leeren',
    reset: 'Filter zurücksetzen',
    noMatch: 'Nichts passt zu diesen Filtern',
    noMatchHint: 'Entfernen Sie einen Filter oder suchen Sie nach etwas anderem.',
    loading: 'Zeilen werden geladen',
  },
  states: {
    loading: 'Wird geladen',
    retry: 'Erneut versuchen',
    code: 'Code',
    hint: 'Was zu tun ist',
    details: 'Einzelheiten',
    noPermission: 'Sie dürfen diese Seite nicht sehen',
    noPermissionHint:
      'Ihre Rolle enthält die Berechtigung {{permission}} nicht. Ein Admin der Organisation kann sie Ihnen geben.',
    notFound: 'Hier ist nichts',
    notFoundHint:
      'Die Seite gibt es nicht, oder sie gehört zu einer Organisation, in der Sie nicht Mitglied sind.',
    home: 'Zur Startseite',
    unexpected: 'Etwas ist schiefgegangen',
    crashed: 'Diese Seite funktioniert nicht mehr',
    crashedHint:
      'Ihre Daten sind sicher. Laden Sie die Seite neu; geschieht es wieder, nennen Sie Ihrer Administration den Code unten.',
    reload: 'Seite neu laden',
  },
  levels: {
    on_track: 'Im Plan',
    warning: 'Warnung',
    critical: 'Kritisch',
    over_budget: 'Über Budget',
  },
  utilisation: {
    label: '{{percent}} verbraucht',
    none: 'Kein Wert, an dem gemessen werden kann',
    marks: 'Warnung ab {{warning}}, kritisch ab {{critical}}',
  },
  empty: '–',
  cancel: 'Abbrechen',
  close: 'Schließen',
  copy: 'Kopieren',
  copied: 'Kopiert',
};

export const uiMessages = { en, de };
