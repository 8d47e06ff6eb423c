//! An object's content as an answer: whole, in part, or not at all because the client has it.

use std::ops::Range;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tenon_sdk::{Result, error::Kind, http::AsItIs};

use super::kinds;
use crate::{errors, model::Object, service::Storage};

/// What a request says about the answer it wants.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    /// Saved rather than shown, under this name if there is one.
    pub(crate) download: Option<String>,
    /// Until when the address is good, in place of the object's own word about caches.
    pub(crate) expires: Option<Timestamp>,
}

/// Cut off from the site: no script, no form, no request of its own.
pub(crate) const BOX: &str =
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; media-src data:";

/// Answers with an object that the caller may read.
pub(crate) async fn respond(storage: &Storage, asked: &Asked, object: &Object) -> Result<Response> {
    let key = object.content()?;
    let size = object.size();
    let mut headers = about(object, asked);
    match condition(asked, object) {
        Condition::NotModified => return Ok((StatusCode::NOT_MODIFIED, headers).into_response()),
        Condition::Failed => return Ok((StatusCode::PRECONDITION_FAILED, headers).into_response()),
        Condition::Go => {}
    }
    let kind = kinds::shown(object.kind());
    put(&mut headers, header::CONTENT_TYPE, kind);
    if !kinds::is_passive(kind) {
        put(&mut headers, header::CONTENT_SECURITY_POLICY, BOX);
    }
    let range = match wanted_range(&asked.headers, object, size) {
        Wanted::Whole => None,
        Wanted::Part(range) => Some(range),
        Wanted::Nothing => {
            let mut refused = errors::form(&errors::invalid_range(), &asked.headers);
            put(
                refused.headers_mut(),
                header::CONTENT_RANGE,
                &format!("bytes */{size}"),
            );
            return Ok(refused);
        }
    };
    let (status, length) = match &range {
        Some(part) => {
            let text = format!("bytes {}-{}/{size}", part.start, part.end - 1);
            put(&mut headers, header::CONTENT_RANGE, &text);
            (StatusCode::PARTIAL_CONTENT, part.end - part.start)
        }
        None => (StatusCode::OK, size),
    };
    headers.insert(header::CONTENT_LENGTH, length.into());
    let body = if asked.method == Method::HEAD {
        Body::empty()
    } else {
        let content = storage.store.get(key, range).await.map_err(|error| {
            if error.kind == Kind::NotFound {
                errors::no_content()
            } else {
                error
            }
        })?;
        Body::from_stream(content)
    };
    let mut response = (status, headers, body).into_response();
    response.extensions_mut().insert(AsItIs);
    Ok(response)
}

/// Answers with what is made of an object, such as a smaller picture, if the client does not have it.
pub(crate) async fn respond_made(
    asked: &Asked,
    object: &Object,
    make: impl AsyncFnOnce() -> Result<(Bytes, &'static str)>,
) -> Result<Response> {
    let mut headers = about(object, asked);
    headers.remove(header::ACCEPT_RANGES);
    // Some browsers get another kind of file at the same address.
    put(&mut headers, header::VARY, "accept");
    match condition(asked, object) {
        Condition::NotModified => return Ok((StatusCode::NOT_MODIFIED, headers).into_response()),
        Condition::Failed => return Ok((StatusCode::PRECONDITION_FAILED, headers).into_response()),
        Condition::Go => {}
    }
    let (bytes, kind) = make().await?;
    put(&mut headers, header::CONTENT_TYPE, kind);
    if !kinds::is_passive(kind) {
        put(&mut headers, header::CONTENT_SECURITY_POLICY, BOX);
    }
    headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    let body = if asked.method == Method::HEAD {
        Body::empty()
    } else {
        Body::from(bytes)
    };
    let mut response = (headers, body).into_response();
    response.extensions_mut().insert(AsItIs);
    Ok(response)
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // What cannot stand in a header is left out rather than failing the answer.
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(name, value);
    }
}

/// Headers of every answer about an object.
fn about(object: &Object, asked: &Asked) -> HeaderMap {
    let mut headers = HeaderMap::new();
    put(&mut headers, header::ETAG, object.etag());
    put(&mut headers, header::LAST_MODIFIED, &http_date(object.modified()));
    put(&mut headers, header::ACCEPT_RANGES, "bytes");
    put(&mut headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    match asked.expires {
        Some(expires) => put(&mut headers, header::EXPIRES, &http_date(expires)),
        None => put(&mut headers, header::CACHE_CONTROL, object.cache_control()),
    }
    match asked.download.as_deref() {
        None => {}
        Some("") => put(&mut headers, header::CONTENT_DISPOSITION, "attachment;"),
        Some(name) => {
            let name = utf8_percent_encode(name, FILENAME);
            let text = format!("attachment; filename={name}; filename*=UTF-8''{name};");
            put(&mut headers, header::CONTENT_DISPOSITION, &text);
        }
    }
    headers
}

/// What `encodeURIComponent` leaves as it is.
const FILENAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// A time as HTTP has it, to the second.
pub(crate) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn read_date(value: Option<&HeaderValue>) -> Option<i64> {
    let at = httpdate::parse_http_date(value?.to_str().ok()?).ok()?;
    let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

#[derive(Debug, PartialEq, Eq)]
enum Condition {
    Go,
    NotModified,
    Failed,
}

/// What the conditions of a request come to (RFC 9110, 13.2.2).
fn condition(asked: &Asked, object: &Object) -> Condition {
    let headers = &asked.headers;
    let modified = object.modified().as_second();
    if headers.contains_key(header::IF_MATCH) {
        if !names_etag(headers, &header::IF_MATCH, object.etag(), false) {
            return Condition::Failed;
        }
    } else if read_date(headers.get(header::IF_UNMODIFIED_SINCE)).is_some_and(|since| modified > since) {
        return Condition::Failed;
    }
    if headers.contains_key(header::IF_NONE_MATCH) {
        if names_etag(headers, &header::IF_NONE_MATCH, object.etag(), true) {
            return Condition::NotModified;
        }
    } else if read_date(headers.get(header::IF_MODIFIED_SINCE)).is_some_and(|since| modified <= since) {
        return Condition::NotModified;
    }
    Condition::Go
}

fn names_etag(headers: &HeaderMap, name: &HeaderName, etag: &str, weakly: bool) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|tag| {
            let tag = if weakly {
                tag.strip_prefix("W/").unwrap_or(tag)
            } else {
                tag
            };
            tag == "*" || tag == etag
        })
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part(Range<u64>),
    /// A range beyond the end.
    Nothing,
}

fn wanted_range(headers: &HeaderMap, object: &Object, size: u64) -> Wanted {
    let Some(range) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else {
        return Wanted::Whole;
    };
    // A part of an older version is of no use to who has parts of another (RFC 9110, 13.1.5).
    if let Some(condition) = headers.get(header::IF_RANGE) {
        let same_etag = condition.as_bytes() == object.etag().as_bytes();
        let same_time = read_date(Some(condition)) == Some(object.modified().as_second());
        if !same_etag && !same_time {
            return Wanted::Whole;
        }
    }
    part(range, size)
}

/// One range of bytes; several, and what cannot be read, are answered with the whole.
fn part(range: &str, size: u64) -> Wanted {
    let Some((first, last)) = range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Wanted::Whole;
    };
    let number = |text: &str| -> Option<Option<u64>> {
        if text.is_empty() {
            Some(None)
        } else if text.bytes().all(|b| b.is_ascii_digit()) {
            Some(Some(text.parse().unwrap_or(u64::MAX)))
        } else {
            None
        }
    };
    match (number(first.trim()), number(last.trim())) {
        (Some(None), Some(Some(0))) => Wanted::Nothing,
        (Some(None), Some(Some(_))) if size == 0 => Wanted::Nothing,
        (Some(None), Some(Some(count))) => Wanted::Part(size.saturating_sub(count)..size),
        (Some(Some(first)), Some(_)) if first >= size => Wanted::Nothing,
        (Some(Some(first)), Some(None)) => Wanted::Part(first..size),
        (Some(Some(first)), Some(Some(last))) if last >= first => {
            Wanted::Part(first..last.saturating_add(1).min(size))
        }
        _ => Wanted::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_has_them() {
        for (range, size, wanted) in [
            ("bytes=0-9", 100, Wanted::Part(0..10)),
            ("bytes=0-0", 100, Wanted::Part(0..1)),
            ("bytes=90-200", 100, Wanted::Part(90..100)),
            ("bytes=90-", 100, Wanted::Part(90..100)),
            ("bytes=-5", 100, Wanted::Part(95..100)),
            ("bytes=-500", 100, Wanted::Part(0..100)),
            ("bytes=100-", 100, Wanted::Nothing),
            ("bytes=-0", 100, Wanted::Nothing),
            ("bytes=0-", 0, Wanted::Nothing),
            ("bytes=-5", 0, Wanted::Nothing),
            ("bytes=99999999999999999999999-", 100, Wanted::Nothing),
            ("bytes=0-99999999999999999999999", 100, Wanted::Part(0..100)),
            ("bytes=9-0", 100, Wanted::Whole),
            ("bytes=0-1,5-6", 100, Wanted::Whole),
            ("bytes=-", 100, Wanted::Whole),
            ("bytes=a-b", 100, Wanted::Whole),
            ("items=0-1", 100, Wanted::Whole),
            ("", 100, Wanted::Whole),
        ] {
            assert_eq!(part(range, size), wanted, "{range}");
        }
    }
}
