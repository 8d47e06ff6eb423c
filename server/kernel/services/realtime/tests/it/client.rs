//! A client of the WebSocket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tenon_testkit::TestServer;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// Longer than anything takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection.
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u64,
}

/// What came.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub topic: String,
    pub event: String,
    pub payload: Value,
    pub reference: Value,
}

impl Client {
    /// Connects with version 2.0.0; `query` is what stands after `vsn`.
    pub async fn connect(server: &TestServer, query: &str) -> Self {
        Self::try_connect(server, query).await.expect("a connection")
    }

    /// Connects, or says with which status it was refused.
    pub async fn try_connect(server: &TestServer, query: &str) -> Result<Self, u16> {
        let url = server
            .url(&format!("/realtime/v1/websocket?vsn=2.0.0{query}"))
            .replacen("http", "ws", 1);
        match connect_async(url).await {
            Ok((socket, _)) => Ok(Self { socket, next: 0 }),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// Sends a text frame as it is.
    pub async fn raw(&mut self, text: impl Into<String>) {
        self.socket
            .send(Message::Text(text.into().into()))
            .await
            .expect("sent");
    }

    /// Sends a binary frame as it is.
    pub async fn raw_bytes(&mut self, bytes: Vec<u8>) {
        self.socket
            .send(Message::Binary(bytes.into()))
            .await
            .expect("sent");
    }

    /// Sends a message, gives its reference.
    pub async fn send(&mut self, topic: &str, event: &str, payload: Value) -> Value {
        self.next += 1;
        let reference = json!(self.next.to_string());
        self.raw(json!(["1", reference, format!("realtime:{topic}"), event, payload]).to_string())
            .await;
        reference
    }

    /// Joins, gives the payload of the answer.
    pub async fn join(&mut self, topic: &str, config: Value, token: Option<&str>) -> Value {
        self.next += 1;
        let reference = json!(self.next.to_string());
        let payload = json!({ "config": config, "access_token": token });
        self.raw(
            json!([
                reference,
                reference,
                format!("realtime:{topic}"),
                "phx_join",
                payload
            ])
            .to_string(),
        )
        .await;
        self.until(|frame| frame.event == "phx_reply" && frame.reference == reference)
            .await
            .payload
    }

    /// Joins a channel and waits until it is subscribed to changes.
    pub async fn subscribe(&mut self, topic: &str, changes: Value, token: Option<&str>) {
        let answer = self
            .join(topic, json!({ "postgres_changes": changes }), token)
            .await;
        assert_eq!(answer["status"], "ok", "{answer}");
        let system = self.event("system").await;
        assert_eq!(system["status"], "ok", "{system}");
    }

    /// The next frame; `None` when the connection is closed.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.socket.next())
                .await
                .expect("something comes")?;
            match frame.ok()? {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    return Some(Frame {
                        topic: frame[2].as_str().expect("a topic").to_owned(),
                        event: frame[3].as_str().expect("an event").to_owned(),
                        payload: frame[4].clone(),
                        reference: frame[1].clone(),
                    });
                }
                Message::Binary(bytes) => return Some(binary(&bytes)),
                Message::Close(close) => {
                    let code = close.as_ref().map(|close| u16::from(close.code));
                    let reason = close.map(|close| close.reason.to_string()).unwrap_or_default();
                    return Some(Frame {
                        topic: String::new(),
                        event: "close".to_owned(),
                        payload: json!(reason),
                        reference: json!(code),
                    });
                }
                _ => {}
            }
        }
    }

    /// The first frame for which something holds.
    pub async fn until(&mut self, mut wanted: impl FnMut(&Frame) -> bool) -> Frame {
        loop {
            let frame = self.next().await.expect("the connection stays");
            if wanted(&frame) {
                return frame;
            }
        }
    }

    /// The payload of the next frame of an event.
    pub async fn event(&mut self, event: &str) -> Value {
        self.until(|frame| frame.event == event).await.payload
    }

    /// The next changes, as type and body.
    pub async fn changes(&mut self, count: usize) -> Vec<(String, Value)> {
        let mut changes = Vec::new();
        while changes.len() < count {
            let data = self.event("postgres_changes").await["data"].take();
            let row = if data["record"].is_null() {
                &data["old_record"]
            } else {
                &data["record"]
            };
            changes.push((
                data["type"].as_str().expect("a type").to_owned(),
                row["body"].clone(),
            ));
        }
        changes
    }

    /// Everything that came before the answer to a heartbeat, by topic and event.
    pub async fn so_far(&mut self) -> Vec<(String, String)> {
        self.raw(r#"[null,"beat","phoenix","heartbeat",{}]"#).await;
        let mut came = Vec::new();
        loop {
            let frame = self.next().await.expect("the connection stays");
            if frame.reference == "beat" {
                return came;
            }
            came.push((frame.topic, frame.event));
        }
    }
}

fn binary(bytes: &[u8]) -> Frame {
    let [4, topic, event, meta, encoding, rest @ ..] = bytes else {
        panic!("not a broadcast: {bytes:?}")
    };
    let (topic, rest) = rest.split_at(usize::from(*topic));
    let (event, rest) = rest.split_at(usize::from(*event));
    let (meta, payload) = rest.split_at(usize::from(*meta));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let payload = if *encoding == 1 {
        serde_json::from_slice(payload).expect("JSON")
    } else {
        json!(payload)
    };
    Frame {
        topic: text(topic),
        event: "broadcast".to_owned(),
        payload: json!({
            "event": text(event), "payload": payload,
            "meta": serde_json::from_slice::<Value>(meta).unwrap_or_default(),
        }),
        reference: Value::Null,
    }
}
