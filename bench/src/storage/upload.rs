//! What uploads take of the server's memory: one and several at once, by each road, the same for a hundredth of their size.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Options;
use super::program::{self, KEY};
use super::wire::Wire;
use crate::report::verdict;
use crate::server::Server;

/// What one upload may take at its most, in MiB, of whatever size.
const EACH: f64 = 16.0;
/// What the first ones leave behind in buffers and connections that are kept.
const ONCE: f64 = 16.0;
const SETTLED: Duration = Duration::from_secs(2);
const MEGABYTE: u64 = 1_000_000;

#[derive(Clone, Copy)]
enum Road {
    Post,
    Tus,
}

pub async fn run(server: &Server, options: &Options) -> Result<()> {
    program::bucket(&server.address, "inbox", false).await?;
    println!(
        "storage, upload: {} MB each; the server's memory (RSS) over what it was before, at its peak",
        options.upload_megabytes
    );
    for (name, road) in [("POST", Road::Post), ("TUS, one PATCH", Road::Tus)] {
        let small = peak(server, road, 1, options.upload_megabytes / 100).await?;
        for count in [1, options.uploads] {
            let large = peak(server, road, count, options.upload_megabytes).await?;
            println!(
                "  {name}: {count} at once in {:.1} s, {:.0} MB/s in all; one of a hundredth of the size took {:.1} MiB",
                large.took.as_secs_f64(),
                f64::from(count) * megabytes(options) / large.took.as_secs_f64(),
                small.more
            );
            let most = ONCE + EACH * f64::from(count);
            verdict(
                &format!("memory for {count} by {name}"),
                &format!("{:.1} MiB", large.more),
                &format!("under {most:.0} MiB"),
                large.more < most,
            );
        }
    }
    Ok(())
}

fn megabytes(options: &Options) -> f64 {
    f64::from(u32::try_from(options.upload_megabytes).unwrap_or(u32::MAX))
}

struct Peak {
    /// MiB.
    more: f64,
    took: Duration,
}

/// Several uploads at once.
async fn peak(server: &Server, road: Road, count: u32, megabytes: u64) -> Result<Peak> {
    tokio::time::sleep(SETTLED).await;
    let before = server.memory_kib("VmRSS")?;
    server.forget_peak()?;
    let began = Instant::now();
    let sending: Vec<_> = (0..count)
        .map(|number| {
            let address = server.address.clone();
            tokio::task::spawn_blocking(move || send(&address, road, number, megabytes * MEGABYTE))
        })
        .collect();
    for upload in sending {
        upload.await??;
    }
    let took = began.elapsed();
    let peak = server.memory_kib("VmHWM")?;
    // Room for the next ones.
    empty(server).await?;
    #[expect(clippy::cast_precision_loss, reason = "memory in KiB is far below 2^52")]
    let more = peak.saturating_sub(before) as f64 / 1024.0;
    Ok(Peak { more, took })
}

fn send(address: &str, road: Road, number: u32, length: u64) -> Result<()> {
    let mut wire = Wire::connect(address)?;
    let about = format!("Host: {address}\r\nAuthorization: Bearer {KEY}\r\n");
    match road {
        Road::Post => {
            let head = format!(
                "POST /storage/v1/object/inbox/post-{number} HTTP/1.1\r\n{about}x-upsert: true\r\n\
                 Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n"
            );
            wire.send(head.as_bytes(), length)?;
        }
        Road::Tus => {
            // bucketName inbox, objectName tus-N, in base64.
            let metadata = [
                ("bucketName", "inbox".to_owned()),
                ("objectName", format!("tus-{number}")),
            ]
            .map(|(key, value)| {
                use base64::Engine as _;
                format!(
                    "{key} {}",
                    base64::engine::general_purpose::STANDARD.encode(value)
                )
            })
            .join(",");
            let request = format!(
                "POST /storage/v1/upload/resumable HTTP/1.1\r\n{about}Tus-Resumable: 1.0.0\r\nx-upsert: true\r\n\
                 Upload-Length: {length}\r\nUpload-Metadata: {metadata}\r\nContent-Length: 0\r\n\r\n"
            );
            let made = wire.ask(request.as_bytes())?.text;
            let location = made
                .lines()
                .find_map(|line| {
                    line.split_once(": ")
                        .filter(|(name, _)| name.eq_ignore_ascii_case("location"))
                })
                .context("the upload has no address")?
                .1;
            let path = location.find("/storage/").map_or(location, |at| &location[at..]);
            let add = format!(
                "PATCH {path} HTTP/1.1\r\n{about}Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n\
                 Content-Type: application/offset+octet-stream\r\nContent-Length: {length}\r\n\r\n"
            );
            wire.send(add.as_bytes(), length)?;
        }
    }
    Ok(())
}

/// Takes all objects and their content away, as the sweeper would a minute later.
async fn empty(server: &Server) -> Result<()> {
    let database = server.database().await?;
    database
        .batch_execute(
            "begin; set local storage.allow_delete_query = 'true'; delete from storage.objects; \
             truncate storage.discarded; commit",
        )
        .await?;
    let objects = server.data().join("storage/objects");
    for entry in fs::read_dir(&objects).into_iter().flatten() {
        fs::remove_dir_all(entry?.path())?;
    }
    Ok(())
}
