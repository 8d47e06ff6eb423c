//! Errors in the two forms that clients of GoTrue expect: with the version header `{code, message}`, without it
//! `{code: <status>, error_code, msg}`.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};
use serde_json::{Value, json};
use tenon_sdk::error::{Error, Kind};

const VERSION_HEADER: HeaderName = HeaderName::from_static("x-supabase-api-version");

/// Whether the client knows the newer form.
fn knows_version(headers: &HeaderMap) -> bool {
    headers
        .get(&VERSION_HEADER)
        .is_some_and(|version| version.as_bytes() >= b"2024-01-01".as_slice())
}

/// Gives the answer of whatever stands behind `/auth/v1` the form its client knows: handlers just return their error.
pub(crate) async fn spoken(request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
    let versioned = knows_version(request.headers());
    let mut response = answer(request).await;
    if let Some(error) = response.extensions_mut().remove::<Error>() {
        *response.body_mut() = Body::from(body(&in_their_words(error), versioned).to_string());
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    if versioned {
        response
            .headers_mut()
            .insert(VERSION_HEADER, HeaderValue::from_static("2024-01-01"));
    }
    response
}

fn body(error: &Error, versioned: bool) -> Value {
    let mut body = if versioned {
        json!({ "code": error.code, "message": error.message })
    } else {
        json!({ "code": error.status(), "error_code": error.code, "msg": error.message })
    };
    if let Some(hint) = &error.hint {
        body["hint"] = json!(hint);
    }
    if let Some(reasons) = weak_for(error) {
        body["weak_password"] = json!({ "reasons": reasons });
    }
    body
}

/// What the kernel says of a request of nobody, as clients of GoTrue know it.
fn in_their_words(error: Error) -> Error {
    if error.code == "auth.required" {
        return no_authorization();
    }
    error
}

/// What a request is told whose token is not good, in the words of the API it asked.
pub(super) fn bad_token(path: &str, error: Error) -> Error {
    // OpenID Connect wants 401 with a challenge there.
    if path.starts_with("/auth/v1/") && path != "/auth/v1/oauth/userinfo" {
        return bad_jwt(error);
    }
    if path.starts_with("/rest/v1") {
        return in_postgrests_words(error);
    }
    error
}

/// In GoTrue's words, as far as it is the token that is not good.
fn bad_jwt(error: Error) -> Error {
    let cause = match (error.code.as_ref(), error.details.as_deref()) {
        ("auth.token_expired", _) => "token has invalid claims: token is expired",
        ("auth.token_invalid", Some("It is no JSON Web Token.")) => {
            "token is malformed: token contains an invalid number of segments"
        }
        ("auth.token_invalid", Some("Its signature is wrong.")) => {
            "token signature is invalid: signature is invalid"
        }
        ("auth.token_invalid", Some("It is not good yet.")) => {
            "token has invalid claims: token is not valid yet"
        }
        ("auth.token_invalid" | "auth.key_invalid", _) => "token is unverifiable",
        _ => return error,
    };
    Error::forbidden(
        "bad_jwt",
        format!("invalid JWT: unable to parse or verify signature, {cause}"),
    )
    .hint(error.hint.unwrap_or_default())
}

fn in_postgrests_words(error: Error) -> Error {
    let (hint, details) = (
        error.hint.clone().unwrap_or_default(),
        error.details.clone().unwrap_or_default(),
    );
    let worded = match error.code.as_ref() {
        "auth.token_expired" => Error::unauthenticated("PGRST303", "JWT expired"),
        "auth.token_invalid" => {
            Error::unauthenticated("PGRST301", "JWT cannot be read or verified").details(details)
        }
        _ => return error,
    };
    worded.hint(hint)
}

pub(super) fn no_authorization() -> Error {
    Error::unauthenticated("no_authorization", "This endpoint requires a valid Bearer token")
        .hint("Sign in and send the access token as Authorization: Bearer <token>.")
}

/// Why a password was refused, for clients that tell people each reason in words of their own.
fn weak_for(error: &Error) -> Option<Vec<&str>> {
    let reasons = error
        .details
        .as_deref()
        .filter(|_| error.code == "weak_password")?;
    Some(reasons.split(',').collect())
}

pub(super) fn invalid_credentials() -> Error {
    Error::invalid("invalid_credentials", "Invalid login credentials")
}

pub(super) fn user_banned() -> Error {
    Error::forbidden("user_banned", "User is banned").hint("Ask whoever runs this installation.")
}

pub(super) fn session_expired() -> Error {
    Error::invalid("session_expired", "Invalid Refresh Token: Session Expired").hint("Sign in again.")
}

pub(super) fn user_not_found() -> Error {
    Error::not_found("user_not_found", "User not found")
}

pub(super) fn phone_not_confirmed() -> Error {
    Error::invalid("phone_not_confirmed", "Phone not confirmed").hint("Ask for a code and enter it first.")
}

pub(super) fn phone_exists() -> Error {
    Error::unprocessable(
        "phone_exists",
        "A user with this phone number has already been registered",
    )
    .hint("Use another number.")
}

pub(super) fn signup_disabled() -> Error {
    Error::unprocessable("signup_disabled", "Signups not allowed for this instance")
        .hint("Ask for an invitation.")
}

pub(super) fn session_not_found() -> Error {
    Error::forbidden("session_not_found", "This session has ended.").hint("Sign in again.")
}

pub(super) fn user_already_exists() -> Error {
    Error::unprocessable("user_already_exists", "User already registered")
        .hint("Sign in, or use another address.")
}

pub(super) fn email_not_confirmed() -> Error {
    Error::invalid("email_not_confirmed", "Email not confirmed")
        .hint("Follow the link in the mail; /auth/v1/resend sends another.")
}

pub(super) fn otp_disabled() -> Error {
    Error::unprocessable("otp_disabled", "Signups not allowed for otp").hint("Sign up first.")
}

pub(super) fn otp_expired() -> Error {
    Error::forbidden("otp_expired", "Token has expired or is invalid").hint("Ask for another mail.")
}

pub(super) fn same_password() -> Error {
    Error::unprocessable(
        "same_password",
        "New password should be different from the old password.",
    )
}

pub(super) fn email_exists() -> Error {
    Error::unprocessable(
        "email_exists",
        "A user with this email address has already been registered",
    )
    .hint("Sign in with that address, or use another.")
}

pub(super) fn bad_json(error: &impl std::fmt::Display) -> Error {
    Error::invalid("bad_json", format!("The request cannot be read: {error}"))
}

pub(super) fn too_many(seconds: u64) -> Error {
    Error::new(
        Kind::RateLimited,
        "over_request_rate_limit",
        "Too many attempts for this address.",
    )
    .hint(format!("Try again in {seconds} seconds."))
    .retry_after(seconds)
}

pub(super) fn insufficient_aal() -> Error {
    Error::forbidden("insufficient_aal", "AAL2 session is required for this")
        .hint("Show a second factor in this session first.")
}
