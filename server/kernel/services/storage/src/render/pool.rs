//! How many pictures are made at once: each may take a thread for seconds and some hundred MiB for its pixels.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use futures_util::StreamExt;
use tenon_sdk::{Error, Result, config::StorageRender};
use tokio::sync::Semaphore;

use super::{Limits, Rendered, Wanted, render, too_large, unreadable};
use crate::store::Content;

/// How long a picture waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes pictures, some at a time.
#[derive(Clone, Debug)]
pub struct Renderer {
    turns: Arc<Semaphore>,
    limits: Limits,
}

impl Renderer {
    /// As the settings want it.
    pub fn new(settings: &StorageRender) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once = match settings.at_once {
            0 => (cores / 2).max(1),
            number => number,
        };
        Self {
            turns: Arc::new(Semaphore::new(at_once)),
            limits: Limits {
                bytes: settings.max_source_bytes,
                pixels: settings.max_source_pixels,
            },
        }
    }

    /// Makes what is wanted of some content of a known size. It is fetched only when its turn has come.
    pub async fn render<F>(&self, size: u64, fetch: F, wanted: Wanted) -> Result<Rendered>
    where
        F: Future<Output = Result<Content>>,
    {
        let most = self.limits.bytes;
        let over = || too_large(format!("The file has more than {most} bytes."));
        if size > most {
            return Err(over());
        }
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned());
        let Ok(turn) = turn.await else {
            return Err(Error::unavailable(
                "storage.render_busy",
                "Too many pictures are being transformed.",
            )
            .hint("Try again in a moment.")
            .retry_after(5));
        };
        let turn = turn.map_err(Error::internal)?;
        let mut content = fetch.await?;
        let mut source = BytesMut::new();
        while let Some(bytes) = content.next().await {
            source.extend_from_slice(&bytes.map_err(Error::internal)?);
            if source.len() as u64 > most {
                return Err(over());
            }
        }
        let (source, limits) = (source.freeze(), self.limits);
        let work = tokio::task::spawn_blocking(move || {
            // The turn ends with the work, even if nobody waits for it any more.
            let _turn = turn;
            render(&source, &wanted, &limits)
        });
        match work.await {
            Ok(rendered) => rendered,
            // A decoder that falls over its input has not read it.
            Err(failed) if failed.is_panic() => Err(unreadable("The file is damaged.")),
            Err(failed) => Err(Error::internal(failed)),
        }
    }
}
