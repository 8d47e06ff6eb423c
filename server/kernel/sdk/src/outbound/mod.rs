//! The one client for calls outside: providers of sign-in, hooks, SMS gateways.
//!
//! Each call has a time limit for all of it and a bound for its answer. A GET (or what the caller calls repeatable) is tried up
//! to three times after a passing failure, with pauses that double, differ at random and heed `Retry-After`. Only public
//! addresses are called, and those that `[outbound] allow_private` lists: an address that somebody else chose does not lead
//! inside, whether by a name, a literal address or a redirect. The proxy of the environment is not used. Whatever may be
//! secret (headers, bodies, addresses beyond their host) appears in no log and no error.

mod addresses;
mod request;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{
    Client, Method, Url,
    header::{AUTHORIZATION, COOKIE, LOCATION},
    redirect::Policy,
};
use tokio::time::Instant;
use tracing::Instrument;

pub use request::{Answer, Request};

use crate::{
    config,
    db::tls_config,
    env::Env,
    error::{Error, Result},
    telemetry::trace,
};

/// Tries of a repeatable call.
const TRIES: u32 = 3;
/// The first pause between them, at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(5);

/// What is said of a call that never began.
const NO_CONNECTION: &str = "No connection could be made.";

/// Whether a call that failed so has surely not reached the other side: nothing of it was sent.
pub fn never_arrived(error: &Error) -> bool {
    match error.code.as_ref() {
        "outbound.unreachable" => error.details.as_deref() == Some(NO_CONNECTION),
        "outbound.bad_request" | "outbound.forbidden_address" => true,
        _ => false,
    }
}

/// The client; cheap to clone.
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

struct Inner {
    env: Env,
    config: config::Outbound,
    allowed: addresses::Allowed,
    client: OnceLock<Client>,
}

/// Why one try failed, and whether another may go better.
struct Fault {
    error: Error,
    passing: bool,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self {
            error,
            passing: false,
        }
    }
}

impl Outbound {
    /// A client for these settings. Nothing is opened before the first call.
    pub fn new(env: Env, config: &config::Outbound) -> Self {
        Self(Arc::new(Inner {
            env,
            allowed: addresses::Allowed::new(&config.allow_private),
            config: config.clone(),
            client: OnceLock::new(),
        }))
    }

    fn client(&self) -> Result<&Client> {
        if let Some(client) = self.0.client.get() {
            return Ok(client);
        }
        let mut builder = Client::builder()
            .use_preconfigured_tls(tls_config()?.as_ref().clone())
            .dns_resolver(Arc::new(self.0.allowed.clone()))
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .user_agent(concat!("Tenon/", env!("CARGO_PKG_VERSION")))
            .no_proxy();
        if !self.0.config.proxy.is_empty() {
            let proxy = reqwest::Proxy::all(&self.0.config.proxy).map_err(|_| {
                Error::invalid(
                    "config.invalid",
                    "The setting outbound.proxy is no address of a proxy.",
                )
            })?;
            builder = builder.proxy(proxy);
        }
        let client = builder
            .build()
            .map_err(|error| Error::internal(error.without_url()))?;
        Ok(self.0.client.get_or_init(|| client))
    }

    /// Makes a call and gives the answer, whatever its status.
    ///
    /// Errors: `outbound.bad_request` (what cannot be sent), `outbound.forbidden_address`, `outbound.timeout`,
    /// `outbound.unreachable`, `outbound.answer_too_large`.
    pub async fn send(&self, request: Request) -> Result<Answer> {
        let time = request
            .time
            .unwrap_or(Duration::from_millis(self.0.config.timeout_ms));
        let started = Instant::now();
        let span = trace::call(
            request.method.as_str(),
            Url::parse(&request.url)
                .ok()
                .as_ref()
                .and_then(Url::host_str)
                .unwrap_or("?"),
        );
        let tries = self.tries(&request, started + time).instrument(span.clone());
        let outcome = tokio::time::timeout(time, tries).await;
        let outcome = outcome.unwrap_or_else(|_| {
            Err(Error::unavailable(
                "outbound.timeout",
                "A service that Tenon calls did not answer in time.",
            ))
        });
        match &outcome {
            Ok(answer) => drop(span.record("http.response.status_code", answer.status)),
            Err(_) => drop(span.record("otel.status_code", "ERROR")),
        }
        tracing::debug!(
            method = %request.method,
            url = shown(&request.url),
            status = outcome.as_ref().map_or(0, |answer| answer.status),
            error = outcome.as_ref().err().map(|error| error.code.as_ref()),
            ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "call outside"
        );
        outcome
    }

    /// Whether an address may be kept to be called later: by its form, and by where its name leads now, if anybody knows. Each call looks
    /// again. Without TLS only the networks of `allow_private` are called.
    ///
    /// Errors: `outbound.bad_request`, `outbound.forbidden_address`.
    pub async fn check_address(&self, address: &str) -> Result<()> {
        let url = Url::parse(address).map_err(|_| bad_address())?;
        self.check(&url)?;
        let host = url.host_str().unwrap_or_default();
        let found = match addresses::literal(host) {
            Some(literal) => vec![literal],
            // A proxy looks names up by itself.
            None if !self.0.config.proxy.is_empty() => vec![],
            None => {
                let time = Duration::from_millis(self.0.config.timeout_ms);
                let found = tokio::time::timeout(time, tokio::net::lookup_host((host, 0))).await;
                found
                    .ok()
                    .and_then(Result::ok)
                    .map_or_else(Vec::new, |found| found.map(|address| address.ip()).collect())
            }
        };
        if !found.is_empty() && !found.iter().any(|address| self.0.allowed.contains(*address)) {
            return Err(forbidden());
        }
        let inside = !found.is_empty() && found.iter().all(|address| self.0.allowed.lists(*address));
        if url.scheme() == "https" || inside {
            return Ok(());
        }
        Err(bad_address())
    }

    async fn tries(&self, request: &Request, until: Instant) -> Result<Answer> {
        for failed in 1.. {
            let outcome = self.one_try(request).await;
            let asked = match &outcome {
                Ok(answer) if matches!(answer.status, 429 | 502 | 503 | 504) => {
                    answer.retry_after(self.0.env.now())
                }
                Err(fault) if fault.passing => None,
                _ => return outcome.map_err(|fault| fault.error),
            };
            let pause = asked.unwrap_or_else(|| self.pause(failed));
            if !request.repeatable || failed >= TRIES || Instant::now() + pause >= until {
                return outcome.map_err(|fault| fault.error);
            }
            tokio::time::sleep(pause).await;
        }
        Err(Error::internal("a call outside ended without an answer"))
    }

    /// The pause after so many failures: anything up to a time that doubles, so that many callers do not come back at once.
    fn pause(&self, failed: u32) -> Duration {
        let mut random = [0; 4];
        self.0.env.fill_random(&mut random);
        let share = f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX);
        (FIRST_PAUSE * 2_u32.saturating_pow(failed - 1)).mul_f64(share)
    }

    async fn one_try(&self, request: &Request) -> Result<Answer, Fault> {
        if let Some(fault) = &request.fault {
            return Err(fault.clone().into());
        }
        let mut url = Url::parse(&request.url).map_err(|_| bad_address())?;
        let mut headers = request.headers.clone();
        trace::give(&mut headers);
        for left in (0..=request.redirects).rev() {
            self.check(&url)?;
            let sent = self
                .client()?
                .request(request.method.clone(), url.clone())
                .headers(headers.clone())
                .body(request.body.clone())
                .send()
                .await
                .map_err(|error| fault(&error))?;
            let answer = self.read(request, sent).await?;
            let next = match answer.status {
                301 | 302 | 303 | 307 | 308 if matches!(request.method, Method::GET | Method::HEAD) => answer
                    .headers
                    .get(LOCATION)
                    .and_then(|to| to.to_str().ok())
                    .and_then(|to| url.join(to).ok()),
                _ => None,
            };
            let Some(next) = next.filter(|_| left > 0) else {
                return Ok(answer);
            };
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(bad_address().into());
            }
            if url.origin() != next.origin() {
                // What was meant for one is not told to another.
                headers.remove(AUTHORIZATION);
                headers.remove(COOKIE);
            }
            url = next;
        }
        Err(Error::internal("a redirect led nowhere").into())
    }

    fn check(&self, url: &Url) -> Result<()> {
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some()
        {
            return Err(bad_address());
        }
        match url.host_str() {
            Some(host) if self.0.allowed.host(host) => Ok(()),
            Some(_) => Err(forbidden()),
            None => Err(bad_address()),
        }
    }

    async fn read(&self, request: &Request, mut response: reqwest::Response) -> Result<Answer, Fault> {
        let most = request.most_bytes.unwrap_or(self.0.config.max_answer_bytes);
        let mut body = bytes::BytesMut::new();
        while let Some(piece) = response.chunk().await.map_err(|error| fault(&error))? {
            if body.len() + piece.len() > most {
                if request.cut {
                    body.extend_from_slice(piece.get(..most - body.len()).unwrap_or_default());
                    break;
                }
                return Err(Error::unavailable(
                    "outbound.answer_too_large",
                    "A service that Tenon calls answered too much.",
                )
                .details(format!("At most {most} bytes are read."))
                .into());
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body: body.freeze(),
        })
    }
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Outbound")
    }
}

/// An address without what may be secret in it: paths of hooks hold keys, too.
fn shown(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "?".to_owned(), |url| url.origin().ascii_serialization())
}

fn bad_address() -> Error {
    Error::invalid("outbound.bad_request", "This address cannot be called.")
        .hint("It begins with https:// or http:// and holds no password.")
}

fn forbidden() -> Error {
    Error::unprocessable(
        "outbound.forbidden_address",
        "Tenon does not call addresses that are not public.",
    )
    .hint("[outbound] allow_private lists networks that may be called all the same.")
}

fn fault(error: &reqwest::Error) -> Fault {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<addresses::Forbidden>() {
            return forbidden().into();
        }
        cause = inner.source();
    }
    let what = if error.is_connect() {
        NO_CONNECTION
    } else {
        "The connection broke."
    };
    Fault {
        error: Error::unavailable(
            "outbound.unreachable",
            "A service that Tenon calls cannot be reached at the moment.",
        )
        .details(what),
        passing: !error.is_builder(),
    }
}
