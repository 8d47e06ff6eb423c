//! Bytes on their way in: counted, looked at, and never more of them in memory than one piece.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use tenon_sdk::{Error, Result};
use tower_http::timeout::TimeoutError;

use super::kinds;
use crate::{errors, store::Content};

/// Whether reading a body was given up because no more of it came.
pub(crate) fn is_stalled(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(<dyn std::error::Error>::is::<TimeoutError>)
}

const OVER: u8 = 1;
const BROKEN: u8 = 2;
const STALLED: u8 = 3;

/// What went wrong with content on its way in; a store only knows that something did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fate(Arc<AtomicU8>);

impl Fate {
    fn seal(&self, fate: u8) {
        self.0.store(fate, Ordering::Relaxed);
    }

    /// The error to tell, if it was the content that went wrong.
    pub(crate) fn error(&self) -> Option<Error> {
        match self.0.load(Ordering::Relaxed) {
            OVER => Some(errors::too_large()),
            BROKEN => Some(errors::incomplete()),
            STALLED => Some(errors::stalled()),
            _ => None,
        }
    }
}

/// Counts bytes, and breaks off beyond the limit.
pub(crate) fn limited<E>(
    content: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    limit: u64,
) -> (Content, Fate)
where
    E: std::error::Error + Send + Sync + 'static,
{
    let fate = Fate::default();
    let sealed = fate.clone();
    let mut left = limit;
    let counted = content.map(move |piece| {
        let piece = piece.map_err(|error| {
            sealed.seal(if is_stalled(&error) { STALLED } else { BROKEN });
            io::Error::other(error)
        })?;
        left = left.checked_sub(piece.len() as u64).ok_or_else(|| {
            sealed.seal(OVER);
            io::Error::other("over the limit")
        })?;
        Ok(piece)
    });
    (counted.boxed(), fate)
}

/// Whether content that was kept begins as its kind says.
///
/// Errors: `InvalidMimeType`.
pub(crate) async fn looks_honest(mut head: Content, kind: &str) -> Result<()> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = head.try_next().await.map_err(Error::internal)? {
        bytes.extend_from_slice(&piece);
    }
    kinds::honest(kind, &bytes)
}

/// Reads the first bytes and refuses what lies about its kind; gives the whole content on.
///
/// Errors: `InvalidMimeType`; what went wrong on the way.
pub(super) async fn honest(mut content: Content, kind: &str, fate: &Fate) -> Result<Content> {
    let mut head = BytesMut::new();
    let mut pieces = Vec::new();
    while head.len() < kinds::HEAD {
        let next = content
            .try_next()
            .await
            .map_err(|error| fate.error().unwrap_or_else(|| Error::internal(error)))?;
        let Some(piece) = next else { break };
        let wanted = (kinds::HEAD - head.len()).min(piece.len());
        head.extend_from_slice(&piece[..wanted]);
        pieces.push(Ok(piece));
    }
    kinds::honest(kind, &head)?;
    Ok(stream::iter(pieces).chain(content).boxed())
}
