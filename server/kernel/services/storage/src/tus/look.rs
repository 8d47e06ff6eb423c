//! HEAD: how far an upload is. DELETE: gives it up.

use axum::{
    extract::{Path, Request},
    http::{HeaderValue, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use tenon_sdk::{Error, Result, error::Kind};

use super::{
    answer,
    append::{Adding, who},
    upload::{State, Upload},
};
use crate::service::Storage;

pub(super) async fn offset(storage: Storage, Path(id): Path<String>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    answer::told(at(&storage, &id, &mut parts).await)
}

/// GET is none of TUS.
pub(super) async fn head_only() -> Response {
    answer::told(Err(Error::new(
        Kind::Status(405),
        "request.not_found",
        "An upload on its way cannot be read.",
    )))
}

pub(super) async fn give_up(storage: Storage, Path(id): Path<String>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    answer::told(end(&storage, &id, &mut parts).await)
}

pub(super) async fn at(storage: &Storage, id: &str, parts: &mut Parts) -> Result<Response> {
    answer::speaks(&parts.headers)?;
    let who = who(parts).await?;
    let upload = Upload::find(storage, id, &who).await?;
    // Whoever asks has lost the connection that still seems to add something.
    storage.uploads.displace(upload.id).await;
    let mut upload = Upload::find(storage, id, &who).await?;
    if upload.state == State::Whole
        && let Ok((held, now)) = storage.uploads.hold(&storage.kernel, upload.id).await
    {
        let adding = Adding {
            storage: storage.clone(),
            held,
            upload: now,
            who,
        };
        upload = match adding.upload.state {
            State::Whole => adding.finish().await?,
            State::Open | State::Done => adding.upload.clone(),
        };
    }
    let mut headers = answer::about(&upload);
    match upload.length {
        Some(length) => headers.insert("upload-length", length.into()),
        None => headers.insert("upload-defer-length", HeaderValue::from_static("1")),
    };
    if let Ok(told) = HeaderValue::from_str(&upload.told) {
        headers.insert("upload-metadata", told);
    }
    Ok((StatusCode::OK, headers).into_response())
}

pub(super) async fn end(storage: &Storage, id: &str, parts: &mut Parts) -> Result<Response> {
    answer::speaks(&parts.headers)?;
    let who = who(parts).await?;
    let upload = Upload::find(storage, id, &who).await?;
    let (_held, upload) = storage.uploads.hold(&storage.kernel, upload.id).await?;
    // Of one that is done there is nothing to give up: the object is deleted like every other.
    if upload.state == State::Done {
        return Err(answer::no_such_upload());
    }
    storage.store.abort_growing(&upload.key, &upload.growing).await?;
    Upload::delete(&storage.kernel, upload.id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
