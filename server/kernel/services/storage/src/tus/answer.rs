//! Answers of TUS: errors have their true status and a text, since its clients look at nothing else.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use tenon_sdk::{Error, Result, error::Kind};

use super::upload::Upload;
use crate::objects::http_date;

/// The version of the protocol, in every answer.
pub(super) fn protocol(headers: &mut HeaderMap) {
    headers.insert("tus-resumable", HeaderValue::from_static("1.0.0"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// The answer, or the error in the form of TUS.
pub(super) fn told(answer: Result<Response>) -> Response {
    let mut response = answer.unwrap_or_else(|error| {
        let status = StatusCode::from_u16(status(&error)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut refused = (status, format!("{}\n", error.message)).into_response();
        if let Ok(code) = HeaderValue::from_str(&error.code) {
            refused.headers_mut().insert("x-error-code", code);
        }
        if let Some(seconds) = error.retry_after {
            refused.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        refused
    });
    protocol(response.headers_mut());
    response
}

/// Tokens that are not good are refused as elsewhere in this API.
fn status(error: &Error) -> u16 {
    match error.kind {
        Kind::Unauthenticated => 403,
        _ => error.status(),
    }
}

/// What every answer about an upload says.
pub(super) fn about(upload: &Upload) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("upload-offset", upload.acknowledged.into());
    date(&mut headers, "upload-expires", upload.expires_at);
    headers
}

fn date(headers: &mut HeaderMap, name: &'static str, at: Timestamp) {
    if let Ok(value) = HeaderValue::from_str(&http_date(at)) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

pub(super) fn no_such_upload() -> Error {
    Error::not_found(
        "storage.upload_unknown",
        "There is no such upload, or it has expired.",
    )
    .hint("Begin again.")
}

pub(super) fn held() -> Error {
    Error::new(
        Kind::Status(423),
        "storage.upload_held",
        "Another request is adding to this upload.",
    )
    .hint("Try again in some seconds.")
}

pub(super) fn elsewhere(offset: u64) -> Error {
    Error::conflict(
        "storage.upload_offset",
        format!("Upload-Offset is not where the upload ends, which is {offset}."),
    )
    .hint("Ask with HEAD where to go on.")
}

pub(super) fn mismatch() -> Error {
    Error::new(
        Kind::Status(460),
        "storage.upload_checksum",
        "The content does not have the checksum that was told.",
    )
    .hint("Send it again.")
}

pub(super) fn header(name: &str) -> Error {
    Error::invalid(
        "storage.upload_header",
        format!("{name} is missing or cannot be read."),
    )
}

pub(super) fn version() -> Error {
    Error::new(
        Kind::Status(412),
        "storage.upload_version",
        "Tus-Resumable has to be 1.0.0.",
    )
}

pub(super) fn media() -> Error {
    Error::new(
        Kind::Status(415),
        "storage.upload_media",
        "Content-Type has to be application/offset+octet-stream.",
    )
}

/// A header that is a number.
pub(super) fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let digits = value
        .to_str()
        .ok()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    // Sizes end with what a row holds.
    digits
        .and_then(|text| text.parse::<i64>().ok())
        .map(|number| Some(number.unsigned_abs()))
        .ok_or_else(|| header(name))
}

/// Refuses other versions of the protocol.
pub(super) fn speaks(headers: &HeaderMap) -> Result<()> {
    if headers.get("tus-resumable").is_some_and(|value| value == "1.0.0") {
        Ok(())
    } else {
        Err(version())
    }
}

/// Refuses content of any other kind.
pub(super) fn is_content(headers: &HeaderMap) -> Result<()> {
    let kind = headers.get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind == "application/offset+octet-stream") {
        Ok(())
    } else {
        Err(media())
    }
}
