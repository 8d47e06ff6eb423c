//! Binary frames of version 2.0.0.
//!
//! From the client: kind 3, then the lengths of join reference, reference, topic, event and metadata, the encoding, these five
//! texts and the payload. To the client: kind 4, the lengths of topic, event and metadata, the encoding, these three and the
//! payload. Each length is one byte.

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, value::RawValue};

use super::{Body, Incoming, Malformed, Payload, UserBroadcast};

const PUSH: u8 = 3;
const BROADCAST: u8 = 4;
const BINARY: u8 = 0;
const JSON: u8 = 1;

/// Most bytes of a text in a header.
pub const MAX_PART: usize = 255;

/// Reads a binary frame.
pub fn read(frame: &Bytes) -> Result<Incoming, Malformed> {
    let [kind, join_ref, reference, topic, event, meta, encoding, ..] = frame[..] else {
        return Err(Malformed("shorter than a header"));
    };
    if kind != PUSH {
        return Err(Malformed("not a kind of message that clients send"));
    }
    let mut rest = frame.slice(7..);
    let mut part = |length: u8| {
        let length = usize::from(length);
        (rest.len() >= length)
            .then(|| rest.split_to(length))
            .ok_or(Malformed("shorter than its header says"))
    };
    let join_ref = text(&part(join_ref)?);
    let reference = text(&part(reference)?);
    let topic = text(&part(topic)?);
    let event = text(&part(event)?);
    part(meta)?;
    let body = match encoding {
        BINARY => Body::Binary(rest),
        JSON => {
            serde_json::from_slice::<&RawValue>(&rest).map_err(|_| Malformed("its payload is not JSON"))?;
            Body::Json(rest)
        }
        _ => return Err(Malformed("an unknown encoding")),
    };
    let value = |text: String| {
        if text.is_empty() {
            Value::Null
        } else {
            Value::String(text)
        }
    };
    Ok(Incoming {
        join_ref: value(join_ref),
        reference: value(reference),
        topic,
        event: "broadcast".to_owned(),
        payload: Payload::Broadcast(UserBroadcast { event, body }),
    })
}

/// Writes a broadcast, unless one of the texts is too long for a header.
pub fn user_broadcast(topic: &str, event: &str, meta: &str, body: &Body) -> Option<Bytes> {
    let length = |text: &str| u8::try_from(text.len()).ok();
    let (encoding, payload) = match body {
        Body::Json(bytes) => (JSON, bytes),
        Body::Binary(bytes) => (BINARY, bytes),
    };
    let mut frame = BytesMut::with_capacity(5 + topic.len() + event.len() + meta.len() + payload.len());
    frame.put_slice(&[BROADCAST, length(topic)?, length(event)?, length(meta)?, encoding]);
    for part in [topic.as_bytes(), event.as_bytes(), meta.as_bytes(), payload] {
        frame.put_slice(part);
    }
    Some(frame.freeze())
}

/// Clients write each UTF-16 unit as its low byte; what is no UTF-8 is read so.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}
