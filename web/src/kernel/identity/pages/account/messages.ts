import type { Translation } from '@/kernel/i18n';

const en = {
  title: 'Your account',
  description: 'It is the same in all organisations you belong to.',
  back: 'Back to work',
  save: 'Save',
  profile: {
    title: 'Profile',
    description: 'How colleagues see you, and where mail to you goes.',
    saved: 'Your profile is saved.',
    waitingTitle: 'Look into your mail',
    waiting: 'Follow the link we sent to {{email}}. Until then your old address stays.',
  },
  password: {
    title: 'Password',
    description: 'When it changes you are signed out everywhere else.',
    change: 'Change password',
    changed: 'Your password is changed.',
  },
  confirmation: {
    sent: 'To be sure that it is you, a code is on its way to {{address}}.',
    label: 'Code',
    again: 'Send another code',
  },
  sessions: {
    title: 'Where you are signed in',
    description: 'Sign out what you do not know or do not use any more.',
    current: 'Here',
    program: 'Unknown program',
    used: 'Last used {{at}}',
    end: 'Sign out',
    endOne: 'Sign out {{name}}',
    endOthers: 'Sign out everywhere else',
    ended: 'Signed out there.',
  },
  data: {
    title: 'Your data',
    description:
      'What you did in an organisation belongs to it and stays. All that is kept of you yourself is yours to take along, or away.',
    save: 'Download my data',
    erase: 'Delete my account',
    eraseTitle: 'Delete your account',
    eraseWarning: 'This cannot be undone.',
    eraseText:
      'Your name, address and ways in are taken away, and you leave all organisations. Enter your password to go on; without one, leave it empty.',
    eraseSubmit: 'Delete for good',
  },
};

const de: Translation<typeof en> = {
  title: 'Ihr Konto',
  description: 'Es ist in allen Ihren Organisationen dasselbe.',
  back: 'Zurück zur Arbeit',
  save: 'Speichern',
  profile: {
    title: 'Profil',
    description: 'Wie Kollegen Sie sehen und wohin E-Mails an Sie gehen.',
    saved: 'Ihr Profil ist gespeichert.',
    waitingTitle: 'Sehen Sie in Ihre E-Mails',
    waiting:
      'Folgen Sie dem Link, den wir an {{email}} gesendet haben. Bis dahin gilt Ihre alte Adresse.',
  },
  password: {
    title: 'Passwort',
    description: 'Wenn es sich ändert, werden Sie überall sonst abgemeldet.',
    change: 'Passwort ändern',
    changed: 'Ihr Passwort ist geändert.',
  },
  confirmation: {
    sent: 'Damit wir sicher sind, dass Sie es sind, ist ein Code unterwegs an {{address}}.',
    label: 'Code',
    again: 'Noch einen Code senden',
  },
  sessions: {
    title: 'Wo Sie angemeldet sind',
    description: 'Melden Sie ab, was Sie nicht kennen oder nicht mehr benutzen.',
    current: 'Hier',
    program: 'Unbekanntes Programm',
    used: 'Zuletzt benutzt {{at}}',
    end: 'Abmelden',
    endOne: '{{name}} abmelden',
    endOthers: 'Überall sonst abmelden',
    ended: 'Dort abgemeldet.',
  },
  data: {
    title: 'Ihre Daten',
    description:
      'Was Sie in einer Organisation getan haben, gehört ihr und bleibt. Alles, was über Sie selbst gespeichert ist, können Sie mitnehmen oder löschen.',
    save: 'Meine Daten herunterladen',
    erase: 'Mein Konto löschen',
    eraseTitle: 'Konto löschen',
    eraseWarning: 'Das lässt sich nicht rückgängig machen.',
    eraseText:
      'Ihr Name, Ihre Adresse und Ihre Zugänge werden gelöscht, und Sie verlassen alle Organisationen. Geben Sie zum Fortfahren Ihr Passwort ein; ohne Passwort lassen Sie es leer.',
    eraseSubmit: 'Endgültig löschen',
  },
};

export const accountMessages = { en, de };
