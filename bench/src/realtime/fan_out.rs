//! The least that could bring the same bytes to as many connections: one task that writes what it reads to each in turn, and if
//! it is late several messages at once. No frame is read, nobody is asked who they are, nothing waits for the slow.

use std::io::Write as _;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What the sender says first; everybody else listens.
pub const SENDER: u8 = b's';
/// What listeners say first.
pub const LISTENER: u8 = b'l';

/// Serves until the sender goes.
pub async fn run() -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let mut listeners = Vec::new();
    let mut sender = loop {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        if stream.read_u8().await? == SENDER {
            break stream;
        }
        // So that whoever connects knows that it is heard.
        stream.write_u8(LISTENER).await?;
        listeners.push(stream);
    };
    let mut bytes = vec![0; 64 << 10];
    loop {
        let count = sender.read(&mut bytes).await?;
        if count == 0 {
            return Ok(());
        }
        for stream in &mut listeners {
            stream.write_all(&bytes[..count]).await?;
        }
    }
}
