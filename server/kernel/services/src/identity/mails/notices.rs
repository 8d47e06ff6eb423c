//! A word to people when what guards their account has changed, in case it was not they who changed it.

use std::borrow::Cow;

use serde_json::json;
use tenon_sdk::{Result, SystemTx};

use super::{Values, put_in_words};
use crate::{
    identity::{Identity, Point, redirects, users::User},
    notifications::{self, Message, html},
};

/// What has changed.
#[derive(Clone, Copy, Debug)]
pub(in crate::identity) enum Notice<'a> {
    /// The password.
    PasswordChanged,
    /// The address; the old one is told.
    EmailChanged {
        /// What it was.
        old: &'a str,
        /// What it is.
        new: &'a str,
    },
    /// The telephone number.
    PhoneChanged {
        /// What it was; empty if there was none.
        old: &'a str,
        /// What it is.
        new: &'a str,
    },
    /// A provider's account became a way in.
    IdentityLinked {
        /// Its name.
        provider: &'a str,
    },
    /// One is a way in no more.
    IdentityUnlinked {
        /// Its name.
        provider: &'a str,
    },
    /// A second factor.
    FactorAdded {
        /// `totp`, `phone`, `webauthn`.
        kind: &'a str,
    },
    /// One was taken away.
    FactorRemoved {
        /// `totp`, `phone`, `webauthn`.
        kind: &'a str,
    },
}

impl Notice<'_> {
    /// The stable name of the message, and the word that hooks are told.
    const fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::PasswordChanged => ("identity.password_changed", "password_changed_notification"),
            Self::EmailChanged { .. } => ("identity.email_changed", "email_changed_notification"),
            Self::PhoneChanged { .. } => ("identity.phone_changed", "phone_changed_notification"),
            Self::IdentityLinked { .. } => ("identity.identity_linked", "identity_linked_notification"),
            Self::IdentityUnlinked { .. } => ("identity.identity_unlinked", "identity_unlinked_notification"),
            Self::FactorAdded { .. } => ("identity.factor_added", "mfa_factor_enrolled_notification"),
            Self::FactorRemoved { .. } => ("identity.factor_removed", "mfa_factor_unenrolled_notification"),
        }
    }

    /// Subject and what happened.
    fn words(&self, german: bool) -> (&'static str, String) {
        match (self, german) {
            (Self::PasswordChanged, false) => (
                "Your password was changed",
                "The password of your account was changed.".into(),
            ),
            (Self::PasswordChanged, true) => (
                "Ihr Passwort wurde geändert",
                "Das Passwort Ihres Kontos wurde geändert.".into(),
            ),
            (Self::EmailChanged { new, .. }, false) => (
                "Your address was changed",
                format!("Your account now has the address {new}."),
            ),
            (Self::EmailChanged { new, .. }, true) => (
                "Ihre Adresse wurde geändert",
                format!("Ihr Konto hat jetzt die Adresse {new}."),
            ),
            (Self::PhoneChanged { new, .. }, false) => (
                "Your telephone number was changed",
                format!("Your account now has the number +{new}."),
            ),
            (Self::PhoneChanged { new, .. }, true) => (
                "Ihre Telefonnummer wurde geändert",
                format!("Ihr Konto hat jetzt die Nummer +{new}."),
            ),
            (Self::IdentityLinked { provider }, false) => (
                "A way to sign in was added",
                format!("One can now sign in to your account with {provider}."),
            ),
            (Self::IdentityLinked { provider }, true) => (
                "Eine Anmeldung kam hinzu",
                format!("Bei Ihrem Konto kann man sich jetzt mit {provider} anmelden."),
            ),
            (Self::IdentityUnlinked { provider }, false) => (
                "A way to sign in was removed",
                format!("One can no longer sign in to your account with {provider}."),
            ),
            (Self::IdentityUnlinked { provider }, true) => (
                "Eine Anmeldung wurde entfernt",
                format!("Bei Ihrem Konto kann man sich nicht mehr mit {provider} anmelden."),
            ),
            (Self::FactorAdded { kind }, false) => (
                "A second factor was added",
                format!("Your account has a new second factor ({kind})."),
            ),
            (Self::FactorAdded { kind }, true) => (
                "Ein zweiter Faktor kam hinzu",
                format!("Ihr Konto hat einen neuen zweiten Faktor ({kind})."),
            ),
            (Self::FactorRemoved { kind }, false) => (
                "A second factor was removed",
                format!("A second factor ({kind}) of your account was removed."),
            ),
            (Self::FactorRemoved { kind }, true) => (
                "Ein zweiter Faktor wurde entfernt",
                format!("Ein zweiter Faktor ({kind}) Ihres Kontos wurde entfernt."),
            ),
        }
    }
}

fn write<'a>(notice: &Notice<'_>, language: &str, recipient: &'a str) -> Message<'a> {
    let german = language == "de";
    let (subject, what) = notice.words(german);
    let foot = if german {
        "Waren Sie es nicht, hat jemand Zugang zu Ihrem Konto: Setzen Sie ein neues Passwort und sagen Sie denen Bescheid, die \
         diese Installation betreiben."
    } else {
        "If it was not you, somebody has access to your account: set a new password, and tell those who run this installation."
    };
    Message {
        kind: notice.names().0,
        recipient,
        subject: subject.to_owned(),
        text: format!("{what}\n\n{foot}\n"),
        html: html::page(
            language,
            subject,
            &format!("<p>{}</p>", html::escape(&what)),
            foot,
        ),
    }
}

/// Queues the word to a person about a change, as part of the transaction that makes it. Who has no confirmed address gets none, and
/// nobody does where `auth.notices` is off.
pub(in crate::identity) async fn notify(
    identity: &Identity,
    tx: &SystemTx,
    user: &User,
    notice: Notice<'_>,
) -> Result<()> {
    let recipient = match notice {
        Notice::EmailChanged { old, .. } => Some(old),
        _ => user.email.as_deref().filter(|_| user.confirmed()),
    };
    let Some(recipient) = recipient.filter(|_| identity.0.config.auth.notices) else {
        return Ok(());
    };
    let config = &identity.0.config;
    let mut message = write(&notice, user.language(), recipient);
    let mut values: Values<'_> = [
        ("SiteURL", Cow::from(redirects::home(config))),
        ("Email", Cow::from(recipient)),
    ]
    .into();
    let mut told = json!({
        "token": "", "token_hash": "", "redirect_to": "", "token_new": "", "token_hash_new": "",
        "email_action_type": notice.names().1,
        "site_url": redirects::home(config),
        "recipient": recipient,
    });
    let particulars: &[(&'static str, &'static str, &str)] = match &notice {
        Notice::PasswordChanged => &[],
        Notice::EmailChanged { old, new } => {
            &[("OldEmail", "old_email", old), ("NewEmail", "new_email", new)]
        }
        Notice::PhoneChanged { old, new } => &[("OldPhone", "old_phone", old), ("Phone", "phone", new)],
        Notice::IdentityLinked { provider } | Notice::IdentityUnlinked { provider } => {
            &[("Provider", "provider", provider)]
        }
        Notice::FactorAdded { kind } | Notice::FactorRemoved { kind } => {
            &[("FactorType", "factor_type", kind)]
        }
    };
    for (variable, name, value) in particulars {
        values.insert(variable, Cow::from(*value));
        told[*name] = json!(value);
    }
    put_in_words(identity, message.kind, user.language(), &values, &mut message);
    let event = identity
        .0
        .hooks
        .has(Point::SendEmail)
        .then(|| json!({ "user": user.to_json(), "email_data": told }));
    notifications::queue_by(tx, &identity.0.env, &config.mail, &message, event.as_ref()).await
}
