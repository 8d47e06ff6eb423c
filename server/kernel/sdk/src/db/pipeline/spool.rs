//! The rest of a large value on disk, in a file without a name, while its reader is slower than the database.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use tokio::{
    sync::mpsc,
    task::spawn_blocking,
    time::{Instant, sleep_until},
};

use super::{
    Failure,
    rest::{PARTS, Piece, STALL, Sent},
};
use crate::error::Error;

/// Most bytes that are on disk at a time, of all values together.
const MOST: u64 = 4 << 30;

/// Bytes read at a time.
const READ: u64 = 64 * 1024;

/// How much of [`MOST`] is in use.
static IN_USE: AtomicU64 = AtomicU64::new(0);

/// Takes over from `reader`'s sender; what is sent here arrives there, as fast as it is taken.
pub(super) fn begin(reader: mpsc::Sender<Sent>) -> mpsc::Sender<Sent> {
    let (sender, incoming) = mpsc::channel(PARTS);
    tokio::spawn(async move {
        let mut spool = Spool::default();
        if let Err(error) = spool.run(incoming, &reader).await {
            tracing::warn!(%error, "a large answer could not be kept for a slow reader");
            let failure = Sent::Failure(Failure::Broken(Error::internal(error)));
            let _ = tokio::time::timeout(STALL, reader.send(failure)).await;
        }
    });
    sender
}

#[derive(Default)]
struct Spool {
    file: Option<Arc<File>>,
    written: u64,
    read: u64,
}

impl Spool {
    async fn run(
        &mut self,
        mut incoming: mpsc::Receiver<Sent>,
        reader: &mpsc::Sender<Sent>,
    ) -> io::Result<()> {
        let mut last = None;
        let mut progress = Instant::now();
        loop {
            let waits = self.read < self.written;
            if last.is_some() && !waits {
                break;
            }
            tokio::select! {
                // What arrives goes first, since others wait for the wire.
                biased;
                sent = incoming.recv(), if last.is_none() => match sent {
                    Some(Sent::Piece(Piece::Part(part))) => {
                        if !waits {
                            progress = Instant::now();
                        }
                        self.write(part).await?;
                    }
                    other => last = Some(other),
                },
                place = reader.reserve(), if waits => {
                    // Nobody reads any more.
                    let Ok(place) = place else { return Ok(()) };
                    place.send(Sent::Piece(Piece::Part(self.next().await?)));
                    progress = Instant::now();
                }
                () = sleep_until(progress + STALL), if waits => return Ok(()),
                () = reader.closed() => return Ok(()),
            }
        }
        if let Some(Some(last)) = last {
            let _ = tokio::time::timeout(STALL, reader.send(last)).await;
        }
        Ok(())
    }

    async fn write(&mut self, part: Bytes) -> io::Result<()> {
        let length = part.len() as u64;
        let file = if let Some(file) = &self.file {
            file.clone()
        } else {
            let file = Arc::new(spawn_blocking(tempfile::tempfile).await??);
            self.file.insert(file).clone()
        };
        let at = self.written;
        self.written += length;
        if IN_USE.fetch_add(length, Ordering::Relaxed) + length > MOST {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        spawn_blocking(move || file.write_all_at(&part, at)).await?
    }

    async fn next(&mut self) -> io::Result<Bytes> {
        let Some(file) = self.file.clone() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let (at, length) = (self.read, (self.written - self.read).min(READ));
        self.read += length;
        spawn_blocking(move || {
            let mut part = vec![0; usize::try_from(length).unwrap_or_default()];
            file.read_exact_at(&mut part, at)?;
            Ok(part.into())
        })
        .await?
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        IN_USE.fetch_sub(self.written, Ordering::Relaxed);
    }
}
