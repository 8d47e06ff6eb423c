//! Frames of the WebSocket, as Phoenix channels and Supabase Realtime write them: version 1.0.0 is JSON objects, version 2.0.0
//! JSON arrays, with broadcasts in binary frames.

mod binary;
#[cfg(test)]
mod tests;

pub use binary::{MAX_PART, read as read_binary, user_broadcast};

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

/// How frames are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// Objects.
    #[default]
    One,
    /// Arrays, and binary frames for broadcasts.
    Two,
}

impl Version {
    /// From the parameter `vsn`; what is not known is spoken to as version 1.0.0, like upstream does.
    pub fn parse(text: &str) -> Self {
        if text.starts_with("2.") {
            Self::Two
        } else {
            Self::One
        }
    }
}

/// What a client sent.
#[derive(Debug)]
pub struct Incoming {
    /// The `ref` of the join that the channel lives by, as it came.
    pub join_ref: Value,
    /// Echoed in the answer.
    pub reference: Value,
    /// `realtime:<name>`, or `phoenix`.
    pub topic: String,
    /// `phx_join`, `broadcast` …
    pub event: String,
    /// What it is about.
    pub payload: Payload,
}

/// The payload of an incoming frame.
#[derive(Debug)]
pub enum Payload {
    /// Of a text frame.
    Json(Value),
    /// Of a binary frame: a broadcast of somebody.
    Broadcast(UserBroadcast),
}

/// A broadcast as its sender wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserBroadcast {
    /// The sender's name for it.
    pub event: String,
    /// JSON text, or any bytes.
    pub body: Body,
}

/// The content of a broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A JSON value as text.
    Json(Bytes),
    /// Any bytes.
    Binary(Bytes),
}

impl Body {
    /// Its size in bytes.
    pub fn size(&self) -> usize {
        match self {
            Self::Json(bytes) | Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// Why a frame cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[derive(Deserialize)]
struct Object {
    topic: String,
    event: String,
    #[serde(default)]
    payload: Value,
    #[serde(default, rename = "ref")]
    reference: Value,
    #[serde(default)]
    join_ref: Value,
}

#[derive(Deserialize)]
struct Array(Value, Value, String, String, Value);

/// Reads a text frame.
pub fn read_text(version: Version, text: &str) -> Result<Incoming, Malformed> {
    let incoming = match version {
        // An array would do for the fields of an object.
        Version::One if !text.trim_start().starts_with('{') => {
            return Err(Malformed("not a message of version 1.0.0"));
        }
        Version::One => {
            let Object {
                topic,
                event,
                payload,
                reference,
                join_ref,
            } = serde_json::from_str(text).map_err(|_| Malformed("not a message of version 1.0.0"))?;
            Incoming {
                join_ref,
                reference,
                topic,
                event,
                payload: Payload::Json(payload),
            }
        }
        Version::Two => {
            let Array(join_ref, reference, topic, event, payload) =
                serde_json::from_str(text).map_err(|_| Malformed("not a message of version 2.0.0"))?;
            Incoming {
                join_ref,
                reference,
                topic,
                event,
                payload: Payload::Json(payload),
            }
        }
    };
    let scalar = |value: &Value| !value.is_object() && !value.is_array();
    if scalar(&incoming.join_ref) && scalar(&incoming.reference) {
        Ok(incoming)
    } else {
        Err(Malformed("a reference is a text or a number"))
    }
}

#[derive(Serialize)]
struct OutObject<'a, P: Serialize + ?Sized> {
    topic: &'a str,
    event: &'a str,
    payload: &'a P,
    #[serde(rename = "ref")]
    reference: &'a Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    join_ref: &'a Value,
}

/// Writes a text frame.
pub fn write<P: Serialize + ?Sized>(
    version: Version,
    join_ref: &Value,
    reference: &Value,
    topic: &str,
    event: &str,
    payload: &P,
) -> String {
    let written = match version {
        Version::One => serde_json::to_string(&OutObject {
            topic,
            event,
            payload,
            reference,
            join_ref,
        }),
        Version::Two => serde_json::to_string(&(join_ref, reference, topic, event, payload)),
    };
    // Keys are texts and no writer fails, so that there is nothing to go wrong.
    written.unwrap_or_default()
}

/// The payload of a broadcast for clients that read text.
#[derive(Serialize)]
pub struct TextBroadcast<'a> {
    /// Always `broadcast`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The sender's name for it.
    pub event: &'a str,
    /// What was sent.
    pub payload: &'a RawValue,
    /// What the server says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<&'a RawValue>,
}
