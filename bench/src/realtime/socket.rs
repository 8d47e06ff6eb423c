//! A connection that has joined a channel.

use std::net;

use anyhow::{Result, bail, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

use super::frames::{self, CLOSE, TEXT};
use crate::api::PUBLISHABLE_KEY;

/// Connections made at the same time.
const TOGETHER: usize = 16;

/// What somebody wants.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The topic, with `realtime:`.
    pub topic: String,
    /// The organisation, named as an app names it.
    pub org: Option<Uuid>,
    /// Who it is.
    pub token: Option<String>,
    /// Changes of orders are wanted.
    pub changes: bool,
}

/// A connection. Everything that came so far has been read.
#[derive(Debug)]
pub struct Socket {
    /// Does not block.
    pub stream: net::TcpStream,
    /// The beginning of a frame that has not come whole.
    pub pending: Vec<u8>,
}

/// Connects as many, some at a time.
pub async fn open_all(address: &str, wishes: Vec<Wish>) -> Result<Vec<Socket>> {
    stream::iter(wishes)
        .map(|wish| async move { open(address, &wish).await })
        .buffered(TOGETHER)
        .try_collect()
        .await
}

/// Connects, joins and, if changes are wanted, waits until they are streamed. Then a heartbeat, so that what joining sends has come.
pub async fn open(address: &str, wish: &Wish) -> Result<Socket> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let org = wish.org.map_or_else(String::new, |org| format!("&org={org}"));
    let hello = format!(
        "GET /realtime/v1/websocket?apikey={PUBLISHABLE_KEY}&vsn=2.0.0{org} HTTP/1.1\r\nHost: {address}\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(hello.as_bytes()).await?;
    let mut pending = Vec::new();
    let head = loop {
        ensure!(
            stream.read_buf(&mut pending).await? > 0,
            "the connection was refused"
        );
        if let Some(end) = pending.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    ensure!(
        pending.starts_with(b"HTTP/1.1 101"),
        "no WebSocket: {}",
        String::from_utf8_lossy(&pending)
    );
    pending.drain(..head);
    let wanted = json!([{ "event": "*", "schema": "purchasing", "table": "orders" }]);
    let config = json!({
        "broadcast": { "self": false, "ack": false },
        "postgres_changes": if wish.changes { wanted } else { json!([]) },
    });
    let join = json!({ "config": config, "access_token": wish.token });
    stream
        .write_all(&frames::message("1", &wish.topic, "phx_join", &join))
        .await?;
    until(&mut stream, &mut pending, "phx_reply").await?;
    if wish.changes {
        until(&mut stream, &mut pending, "system").await?;
    }
    let heartbeat = frames::message("2", "phoenix", "heartbeat", &json!({}));
    stream.write_all(&heartbeat).await?;
    until(&mut stream, &mut pending, "phx_reply").await?;
    Ok(Socket {
        stream: stream.into_std()?,
        pending,
    })
}

/// Reads until an event comes, which has to say that all is well.
async fn until(stream: &mut TcpStream, pending: &mut Vec<u8>, event: &str) -> Result<()> {
    loop {
        let Some(frame) = frames::read(pending) else {
            ensure!(
                stream.read_buf(pending).await? > 0,
                "the server closed the connection"
            );
            continue;
        };
        if frame.kind == CLOSE {
            bail!(
                "the server closed the connection: {}",
                String::from_utf8_lossy(frame.payload)
            );
        }
        if frame.kind == TEXT {
            let message: Value = serde_json::from_slice(frame.payload)?;
            if message[3] == event {
                ensure!(message[4]["status"] == "ok", "the server answered: {message}");
                pending.drain(..frame.length);
                return Ok(());
            }
        }
        let length = frame.length;
        pending.drain(..length);
    }
}
