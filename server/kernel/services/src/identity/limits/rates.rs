//! How often one may ask, by the generic cell rate algorithm of the `governor` crate: a full allowance at once, then as much as
//! flows back.

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use axum::{
    Extension,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use governor::{Quota, clock::Clock};
use tenon_sdk::{Error, Kernel, Result, config::Limits, env::Env, error::Kind, http::ClientAddress};
use uuid::Uuid;

use super::store::{Bounded, EnvClock, Limiter};
use crate::identity::Identity;

/// What is counted apart; `[auth.limits]` says how often each is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::identity) enum Limit {
    /// Requests that lead to a mail, whoever gets it.
    Email,
    /// Requests that lead to a text message, whoever gets it.
    Sms,
    /// Accounts of visitors.
    Anonymous,
    /// Codes and links shown as proof.
    Verify,
    /// Tokens by password, refresh token or code.
    Token,
    /// Sign-in by way of another: providers' tokens, SSO.
    Sso,
    /// Asking for a way in or changing the account: `otp`, `magiclink`, `recover`, `resend`, `signup`, `user`.
    Otp,
    /// Passkey ceremonies, but for the question at sign-in.
    Passkey,
    /// Questions for a passkey at sign-in: they name nobody and open nothing.
    PasskeyOptions,
    /// Registration of OAuth clients by themselves.
    Client,
    /// Challenges and answers of a second factor.
    Mfa,
}

impl Limit {
    const ALL: [Self; 11] = [
        Self::Email,
        Self::Sms,
        Self::Anonymous,
        Self::Verify,
        Self::Token,
        Self::Sso,
        Self::Otp,
        Self::Passkey,
        Self::PasskeyOptions,
        Self::Client,
        Self::Mfa,
    ];

    /// How many in how many seconds.
    const fn quota(self, limits: &Limits) -> (u32, u64) {
        match self {
            Self::Email => (limits.email, 3600),
            Self::Sms => (limits.sms, 3600),
            Self::Anonymous => (limits.anonymous, 3600),
            Self::Verify => (limits.verify, 300),
            Self::Token => (limits.token, 300),
            Self::Sso => (limits.sso, 300),
            Self::Otp => (limits.otp, 300),
            Self::Passkey => (limits.passkey, 300),
            Self::PasskeyOptions => (limits.passkey_options, 300),
            Self::Client => (limits.client, 300),
            Self::Mfa => (limits.mfa, 60),
        }
    }

    fn refusal(self) -> Error {
        match self {
            Self::Email => Error::rate_limited("over_email_send_rate_limit", "email rate limit exceeded"),
            Self::Sms => Error::rate_limited("over_sms_send_rate_limit", "sms rate limit exceeded"),
            _ => Error::rate_limited("over_request_rate_limit", "Request rate limit reached"),
        }
    }
}

/// Whom a request is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// A client, by its block of addresses.
    Address(IpAddr),
    /// Somebody signed in.
    Person(Uuid),
}

/// All limits of the installation.
pub(in crate::identity) struct Rates {
    /// In the order of [`Limit::ALL`]; none where the setting is 0.
    limiters: [Option<Limiter<Subject>>; Limit::ALL.len()],
}

impl Rates {
    pub(in crate::identity) fn new(env: &Env, limits: &Limits) -> Self {
        let limiters = Limit::ALL.map(|limit| {
            let (most, seconds) = limit.quota(limits);
            let most = NonZeroU32::new(most)?;
            let quota = Quota::with_period(Duration::from_secs(seconds) / most.get())?.allow_burst(most);
            Some(Limiter::new(quota, Bounded::new(), EnvClock(env.clone())))
        });
        Self { limiters }
    }

    pub(super) fn check(&self, limit: Limit, subject: Subject) -> Result<()> {
        let Some(limiter) = &self.limiters[limit as usize] else {
            return Ok(());
        };
        limiter
            .check_key(&subject)
            .map_err(|until| waiting(limit.refusal(), until.wait_time_from(limiter.clock().now())))
    }
}

/// A refusal that says how long to wait.
fn waiting(error: Error, wait: Duration) -> Error {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    error
        .hint(format!("Try again in {} seconds.", seconds.max(1)))
        .retry_after(seconds)
}

/// A route whose requests count against a limit, by the address of the client.
pub(in crate::identity) fn limited(limit: Limit, route: MethodRouter<Kernel>) -> MethodRouter<Kernel> {
    route.layer(from_fn_with_state(limit, count))
}

async fn count(
    State(limit): State<Limit>,
    Extension(identity): Extension<Identity>,
    request: Request,
    next: Next,
) -> Response {
    let trusted = &identity.0.config.server.trusted_proxies;
    let client = ClientAddress::find(request.extensions(), request.headers(), trusted);
    match identity.limit(limit, client) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// A pause between messages to one recipient, whether anybody has that address or not: else the refusal would tell.
pub(in crate::identity) struct Pause {
    /// None where there is no pause.
    limiter: Option<Limiter<u128>>,
    code: &'static str,
}

impl Pause {
    /// A pause of so many seconds whose refusal has `code`.
    pub(in crate::identity) fn new(env: &Env, seconds: i64, code: &'static str) -> Self {
        let seconds = Duration::from_secs(seconds.max(0).unsigned_abs());
        let limiter = Quota::with_period(seconds)
            .map(|quota| Limiter::new(quota, Bounded::new(), EnvClock(env.clone())));
        Self { limiter, code }
    }

    /// An error if the recipient was written to within the pause; else it counts as written to now.
    pub(in crate::identity) fn check(&self, recipient: &str) -> Result<()> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        limiter
            .check_key(&super::guesses::key(&[recipient]))
            .map_err(|until| {
                let wait = until.wait_time_from(limiter.clock().now());
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                let message =
                    format!("For security purposes, you can only request this after {seconds} seconds.");
                waiting(Error::new(Kind::RateLimited, self.code, message), wait)
            })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use jiff::{SignedDuration, Timestamp};
    use tenon_sdk::{
        config::Config,
        env::{Clock, Entropy},
    };

    use super::*;

    struct Still(Arc<Mutex<Timestamp>>);
    struct Zeros;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    impl Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn env() -> (Env, Arc<Mutex<Timestamp>>) {
        let now = Arc::new(Mutex::new(Timestamp::from_second(1_000_000).unwrap()));
        (Env::new(Arc::new(Still(now.clone())), Arc::new(Zeros)), now)
    }

    fn pass(now: &Arc<Mutex<Timestamp>>, seconds: i64) {
        *now.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    fn address(last: u8) -> Subject {
        Subject::Address(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn an_address_has_its_allowance_at_once_and_then_what_flows_back() {
        let (env, now) = env();
        let rates = Rates::new(&env, &Config::defaults().auth.limits);
        for _ in 0..30 {
            rates.check(Limit::Verify, address(1)).unwrap();
        }
        let refused = rates.check(Limit::Verify, address(1)).unwrap_err();
        assert_eq!(
            (refused.code.as_ref(), refused.status()),
            ("over_request_rate_limit", 429)
        );
        assert_eq!(refused.retry_after, Some(10));
        // Others, and other limits, are apart.
        rates.check(Limit::Verify, address(2)).unwrap();
        rates.check(Limit::Otp, address(1)).unwrap();
        pass(&now, 10);
        rates.check(Limit::Verify, address(1)).unwrap();
        assert!(rates.check(Limit::Verify, address(1)).is_err());
    }

    #[test]
    fn a_limit_of_zero_is_none() {
        let (env, _) = env();
        let mut limits = Config::defaults().auth.limits;
        limits.token = 0;
        let rates = Rates::new(&env, &limits);
        for _ in 0..1000 {
            rates.check(Limit::Token, address(1)).unwrap();
        }
    }

    #[test]
    fn a_recipient_is_written_to_once_in_a_pause() {
        let (env, now) = env();
        let pause = Pause::new(&env, 60, "over_email_send_rate_limit");
        pause.check("a@example.com").unwrap();
        pass(&now, 59);
        let refused = pause.check("a@example.com").unwrap_err();
        assert_eq!(
            (refused.code.as_ref(), refused.retry_after),
            ("over_email_send_rate_limit", Some(1))
        );
        pause.check("b@example.com").unwrap();
        pass(&now, 1);
        pause.check("a@example.com").unwrap();
        let none = Pause::new(&env, 0, "over_email_send_rate_limit");
        none.check("a@example.com").unwrap();
        none.check("a@example.com").unwrap();
    }

    #[test]
    fn a_flood_of_addresses_costs_no_memory_and_frees_nobody_who_asks_all_the_time() {
        let (env, _) = env();
        let rates = Rates::new(&env, &Config::defaults().auth.limits);
        let often = Subject::Person(Uuid::from_u128(7));
        for _ in 0..30 {
            rates.check(Limit::Otp, often).unwrap();
        }
        for number in 0..100_000_u32 {
            rates
                .check(Limit::Otp, Subject::Address(IpAddr::from(number.to_be_bytes())))
                .unwrap();
            if number % 100 == 0 {
                assert!(rates.check(Limit::Otp, often).is_err());
            }
        }
    }
}
