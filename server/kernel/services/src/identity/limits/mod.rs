//! Brakes, each in the memory of one process and bounded there: how often an address may ask ([`rates`]), how often a password
//! may be guessed ([`guesses`]), and a pause between messages to one recipient.
//!
//! # How a route declares its limit
//! ```ignore
//! use super::limits::{Limit, limited};
//!
//! Router::new().route("/auth/v1/otp", limited(Limit::Otp, post(otp)))
//! ```
//! The router has to be merged below the one that carries `Extension<Identity>`, as all of `/auth/v1` is. What only some
//! requests of a route do is counted by the handler, which takes [`tenon_sdk::http::ClientAddress`] as an extractor:
//! `identity.limit(Limit::Email, client)?` before anything shows whether there is such an account. What a signed-in person may
//! do so often, wherever they are, is counted with `identity.limit_person(Limit::Mfa, user)?`.

mod guesses;
mod rates;
mod store;

pub(super) use guesses::Guesses;
pub(super) use rates::{Limit, Pause, Rates, limited};

use tenon_sdk::{Result, http::ClientAddress};
use uuid::Uuid;

use super::Identity;
use rates::Subject;

impl Identity {
    /// Counts a request of a client against a limit.
    ///
    /// Errors: `over_request_rate_limit`, `over_email_send_rate_limit` or `over_sms_send_rate_limit`, with the seconds to wait.
    pub(super) fn limit(&self, limit: Limit, client: ClientAddress) -> Result<()> {
        self.0.rates.check(limit, Subject::Address(client.block()))
    }

    /// Counts a request of a person against a limit, from wherever it comes. Errors as [`Identity::limit`].
    pub(super) fn limit_person(&self, limit: Limit, person: Uuid) -> Result<()> {
        self.0.rates.check(limit, Subject::Person(person))
    }
}
