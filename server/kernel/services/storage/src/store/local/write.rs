//! Writing a stream: in large pieces, off the threads that serve, one piece being written while the next comes in.

use std::{fs::File, io, io::Write, mem};

use bytes::Bytes;
use futures_util::StreamExt;
use md5::{Digest, Md5};
use tenon_sdk::{Error, Result, hex};
use tokio::task::JoinHandle;

use super::{
    Content, Kept,
    draft::{Draft, Drafts},
    incomplete, of_disk, off,
};
use crate::store::too_large;

/// What is written at once. Two of them are what an upload needs of memory.
const PIECE: usize = 1 << 20;

/// Writes all of the content into a draft.
pub(super) async fn draft(
    drafts: &std::sync::Arc<Drafts>,
    content: Content,
    limit: u64,
) -> Result<(Draft, Kept)> {
    let drafts = drafts.clone();
    let draft = off(move || drafts.create().map_err(of_disk)).await?;
    let file = draft.file.try_clone().map_err(of_disk)?;
    let written = write(file, content, limit).await?;
    Ok((draft, written))
}

/// Writes all of the content at the file's position.
pub(super) async fn write(file: File, mut content: Content, limit: u64) -> Result<Kept> {
    let mut size = 0;
    let mut out = Out::Idle(Box::new(Sink {
        file,
        digest: Md5::new(),
    }));
    loop {
        let (piece, is_last) = gather(&mut content).await?;
        size += piece.len() as u64;
        if size > limit {
            return Err(too_large(limit));
        }
        let mut sink = out.rest().await?;
        if piece.is_empty() {
            return Ok(sink.end(size));
        }
        out = Out::Busy(tokio::task::spawn_blocking(move || {
            sink.write(&piece)?;
            Ok(sink)
        }));
        if is_last {
            return Ok(out.rest().await?.end(size));
        }
    }
}

/// Some bytes, and whether they are the last ones.
async fn gather(content: &mut Content) -> Result<(Bytes, bool)> {
    let mut piece: Vec<u8> = Vec::new();
    while let Some(bytes) = content.next().await {
        let bytes = bytes.map_err(|cause| incomplete(&cause))?;
        if piece.is_empty() && bytes.len() >= PIECE {
            return Ok((bytes, false));
        }
        piece.extend_from_slice(&bytes);
        if piece.len() >= PIECE {
            return Ok((piece.into(), false));
        }
    }
    Ok((piece.into(), true))
}

struct Sink {
    file: File,
    digest: Md5,
}

impl Sink {
    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.digest.update(piece);
        self.file.write_all(piece)
    }

    fn end(&mut self, size: u64) -> Kept {
        let digest = mem::take(&mut self.digest);
        Kept {
            size,
            etag: hex(&digest.finalize()),
        }
    }
}

enum Out {
    Idle(Box<Sink>),
    Busy(JoinHandle<io::Result<Box<Sink>>>),
}

impl Out {
    async fn rest(self) -> Result<Box<Sink>> {
        match self {
            Self::Idle(sink) => Ok(sink),
            Self::Busy(writing) => writing.await.map_err(Error::internal)?.map_err(of_disk),
        }
    }
}
