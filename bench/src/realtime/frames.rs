//! As much of WebSocket frames as the load generator needs.

use serde_json::Value;

/// A frame of text.
pub const TEXT: u8 = 1;
/// A frame of bytes.
pub const BINARY: u8 = 2;
/// The end of a connection.
pub const CLOSE: u8 = 8;

/// A whole frame at the beginning of what came.
#[derive(Debug)]
pub struct Frame<'a> {
    /// Its kind.
    pub kind: u8,
    /// What it says.
    pub payload: &'a [u8],
    /// Bytes of all of it.
    pub length: usize,
}

/// Reads a frame of a server; `None` if it has not come whole.
pub fn read(bytes: &[u8]) -> Option<Frame<'_>> {
    let [first, second, ..] = *bytes else { return None };
    let (start, size) = match second & 0x7f {
        126 => (
            4,
            u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
        ),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        size => (2, u64::from(size)),
    };
    let length = start + usize::try_from(size).ok()?;
    Some(Frame {
        kind: first & 0x0f,
        payload: bytes.get(start..length)?,
        length,
    })
}

fn head(kind: u8, length: usize, mask: u8) -> Vec<u8> {
    let mut head = vec![0x80 | kind];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..126), _) => head.push(mask | length),
        (_, Ok(length)) => {
            head.push(mask | 0x7e);
            head.extend(length.to_be_bytes());
        }
        _ => {
            head.push(mask | 0x7f);
            head.extend((length as u64).to_be_bytes());
        }
    }
    head
}

/// A frame of a client. Its mask is nothing but zeros, which leaves the payload as it is.
pub fn of_client(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = head(kind, payload.len(), 0x80);
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// A frame of a server.
pub fn of_server(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = head(kind, payload.len(), 0);
    frame.extend(payload);
    frame
}

/// A message of a client as text.
pub fn message(reference: &str, topic: &str, event: &str, payload: &Value) -> Vec<u8> {
    let text = serde_json::json!([reference, reference, topic, event, payload]).to_string();
    of_client(TEXT, text.as_bytes())
}

/// The topic that broadcasts are sent in.
pub const TOPIC: &str = "realtime:bench";
const EVENT: &str = "moved";
const BEFORE_NUMBER: &str = r#"{"number":""#;
const DIGITS: usize = 8;

/// A JSON body of so many bytes that says its number.
fn body(number: u32, size: usize) -> Vec<u8> {
    let start = format!(r#"{BEFORE_NUMBER}{number:0DIGITS$}","text":""#);
    let filling = "x".repeat(size.saturating_sub(start.len() + 2));
    format!(r#"{start}{filling}"}}"#).into_bytes()
}

/// A broadcast as a client sends it: kind 3, lengths of join reference, reference, topic, event and metadata, the encoding.
pub fn broadcast(number: u32, size: usize) -> Vec<u8> {
    let reference = number.to_string();
    let length = |text: &str| u8::try_from(text.len()).unwrap_or_default();
    let mut payload = vec![3, 1, length(&reference), length(TOPIC), length(EVENT), 0, 1];
    for part in ["1", &reference, TOPIC, EVENT] {
        payload.extend(part.as_bytes());
    }
    payload.extend(body(number, size));
    of_client(BINARY, &payload)
}

/// The same as the server sends it: kind 4, lengths of topic, event and metadata, the encoding.
pub fn broadcast_of_server(number: u32, size: usize) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap_or_default();
    let mut payload = vec![4, length(TOPIC), length(EVENT), 0, 1];
    payload.extend(TOPIC.as_bytes());
    payload.extend(EVENT.as_bytes());
    payload.extend(body(number, size));
    of_server(BINARY, &payload)
}

/// The number of a broadcast.
pub fn broadcast_number(frame: &Frame<'_>) -> Option<u32> {
    if frame.kind != BINARY {
        return None;
    }
    let [4, topic, event, meta, 1, rest @ ..] = frame.payload else {
        return None;
    };
    let before = usize::from(*topic) + usize::from(*event) + usize::from(*meta) + BEFORE_NUMBER.len();
    digits(rest.get(before..before + DIGITS)?)
}

/// What a row's text says that is changed.
pub fn mark(number: u32) -> String {
    format!("{MARK}{number:0DIGITS$}")
}

const MARK: &str = "bench change ";

/// The number of a change, from the row as it is now: the row before comes behind it.
pub fn change_number(frame: &Frame<'_>) -> Option<u32> {
    let text = std::str::from_utf8(frame.payload)
        .ok()
        .filter(|_| frame.kind == TEXT)?;
    let record = text.find(r#""record":"#)?;
    let at = record + text[record..].find(MARK)? + MARK.len();
    digits(frame.payload.get(at..at + DIGITS)?)
}

fn digits(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_when_it_is_whole() {
        for size in [0, 125, 126, 65_535, 65_536] {
            let frame = of_server(TEXT, &vec![7; size]);
            assert!(read(&frame[..frame.len() - 1]).is_none());
            let read = read(&frame).expect("whole");
            assert_eq!(
                (read.kind, read.payload.len(), read.length),
                (TEXT, size, frame.len())
            );
        }
    }

    #[test]
    fn messages_say_their_number() {
        let frame = broadcast_of_server(42, 200);
        assert_eq!(broadcast_number(&read(&frame).expect("whole")), Some(42));
        let text = format!(r#"[null,null,"t","e",{{"record":{{"x":"{}"}}}}]"#, mark(7));
        let frame = of_server(TEXT, text.as_bytes());
        assert_eq!(change_number(&read(&frame).expect("whole")), Some(7));
    }
}
