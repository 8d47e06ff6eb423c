//! What the identity service writes to people: one text for each purpose and language, the operator's own words in their place
//! ([`templates`]), or nothing where a hook writes. Notices of changes are in [`notices`].

mod notices;
mod templates;

pub(super) use notices::{Notice, notify};
pub(super) use templates::Templates;

use std::borrow::Cow;

use serde_json::json;
use tenon_sdk::{Result, SystemTx};

use super::{
    Identity, Point,
    one_time::{Made, Purpose},
    redirects,
    users::User,
};
use crate::notifications::{self, Message, html};
use templates::Values;

/// Mails that the operator may put in words of their own.
pub(super) const NAMES: [&str; 13] = [
    "confirmation",
    "invite",
    "magic_link",
    "recovery",
    "email_change",
    "reauthentication",
    "password_changed",
    "email_changed",
    "phone_changed",
    "identity_linked",
    "identity_unlinked",
    "factor_added",
    "factor_removed",
];

/// Languages there are texts in; the first is for everybody else.
const LANGUAGES: [&str; 2] = ["en", "de"];

/// The language to write in, of one somebody named (`de-AT` is `de`).
pub(super) fn language(wanted: Option<&str>) -> &'static str {
    let wanted = wanted.unwrap_or_default().get(..2).unwrap_or_default();
    LANGUAGES
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(wanted))
        .unwrap_or(LANGUAGES[0])
}

struct Words {
    subject: &'static str,
    lead: &'static str,
    button: &'static str,
}

const fn words(purpose: Purpose, german: bool) -> Words {
    let (subject, lead, button) = match (purpose, german) {
        (Purpose::SignUp, false) => (
            "Confirm your address",
            "Confirm that this is your address to start using your account.",
            "Confirm",
        ),
        (Purpose::SignUp, true) => (
            "Bestätigen Sie Ihre Adresse",
            "Bestätigen Sie, dass dies Ihre Adresse ist, um Ihr Konto zu nutzen.",
            "Bestätigen",
        ),
        (Purpose::MagicLink | Purpose::Sms | Purpose::SmsSignUp, false) => {
            ("Sign in", "Use this link to sign in.", "Sign in")
        }
        (Purpose::MagicLink | Purpose::Sms | Purpose::SmsSignUp, true) => {
            ("Anmelden", "Mit diesem Link melden Sie sich an.", "Anmelden")
        }
        (Purpose::Recovery, false) => (
            "Set a new password",
            "Somebody asked for a new password for your account. If it was you, set it here.",
            "Set a new password",
        ),
        (Purpose::Recovery, true) => (
            "Neues Passwort setzen",
            "Für Ihr Konto wurde ein neues Passwort angefordert. Waren Sie es, setzen Sie es hier.",
            "Neues Passwort setzen",
        ),
        (Purpose::EmailChangeCurrent, false) => (
            "Agree to a new address",
            "Somebody signed in to your account wants it to have another address. If it was you, agree here. If not, change \
             your password.",
            "Agree",
        ),
        (Purpose::EmailChangeCurrent, true) => (
            "Stimmen Sie einer neuen Adresse zu",
            "Jemand, der mit Ihrem Konto angemeldet ist, möchte ihm eine andere Adresse geben. Waren Sie es, stimmen Sie hier \
             zu. Wenn nicht, ändern Sie Ihr Passwort.",
            "Zustimmen",
        ),
        (Purpose::EmailChange | Purpose::PhoneChange, false) => (
            "Confirm your new address",
            "Confirm that this is to be the address of your account.",
            "Confirm",
        ),
        (Purpose::EmailChange | Purpose::PhoneChange, true) => (
            "Bestätigen Sie Ihre neue Adresse",
            "Bestätigen Sie, dass dies die Adresse Ihres Kontos werden soll.",
            "Bestätigen",
        ),
        (Purpose::Invite, false) => (
            "You are invited",
            "Somebody made an account for you. Take it up here.",
            "Accept",
        ),
        (Purpose::Invite, true) => (
            "Sie sind eingeladen",
            "Für Sie wurde ein Konto angelegt. Nehmen Sie es hier an.",
            "Annehmen",
        ),
    };
    Words {
        subject,
        lead,
        button,
    }
}

const fn kind(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::SignUp => "identity.confirmation",
        Purpose::MagicLink | Purpose::Sms | Purpose::SmsSignUp => "identity.magic_link",
        Purpose::Recovery => "identity.recovery",
        // Telephones get no mail.
        Purpose::EmailChange | Purpose::EmailChangeCurrent | Purpose::PhoneChange => "identity.email_change",
        Purpose::Invite => "identity.invite",
    }
}

/// A mail with a proof.
#[derive(Debug)]
pub(super) struct Letter<'a> {
    /// What the proof is for.
    pub(super) purpose: Purpose,
    /// Where the mail goes.
    pub(super) address: &'a str,
    /// The proof.
    pub(super) made: &'a Made,
    /// Where its link leads.
    pub(super) redirect_to: &'a str,
    /// The address that is to be the account's; empty where none changes.
    pub(super) new_email: &'a str,
}

/// Queues the mail with a proof, as part of `tx`: in the operator's words or Tenon's, or by the operator's hook.
pub(super) async fn send(identity: &Identity, tx: &SystemTx, user: &User, letter: &Letter<'_>) -> Result<()> {
    let Letter {
        purpose,
        address,
        made,
        redirect_to,
        new_email,
    } = letter;
    let config = &identity.0.config;
    let mut message = write(*purpose, user.language(), address, &made.url, &made.code);
    let values: Values<'_> = [
        ("ConfirmationURL", Cow::from(&made.url)),
        ("Token", Cow::from(&made.code)),
        ("TokenHash", Cow::from(&made.link)),
        ("SiteURL", Cow::from(redirects::home(config))),
        ("RedirectTo", Cow::from(*redirect_to)),
        ("Email", Cow::from(user.email.as_deref().unwrap_or(address))),
        ("NewEmail", Cow::from(*new_email)),
    ]
    .into();
    put_in_words(identity, kind(*purpose), user.language(), &values, &mut message);
    let event = identity.0.hooks.has(Point::SendEmail).then(|| {
        let mut shown = user.to_json();
        if !new_email.is_empty() {
            shown["new_email"] = json!(new_email);
        }
        json!({
            "user": shown,
            "email_data": {
                "token": made.code,
                "token_hash": made.link,
                "redirect_to": redirect_to,
                "email_action_type": purpose.name(),
                "site_url": redirects::home(config),
                "token_new": "",
                "token_hash_new": "",
                "recipient": address,
            },
        })
    });
    notifications::queue_by(tx, &identity.0.env, &config.mail, &message, event.as_ref()).await
}

/// Puts the operator's words, where there are any, in the place of Tenon's.
fn put_in_words(
    identity: &Identity,
    kind: &str,
    language: &str,
    values: &Values<'_>,
    message: &mut Message<'_>,
) {
    let Some(templates) = identity.0.templates.get() else {
        return;
    };
    let name = kind.strip_prefix("identity.").unwrap_or(kind);
    let filled = templates.fill(name, language, values);
    if let Some(subject) = filled.subject {
        message.subject = subject;
    }
    if let Some((text, html)) = filled.bodies {
        message.text = text;
        message.html = html;
    }
}

/// Queues the mail with a code that confirms a change, as part of `tx`.
pub(super) async fn send_nonce(
    identity: &Identity,
    tx: &SystemTx,
    user: &User,
    address: &str,
    code: &str,
) -> Result<()> {
    let mut message = write_nonce(user.language(), address, code);
    let values: Values<'_> = [
        ("Token", Cow::from(code)),
        ("SiteURL", Cow::from(redirects::home(&identity.0.config))),
        ("Email", Cow::from(address)),
    ]
    .into();
    put_in_words(identity, message.kind, user.language(), &values, &mut message);
    let event = identity.0.hooks.has(Point::SendEmail).then(|| {
        json!({
            "user": user.to_json(),
            "email_data": {
                "token": code,
                "token_hash": "",
                "redirect_to": "",
                "email_action_type": "reauthentication",
                "site_url": redirects::home(&identity.0.config),
                "token_new": "",
                "token_hash_new": "",
                "recipient": address,
            },
        })
    });
    notifications::queue_by(
        tx,
        &identity.0.env,
        &identity.0.config.mail,
        &message,
        event.as_ref(),
    )
    .await
}

/// The mail with a link and a code. Nothing in it comes from a stranger, so that nobody can write to others through it.
fn write<'a>(purpose: Purpose, language: &str, recipient: &'a str, url: &str, code: &str) -> Message<'a> {
    let german = language == "de";
    let Words {
        subject,
        lead,
        button,
    } = words(purpose, german);
    let (or, foot) = if german {
        (
            "Oder geben Sie diesen Code ein:",
            "Haben Sie nicht darum gebeten, können Sie diese Nachricht ignorieren.",
        )
    } else {
        (
            "Or enter this code:",
            "If you did not ask for this, you can ignore this message.",
        )
    };
    Message {
        kind: kind(purpose),
        recipient,
        subject: subject.to_owned(),
        text: format!("{lead}\n\n{url}\n\n{or} {code}\n\n{foot}\n"),
        html: html::page(
            language,
            subject,
            &format!(
                "<p>{lead}</p>{}{}",
                html::button(url, button),
                html::code(or, code)
            ),
            foot,
        ),
    }
}

/// The mail with the code that somebody signed in asked for to confirm a change.
fn write_nonce<'a>(language: &str, recipient: &'a str, code: &str) -> Message<'a> {
    let (subject, lead, foot) = if language == "de" {
        (
            "Ihr Bestätigungscode",
            "Mit diesem Code bestätigen Sie eine Änderung an Ihrem Konto:",
            "Waren Sie es nicht, ist jemand mit Ihrem Konto angemeldet: Ändern Sie Ihr Passwort.",
        )
    } else {
        (
            "Your confirmation code",
            "Confirm a change to your account with this code:",
            "If it was not you, somebody is signed in to your account: change your password.",
        )
    };
    Message {
        kind: "identity.reauthentication",
        recipient,
        subject: subject.to_owned(),
        text: format!("{lead} {code}\n\n{foot}\n"),
        html: html::page(language, subject, &html::code(lead, code), foot),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_persons_or_english() {
        for (wanted, language) in [
            (Some("de-AT"), "de"),
            (Some("DE"), "de"),
            (Some("fr"), "en"),
            (Some("é"), "en"),
            (Some(""), "en"),
            (None, "en"),
        ] {
            assert_eq!(super::language(wanted), language, "{wanted:?}");
        }
    }

    #[test]
    fn a_mail_has_the_link_and_the_code_in_both_of_its_bodies() {
        let mail = write(
            Purpose::Recovery,
            "de",
            "ada@example.com",
            "https://x.example/v?a=1&b=2",
            "042137",
        );
        assert!(mail.text.contains("https://x.example/v?a=1&b=2") && mail.text.contains("042137"));
        assert!(mail.html.contains("https://x.example/v?a=1&amp;b=2") && mail.html.contains("042137"));
        assert_eq!(
            (mail.kind, mail.recipient),
            ("identity.recovery", "ada@example.com")
        );
    }
}
