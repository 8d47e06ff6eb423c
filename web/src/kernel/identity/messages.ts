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
    phone: 'Telephone number',
    phoneHint: 'With the country first, such as +49 30 1234567',
  },
  phone: {
    link: 'Sign in with a text message',
    title: 'Sign in with a text message',
    description: 'We send a code to your telephone.',
    submit: 'Send the code',
    codeTitle: 'Look at your telephone',
    sent: 'A text message with a code is on its way to {{phone}}.',
    back: 'Back to sign-in',
  },
  wait: {
    seconds_one: 'Try again in a second.',
    seconds_other: 'Try again in {{count}} seconds.',
    minutes_one: 'Try again in a minute.',
    minutes_other: 'Try again in {{count}} minutes.',
  },
  signIn: {
    title: 'Sign in',
    description: 'Welcome back.',
    submit: 'Sign in',
    expired: 'Your session has ended. Sign in again to go on where you were.',
    badLink: 'This link was used before or is too old. Sign in, or ask for another mail.',
    confirmAgain: 'Send the mail again',
    forgot: 'Forgot your password?',
    noAccount: 'New to Tenon?',
    toSignUp: 'Create an account',
  },
  offered: {
    title: 'This link signs you in',
    text: 'Go on only if you were expecting it, such as an invitation. A link from somebody you do not know may lead into their account.',
    accept: 'Go on with this link',
  },
  forgot: {
    title: 'Set a new password',
    description: 'We send you a link and a code to the address of your account.',
    submit: 'Send the mail',
    back: 'Back to sign-in',
  },
  code: {
    title: 'Look into your mail',
    sent: 'If {{email}} belongs to an account, a mail is on its way to it. Follow its link, or enter its code here.',
    confirm:
      'A mail is on its way to {{email}}. Follow its link, or enter its code here, to go on.',
    label: 'Code',
    submit: 'Go on',
  },
  newPassword: {
    title: 'Choose a new password',
    description: 'You are signed out everywhere else.',
    submit: 'Save password',
    label: 'New password',
    badLink: 'This link is not good any more',
    badLinkText: 'It was used before, is too old, or a newer one was sent.',
    again: 'Ask for another mail',
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
    code: 'The code has six digits',
    phone: 'Enter a number with its country first, such as +49 30 1234567',
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
    phone: 'Telefonnummer',
    phoneHint: 'Mit der Landesvorwahl, etwa +49 30 1234567',
  },
  phone: {
    link: 'Mit einer SMS anmelden',
    title: 'Mit einer SMS anmelden',
    description: 'Wir senden einen Code an Ihr Telefon.',
    submit: 'Code senden',
    codeTitle: 'Sehen Sie auf Ihr Telefon',
    sent: 'Eine SMS mit einem Code ist unterwegs an {{phone}}.',
    back: 'Zurück zur Anmeldung',
  },
  wait: {
    seconds_one: 'Versuchen Sie es in einer Sekunde noch einmal.',
    seconds_other: 'Versuchen Sie es in {{count}} Sekunden noch einmal.',
    minutes_one: 'Versuchen Sie es in einer Minute noch einmal.',
    minutes_other: 'Versuchen Sie es in {{count}} Minuten noch einmal.',
  },
  signIn: {
    title: 'Anmelden',
    description: 'Willkommen zurück.',
    submit: 'Anmelden',
    expired:
      'Ihre Sitzung ist zu Ende. Melden Sie sich erneut an, um dort weiterzumachen, wo Sie waren.',
    badLink:
      'Dieser Link wurde schon benutzt oder ist zu alt. Melden Sie sich an oder fordern Sie eine neue E-Mail an.',
    confirmAgain: 'E-Mail erneut senden',
    forgot: 'Passwort vergessen?',
    noAccount: 'Neu bei Tenon?',
    toSignUp: 'Konto anlegen',
  },
  offered: {
    title: 'Dieser Link meldet Sie an',
    text: 'Fahren Sie nur fort, wenn Sie ihn erwartet haben, etwa als Einladung. Der Link eines Unbekannten kann in dessen Konto führen.',
    accept: 'Mit diesem Link fortfahren',
  },
  forgot: {
    title: 'Neues Passwort setzen',
    description: 'Wir schicken einen Link und einen Code an die Adresse Ihres Kontos.',
    submit: 'E-Mail senden',
    back: 'Zurück zur Anmeldung',
  },
  code: {
    title: 'Sehen Sie in Ihre E-Mails',
    sent: 'Gehört {{email}} zu einem Konto, ist eine E-Mail dorthin unterwegs. Folgen Sie ihrem Link oder geben Sie hier ihren Code ein.',
    confirm:
      'Eine E-Mail an {{email}} ist unterwegs. Folgen Sie ihrem Link oder geben Sie hier ihren Code ein.',
    label: 'Code',
    submit: 'Weiter',
  },
  newPassword: {
    title: 'Wählen Sie ein neues Passwort',
    description: 'Überall sonst werden Sie abgemeldet.',
    submit: 'Passwort speichern',
    label: 'Neues Passwort',
    badLink: 'Dieser Link gilt nicht mehr',
    badLinkText: 'Er wurde schon benutzt, ist zu alt, oder ein neuerer wurde gesendet.',
    again: 'Neue E-Mail anfordern',
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
    code: 'Der Code hat sechs Ziffern',
    phone: 'Geben Sie eine Nummer mit Landesvorwahl ein, etwa +49 30 1234567',
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
  weak_password: 'This password is too weak.',
  weak_password_length: 'It is too short or too long.',
  weak_password_characters: 'It lacks a kind of character that is asked for here.',
  weak_password_pwned:
    'It is one that attackers try first: it stands in lists of common or stolen passwords.',
  over_request_rate_limit: 'That was too often.',
  over_sms_send_rate_limit: 'A message was sent to this number a moment ago.',
  phone_provider_disabled: 'One does not sign in by telephone here.',
  captcha_failed: 'It could not be shown that a person asks.',
  email_address_invalid: 'This is not a valid e-mail address.',
  email_not_confirmed: 'This address is not confirmed yet. Follow the link in the mail we sent.',
  otp_expired: 'This code is wrong, was used before or is too old.',
  over_email_send_rate_limit: 'A mail was sent to this address a moment ago.',
  single_identity_not_deletable: 'This is your only way in. Add another first.',
  email_conflict_identity_not_deletable:
    'Without this way in your account would have an address that is somebody else’s. Change it first.',
  same_password: 'This is your old password. Choose another.',
  'network.unreachable': 'The server cannot be reached.',
  mfa_phone_enroll_not_enabled: 'Codes by text message are no second factor here.',
  mfa_phone_verify_not_enabled: 'Codes by text message are not taken here at present.',
  mfa_verified_factor_exists: 'You have this already.',
  mfa_verification_failed:
    'This was not right, or was used before. Wait for the next code, then try again.',
  mfa_challenge_expired: 'That took too long. Try again.',
  mfa_factor_name_conflict: 'You have another one of this name. Choose another name.',
  too_many_enrolled_mfa_factors: 'Ten are the most. Remove one that you do not use.',
  too_many_passkeys: 'Ten passkeys are the most. Remove one that you do not use.',
  webauthn_verification_failed: 'This passkey is not known here.',
  reauthentication_not_valid: 'This code is wrong, was used before or is too old.',
  insufficient_aal: 'Confirm with your second factor first.',
  'web.key_cancelled': 'It was cancelled, or took too long. Try again.',
  'web.key_known': 'This key is registered already.',
};

const deErrors: Translation<typeof enErrors> = {
  invalid_credentials: 'E-Mail-Adresse oder Passwort ist falsch.',
  user_already_exists: 'Zu dieser E-Mail-Adresse gibt es schon ein Konto. Melden Sie sich an.',
  weak_password: 'Dieses Passwort ist zu schwach.',
  weak_password_length: 'Es ist zu kurz oder zu lang.',
  weak_password_characters: 'Ihm fehlt eine Art von Zeichen, die hier verlangt wird.',
  weak_password_pwned:
    'Es ist eines, das Angreifer zuerst versuchen: Es steht in Listen häufiger oder gestohlener Passwörter.',
  over_request_rate_limit: 'Das war zu oft.',
  over_sms_send_rate_limit: 'An diese Nummer ging eben schon eine Nachricht.',
  phone_provider_disabled: 'Mit dem Telefon meldet man sich hier nicht an.',
  captcha_failed: 'Es ließ sich nicht zeigen, dass ein Mensch fragt.',
  email_address_invalid: 'Das ist keine gültige E-Mail-Adresse.',
  email_not_confirmed:
    'Diese Adresse ist noch nicht bestätigt. Folgen Sie dem Link in der E-Mail, die wir gesendet haben.',
  otp_expired: 'Dieser Code ist falsch, wurde schon benutzt oder ist zu alt.',
  over_email_send_rate_limit: 'An diese Adresse ging eben schon eine E-Mail.',
  single_identity_not_deletable:
    'Das ist Ihr einziger Anmeldeweg. Fügen Sie erst einen weiteren hinzu.',
  email_conflict_identity_not_deletable:
    'Ohne diesen Anmeldeweg hätte Ihr Konto eine Adresse, die jemand anderem gehört. Ändern Sie sie zuerst.',
  same_password: 'Das ist Ihr altes Passwort. Wählen Sie ein anderes.',
  'network.unreachable': 'Der Server ist nicht erreichbar.',
  mfa_phone_enroll_not_enabled: 'Codes per SMS sind hier kein zweiter Faktor.',
  mfa_phone_verify_not_enabled: 'Codes per SMS werden hier zurzeit nicht angenommen.',
  mfa_verified_factor_exists: 'Das haben Sie schon.',
  mfa_verification_failed:
    'Das stimmte nicht oder wurde schon benutzt. Warten Sie auf den nächsten Code und versuchen Sie es noch einmal.',
  mfa_challenge_expired: 'Das hat zu lange gedauert. Versuchen Sie es noch einmal.',
  mfa_factor_name_conflict: 'Sie haben schon einen dieses Namens. Wählen Sie einen anderen Namen.',
  too_many_enrolled_mfa_factors:
    'Mehr als zehn sind nicht möglich. Entfernen Sie einen, den Sie nicht benutzen.',
  too_many_passkeys:
    'Mehr als zehn Passkeys sind nicht möglich. Entfernen Sie einen, den Sie nicht benutzen.',
  webauthn_verification_failed: 'Dieser Passkey ist hier nicht bekannt.',
  reauthentication_not_valid: 'Dieser Code ist falsch, wurde schon benutzt oder ist zu alt.',
  insufficient_aal: 'Bestätigen Sie zuerst mit Ihrem zweiten Faktor.',
  'web.key_cancelled':
    'Es wurde abgebrochen oder hat zu lange gedauert. Versuchen Sie es noch einmal.',
  'web.key_known': 'Dieser Schlüssel ist schon registriert.',
};

export const errorMessages = { en: enErrors, de: deErrors };
