use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn push(parts: [&[u8]; 5], encoding: u8, payload: &[u8]) -> Bytes {
    let mut frame = vec![3];
    frame.extend(parts.iter().map(|part| u8::try_from(part.len()).expect("short")));
    frame.push(encoding);
    for part in parts {
        frame.extend_from_slice(part);
    }
    frame.extend_from_slice(payload);
    frame.into()
}

#[test]
fn a_message_of_version_1_is_an_object() {
    let read = read_text(
        Version::One,
        r#"{"topic":"realtime:a","event":"phx_join","payload":{"x":1},"ref":"3","join_ref":"3"}"#,
    )
    .expect("readable");
    assert_eq!(
        (read.topic.as_str(), read.event.as_str()),
        ("realtime:a", "phx_join")
    );
    assert_eq!((read.reference, read.join_ref), (json!("3"), json!("3")));
    assert_eq!(
        write(
            Version::One,
            &Value::Null,
            &json!("3"),
            "realtime:a",
            "phx_reply",
            &json!({"status": "ok"})
        ),
        r#"{"topic":"realtime:a","event":"phx_reply","payload":{"status":"ok"},"ref":"3"}"#
    );
}

#[test]
fn a_message_of_version_2_is_an_array() {
    let read = read_text(Version::Two, r#"["1","2","realtime:ä","broadcast",{}]"#).expect("readable");
    assert_eq!((read.topic.as_str(), read.reference), ("realtime:ä", json!("2")));
    assert_eq!(
        write(
            Version::Two,
            &json!("1"),
            &Value::Null,
            "realtime:ä",
            "system",
            &json!({})
        ),
        r#"["1",null,"realtime:ä","system",{}]"#
    );
}

#[test]
fn what_is_no_message_is_refused() {
    for text in [
        "",
        "null",
        "[]",
        "{}",
        r#"["1","2","t","e"]"#,
        r#"[{},"2","t","e",{}]"#,
        "\u{0}",
        "[[[[[[[[",
    ] {
        assert!(read_text(Version::Two, text).is_err(), "{text}");
        assert!(read_text(Version::One, text).is_err(), "{text}");
    }
}

#[test]
fn a_broadcast_of_a_client_is_read_from_a_binary_frame() {
    let read = read_binary(&push(
        [b"1", b"2", b"realtime:a", b"moved", b"{}"],
        1,
        br#"{"x":1}"#,
    ))
    .expect("readable");
    let Payload::Broadcast(broadcast) = read.payload else {
        panic!("a broadcast")
    };
    assert_eq!(broadcast.event, "moved");
    assert_eq!(broadcast.body, Body::Json(Bytes::from_static(br#"{"x":1}"#)));
    assert_eq!((read.topic.as_str(), read.join_ref), ("realtime:a", json!("1")));
}

#[test]
fn a_broadcast_to_clients_says_its_lengths() {
    let frame = user_broadcast(
        "realtime:a",
        "e",
        "",
        &Body::Binary(Bytes::from_static(&[0xde, 0])),
    )
    .expect("short");
    assert_eq!(&frame[..], b"\x04\x0a\x01\x00\x00realtime:ae\xde\x00");
    assert!(user_broadcast(&"t".repeat(256), "e", "", &Body::Binary(Bytes::new())).is_none());
}

#[test]
fn frames_that_lie_about_themselves_are_refused() {
    assert!(read_binary(&Bytes::from_static(b"")).is_err());
    assert!(read_binary(&Bytes::from_static(b"\x03\xff\xff\xff\xff\xff\x01")).is_err());
    assert!(
        read_binary(&push([b"", b"", b"t", b"e", b""], 1, b"{")).is_err(),
        "no JSON"
    );
    assert!(
        read_binary(&push([b"", b"", b"t", b"e", b""], 9, b"")).is_err(),
        "no such encoding"
    );
    let mut other = push([b"", b"", b"t", b"e", b""], 0, b"").to_vec();
    other[0] = 2;
    assert!(read_binary(&other.into()).is_err(), "no such kind");
}

proptest! {
    #[test]
    fn no_frame_brings_the_reader_down(bytes in proptest::collection::vec(any::<u8>(), 0..64), text in ".{0,80}") {
        let _ = read_binary(&bytes.into());
        let _ = read_text(Version::One, &text);
        let _ = read_text(Version::Two, &text);
    }
}
