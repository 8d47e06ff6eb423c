//! Ten thousand connections of as many people, each in a channel of its own, that do nothing; and what somebody who does not read
//! costs at most.

use std::io::{ErrorKind, Write as _};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::AsyncReadExt as _;

use super::Options;
use super::frames::{self, TOPIC};
use super::people::{self, PEOPLE};
use super::socket::{self, Wish};
use crate::report::verdict;
use crate::server::Server;

const TARGET_MIB: f64 = 250.0;
const WANTED: u32 = 10_000;
const SETTLED: Duration = Duration::from_secs(10);
/// Of a message to somebody who does not read.
const SIZE: usize = 64 << 10;
/// Several times what the server lets wait and the kernel takes besides.
const MESSAGES: u32 = 600;

pub async fn run(server: &Server, options: &Options) -> Result<()> {
    let count = super::allow_connections(options.connections)?;
    println!(
        "realtime, idle: {count} connections of as many people, each with a token and a channel of its own"
    );
    if count < options.connections {
        println!("  note: the machine allows no more open files; the target is scaled");
    }
    let database = server.database().await?;
    people::make(&database, count.div_ceil(PEOPLE)).await?;
    // Before the others, so that it takes no room that they have left.
    slow_consumer(server).await?;
    let wishes = (0..count).map(|number| {
        let organization = 1 + number / PEOPLE;
        Ok(Wish {
            topic: format!("realtime:room:{number}"),
            org: Some(people::organization(organization)),
            token: Some(people::token(organization, number % PEOPLE)?),
            changes: false,
        })
    });
    let wishes: Vec<Wish> = wishes.collect::<Result<_>>()?;
    tokio::time::sleep(SETTLED).await;
    let before = server.memory_kib("VmRSS")?;
    let began = Instant::now();
    let sockets = socket::open_all(&server.address, wishes).await?;
    println!(
        "  context: {count} connected and joined in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    tokio::time::sleep(SETTLED).await;
    let after = server.memory_kib("VmRSS")?;
    let spent = server.processor()?;
    tokio::time::sleep(SETTLED).await;
    let spent = (server.processor()? - spent) / SETTLED.as_secs_f64();
    let more = mib(after.saturating_sub(before));
    println!(
        "  {:.1} MiB before, {:.1} MiB after, {:.0} bytes a connection; processor while nobody does anything: {:.1} % of a core",
        mib(before),
        mib(after),
        more * 1024.0 * 1024.0 / f64::from(count),
        spent * 100.0
    );
    let target = TARGET_MIB * f64::from(count) / f64::from(WANTED);
    verdict(
        "memory for the connections",
        &format!("{more:.1} MiB"),
        &format!("under {target:.0} MiB"),
        more < target,
    );
    drop(sockets);
    tokio::time::sleep(SETTLED).await;
    println!(
        "  after all have gone: {:.1} MiB",
        mib(server.memory_kib("VmRSS")?)
    );
    Ok(())
}

/// Sends to somebody who does not read until the server lets go of them.
async fn slow_consumer(server: &Server) -> Result<()> {
    let wish = Wish {
        topic: TOPIC.to_owned(),
        ..Wish::default()
    };
    let slow = socket::open(&server.address, &wish).await?.stream;
    let mut sender = socket::open(&server.address, &wish).await?.stream;
    let before = server.memory_kib("VmRSS")?;
    let (mut highest, mut sent) = (before, 0);
    // A closed connection shows by its end, which comes behind what was not read; that is a hang-up here.
    let mut gone = tokio::net::TcpStream::from_std(slow.try_clone()?)?;
    for number in 0..MESSAGES {
        let mut rest = &frames::broadcast(number, SIZE)[..];
        while !rest.is_empty() {
            match sender.write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Err(error) => return Err(error).context("the sender was let go"),
            }
        }
        sent += SIZE as u64;
        highest = highest.max(server.memory_kib("VmRSS")?);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // What the kernel had taken for it, then why it ended.
    let (mut read, mut tail) = (0, Vec::new());
    let mut buffer = vec![0; 256 << 10];
    while let Ok(Ok(count)) = tokio::time::timeout(Duration::from_secs(10), gone.read(&mut buffer)).await {
        if count == 0 {
            break;
        }
        read += count as u64;
        tail.extend_from_slice(&buffer[..count]);
        tail.drain(..tail.len().saturating_sub(256));
    }
    let tail = String::from_utf8_lossy(&tail);
    let why = tail
        .rfind("slow consumer")
        .map_or("no reason came", |at| &tail[at..]);
    println!(
        "  somebody who does not read while {:.0} MiB are sent: let go ({why}) with {:.1} MiB in the kernel's buffers, memory of the \
         server at most {:.1} MiB more",
        mib(sent >> 10),
        mib(read >> 10),
        mib(highest - before)
    );
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "memory in KiB is far below 2^52")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
