//! An answer as HTTP, the same for both servers.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::IntoResponse;
use futures_util::stream;
use hyper::ext::ReasonPhrase;
use serde::Serializer;
use tenon_sdk::http::KEY_PREFIX;

use crate::error::REASON;
use crate::stream::{Answer, Tail};

/// Writes an answer to a request with this method.
pub(crate) fn to_http(answer: Answer, method: &Method) -> axum::response::Response {
    let Answer { response, tail } = answer;
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let length = tail.as_ref().and_then(Tail::length);
    let body = match tail {
        // How long the body would be is not known to HEAD, for it is not made.
        _ if method == Method::HEAD => Body::from_stream(stream::empty::<Result<Bytes, Infallible>>()),
        Some(tail) => tail.after(response.body),
        None => Body::from(response.body),
    };
    let mut http = (status, body).into_response();
    if let Some(length) = length {
        http.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
    http.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in response.headers {
        if name == REASON {
            if let Ok(reason) = ReasonPhrase::try_from(value) {
                http.extensions_mut().insert(reason);
            }
            continue;
        }
        // What cannot stand in a header is left out rather than failing the answer.
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            http.headers_mut().append(name, value);
        }
    }
    http
}

/// The headers of a request as one JSON object with names in lower case, for `request.headers`; those named are left out.
pub(crate) fn headers_json(headers: &HeaderMap, without: &[HeaderName]) -> String {
    let told = headers.keys().filter(|name| !without.contains(name)).map(|name| {
        // Of several the last one.
        let value = headers.get_all(name).iter().next_back();
        let value = String::from_utf8_lossy(value.map(HeaderValue::as_bytes).unwrap_or_default());
        let clean = if value.contains('\0') {
            value.replace('\0', "").into()
        } else {
            value
        };
        (name.as_str(), clean)
    });
    let mut text = Vec::with_capacity(512);
    // Writing names and texts into memory cannot fail.
    let _ = serde_json::Serializer::new(&mut text).collect_map(told);
    String::from_utf8(text).unwrap_or_default()
}

/// The same without what somebody could sign in with.
pub(crate) fn headers_without_credentials(headers: &HeaderMap) -> String {
    let key = HeaderName::from_static("apikey");
    let signs_in = |value: &HeaderValue| value.as_bytes().starts_with(KEY_PREFIX.as_bytes());
    let mut without = vec![header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE];
    if headers.get_all(&key).iter().any(signs_in) {
        without.push(key);
    }
    headers_json(headers, &without)
}
