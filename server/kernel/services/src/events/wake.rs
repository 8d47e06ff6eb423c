//! What consumers hear of the outbox between looks: organisations in which something has happened, each once.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use tokio::sync::Notify;
use uuid::Uuid;

/// More words than this are forgotten for a look at everything.
const MOST: usize = 20_000;

#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) organizations: BTreeSet<Uuid>,
    /// Whether to look at everything.
    pub(super) look: bool,
}

/// Passes on what the database says to the consumers of this process.
#[derive(Debug, Default)]
pub struct Wake {
    heard: Mutex<Heard>,
    some: Notify,
}

impl Wake {
    /// Takes a notification of `tenon_events`. What it does not understand makes it look at everything.
    pub fn hear(&self, word: &str) {
        let mut heard = self.lock();
        match word.parse() {
            Ok(organization) if heard.organizations.len() < MOST => {
                heard.organizations.insert(organization);
            }
            _ => heard.look = true,
        }
        drop(heard);
        self.some.notify_one();
    }

    /// Makes consumers look at everything: words may have been lost.
    pub fn look(&self) {
        self.lock().look = true;
        self.some.notify_one();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self) -> Heard {
        std::mem::take(&mut *self.lock())
    }

    pub(super) async fn some(&self) {
        self.some.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_is_heard_of_once_and_nonsense_is_a_reason_to_look() {
        let (wake, organization) = (Wake::default(), Uuid::from_u128(7));
        for _ in 0..3 {
            wake.hear(&organization.to_string());
        }
        let heard = wake.take();
        assert_eq!(heard.organizations, BTreeSet::from([organization]));
        assert!(!heard.look);
        for word in ["", "x", "*", "7"] {
            wake.hear(word);
            assert!(wake.take().look, "{word:?}");
        }
    }
}
