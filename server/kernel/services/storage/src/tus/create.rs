//! POST: begins an upload, and takes what comes along.

use axum::{
    body::Body,
    extract::{OriginalUri, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use jiff::SignedDuration;
use tenon_sdk::{Result, SystemTx};

use super::{
    answer, append, finish,
    metadata::Metadata,
    upload::{State, Upload, Who},
};
use crate::{
    asker::Asker,
    errors,
    model::Bucket,
    objects::{self, wants_upsert, wish},
    service::Storage,
    signed::Use,
    store::Growing,
};

pub(super) async fn create(
    storage: Storage,
    OriginalUri(uri): OriginalUri,
    asker: Asker,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let who = Who::Caller(Box::new(asker));
    answer::told(begin(&storage, uri.path(), parts, body, who).await)
}

pub(super) async fn create_signed(
    storage: Storage,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let began = async {
        let who = Who::Token(token(&parts.headers)?);
        begin(&storage, uri.path(), parts, body, who).await
    };
    answer::told(began.await)
}

/// The token of whoever was allowed one upload.
pub(super) fn token(headers: &HeaderMap) -> Result<String> {
    headers
        .get("x-signature")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
        .ok_or_else(errors::invalid_signature)
}

async fn begin(storage: &Storage, path: &str, parts: Parts, body: Body, who: Who) -> Result<Response> {
    let headers = &parts.headers;
    answer::speaks(headers)?;
    let length = answer::number(headers, "upload-length")?;
    let deferred = headers
        .get("upload-defer-length")
        .is_some_and(|value| value == "1");
    if length.is_some() == deferred {
        return Err(answer::header("Upload-Length"));
    }
    let metadata = Metadata::of(headers)?;
    let upload = permitted(storage, &who, headers, metadata, length).await?;
    upload.insert(&storage.kernel).await?;
    let mut created = answer::about(&upload);
    let address = address(storage, headers, path, &upload);
    let address = HeaderValue::from_str(&address).map_err(|_| answer::header("Host"))?;
    created.insert(header::LOCATION, address);
    let comes_along = answer::is_content(headers).is_ok();
    if comes_along || length == Some(0) {
        let added = append::run(storage, upload, who, headers, body).await?;
        created.extend(answer::about(&added));
        finish::mark(&mut created, &added);
    }
    Ok((StatusCode::CREATED, created).into_response())
}

/// The upload, if it may begin.
async fn permitted(
    storage: &Storage,
    who: &Who,
    headers: &HeaderMap,
    metadata: Metadata,
    length: Option<u64>,
) -> Result<Upload> {
    let kernel = &storage.kernel;
    let (owner, upsert, over) = match who {
        Who::Caller(asker) => (asker.owner(), wants_upsert(headers), objects::Over::Version(None)),
        Who::Token(token) => {
            let claims = storage
                .signer
                .verify(token, Use::Upload, &metadata.bucket, &metadata.name)?;
            let over = claims.over();
            (claims.owner, claims.upsert, over)
        }
    };
    let tx = SystemTx::begin(kernel.db(), "bucket of an upload").await?;
    let bucket = Bucket::find(&tx, &metadata.bucket).await?;
    tx.commit().await?;
    let mut wish = wish(bucket, metadata.name, owner, upsert);
    if let Some(kind) = metadata.kind {
        wish.kind = kind;
    }
    wish.cache_control = metadata.cache_control;
    wish.user_metadata = metadata.user;
    wish.length = length;
    match who {
        Who::Caller(asker) => {
            objects::Upload::by(storage, asker, "storage.tus.upload.create", wish.clone()).await?;
        }
        Who::Token(_) => {
            objects::Upload::signed(storage, wish.clone(), over).await?;
        }
    }
    let hours = kernel.config().storage.resumable_hours.max(1);
    Ok(Upload {
        id: kernel.env().new_id(),
        key: kernel.env().new_id().to_string(),
        bucket: wish.bucket.id,
        name: wish.name,
        began_by: who.name(),
        owner: wish.owner,
        upsert: wish.upsert,
        kind: wish.kind,
        cache_control: wish.cache_control,
        user_metadata: wish.user_metadata,
        told: metadata.told,
        length,
        growing: Growing::new(length.unwrap_or(kernel.config().storage.max_file_bytes)),
        acknowledged: 0,
        state: State::Open,
        expires_at: kernel.env().now() + SignedDuration::from_hours(hours),
    })
}

/// Where the upload goes on: below the address the client knows the server by.
fn address(storage: &Storage, headers: &HeaderMap, path: &str, upload: &Upload) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let path = path.trim_end_matches('/');
    let site = storage.kernel.config().server.site_url.trim_end_matches('/');
    let Some(host) = text("x-forwarded-host").or_else(|| text("host")) else {
        return format!("{path}/{}", upload.id);
    };
    let of_site = site
        .split_once("://")
        .is_some_and(|(_, rest)| rest.split('/').next() == Some(host));
    if of_site {
        return format!("{site}{path}/{}", upload.id);
    }
    let scheme = text("x-forwarded-proto")
        .filter(|scheme| matches!(*scheme, "http" | "https"))
        .unwrap_or("http");
    format!("{scheme}://{host}{path}/{}", upload.id)
}
