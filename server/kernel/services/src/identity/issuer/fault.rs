//! What goes wrong in the words of the standards: `error` and `error_description` (RFC 6749, 5.2).

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tenon_sdk::error::{Error, Kind};

/// A refusal that programs understand.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// One of the standards' words.
    pub(super) error: Cow<'static, str>,
    /// One sentence for whoever writes the program.
    pub(super) description: Cow<'static, str>,
    status: StatusCode,
    /// How the caller shows who they are, if that is what failed.
    challenge: Option<&'static str>,
}

impl Fault {
    pub(super) fn new(error: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            error: error.into(),
            description: description.into(),
            status: StatusCode::BAD_REQUEST,
            challenge: None,
        }
    }

    pub(super) fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_grant", description)
    }

    /// The program did not show who it is.
    pub(super) fn invalid_client() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some(r#"Basic realm="oauth""#),
            ..Self::new(
                "invalid_client",
                "The client is unknown, or did not show who it is as it was registered to.",
            )
        }
    }

    /// A bearer token that is not good (RFC 6750, 3.1).
    pub(super) fn invalid_token() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some(r#"Bearer error="invalid_token""#),
            ..Self::new(
                "invalid_token",
                "The access token is not good, or its session has ended.",
            )
        }
    }

    /// A bearer token that was not granted enough (RFC 6750, 3.1).
    pub(super) fn insufficient_scope() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            challenge: Some(r#"Bearer error="insufficient_scope", scope="openid""#),
            ..Self::new(
                "insufficient_scope",
                "The access token was not granted the scope openid.",
            )
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let (word, status) = match error.kind {
            Kind::Unavailable => ("temporarily_unavailable", StatusCode::SERVICE_UNAVAILABLE),
            Kind::Internal | Kind::Status(_) => ("server_error", StatusCode::INTERNAL_SERVER_ERROR),
            kind => (
                "invalid_request",
                StatusCode::from_u16(Error::new(kind, "", "").status()).unwrap_or(StatusCode::BAD_REQUEST),
            ),
        };
        Self {
            error: word.into(),
            description: error.message.into(),
            status,
            challenge: None,
        }
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Error::from(error).into()
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

/// An answer that nobody on the way may keep.
pub(super) fn not_kept(response: impl IntoResponse) -> Response {
    let mut response = response.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
