//! What the identity service writes to people: one text for each purpose and language.

use super::one_time::Purpose;
use crate::notifications::Message;

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
        (Purpose::MagicLink, false) => ("Sign in", "Use this link to sign in.", "Sign in"),
        (Purpose::MagicLink, true) => ("Anmelden", "Mit diesem Link melden Sie sich an.", "Anmelden"),
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
        (Purpose::EmailChange, false) => (
            "Confirm your new address",
            "Confirm that this is to be the address of your account.",
            "Confirm",
        ),
        (Purpose::EmailChange, true) => (
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
        Purpose::MagicLink => "identity.magic_link",
        Purpose::Recovery => "identity.recovery",
        Purpose::EmailChange => "identity.email_change",
        Purpose::Invite => "identity.invite",
    }
}

/// The mail with a link and a code. Nothing in it comes from a stranger, so that nobody can write to others through it.
pub(super) fn write<'a>(
    purpose: Purpose,
    language: &str,
    recipient: &'a str,
    url: &str,
    code: &str,
) -> Message<'a> {
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
    // The address ends up in an attribute; ampersands are all it has that HTML would read.
    let href = url.replace('&', "&amp;");
    Message {
        kind: kind(purpose),
        recipient,
        subject: subject.to_owned(),
        text: format!("{lead}\n\n{url}\n\n{or} {code}\n\n{foot}\n"),
        html: format!(
            "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>{subject}</title></head>\
             <body style=\"font-family:system-ui,sans-serif;line-height:1.5;color:#1f2328\">\
             <h1 style=\"font-size:20px\">{subject}</h1><p>{lead}</p>\
             <p><a href=\"{href}\" style=\"display:inline-block;padding:10px 18px;border-radius:6px;\
             background:#2f4f9e;color:#fff;text-decoration:none\">{button}</a></p>\
             <p>{or} <strong style=\"letter-spacing:2px\">{code}</strong></p>\
             <p style=\"color:#57606a\">{foot}</p></body></html>"
        ),
    }
}

/// The mail with the code that somebody signed in asked for to confirm a change.
pub(super) fn write_nonce<'a>(language: &str, recipient: &'a str, code: &str) -> Message<'a> {
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
        html: format!(
            "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>{subject}</title></head>\
             <body style=\"font-family:system-ui,sans-serif;line-height:1.5;color:#1f2328\">\
             <h1 style=\"font-size:20px\">{subject}</h1>\
             <p>{lead} <strong style=\"letter-spacing:2px\">{code}</strong></p>\
             <p style=\"color:#57606a\">{foot}</p></body></html>"
        ),
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
