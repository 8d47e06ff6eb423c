import type { Translation } from '@/kernel/i18n';

const en = {
  mailbox: {
    title: 'Mailbox',
    description:
      'What this installation would have sent, newest first. It is for development: everybody can read it.',
    empty: 'No mail yet',
    emptyText: 'What Tenon writes to people appears here.',
    text: 'Text message',
    to: 'to {{recipient}}',
    refresh: 'Look again',
  },
};

const de: Translation<typeof en> = {
  mailbox: {
    title: 'Postfach',
    description:
      'Was diese Installation gesendet hätte, das Neueste zuerst. Es dient der Entwicklung: alle können es lesen.',
    empty: 'Noch keine E-Mails',
    emptyText: 'Was Tenon an Menschen schreibt, erscheint hier.',
    text: 'SMS',
    to: 'an {{recipient}}',
    refresh: 'Erneut nachsehen',
  },
};

export const notificationsMessages = { en, de };
