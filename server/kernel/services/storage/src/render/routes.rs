//! `/render/image/…`: a picture as it is wanted, for whoever may read the object.

use axum::{
    Router,
    extract::{Query, Request},
    http::{HeaderValue, header, request::Parts},
    response::Response,
    routing::get,
};
use jiff::Timestamp;
use tenon_sdk::{Kernel, Result};

use super::Wanted;
use crate::{
    asker::Asker,
    errors,
    model::Object,
    objects::{Asked, as_server, find, public_object, respond_made},
    place::Place,
    service::Storage,
    signed::Use,
};

pub(crate) fn routes() -> Router<Kernel> {
    Router::new()
        .route("/render/image/authenticated/{bucket}/{*name}", get(private))
        .route("/render/image/public/{bucket}/{*name}", get(public))
        .route("/render/image/sign/{bucket}/{*name}", get(signed))
}

type Pairs = Query<Vec<(String, String)>>;

fn value<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.as_str())
}

fn wanted(pairs: &Pairs) -> Result<Wanted> {
    Wanted::of_query(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

async fn private(storage: Storage, place: Place, pairs: Pairs, request: Request) -> Result<Response> {
    let wanted = wanted(&pairs)?;
    let (parts, _) = request.into_parts();
    let asker = Asker::of(&parts);
    let object = find(&storage, &asker, &place, "storage.render.image_authenticated").await?;
    show(&storage, parts, &pairs, None, &object, wanted).await
}

async fn public(storage: Storage, place: Place, pairs: Pairs, request: Request) -> Result<Response> {
    let wanted = wanted(&pairs)?;
    let object = public_object(&storage, &place).await?;
    let (parts, _) = request.into_parts();
    show(&storage, parts, &pairs, None, &object, wanted).await
}

/// The token says how, not the query.
async fn signed(storage: Storage, place: Place, pairs: Pairs, request: Request) -> Result<Response> {
    let token = value(&pairs, "token").ok_or_else(|| errors::missing_parameter("token"))?;
    let claims = storage
        .signer
        .verify(token, Use::Read, &place.bucket, &place.name)?;
    let wanted = Wanted::of_token(claims.transformations.as_deref().unwrap_or_default())?;
    let object = as_server(&storage.kernel, &place.bucket, &place.name, false).await?;
    let expires = Timestamp::from_second(claims.exp).ok();
    let (parts, _) = request.into_parts();
    show(&storage, parts, &pairs, expires, &object, wanted).await
}

async fn show(
    storage: &Storage,
    parts: Parts,
    pairs: &Pairs,
    expires: Option<Timestamp>,
    object: &Object,
    wanted: Wanted,
) -> Result<Response> {
    let accept = parts
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let wanted = wanted.accepting(accept.unwrap_or_default());
    let asked = Asked {
        method: parts.method,
        headers: parts.headers,
        download: value(pairs, "download").map(str::to_owned),
        expires,
    };
    let transformations = wanted.to_header();
    let mut response = respond_made(&asked, object, async || {
        let made = storage
            .pictures
            .make(storage.store.as_ref(), object.content()?, object.size(), wanted)
            .await?;
        Ok((made.bytes, made.mime))
    })
    .await?;
    if let Ok(transformations) = HeaderValue::from_str(&transformations) {
        response
            .headers_mut()
            .insert("x-transformations", transformations);
    }
    Ok(response)
}
