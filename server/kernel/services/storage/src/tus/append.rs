//! PATCH: adds to an upload. What came is kept and written down piece by piece, also of a request that breaks off.

use axum::{
    body::Body,
    extract::{FromRequestParts, Path, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use tenon_sdk::{Error, Result};

use super::{
    answer, create, finish,
    holders::Held,
    look,
    source::{Checksum, Source},
    upload::{State, Upload, Who},
};
use crate::{asker::Asker, errors, objects, service::Storage, signed::Use};

/// What is kept at once, and the most that is lost of what nobody acknowledged.
const PIECE: u64 = 16 << 20;
/// The most that may come with a checksum, since all of it is looked at before any of it counts.
const MOST_CHECKED: u64 = 64 << 20;
/// The pieces of which even the largest file is made; S3 takes ten thousand.
const MOST_PIECES: u64 = 5_000;

/// Who asks, by the road the request takes.
pub(super) async fn who(parts: &mut Parts) -> Result<Who> {
    if parts.uri.path().contains("/upload/resumable/sign/") {
        Ok(Who::Token(create::token(&parts.headers)?))
    } else {
        let asker = Asker::from_request_parts(parts, &()).await?;
        Ok(Who::Caller(Box::new(asker)))
    }
}

pub(super) async fn add(storage: Storage, Path(id): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    answer::told(patch(&storage, &id, parts, body).await)
}

/// POST with the method in a header, for ways that let nothing else through.
pub(super) async fn by_another_name(storage: Storage, Path(id): Path<String>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let method = parts.headers.get("x-http-method-override").cloned();
    let done = match method.as_ref().map(HeaderValue::as_bytes) {
        Some(b"PATCH") => patch(&storage, &id, parts, body).await,
        Some(b"HEAD") => look::at(&storage, &id, &mut parts).await,
        Some(b"DELETE") => look::end(&storage, &id, &mut parts).await,
        _ => Err(answer::header("X-HTTP-Method-Override")),
    };
    answer::told(done)
}

async fn patch(storage: &Storage, id: &str, mut parts: Parts, body: Body) -> Result<Response> {
    answer::speaks(&parts.headers)?;
    answer::is_content(&parts.headers)?;
    answer::number(&parts.headers, "upload-offset")?.ok_or_else(|| answer::header("Upload-Offset"))?;
    let who = who(&mut parts).await?;
    let headers = &parts.headers;
    let upload = Upload::find(storage, id, &who).await?;
    let added = run(storage, upload, who, headers, body).await?;
    let mut told = answer::about(&added);
    finish::mark(&mut told, &added);
    Ok((StatusCode::NO_CONTENT, told).into_response())
}

/// Adds a body. The work goes on when the client is gone, as far as its bytes came.
pub(super) async fn run(
    storage: &Storage,
    upload: Upload,
    who: Who,
    headers: &HeaderMap,
    body: Body,
) -> Result<Upload> {
    let offset = answer::number(headers, "upload-offset")?.unwrap_or(0);
    let length = answer::number(headers, "upload-length")?;
    let comes = answer::number(headers, header::CONTENT_LENGTH.as_str())?;
    let checksum = match headers.get("upload-checksum") {
        Some(told) => Some(Checksum::of(told.to_str().unwrap_or_default())?),
        None => None,
    };
    let (held, upload) = storage.uploads.hold(&storage.kernel, upload.id).await?;
    let mut adding = Adding {
        storage: storage.clone(),
        held,
        upload,
        who,
    };
    let work = tokio::spawn(async move {
        match adding.upload.state {
            State::Done => return Err(answer::elsewhere(adding.upload.acknowledged)),
            State::Whole => return adding.finish().await,
            State::Open => {}
        }
        if offset != adding.upload.acknowledged {
            return Err(answer::elsewhere(adding.upload.acknowledged));
        }
        adding.settle(length).await?;
        if let (Some(comes), Some(length)) = (comes, adding.upload.length)
            && comes > length - offset
        {
            return Err(errors::too_large());
        }
        adding.add(body, checksum).await
    });
    work.await.map_err(Error::internal)?
}

/// An upload that is added to.
pub(super) struct Adding {
    pub(super) storage: Storage,
    pub(super) held: Held,
    pub(super) upload: Upload,
    pub(super) who: Who,
}

impl Adding {
    /// Takes a length that was not told before, and asks whether the upload may go on.
    async fn settle(&mut self, length: Option<u64>) -> Result<()> {
        if self.upload.length.is_none() {
            self.upload.length = length;
        } else if length.is_some_and(|length| Some(length) != self.upload.length) {
            return Err(answer::header("Upload-Length"));
        }
        if self
            .upload
            .length
            .is_some_and(|length| length < self.upload.acknowledged)
        {
            return Err(answer::header("Upload-Length"));
        }
        self.permitted("storage.tus.upload.part").await.map(drop)
    }

    /// The upload as the policies see it.
    pub(super) async fn permitted<'a>(&'a self, operation: &'a str) -> Result<objects::Upload<'a>> {
        let wish = self.upload.wish(&self.storage.kernel).await?;
        match &self.who {
            Who::Caller(asker) => objects::Upload::by(&self.storage, asker, operation, wish).await,
            Who::Token(token) => {
                let claims = self
                    .storage
                    .signer
                    .verify(token, Use::Upload, &wish.bucket.id, &wish.name)?;
                objects::Upload::signed(&self.storage, wish, claims.over()).await
            }
        }
    }

    async fn add(mut self, body: Body, mut checksum: Option<Checksum>) -> Result<Upload> {
        let source = Source::new(body, self.held.stop());
        let most = self.permitted("storage.tus.upload.part").await?.limit();
        loop {
            let whole = self.upload.length.unwrap_or(most);
            let left = whole.saturating_sub(self.upload.growing.size);
            if self.upload.length.is_some() && left == 0 {
                return self.finish().await;
            }
            if left == 0 {
                return Err(errors::too_large());
            }
            let (content, limit, is_checked) = if let Some(checksum) = checksum.take() {
                let limit = left.min(MOST_CHECKED);
                (source.checked(limit, checksum), limit, true)
            } else {
                let limit = left.min(PIECE.max(whole.div_ceil(MOST_PIECES)));
                (source.piece(limit), limit, false)
            };
            let grown = self
                .storage
                .store
                .grow(&self.upload.key, &self.upload.growing, content, limit)
                .await
                .map_err(|error| {
                    if is_checked && error.code == "storage.incomplete" {
                        answer::mismatch()
                    } else {
                        error
                    }
                })?;
            let came = grown.size > self.upload.growing.size;
            self.upload.growing = grown;
            if came {
                self.note().await?;
            }
            if self.upload.state == State::Whole {
                return self.finish().await;
            }
            let is_over = source.has_ended().await || self.held.stop().is_cancelled();
            if is_over || (is_checked && !came) {
                return match source.failure().await {
                    Some(failure) => Err(failure),
                    None => Ok(self.upload.clone()),
                };
            }
        }
    }

    /// Writes down what came. The last bytes count only when there is the object.
    async fn note(&mut self) -> Result<()> {
        if self.upload.length == Some(self.upload.growing.size) {
            self.upload.state = State::Whole;
        } else {
            self.upload.acknowledged = self.upload.growing.size;
        }
        self.upload.save(&self.storage.kernel, self.held.holder).await
    }
}
