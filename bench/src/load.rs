//! A small load generator: as many connections as wanted, each asks again as soon as it was answered. It reads just
//! enough of HTTP/1.1 to know where an answer ends, since it shares the cores with what it measures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What a run gave.
#[derive(Debug)]
pub struct Load {
    /// Answers a second.
    pub rate: f64,
    /// Time to an answer in milliseconds, of half the requests.
    pub p50: f64,
    /// The same of 99 in 100.
    pub p99: f64,
}

/// Asks the requests in turn on `connections` connections for so long.
pub async fn run(
    address: &str,
    requests: Arc<[Vec<u8>]>,
    connections: usize,
    length: Duration,
) -> Result<Load> {
    let end = Instant::now() + length;
    let mut tasks = JoinSet::new();
    for first in 0..connections {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let requests = Arc::clone(&requests);
        tasks.spawn(async move {
            let (mut took, mut buffer) = (Vec::new(), Vec::with_capacity(256 << 10));
            // The connections begin at different requests; 31 shares no divisor with the usual counts.
            let mut next = first * 7;
            while Instant::now() < end {
                let began = Instant::now();
                exchange(&mut stream, &requests[next % requests.len()], &mut buffer).await?;
                took.push(began.elapsed());
                next += 31;
            }
            Ok::<_, anyhow::Error>(took)
        });
    }
    let mut took = Vec::new();
    while let Some(done) = tasks.join_next().await {
        took.extend(done??);
    }
    took.sort_unstable();
    let at = |share: usize| {
        took.get(took.len() * share / 100)
            .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let rate = took.len() as f64 / length.as_secs_f64();
    Ok(Load {
        rate,
        p50: at(50),
        p99: at(99),
    })
}

/// One request and its answer; gives the length of the body, which is left at the end of `buffer`.
pub async fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> Result<usize> {
    stream.write_all(request).await?;
    buffer.clear();
    let head = loop {
        ensure!(
            stream.read_buf(buffer).await? > 0,
            "the server closed the connection"
        );
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = std::str::from_utf8(&buffer[..head])?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>())?
            .ok()
    });
    let length = length.with_context(|| format!("an answer without a length:\n{text}"))?;
    let fine = text.starts_with("HTTP/1.1 20");
    while buffer.len() < head + length {
        ensure!(
            stream.read_buf(buffer).await? > 0,
            "the server closed the connection"
        );
    }
    ensure!(fine, "the server answered:\n{}", String::from_utf8_lossy(buffer));
    Ok(length)
}
