//! Whose work a task is doing: a request or a job, and the organisation and person it turned out to be for. Every line of the log
//! that is written meanwhile says so.

use std::{
    fmt,
    future::Future,
    sync::{Arc, OnceLock},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::{
    env::Env,
    ids::{OrgId, UserId},
};

/// The header that names a request, sent by a proxy or client and answered to it.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer names are not taken over: they stand in every line.
const LONGEST: usize = 128;

tokio::task_local! {
    static SCOPE: Arc<Scope>;
}

/// What is done, and for whom.
#[derive(Debug)]
pub struct Scope {
    what: What,
    org: OnceLock<OrgId>,
    user: OnceLock<UserId>,
}

/// A request or a job.
#[derive(Debug)]
pub enum What {
    /// The id of a request.
    Request(HeaderValue),
    /// The id of a job.
    Job(Uuid),
}

impl Scope {
    /// The scope of a request, by the id that it brings or else a new one.
    pub fn request(headers: &HeaderMap, env: &Env) -> Arc<Self> {
        let id = headers.get(REQUEST_ID).filter(|id| is_sane(id)).cloned();
        let id = id.unwrap_or_else(|| made(env.new_id()));
        Arc::new(Self {
            what: What::Request(id),
            org: OnceLock::new(),
            user: OnceLock::new(),
        })
    }

    /// The scope of a job.
    pub fn job(id: Uuid, org: OrgId, user: Option<UserId>) -> Arc<Self> {
        Arc::new(Self {
            what: What::Job(id),
            org: org.into(),
            user: user.map_or_else(OnceLock::new, Into::into),
        })
    }

    /// Runs the work.
    pub async fn around<F: Future>(self: Arc<Self>, work: F) -> F::Output {
        SCOPE.scope(self, work).await
    }

    /// The request or job.
    pub fn what(&self) -> &What {
        &self.what
    }

    /// The id of the request, as it is answered.
    pub fn request_id(&self) -> Option<&HeaderValue> {
        match &self.what {
            What::Request(id) => Some(id),
            What::Job(_) => None,
        }
    }

    /// The organisation, once it is known.
    pub fn org(&self) -> Option<OrgId> {
        self.org.get().copied()
    }

    /// The person, once they are known.
    pub fn user(&self) -> Option<UserId> {
        self.user.get().copied()
    }
}

impl fmt::Display for What {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Only sane ones are kept, which are text.
            Self::Request(id) => out.write_str(id.to_str().unwrap_or_default()),
            Self::Job(id) => id.fmt(out),
        }
    }
}

/// Looks at the scope of the task that runs, if it has one.
pub fn current<T>(look: impl FnOnce(&Scope) -> T) -> Option<T> {
    SCOPE.try_with(|scope| look(scope)).ok()
}

/// The organisation turned out to be this one.
pub(crate) fn is_in(org: Option<OrgId>) {
    if let Some(org) = org {
        let _ = SCOPE.try_with(|scope| scope.org.set(org));
    }
}

/// The same, as the database writes it.
pub(crate) fn is_in_text(org: Option<&[u8]>) {
    if let Some(org) = org {
        let _ = SCOPE.try_with(|scope| {
            let org = Uuid::try_parse_ascii(org).map(OrgId);
            org.map(|org| scope.org.set(org))
        });
    }
}

/// The person turned out to be this one.
pub(crate) fn is_for(user: Option<UserId>) {
    if let Some(user) = user {
        let _ = SCOPE.try_with(|scope| scope.user.set(user));
    }
}

/// Ids come from anywhere and go into logs: only what cannot be mistaken there for anything else is taken over.
fn is_sane(id: &HeaderValue) -> bool {
    let id = id.as_bytes();
    (1..=LONGEST).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte))
}

fn made(id: Uuid) -> HeaderValue {
    let mut text = Uuid::encode_buffer();
    let text = id.hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(sent: &[u8]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_bytes(sent).unwrap());
        Scope::request(&headers, &Env::real()).what().to_string()
    }

    #[test]
    fn a_sane_id_is_taken_over_and_any_other_is_replaced() {
        for sane in ["1", "4bf92f35-77b3", "Root=1-67891233-abcdef012345678912345678"] {
            assert_eq!(id(sane.as_bytes()), sane);
        }
        for odd in [
            "",
            "a b",
            "a\tb",
            "\"quoted\"",
            "{}",
            "ä",
            &"x".repeat(129),
            "a,b",
            "\\n",
        ] {
            let made = id(odd.as_bytes());
            assert_ne!(made, odd);
            assert!(made.parse::<Uuid>().is_ok(), "{odd}: {made}");
        }
    }

    #[tokio::test]
    async fn what_is_found_out_first_stays() {
        let (first, second) = (OrgId(Uuid::from_u128(1)), OrgId(Uuid::from_u128(2)));
        let scope = Scope::request(&HeaderMap::new(), &Env::real());
        assert_eq!(current(Scope::org), None);
        let seen = scope
            .around(async {
                is_in(None);
                is_in(Some(first));
                is_in(Some(second));
                current(Scope::org)
            })
            .await;
        assert_eq!(seen, Some(Some(first)));
    }
}
