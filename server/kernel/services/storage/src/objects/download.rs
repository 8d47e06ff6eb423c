//! Content and what is known of it.

use axum::{
    Json,
    extract::{Query, Request},
    http::{HeaderMap, HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tenon_sdk::{Result, SystemTx};

use super::{Asked, as_caller, as_server, respond, respond::http_date};
use crate::{asker::Asker, errors, model::Object, place::Place, service::Storage};

#[derive(Deserialize)]
pub(crate) struct Wanted {
    download: Option<String>,
}

pub(crate) fn asked(request: Request, download: Option<String>) -> Asked {
    let (parts, _) = request.into_parts();
    Asked {
        method: parts.method,
        headers: parts.headers,
        download,
        expires: None,
    }
}

/// As the caller may read it; in a public bucket everybody may.
pub(crate) async fn find(storage: &Storage, asker: &Asker, place: &Place, operation: &str) -> Result<Object> {
    let bucket = SystemTx::read_opt(
        storage.kernel.db(),
        "bucket of an object",
        "select coalesce(public, false) from storage.buckets where id = $1",
        &[&place.bucket],
    )
    .await?;
    let is_public: bool = bucket.ok_or_else(errors::no_such_bucket)?.try_get(0)?;
    if is_public {
        return as_server(&storage.kernel, &place.bucket, &place.name, true).await;
    }
    let tx = asker
        .begin(&storage.kernel, operation, Some(place.both()), true)
        .await?;
    let object = as_caller(&tx, &place.bucket, &place.name).await?;
    tx.leave();
    Ok(object)
}

pub(super) async fn private(
    storage: Storage,
    place: Place,
    Query(wanted): Query<Wanted>,
    request: Request,
) -> Result<Response> {
    let (parts, body) = request.into_parts();
    // Whoever shows nothing reads what is public.
    let asker = Asker::of(&parts);
    let object = find(&storage, &asker, &place, "storage.object.get_authenticated").await?;
    let request = Request::from_parts(parts, body);
    respond(&storage, &asked(request, wanted.download), &object).await
}

pub(super) async fn public(
    storage: Storage,
    place: Place,
    Query(wanted): Query<Wanted>,
    request: Request,
) -> Result<Response> {
    let object = public_object(&storage, &place).await?;
    respond(&storage, &asked(request, wanted.download), &object).await
}

/// One that everybody may read.
pub(crate) async fn public_object(storage: &Storage, place: &Place) -> Result<Object> {
    as_server(&storage.kernel, &place.bucket, &place.name, true).await
}

pub(super) async fn info(storage: Storage, asker: Asker, place: Place, method: Method) -> Result<Response> {
    let operation = if method == Method::HEAD {
        "storage.object.head_authenticated_info"
    } else {
        "storage.object.get_authenticated_info"
    };
    let object = find(&storage, &asker, &place, operation).await?;
    told(&object, &method)
}

pub(super) async fn public_info(storage: Storage, place: Place, method: Method) -> Result<Response> {
    let object = as_server(&storage.kernel, &place.bucket, &place.name, true).await?;
    told(&object, &method)
}

fn told(object: &Object, method: &Method) -> Result<Response> {
    object.content()?;
    let mut headers = HeaderMap::new();
    let pairs = [
        (header::ETAG, object.etag().to_owned()),
        (header::LAST_MODIFIED, http_date(object.modified())),
        (header::CACHE_CONTROL, object.cache_control().to_owned()),
    ];
    for (name, value) in pairs {
        let value = HeaderValue::from_bytes(value.as_bytes());
        headers.insert(name, value.map_err(|_| errors::no_content())?);
    }
    if *method == Method::HEAD {
        headers.insert(header::CONTENT_LENGTH, object.size().into());
        return Ok(headers.into_response());
    }
    Ok((headers, Json(object.info())).into_response())
}
