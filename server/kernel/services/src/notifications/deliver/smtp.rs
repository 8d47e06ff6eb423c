//! Mail by SMTP. What comes as a reply is a server's word; what breaks off without one may have been taken.
//!
//! A message keeps its `Message-ID` from try to try, so that a mail program shows one that was sent again by hand as what it is.

use std::time::Duration;

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
    transport::smtp::Error as SmtpError,
};
use tenon_sdk::{Error, Result};

use super::{Outcome, claim::Due};

/// The mail server.
pub(super) struct Smtp(AsyncSmtpTransport<Tokio1Executor>);

impl Smtp {
    pub(super) fn new(url: &str, time: Duration) -> std::result::Result<Self, SmtpError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?;
        Ok(Self(transport.timeout(Some(time)).build()))
    }

    pub(super) async fn send(&self, from: &Mailbox, due: &Due) -> Outcome {
        let letter = match letter(from, due) {
            Ok(letter) => letter,
            Err(error) => return Outcome::Never(error.to_string()),
        };
        match self.0.send(letter).await {
            // What a server says of a message it took often names it: «250 2.0.0 Ok: queued as 4X…».
            Ok(response) => {
                Outcome::Taken(response.first_line().map(|line| line.chars().take(200).collect()))
            }
            Err(error) => outcome(&error),
        }
    }
}

fn outcome(error: &SmtpError) -> Outcome {
    let why = super::outcome::said(Some(&error.to_string()));
    // What a server says of our account (RFC 4954) is no word on the message.
    let account = matches!(error.status().map(u16::from), Some(530 | 534 | 535 | 538));
    if error.is_permanent() && !account {
        Outcome::Never(why)
    } else if error.is_permanent() || error.is_transient() || not_begun(error) {
        Outcome::NotNow(why)
    } else {
        Outcome::Doubt(why)
    }
}

/// Whether no message was on its way yet. For connections that did not come about the library has a kind but no question.
fn not_begun(error: &SmtpError) -> bool {
    error.is_tls()
        || error.is_client()
        || error.is_transport_shutdown()
        || format!("{error:?}").contains("kind: Connection")
}

/// The message as it goes over the wire.
pub(super) fn letter(from: &Mailbox, due: &Due) -> Result<Message> {
    let bad = |error: &dyn std::fmt::Display| Error::internal(error.to_string());
    // An address and nothing but one: a mailbox could name another behind a display name.
    let recipient: Address = due.recipient.parse().map_err(|error| bad(&error))?;
    let bodies = MultiPart::alternative_plain_html(due.text.clone(), due.html.clone());
    let id = format!("<{}@{}>", due.id.simple(), from.email.domain());
    Message::builder()
        .message_id(Some(id))
        .from(from.clone())
        .to(Mailbox::new(None, recipient))
        .subject(due.subject.clone())
        .multipart(bodies)
        .map_err(|error| bad(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_or_an_address_brings_no_header_of_its_own() {
        let from: Mailbox = "Hafen <no-reply@example.com>".parse().unwrap();
        let mut due = Due::sample();
        due.subject = "Fertig\r\nBcc: eve@example.com".into();
        let text = letter(&from, &due).unwrap().formatted();
        let text = String::from_utf8_lossy(&text);
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        for bad in [
            "a@example.com\r\nBcc: eve@example.com",
            "Ada <ada@example.com>",
            "",
            "a@b@c",
            "@",
        ] {
            due.recipient = bad.into();
            assert!(letter(&from, &due).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_message_has_the_same_id_in_every_try() {
        let from: Mailbox = "no-reply@example.com".parse().unwrap();
        let due = Due::sample();
        let id = format!("Message-ID: <{}@example.com>", due.id.simple());
        for _ in 0..2 {
            let text = letter(&from, &due).unwrap().formatted();
            assert!(String::from_utf8_lossy(&text).contains(&id));
        }
    }
}
