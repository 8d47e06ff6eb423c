//! Errors with the codes of Supabase Storage, and the form its clients read: `{statusCode, error, message, code}`, with HTTP's 400 for
//! whatever the client did wrong and the true status in `statusCode`.

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tenon_sdk::error::{Error, Kind};

pub(crate) fn no_such_bucket() -> Error {
    Error::not_found("NoSuchBucket", "Bucket not found")
}

pub(crate) fn no_such_key() -> Error {
    Error::not_found("NoSuchKey", "Object not found")
}

/// There is a row, but no content of it.
pub(crate) fn no_content() -> Error {
    Error::not_found("NotFound", "The resource was not found")
}

pub(crate) fn key_exists() -> Error {
    Error::conflict("KeyAlreadyExists", "The resource already exists")
}

pub(crate) fn bucket_exists() -> Error {
    Error::conflict("BucketAlreadyExists", "The resource already exists")
}

pub(crate) fn bucket_not_empty() -> Error {
    Error::conflict("BucketNotEmpty", "The bucket you tried to delete is not empty").hint("Empty it first.")
}

pub(crate) fn access_denied() -> Error {
    Error::forbidden("AccessDenied", "new row violates row-level security policy")
}

pub(crate) fn invalid_request(message: impl Into<String>) -> Error {
    Error::invalid("InvalidRequest", message)
}

pub(crate) fn missing_parameter(name: &str) -> Error {
    Error::invalid("MissingParameter", format!("Missing Required Parameter {name}"))
}

pub(crate) fn invalid_parameter(name: &str) -> Error {
    Error::invalid("InvalidParameter", format!("Invalid Parameter {name}"))
}

pub(crate) fn invalid_key(key: &str) -> Error {
    Error::invalid("InvalidKey", format!("Invalid key: {key}"))
}

pub(crate) fn invalid_bucket_name() -> Error {
    Error::invalid("InvalidBucketName", "Bucket name invalid")
}

pub(crate) fn invalid_mime_type(kind: &str) -> Error {
    Error::new(
        Kind::Status(415),
        "InvalidMimeType",
        format!("mime type {kind} is not supported"),
    )
}

pub(crate) fn too_large() -> Error {
    Error::too_large("EntityTooLarge", "The object exceeded the maximum allowed size")
}

pub(crate) fn over_quota() -> Error {
    Error::too_large("QuotaExceeded", "The organisation has no room for this")
        .hint("Delete files that are not needed, or ask for more room.")
}

pub(crate) fn invalid_signature() -> Error {
    Error::invalid("InvalidSignature", "Invalid signature")
}

pub(crate) fn invalid_jwt(message: &str) -> Error {
    Error::invalid("InvalidJWT", message)
}

pub(crate) fn invalid_range() -> Error {
    Error::new(Kind::Status(416), "InvalidRange", "invalid range provided")
}

pub(crate) fn incomplete() -> Error {
    Error::invalid(
        "IncompleteBody",
        "The request's body ended before it was complete",
    )
}

pub(crate) fn stalled() -> Error {
    Error::new(
        Kind::Status(408),
        "RequestTimeout",
        "The request's body did not come",
    )
    .hint("Send it without long pauses.")
}

pub(crate) fn no_authorization() -> Error {
    Error::invalid("Error", "headers must have required property 'authorization'")
}

/// What a statement under policies failed with, in the words of Supabase Storage.
pub(crate) fn of_statement(error: Error) -> Error {
    match &*error.code {
        "42501" => access_denied(),
        "23505" => key_exists(),
        "23503" => no_such_bucket(),
        "23514" => Error::forbidden("AccessDenied", "new row violates row-level security policy")
            .details("Names in this bucket begin with the organisation."),
        _ => error,
    }
}

/// The word in `error`, where it is not the code.
fn word(code: &str) -> &str {
    match code {
        "NoSuchBucket" => "Bucket not found",
        "NoSuchKey" => "not_found",
        "NotFound" => "Not found",
        "KeyAlreadyExists" | "BucketAlreadyExists" => "Duplicate",
        "BucketNotEmpty"
        | "storage.image_unsupported"
        | "storage.image_unreadable"
        | "storage.image_too_large" => "InvalidRequest",
        "AccessDenied" => "Unauthorized",
        "InvalidBucketName" => "Invalid Input",
        "InvalidMimeType" => "invalid_mime_type",
        "EntityTooLarge" => "Payload too large",
        "InvalidRange" => "invalid_range",
        code => code,
    }
}

/// An error as clients of Supabase Storage read it.
pub(crate) fn form(error: &Error, _: &HeaderMap) -> Response {
    let mut status = error.status();
    let mut code = error.code.as_ref();
    let mut message = error.message.clone();
    // Tokens that are not good: the words are the kernel's, the code and the status are theirs.
    if matches!(error.kind, Kind::Unauthenticated) {
        (status, code) = (403, "AccessDenied");
        if error.code == "auth.token_expired" {
            message = "\"exp\" claim timestamp check failed".into();
        }
    }
    let http = match status {
        // A player reads this one.
        416 => StatusCode::RANGE_NOT_SATISFIABLE,
        429 => StatusCode::TOO_MANY_REQUESTS,
        500.. => StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        _ => StatusCode::BAD_REQUEST,
    };
    let mut body = json!({
        "statusCode": status.to_string(),
        "error": word(code),
        "message": message,
        "code": code,
    });
    if let Some(hint) = error.hint.as_ref().filter(|hint| !hint.is_empty()) {
        body["hint"] = json!(hint);
    }
    let mut response = (http, Json(body)).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = error.retry_after.or((status == 503).then_some(2)) {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
