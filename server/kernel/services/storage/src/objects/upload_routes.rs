//! `POST` and `PUT /object/…`: content as it is, or in a form.

use axum::{
    Json,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, header},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::StreamExt;
use multer::{Field, Multipart};
use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx};

use super::{Upload, Wish, body::is_stalled};
use crate::{
    asker::Asker,
    errors,
    model::{Bucket, Object},
    place::Place,
    service::Storage,
};

/// Longest text of a form in bytes; what is told of a file.
const LONGEST_TEXT: usize = 1024 * 1024;

pub(super) async fn create(
    storage: Storage,
    asker: Asker,
    place: Place,
    request: Request,
) -> Result<Json<Value>> {
    let upsert = wants_upsert(request.headers());
    up(&storage, &asker, place, "storage.object.upload", upsert, request).await
}

pub(super) async fn replace(
    storage: Storage,
    asker: Asker,
    place: Place,
    request: Request,
) -> Result<Json<Value>> {
    up(
        &storage,
        &asker,
        place,
        "storage.object.upload_update",
        true,
        request,
    )
    .await
}

async fn up(
    storage: &Storage,
    asker: &Asker,
    place: Place,
    operation: &str,
    upsert: bool,
    request: Request,
) -> Result<Json<Value>> {
    let tx = SystemTx::begin(storage.kernel.db(), "bucket of an upload").await?;
    let bucket = Bucket::find(&tx, &place.bucket).await?;
    tx.commit().await?;
    let wish = wish(bucket, place.name, asker.owner(), upsert);
    let object = receive(request, wish, async |wish| {
        Upload::by(storage, asker, operation, wish).await
    })
    .await?;
    Ok(Json(json!({
        "Id": object.id,
        "Key": format!("{}/{}", object.bucket, object.name),
    })))
}

/// A wish of which the request tells the rest.
pub(crate) fn wish(bucket: Bucket, name: String, owner: Option<String>, upsert: bool) -> Wish {
    Wish {
        bucket,
        name,
        owner,
        upsert,
        kind: "application/octet-stream".into(),
        cache_control: "no-cache".into(),
        user_metadata: None,
        length: None,
    }
}

/// Whether what is there may be replaced.
pub(crate) fn wants_upsert(headers: &HeaderMap) -> bool {
    headers
        .get("x-upsert")
        .is_some_and(|value| value.as_bytes() == b"true")
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// What a program tells about a file in a header: JSON in base64. What cannot be read is passed over, as upstream.
pub(crate) fn told_in_header(headers: &HeaderMap) -> Option<Value> {
    let text = headers.get("x-metadata")?.to_str().ok()?;
    told(&BASE64_STANDARD.decode(text).ok()?)
}

fn told(json: &[u8]) -> Option<Value> {
    serde_json::from_slice(json).ok().filter(Value::is_object)
}

/// Takes the content of a request in: `begin` asks whether it may come.
pub(crate) async fn receive<'a>(
    request: Request,
    mut wish: Wish,
    begin: impl AsyncFnOnce(Wish) -> Result<Upload<'a>>,
) -> Result<Object> {
    let (parts, body) = request.into_parts();
    let kind = text(&parts.headers, header::CONTENT_TYPE);
    if let Some(boundary) = kind.as_deref().and_then(|kind| multer::parse_boundary(kind).ok()) {
        return from_form(body, boundary, wish, begin).await;
    }
    if let Some(kind) = kind.filter(|kind| !kind.is_empty()) {
        wish.kind = kind;
    }
    if let Some(cache_control) = text(&parts.headers, header::CACHE_CONTROL) {
        wish.cache_control = cache_control;
    }
    wish.user_metadata = told_in_header(&parts.headers);
    wish.length = text(&parts.headers, header::CONTENT_LENGTH).and_then(|text| text.parse().ok());
    let upload = begin(wish).await?;
    let (key, kept) = upload.keep(body.into_data_stream()).await?;
    upload.finish(&key, &kept).await
}

/// What the fields of a form say besides the file.
#[derive(Default)]
struct Told {
    cache_control: Option<String>,
    metadata: Option<Value>,
    kind: Option<String>,
}

impl Told {
    /// Takes a field, unless it is the file, which has any other name.
    async fn take<'f>(&mut self, field: Field<'f>) -> Result<Option<Field<'f>>> {
        let name = field.name().unwrap_or_default().to_owned();
        if field.file_name().is_some() {
            return Ok(Some(field));
        }
        match name.as_str() {
            "cacheControl" => {
                let text = short_text(field).await?;
                let seconds = String::from_utf8_lossy(&text).trim().to_owned();
                let plain = seconds.len() <= 255 && seconds.bytes().all(|b| (b' '..=b'~').contains(&b));
                self.cache_control = (plain && !seconds.is_empty()).then(|| format!("max-age={seconds}"));
            }
            "metadata" | "userMetadata" => self.metadata = told(&short_text(field).await?),
            "contentType" => {
                let text = short_text(field).await?;
                self.kind = Some(String::from_utf8_lossy(&text).into_owned());
            }
            _ => return Ok(Some(field)),
        }
        Ok(None)
    }
}

async fn short_text(mut field: Field<'_>) -> Result<Bytes> {
    let mut text = bytes::BytesMut::new();
    while let Some(piece) = field.chunk().await.map_err(|error| unreadable(&error))? {
        if text.len() + piece.len() > LONGEST_TEXT {
            return Err(errors::too_large());
        }
        text.extend_from_slice(&piece);
    }
    Ok(text.freeze())
}

fn unreadable(error: &multer::Error) -> Error {
    if is_stalled(error) {
        errors::stalled()
    } else {
        errors::incomplete()
    }
}

async fn from_form<'a>(
    body: Body,
    boundary: String,
    mut wish: Wish,
    begin: impl AsyncFnOnce(Wish) -> Result<Upload<'a>>,
) -> Result<Object> {
    let mut form = Multipart::new(body.into_data_stream(), boundary);
    let mut before = Told::default();
    let file = loop {
        let next = form.next_field().await.map_err(|error| unreadable(&error))?;
        let field = next.ok_or_else(|| errors::invalid_request("No content provided"))?;
        if let Some(file) = before.take(field).await? {
            break file;
        }
    };
    if let Some(kind) = before
        .kind
        .or_else(|| file.content_type().map(ToString::to_string))
    {
        wish.kind = kind;
    }
    if let Some(cache_control) = before.cache_control {
        wish.cache_control = cache_control;
    }
    wish.user_metadata = before.metadata;
    let mut upload = begin(wish).await?;
    let (key, kept) = upload.keep(file.boxed()).await?;
    // Some clients tell the rest after the file.
    let mut after = Told::default();
    let rest = async {
        while let Some(field) = form.next_field().await.map_err(|error| unreadable(&error))? {
            after.take(field).await?;
        }
        upload.amend(after.cache_control, after.metadata).await
    };
    if let Err(error) = rest.await {
        upload.forget(&key).await;
        return Err(error);
    }
    upload.finish(&key, &kept).await
}
