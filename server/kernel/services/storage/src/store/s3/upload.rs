//! Sending content to the service: what is short at once, the rest in parts, each in memory while it is sent.

use std::{mem, sync::Arc};

use futures_util::StreamExt;
use md5::{Digest, Md5};
use object_store::{
    ObjectStoreExt,
    aws::AmazonS3,
    multipart::{MultipartStore, PartId},
    path::Path,
};
use tenon_sdk::{Error, Result, hex};
use tokio::task::JoinHandle;

use super::{Content, Kept, digest, of_service, of_upload, part_id};
use crate::store::{incomplete, no_such_part, too_large};

/// What is sent at once; one piece is on its way while the next comes in.
const PIECE: usize = 8 << 20;
const LARGEST_PIECE: u64 = 256 << 20;
/// The parts of which S3 takes an object; a little is left over.
pub(super) const MOST_PARTS: u64 = 9_900;

/// How large the pieces of content must be that is no longer than the limit.
pub(super) fn piece(limit: u64) -> usize {
    let needed = limit.div_ceil(MOST_PARTS).min(LARGEST_PIECE);
    usize::try_from(needed).unwrap_or(PIECE).max(PIECE)
}

/// Content in memory.
pub(super) struct Gathered {
    pub(super) bytes: Vec<u8>,
    pub(super) size: u64,
    pub(super) is_last: bool,
}

impl Gathered {
    /// Takes content until there is enough of it.
    pub(super) async fn from(content: &mut Content, enough: usize, limit: u64) -> Result<Self> {
        let mut bytes = Vec::new();
        let mut is_last = true;
        while let Some(more) = content.next().await {
            bytes.extend_from_slice(&more.map_err(|cause| incomplete(&cause))?);
            if bytes.len() as u64 > limit {
                return Err(too_large(limit));
            }
            if bytes.len() >= enough {
                is_last = false;
                break;
            }
        }
        Ok(Self {
            size: bytes.len() as u64,
            bytes,
            is_last,
        })
    }
}

/// An upload in parts; dropped before its end, the service is told to forget it.
struct Upload {
    service: Arc<AmazonS3>,
    place: Path,
    id: Option<String>,
}

impl Drop for Upload {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let (service, place) = (self.service.clone(), mem::take(&mut self.place));
        runtime.spawn(async move { abort(&service, &place, &id).await });
    }
}

/// Sends content whose first piece has come.
pub(super) async fn in_parts(
    service: &Arc<AmazonS3>,
    place: Path,
    first: Gathered,
    mut content: Content,
    limit: u64,
) -> Result<Kept> {
    let id = service.create_multipart(&place).await.map_err(of_service)?;
    let mut upload = Upload {
        service: service.clone(),
        place: place.clone(),
        id: Some(id.clone()),
    };
    let (mut whole, mut size, mut parts) = (Md5::new(), 0, Vec::new());
    let mut sending: Option<JoinHandle<Result<PartId>>> = None;
    let mut piece = first;
    let mut index = 0;
    loop {
        whole.update(&piece.bytes);
        size += piece.size;
        if let Some(sending) = sending.take() {
            parts.push(sending.await.map_err(Error::internal)??);
        }
        let is_last = piece.is_last;
        if piece.size > 0 {
            let (service, place, id) = (service.clone(), place.clone(), id.clone());
            sending = Some(tokio::spawn(async move {
                service
                    .put_part(&place, &id, index, piece.bytes.into())
                    .await
                    .map_err(of_upload)
            }));
            index += 1;
        }
        if is_last {
            break;
        }
        piece = Gathered::from(&mut content, self::piece(limit), limit.saturating_sub(size)).await?;
    }
    if let Some(sending) = sending {
        parts.push(sending.await.map_err(Error::internal)??);
    }
    service
        .complete_multipart(&place, &id, parts)
        .await
        .map_err(of_upload)?;
    upload.id = None;
    Ok(Kept {
        size,
        etag: hex(&whole.finalize()),
    })
}

/// Has the service make an object of parts.
pub(super) async fn finish(
    service: &AmazonS3,
    place: &Path,
    upload: &str,
    parts: Vec<String>,
) -> Result<Kept> {
    let ids = parts.iter().map(|etag| part_id(etag)).collect();
    service
        .complete_multipart(place, &upload.to_owned(), ids)
        .await
        .map_err(of_finish)?;
    Ok(Kept {
        size: service.head(place).await.map_err(of_service)?.size,
        etag: digest::of_parts(parts.iter().map(String::as_str)),
    })
}

/// Has the service forget parts.
pub(super) async fn abort(service: &AmazonS3, place: &Path, upload: &str) -> Result<()> {
    match service.abort_multipart(place, &upload.to_owned()).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(cause) => Err(of_service(cause)),
    }
}

/// An `ETag` without its quotes.
pub(super) fn plain(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

fn of_finish(cause: object_store::Error) -> Error {
    // The service says by a code in its text that it does not know a part.
    if cause.to_string().contains("InvalidPart") {
        no_such_part()
    } else {
        of_upload(cause)
    }
}
