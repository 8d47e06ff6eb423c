//! What hyper refuses without a request to speak of, with the body that other refusals have.

use std::fmt::Write;

use super::super::error::ErrorBody;
use crate::error::Error;

/// No refusal of hyper's own is longer.
const LONGEST: usize = 256;

/// The refusal with a body, if this is one without; the client reads none after HEAD.
pub(super) fn with_body(written: &[u8], head: bool) -> Option<Vec<u8>> {
    if head || written.len() > LONGEST || !written.starts_with(b"HTTP/1.") {
        return None;
    }
    let text = std::str::from_utf8(written).ok()?.strip_suffix("\r\n\r\n")?;
    let mut lines = text.split("\r\n");
    let status = lines.next()?;
    let error = match status.split(' ').nth(1)? {
        "400" => Error::invalid("request.malformed", "The request is not well-formed HTTP."),
        "414" => Error::too_large(
            "request.target_too_long",
            "The address of the request is too long.",
        )
        .hint("Address and query have room for 65,534 bytes."),
        "431" => Error::too_large("request.head_too_large", "The head of the request is too large.")
            .hint("At most 100 headers, all together of about 400 kB."),
        _ => return None,
    };
    let mut answer = format!("{status}\r\n");
    let (mut empty, mut last) = (false, false);
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "content-length" if value == "0" => empty = true,
            "connection" if value == "close" => {
                last = true;
                let _ = write!(answer, "{line}\r\n");
            }
            "date" => {
                let _ = write!(answer, "{line}\r\n");
            }
            // Somebody with more to say has said it.
            _ => return None,
        }
    }
    if !(empty && last) {
        return None;
    }
    let body = serde_json::to_vec(&ErrorBody::from(error)).ok()?;
    let _ = write!(
        answer,
        "content-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Some([answer.as_bytes(), &body].concat())
}
