import type { Translation } from '@/kernel/i18n';

const en = {
  consent: {
    loading: 'A program asks for you',
    title: 'Sign in to {{program}}',
    description: '{{program}} wants to know who you are in Tenon.',
    descriptionApi: '{{program}} wants to work in Tenon in your name.',
    asWhom: 'You are signed in as',
    other: 'Use another account',
    what: 'If you agree, it may',
    goesTo: 'You go on to',
    thisMachine: 'a program on this device',
    unchecked: 'This program registered itself. Nobody has checked its name.',
    approve: 'Agree and go on',
    deny: 'Do not agree',
    later: 'You can take this back in your account at any time.',
    leaving: 'You go on to {{program}}',
    leavingText: 'If nothing happens, go back to the program. You can close this page.',
    again: 'Sign in again',
    againText: '{{program}} asks you to show once more who you are.',
    aProgram: 'The program',
    home: 'To the start page',
  },
  scopes: {
    openid: 'recognise you when you come back',
    email: 'see your e-mail address',
    profile: 'see your name, picture and language',
    phone: 'see your telephone number',
    offline_access: 'stay connected while you are away',
    api: 'see and change whatever you can see and change here, in all your organisations',
  },
  fault: {
    title: 'This cannot go on',
    client: 'The program that sent you here is not known to this installation.',
    redirect:
      'The program that sent you here wants you sent on to an address that it has not registered.',
    request: 'The program that sent you here asked in a way that is not understood.',
    server: 'The request could not be kept. Try again in a moment.',
    missing:
      'There is nothing to answer here: the request was answered, is older than ten minutes, or is somebody else’s.',
    todo: 'Go back to the program and start again there. If that does not help, tell those who make it.',
  },
  programs: {
    title: 'Connected programs',
    description: 'Programs that you signed in to with your account here, and what you let them do.',
    empty: 'No program is connected',
    emptyText:
      'When you sign in to another program with your account here, it stands in this list.',
    since: 'Connected on',
    disconnect: 'Disconnect',
    disconnectName: 'Disconnect {{program}}',
    question: 'Disconnect {{program}}?',
    consequence: 'It is signed out at once, and has to ask you again.',
    done: '{{program}} is disconnected',
  },
};

const de: Translation<typeof en> = {
  consent: {
    loading: 'Ein Programm fragt nach Ihnen',
    title: 'Bei {{program}} anmelden',
    description: '{{program}} möchte wissen, wer Sie in Tenon sind.',
    descriptionApi: '{{program}} möchte in Ihrem Namen in Tenon arbeiten.',
    asWhom: 'Sie sind angemeldet als',
    other: 'Anderes Konto verwenden',
    what: 'Wenn Sie zustimmen, darf es',
    goesTo: 'Danach geht es weiter zu',
    thisMachine: 'einem Programm auf diesem Gerät',
    unchecked: 'Dieses Programm hat sich selbst angemeldet. Niemand hat seinen Namen geprüft.',
    approve: 'Zustimmen und weiter',
    deny: 'Nicht zustimmen',
    later: 'Sie können das in Ihrem Konto jederzeit zurücknehmen.',
    leaving: 'Weiter zu {{program}}',
    leavingText:
      'Wenn nichts geschieht, gehen Sie zum Programm zurück. Diese Seite können Sie schließen.',
    again: 'Neu anmelden',
    againText: '{{program}} bittet Sie, noch einmal zu zeigen, wer Sie sind.',
    aProgram: 'Das Programm',
    home: 'Zur Startseite',
  },
  scopes: {
    openid: 'Sie wiedererkennen',
    email: 'Ihre E-Mail-Adresse sehen',
    profile: 'Ihren Namen, Ihr Bild und Ihre Sprache sehen',
    phone: 'Ihre Telefonnummer sehen',
    offline_access: 'verbunden bleiben, während Sie weg sind',
    api: 'alles sehen und ändern, was Sie hier sehen und ändern können, in allen Ihren Organisationen',
  },
  fault: {
    title: 'Hier geht es nicht weiter',
    client: 'Das Programm, das Sie hierher geschickt hat, ist hier nicht bekannt.',
    redirect:
      'Das Programm, das Sie hierher geschickt hat, möchte Sie an eine Adresse weiterschicken, die es nicht angemeldet hat.',
    request:
      'Das Programm, das Sie hierher geschickt hat, hat so gefragt, dass es nicht zu verstehen ist.',
    server: 'Die Anfrage ließ sich nicht aufheben. Versuchen Sie es gleich noch einmal.',
    missing:
      'Hier ist nichts zu beantworten: Die Anfrage ist beantwortet, älter als zehn Minuten oder die von jemand anderem.',
    todo: 'Gehen Sie zum Programm zurück und beginnen Sie dort neu. Hilft das nicht, sagen Sie es denen, die es machen.',
  },
  programs: {
    title: 'Verbundene Programme',
    description:
      'Programme, bei denen Sie sich mit Ihrem Konto hier angemeldet haben, und was sie dürfen.',
    empty: 'Kein Programm ist verbunden',
    emptyText:
      'Wenn Sie sich mit Ihrem Konto hier bei einem anderen Programm anmelden, steht es in dieser Liste.',
    since: 'Verbunden am',
    disconnect: 'Trennen',
    disconnectName: '{{program}} trennen',
    question: '{{program}} trennen?',
    consequence: 'Es ist sofort abgemeldet und muss Sie wieder fragen.',
    done: '{{program}} ist getrennt',
  },
};

export const issuerMessages = { en, de };
