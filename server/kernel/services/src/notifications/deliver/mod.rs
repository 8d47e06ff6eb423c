//! Sending what is queued: mail by SMTP or a provider, text messages by a provider, either by the operator's hook.
//!
//! A message is armed (`sending`, committed) before anybody is asked to carry it, and settled after. So whoever finds one that was armed and
//! never settled knows that it may have gone out: it is in doubt, like one whose try ended without a word. What is in doubt is sent again
//! only where two cannot come of it (Resend knows the key again), is asked after where the provider can be asked (Twilio), and is else left
//! to an operator. A message goes to a person at most once, and none is forgotten.

mod claim;
mod outcome;
mod resend;
mod sendgrid;
mod ses;
mod settle;
mod smtp;

pub(super) use claim::Due;
pub(super) use outcome::{Outcome, answered};

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use jiff::Timestamp;
use lettre::message::Mailbox;
use tenon_sdk::{Kernel, Result, config::MailProvider};

use self::smtp::Smtp;
use super::sms;
use crate::identity::{Hooks, Point};

/// Between looks at an empty queue.
const PAUSE: Duration = Duration::from_secs(1);
/// All the time that a try may take.
const TIMEOUT: Duration = Duration::from_secs(25);
/// Messages that one process sends at a time: a slow answer keeps nobody else's waiting.
const AT_ONCE: usize = 4;

/// What messages go out by.
struct Ways {
    from: Option<Mailbox>,
    smtp: Option<Smtp>,
    hooks: Hooks,
    /// Until when mail and text messages rest, since their provider said that it is too much.
    held: Mutex<[Option<Timestamp>; 2]>,
}

/// The address of a provider's interface.
fn base<'a>(set: &'a str, own: &'a str) -> &'a str {
    if set.is_empty() {
        own
    } else {
        set.trim_end_matches('/')
    }
}

/// Sends what is queued until it is dropped; returns at once where nothing can be sent.
pub(crate) async fn work(kernel: Kernel, hooks: Hooks) {
    let config = kernel.config();
    let mail = &config.mail;
    let by_hook = hooks.has(Point::SendEmail) || hooks.has(Point::SendSms);
    if !mail.sends() && !mail.mailbox && config.auth.sms.provider.is_none() && !by_hook {
        return;
    }
    let from = mail.from.parse::<Mailbox>();
    let from = from.inspect_err(|error| tracing::error!("mail.from is no address: {error}"));
    let by_smtp = mail.provider == MailProvider::Smtp && mail.sends();
    let smtp = by_smtp.then(|| Smtp::new(&mail.smtp_url, TIMEOUT));
    let smtp = smtp.and_then(|smtp| {
        let smtp = smtp.inspect_err(|error| tracing::error!("mail.smtp_url cannot be used: {error}"));
        smtp.ok()
    });
    let ways = Ways {
        from: from.ok(),
        smtp,
        hooks,
        held: Mutex::default(),
    };
    let mut sending = FuturesUnordered::new();
    loop {
        let mut idle = false;
        while !idle && sending.len() < AT_ONCE {
            match claim_next(&kernel, &ways).await {
                Ok(Some(due)) => sending.push(send(&kernel, &ways, due)),
                Ok(None) => idle = true,
                Err(error) => {
                    tracing::warn!("messages: {error}");
                    idle = true;
                }
            }
        }
        if !idle {
            sending.next().await;
            continue;
        }
        let more = look_after(&kernel).await.unwrap_or_else(|error| {
            tracing::warn!("messages in doubt: {error}");
            false
        });
        if !more {
            tokio::select! {
                Some(()) = sending.next() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
}

/// Whether there was something in doubt of which more is known now.
async fn look_after(kernel: &Kernel) -> Result<bool> {
    Ok(give_up_unsettled(kernel).await? || ask_after(kernel).await?)
}

impl Ways {
    /// Channels that rest at a moment.
    fn held(&self, now: Timestamp) -> Vec<&'static str> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let channels = ["mail", "sms"].into_iter().zip(held.iter());
        channels
            .filter(|(_, until)| until.is_some_and(|until| until > now))
            .map(|(channel, _)| channel)
            .collect()
    }

    fn hold(&self, channel: &str, until: Timestamp) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held[usize::from(channel == "sms")] = Some(until);
    }
}

/// Arms the message that is due first.
async fn claim_next(kernel: &Kernel, ways: &Ways) -> Result<Option<Due>> {
    let config = kernel.config();
    let mail = if config.mail.mailbox {
        "mailbox"
    } else {
        config.mail.provider.name()
    };
    let sms = config
        .auth
        .sms
        .provider
        .map_or("mailbox", |provider| provider.name());
    let held = ways.held(kernel.env().now());
    claim::claim(kernel, sms, mail, &held).await
}

/// Sends a message that is armed, and writes down what became of it.
async fn send(kernel: &Kernel, ways: &Ways, due: Due) {
    let outcome = tokio::time::timeout(TIMEOUT, hand_on(kernel, ways, &due)).await;
    let outcome = outcome.unwrap_or_else(|_| Outcome::Doubt("It took too long.".to_owned()));
    if let Outcome::Hold(_, asked) = &outcome {
        ways.hold(&due.channel, kernel.env().now() + settle::rest(*asked));
    }
    settle::settle(kernel, &due, &outcome).await;
}

/// Hands a message on.
async fn hand_on(kernel: &Kernel, ways: &Ways, due: &Due) -> Outcome {
    let (config, outbound, now) = (kernel.config(), kernel.outbound(), kernel.env().now());
    if let Some(told) = &due.hook {
        let point = if due.channel == "sms" {
            Point::SendSms
        } else {
            Point::SendEmail
        };
        return match ways.hooks.call(point, told).await {
            Ok(_) => Outcome::Taken(None),
            Err(error) if error.status() < 500 && error.status() != 422 => Outcome::Never(error.to_string()),
            Err(error) => Outcome::NotNow(error.to_string()),
        };
    }
    if due.provider == "mailbox" {
        return Outcome::Kept;
    }
    if due.channel == "sms" {
        return sms::send(outbound, &config.auth.sms, due, now).await;
    }
    let Some(from) = &ways.from else {
        return Outcome::NotNow("mail.from is no address".to_owned());
    };
    match config.mail.provider {
        MailProvider::Smtp => match &ways.smtp {
            Some(smtp) => smtp.send(from, due).await,
            None => Outcome::NotNow("no mail server can be used".to_owned()),
        },
        MailProvider::Sendgrid => sendgrid::send(outbound, &config.mail.sendgrid, from, due, now).await,
        MailProvider::Resend => resend::send(outbound, &config.mail.resend, from, due, now).await,
        MailProvider::Ses => ses::send(outbound, &config.mail.ses, from, due, now).await,
    }
}

/// Whether there was a message that somebody armed and never settled.
async fn give_up_unsettled(kernel: &Kernel) -> Result<bool> {
    let Some(due) = claim::unsettled(kernel, "sending").await? else {
        return Ok(false);
    };
    let outcome = Outcome::Doubt("The server ended while it was being sent.".to_owned());
    settle::settle(kernel, &due, &outcome).await;
    Ok(true)
}

/// Whether there was a message after which its provider can be asked.
async fn ask_after(kernel: &Kernel) -> Result<bool> {
    let Some(due) = claim::unsettled(kernel, "uncertain").await? else {
        return Ok(false);
    };
    let outcome = sms::ask(kernel, &due).await?;
    settle::settle(kernel, &due, &outcome).await;
    Ok(true)
}
