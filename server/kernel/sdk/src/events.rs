//! Facts recorded in the outbox in the same transaction as the change they describe, and the consumers that are handed them.

use std::{future::Future, sync::Arc};

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::{db::TenantTx, error::Result, ids::UserId, kernel::Kernel, module::BoxFuture};

/// A fact: what happened, to what.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `app.thing_verbed`, such as `purchasing.import_committed`.
    pub kind: &'static str,
    /// The id of the thing it happened to.
    pub subject: Option<Uuid>,
    /// Particulars, for consumers. No secrets.
    pub payload: Value,
}

impl Event {
    /// An event about a thing.
    pub fn new(kind: &'static str, subject: Uuid, payload: Value) -> Self {
        Self {
            kind,
            subject: Some(subject),
            payload,
        }
    }
}

/// An event as it stands in the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Its number in the organisation: without gaps, in the order of commits.
    pub seq: i64,
    /// Its id, the same whoever is told of it.
    pub id: Uuid,
    /// As [`Event::kind`].
    pub kind: String,
    /// As [`Event::subject`].
    pub subject: Option<Uuid>,
    /// As [`Event::payload`].
    pub payload: Value,
    /// Who did it; none: the server itself, or a key.
    pub actor: Option<UserId>,
    /// When the transaction began that recorded it.
    pub at: Timestamp,
}

/// Where a consumer begins that an installation has not had before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// With what happens from now on.
    Now,
    /// With the oldest event that is kept.
    Oldest,
}

/// Who is handed an organisation's events, in their order.
///
/// What `handle` writes by its transaction and the consumer's place in the outbox are committed together, so each event has its effect
/// exactly once. What is done elsewhere (a mail, a call) would be done again after a failure: enqueue a job instead.
pub trait Consumer: Send + Sync + 'static {
    /// `module.consumer`; stable, since its place is stored by it.
    const NAME: &'static str;
    /// Kinds of events: `purchasing.order_closed`, all of a module as `purchasing.*`, or `*`.
    const EVENTS: &'static [&'static str];
    /// Where it begins.
    const BEGINNING: Beginning = Beginning::Now;
    /// Events handed over at once, at most.
    const BATCH: i64 = 100;
    /// Attempts with an event that fails before it is put aside, and the next one's turn comes.
    const MAX_ATTEMPTS: i32 = 12;
    /// Handles some events of the organisation of `tx`. It does not commit.
    ///
    /// Errors: nothing of the transaction stays; the events come again one by one, those that fail after a pause that grows.
    fn handle(kernel: &Kernel, tx: &TenantTx, events: &[Recorded])
    -> impl Future<Output = Result<()>> + Send;
}

type Handle =
    Arc<dyn for<'a> Fn(&'a Kernel, &'a TenantTx, &'a [Recorded]) -> BoxFuture<'a, Result<()>> + Send + Sync>;

/// A registered consumer.
#[derive(Clone)]
pub struct ConsumerHandler {
    /// As [`Consumer::NAME`].
    pub name: &'static str,
    /// As [`Consumer::EVENTS`].
    pub events: &'static [&'static str],
    /// As [`Consumer::BEGINNING`].
    pub beginning: Beginning,
    /// As [`Consumer::BATCH`].
    pub batch: i64,
    /// As [`Consumer::MAX_ATTEMPTS`].
    pub max_attempts: i32,
    handle: Handle,
}

impl ConsumerHandler {
    /// The handler of a consumer.
    pub fn of<C: Consumer>() -> Self {
        Self {
            name: C::NAME,
            events: C::EVENTS,
            beginning: C::BEGINNING,
            batch: C::BATCH,
            max_attempts: C::MAX_ATTEMPTS,
            handle: Arc::new(|kernel, tx, events| Box::pin(C::handle(kernel, tx, events))),
        }
    }

    /// Handles some events.
    pub async fn handle(&self, kernel: &Kernel, tx: &TenantTx, events: &[Recorded]) -> Result<()> {
        (self.handle)(kernel, tx, events).await
    }
}

impl std::fmt::Debug for ConsumerHandler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ConsumerHandler").field(&self.name).finish()
    }
}

/// Whether a pattern can name kinds of events: small letters, digits and underscores in words between points, `*` for all or in the place
/// of the last word.
pub fn is_pattern(pattern: &str) -> bool {
    let body = match pattern.strip_suffix('*') {
        Some("") => return true,
        Some(module) => match module.strip_suffix('.') {
            Some(module) => module,
            None => return false,
        },
        None if pattern.contains('.') => pattern,
        None => return false,
    };
    pattern.len() <= 100
        && body.split('.').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        })
}

/// Whether a pattern names a kind of event.
pub fn names(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => kind.starts_with(beginning),
        None => pattern == kind,
    }
}

/// A pattern as LIKE has it.
pub fn as_like(pattern: &str) -> String {
    let exact = |text: &str| text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    match pattern.strip_suffix('*') {
        Some(beginning) => format!("{}%", exact(beginning)),
        None => exact(pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_a_kind_a_module_or_everything_and_nothing_else() {
        for good in [
            "*",
            "purchasing.*",
            "purchasing.import_committed",
            "a.b.c",
            "a.b.*",
        ] {
            assert!(is_pattern(good), "{good}");
        }
        let long = format!("a.{}", "b".repeat(200));
        for bad in [
            "", ".", "**", "*.x", "a*", "a.*.b", "A.b", "a..b", "a.", ".b", "a", "a b.c", "ä.b", "a.b%",
            "a.\0", &long,
        ] {
            assert!(!is_pattern(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_pattern_names_what_it_says() {
        assert!(names("*", "a.b") && names("a.*", "a.b_c") && names("a.b", "a.b"));
        assert!(!names("a.*", "ab.c") && !names("a.b", "a.bc") && !names("a_b.*", "axb.c"));
        assert_eq!(as_like("a_b.*"), "a\\_b.%");
        assert_eq!((as_like("*").as_str(), as_like("a.b").as_str()), ("%", "a.b"));
    }
}
