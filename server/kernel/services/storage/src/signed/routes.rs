//! Making tokens for reading and for uploading, and using them.

use std::collections::HashSet;

use axum::{
    Json, Router,
    extract::{Query, Request},
    http::HeaderMap,
    response::Response,
    routing::post,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tenon_sdk::{Kernel, Result, SystemTx};

use super::{ANYTHING, Claims, Use};
use crate::{
    asker::Asker,
    errors,
    model::Bucket,
    names,
    objects::{Asked, Over, Upload, as_caller, as_server, receive, respond, wants_upsert, wish},
    place::{Body, InBucket, Place},
    render::Wanted,
    service::Storage,
};

/// Names in one request.
const MOST: usize = 1000;
/// Longest life of a token in seconds: ten years.
const LONGEST: i64 = 10 * 365 * 24 * 3600;

pub(crate) fn routes() -> Router<Kernel> {
    Router::new()
        .route("/object/sign/{bucket}", post(sign_many))
        .route("/object/sign/{bucket}/{*name}", post(sign).get(read))
        .route(
            "/object/upload/sign/{bucket}/{*name}",
            post(sign_upload).put(upload),
        )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Life {
    expires_in: Option<i64>,
    transform: Option<Map<String, Value>>,
    paths: Option<Vec<String>>,
}

impl Life {
    fn seconds(&self) -> Result<i64> {
        let seconds = self
            .expires_in
            .ok_or_else(|| errors::missing_parameter("expiresIn"))?;
        if (1..=LONGEST).contains(&seconds) {
            Ok(seconds)
        } else {
            Err(errors::invalid_parameter("expiresIn"))
        }
    }
}

fn claims(bucket: &str, name: &str) -> Claims {
    Claims {
        url: format!("{bucket}/{name}"),
        scope: None,
        transformations: None,
        owner: None,
        upsert: false,
        over: None,
        iat: 0,
        exp: 0,
    }
}

/// How a picture is wanted, as upstream writes it into tokens: `height:200,width:200,resize:cover`.
fn transformations(wanted: &Map<String, Value>) -> Result<Option<String>> {
    let text = Wanted::of_json(wanted)?.to_token();
    Ok((!text.is_empty()).then_some(text))
}

async fn sign(storage: Storage, asker: Asker, place: Place, Body(life): Body<Life>) -> Result<Json<Value>> {
    let seconds = life.seconds()?;
    let tx = asker
        .begin(&storage.kernel, "storage.object.sign", Some(place.both()), true)
        .await?;
    as_caller(&tx, &place.bucket, &place.name).await?;
    tx.commit().await?;
    let mut claims = claims(&place.bucket, &place.name);
    claims.transformations = match &life.transform {
        Some(wanted) => transformations(wanted)?,
        None => None,
    };
    let door = if claims.transformations.is_some() {
        "render/image"
    } else {
        "object"
    };
    let token = storage.signer.sign(claims, Use::Read, seconds)?;
    let url = format!("/{door}/sign/{}/{}?token={token}", place.bucket, place.name);
    Ok(Json(json!({ "signedURL": url })))
}

async fn sign_many(
    storage: Storage,
    asker: Asker,
    InBucket(bucket): InBucket,
    Body(life): Body<Life>,
) -> Result<Json<Vec<Value>>> {
    let seconds = life.seconds()?;
    let paths = life.paths.ok_or_else(|| errors::missing_parameter("paths"))?;
    if !(1..=MOST).contains(&paths.len()) {
        return Err(errors::invalid_parameter("paths").details("One name to a thousand."));
    }
    let names: Vec<&str> = paths
        .iter()
        .map(String::as_str)
        .filter(|name| names::object(name).is_ok())
        .collect();
    let place = names.first().map(|name| (bucket.as_str(), *name));
    let tx = asker
        .begin(&storage.kernel, "storage.object.sign_many", place, true)
        .await?;
    let rows = tx
        .query(
            "select name from storage.objects where bucket_id = $1 and name collate \"C\" = any ($2)",
            &[&bucket, &names],
        )
        .await
        .map_err(errors::of_statement)?;
    tx.commit().await?;
    let there: HashSet<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let mut answers = Vec::with_capacity(paths.len());
    for path in &paths {
        answers.push(if there.contains(path) {
            let token = storage.signer.sign(claims(&bucket, path), Use::Read, seconds)?;
            let url = format!("/object/sign/{bucket}/{path}?token={token}");
            json!({ "error": null, "path": path, "signedURL": url })
        } else {
            let error = "Either the object does not exist or you do not have access to it";
            json!({ "error": error, "path": path, "signedURL": null })
        });
    }
    Ok(Json(answers))
}

#[derive(Deserialize)]
struct Shown {
    token: Option<String>,
    download: Option<String>,
}

impl Shown {
    fn token(&self) -> Result<&str> {
        self.token
            .as_deref()
            .ok_or_else(|| errors::missing_parameter("token"))
    }
}

async fn read(
    storage: Storage,
    place: Place,
    Query(shown): Query<Shown>,
    request: Request,
) -> Result<Response> {
    let claims = storage
        .signer
        .verify(shown.token()?, Use::Read, &place.bucket, &place.name)?;
    let object = as_server(&storage.kernel, &place.bucket, &place.name, false).await?;
    let (parts, _) = request.into_parts();
    let asked = Asked {
        method: parts.method,
        headers: parts.headers,
        download: shown.download,
        expires: Timestamp::from_second(claims.exp).ok(),
    };
    respond(&storage, &asked, &object).await
}

async fn sign_upload(
    storage: Storage,
    asker: Asker,
    place: Place,
    headers: HeaderMap,
) -> Result<Json<Value>> {
    let tx = SystemTx::begin(storage.kernel.db(), "bucket of an upload").await?;
    let bucket = Bucket::find(&tx, &place.bucket).await?;
    tx.commit().await?;
    let upsert = wants_upsert(&headers);
    // Of what kind it will be is not known yet.
    let kinds = Bucket {
        kinds: Vec::new(),
        ..bucket
    };
    let wish = wish(kinds, place.name.clone(), asker.owner(), upsert);
    let may = Upload::by(&storage, &asker, "storage.object.sign_upload_url", wish).await?;
    let over = match may.over() {
        _ if asker.identity.role == "service_role" => Some(ANYTHING.to_owned()),
        Over::Version(version) => version.clone(),
        Over::Anything => None,
    };
    let claims = Claims {
        owner: asker.owner(),
        upsert,
        over,
        ..claims(&place.bucket, &place.name)
    };
    let seconds = storage.kernel.config().storage.signed_upload_seconds;
    let token = storage.signer.sign(claims, Use::Upload, seconds)?;
    let url = format!(
        "/object/upload/sign/{}/{}?token={token}",
        place.bucket, place.name
    );
    Ok(Json(json!({ "url": url, "token": token })))
}

async fn upload(
    storage: Storage,
    place: Place,
    Query(shown): Query<Shown>,
    request: Request,
) -> Result<Json<Value>> {
    let claims = storage
        .signer
        .verify(shown.token()?, Use::Upload, &place.bucket, &place.name)?;
    let tx = SystemTx::begin(storage.kernel.db(), "bucket of an upload").await?;
    let bucket = Bucket::find(&tx, &place.bucket).await?;
    tx.commit().await?;
    let over = claims.over();
    let wish = wish(bucket, place.name, claims.owner, claims.upsert);
    let object = receive(request, wish, async |wish| {
        Upload::signed(&storage, wish, over.clone()).await
    })
    .await?;
    Ok(Json(
        json!({ "Key": format!("{}/{}", object.bucket, object.name) }),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::transformations;

    #[test]
    fn what_is_wanted_of_a_picture_is_written_in_one_order() {
        for (wanted, text) in [
            (
                json!({ "width": 200, "height": 300 }),
                Some("height:300,width:200,resize:cover"),
            ),
            (
                json!({ "width": 1, "resize": "contain", "quality": 80, "format": "webp" }),
                Some("width:1,resize:contain,quality:80,format:webp"),
            ),
            (json!({ "width": null }), None),
            (json!({}), None),
        ] {
            let found = transformations(wanted.as_object().unwrap()).unwrap();
            assert_eq!(found.as_deref(), text);
        }
        let nonsense = json!({ "format": "exe" });
        assert!(transformations(nonsense.as_object().unwrap()).is_err());
    }
}
