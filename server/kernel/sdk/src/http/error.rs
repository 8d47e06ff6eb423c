//! [`Error`] as an HTTP answer.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Error, Kind};

/// The body of every error answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// Stable, `module.reason`; listed in docs/ERRORS.md.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// The particulars.
    pub details: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl From<Error> for ErrorBody {
    fn from(error: Error) -> Self {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self {
            code: error.code.into_owned(),
            message: error.message,
            details: filled(error.details),
            hint: filled(error.hint),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (kind, retry_after) = (self.kind, self.retry_after.unwrap_or(2));
        let mut response = (status, axum::Json(ErrorBody::from(self.clone()))).into_response();
        match kind {
            Kind::Unavailable | Kind::RateLimited => {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, retry_after.into());
            }
            Kind::Unauthenticated => {
                response.headers_mut().insert(
                    header::WWW_AUTHENTICATE,
                    header::HeaderValue::from_static("Bearer"),
                );
            }
            _ => {}
        }
        // For layers that tell it in the form of another protocol.
        response.extensions_mut().insert(self);
        response
    }
}
