//! What is asked, and what came back.

use std::{fmt, time::Duration};

use bytes::Bytes;
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{
    Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::error::{Error, Result};

/// A call to make. Of all this only the method and the host are ever logged.
#[derive(Clone)]
pub struct Request {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) repeatable: bool,
    pub(super) redirects: u8,
    pub(super) time: Option<Duration>,
    pub(super) most_bytes: Option<usize>,
    pub(super) cut: bool,
    pub(super) fault: Option<Error>,
}

impl Request {
    /// A request of any method. GET, HEAD, PUT and DELETE are repeated after a passing failure, others are not.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            repeatable: method.is_idempotent(),
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            redirects: 0,
            time: None,
            most_bytes: None,
            cut: false,
            fault: None,
        }
    }

    /// `GET`.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    /// `POST`.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(Method::POST, url)
    }

    /// Sets a header; one that HTTP cannot carry is an error of the call.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                self.headers.insert(name, value);
            }
            _ => self.fault = Some(unwritable("a header")),
        }
        self
    }

    /// Sets all of these headers.
    #[must_use]
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        self
    }

    /// Asks for JSON.
    #[must_use]
    pub fn accept_json(self) -> Self {
        self.header(ACCEPT.as_str(), "application/json")
    }

    /// Sends `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// Sends a name and a password (`Authorization: Basic`).
    #[must_use]
    pub fn basic(self, name: &str, password: &str) -> Self {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let both = STANDARD.encode(format!("{name}:{password}"));
        self.header(AUTHORIZATION.as_str(), &format!("Basic {both}"))
    }

    /// Sends bytes as they are.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(CONTENT_TYPE.as_str(), content_type)
    }

    /// Sends JSON.
    #[must_use]
    pub fn json(mut self, value: &impl Serialize) -> Self {
        if let Ok(body) = serde_json::to_vec(value) {
            return self.body("application/json", body);
        }
        self.fault = Some(unwritable("the body"));
        self
    }

    /// Says that the call may be repeated whatever its method, since the other side knows it again.
    #[must_use]
    pub const fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Follows so many redirects of a GET or HEAD; else a redirect is the answer.
    #[must_use]
    pub const fn follow(mut self, redirects: u8) -> Self {
        self.redirects = redirects;
        self
    }

    /// How long the call may take in all, repetitions and pauses included.
    #[must_use]
    pub const fn within(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Bytes that the answer may have.
    #[must_use]
    pub const fn at_most(mut self, bytes: usize) -> Self {
        self.most_bytes = Some(bytes);
        self
    }

    /// Reads so many bytes of the answer and leaves the rest unread, where it does not matter.
    #[must_use]
    pub const fn first(mut self, bytes: usize) -> Self {
        self.cut = true;
        self.at_most(bytes)
    }
}

fn unwritable(what: &str) -> Error {
    Error::invalid(
        "outbound.bad_request",
        format!("HTTP cannot carry {what} of this call."),
    )
}

impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &super::shown(&self.url))
            .finish_non_exhaustive()
    }
}

const YEAR: u64 = 31_536_000;

/// What the other side said, whatever its status.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

impl Answer {
    /// This answer if its status says that all went well.
    ///
    /// Errors: `outbound.refused` with the status, without the body: it may repeat what was sent.
    pub fn ok(self) -> Result<Self> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        Err(Error::unavailable(
            "outbound.refused",
            "A service that Tenon calls refused the request.",
        )
        .details(format!("It answered {}.", self.status)))
    }

    /// The pause that the answer asks for (`Retry-After`), as seconds or as a moment; a year at most.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(Duration::from_secs(seconds.min(YEAR)));
        }
        let moment: Timestamp = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        let pause = Duration::try_from(moment.duration_since(now)).unwrap_or_default();
        Some(pause.min(Duration::from_secs(YEAR)))
    }

    /// The body as JSON.
    ///
    /// Errors: `outbound.bad_answer`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::unavailable(
                "outbound.bad_answer",
                "A service that Tenon calls answered something else than expected.",
            )
            .details(format!(
                "Line {}, column {} of its answer.",
                error.line(),
                error.column()
            ))
        })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
