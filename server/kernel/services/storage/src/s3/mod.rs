//! The S3 protocol at `/storage/v1/s3`, by the crate `s3s`. Its words are translated to those of the rest: the same policies, the same
//! limits, the same rows.
//!
//! Clients sign the path with what stands before the bucket, which S3 does not know. So there are two services: the outer one checks
//! signatures of requests as they came, and what stands inside reads them without the prefix.

mod answers;
mod buckets;
mod checks;
mod chunks;
mod conditions;
mod copying;
mod finishing;
mod forms;
mod keys;
mod listing;
mod operations;
mod pages;
mod parts;
mod reading;
mod removing;
mod signatures;
mod writing;

use std::sync::{Arc, OnceLock};

use axum::{
    Extension, Router,
    body::Body,
    extract::{OriginalUri, Request},
    http::{HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::Response,
    routing::any,
};
use operations::asker;
use s3s::{
    config::{S3Config, StaticConfigProvider},
    service::{S3Service, S3ServiceBuilder},
};
use tenon_sdk::{Error, Kernel, Result, http::AsItIs};

use crate::{
    asker::Asker,
    objects::{BOX, is_passive},
    service::{Slot, Storage},
};

/// What stands before the bucket.
const PREFIX: &str = "/storage/v1/s3";
/// Longest XML that says what to do: ten thousand parts, a thousand names.
const LONGEST_XML: usize = 4 * 1024 * 1024;

/// The services, made when the first request comes.
#[derive(Clone, Default)]
struct Services(Arc<OnceLock<Both>>);

/// The service that checks signatures of requests as they came, and the one that does what they say.
#[derive(Clone)]
struct Both {
    outer: S3Service,
    inner: S3Service,
}

pub(crate) fn routes() -> Router<Kernel> {
    Router::new()
        .route("/s3", any(handle))
        .route("/s3/", any(handle))
        .route("/s3/{*rest}", any(handle))
        .layer(Extension(Services::default()))
}

/// What the operations are done with.
#[derive(Clone, Debug)]
struct Doors(Storage);

fn build(storage: &Storage) -> Both {
    let settings = || {
        let mut settings = S3Config::default();
        settings.xml_max_body_size = LONGEST_XML;
        Arc::new(StaticConfigProvider::new(Arc::new(settings)))
    };
    let auth = keys::Keys::new(storage);
    let mut inner = S3ServiceBuilder::new(Doors(storage.clone()));
    inner.set_config(settings());
    inner.set_auth(auth.clone());
    inner.set_access(signatures::Known(auth.clone()));
    inner.set_validation(signatures::AnyName);
    let inner = inner.build();
    let mut outer = S3ServiceBuilder::new(Doors(storage.clone()));
    outer.set_config(settings());
    outer.set_auth(auth.clone());
    outer.set_validation(signatures::AnyName);
    outer.set_route(signatures::Inside {
        auth,
        service: inner.clone(),
    });
    Both {
        outer: outer.build(),
        inner,
    }
}

async fn handle(
    Extension(slot): Extension<Slot>,
    Extension(services): Extension<Services>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Result<Response> {
    let storage = slot.get()?;
    let services = services.0.get_or_init(|| build(storage));
    let (mut parts, body) = request.into_parts();
    let asker = Asker::of(&parts);
    parts.extensions.insert(asker);
    // A form is signed by what it says, wherever it is sent.
    let is_form = parts.method == Method::POST
        && parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"));
    parts.extensions.insert(signatures::IsForm(is_form));
    let answer = if is_form {
        form(storage, &services.inner, uri, parts, body).await
    } else {
        parts.uri = uri;
        let body = incoming(&mut parts, body);
        call(&services.outer, axum::http::Request::from_parts(parts, body)).await
    };
    let mut response = answer?;
    // What people put here may be a page, and the site is the web app's, too.
    let headers = response.headers_mut();
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(is_passive) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(BOX));
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response.extensions_mut().insert(AsItIs);
    Ok(response)
}

async fn call(service: &S3Service, request: axum::http::Request<s3s::Body>) -> Result<Response> {
    let response = service.call(request).await.map_err(|error| {
        let error: s3s::StdError = error.into();
        Error::internal(error)
    })?;
    Ok(response.map(Body::new))
}

/// The body as `s3s` shall read it.
fn incoming(parts: &mut Parts, body: Body) -> s3s::Body {
    // What names neither a length nor a coding has no body (RFC 9112, 6.3).
    let has_body = parts.headers.contains_key(header::CONTENT_LENGTH)
        || parts.headers.contains_key(header::TRANSFER_ENCODING);
    if !has_body {
        return s3s::Body::empty();
    }
    let coding = parts.headers.get("x-amz-content-sha256");
    let coding = coding.map(HeaderValue::as_bytes).unwrap_or_default();
    if coding == b"STREAMING-UNSIGNED-PAYLOAD-TRAILER" {
        return s3s::Body::http_body_unsync(Body::from_stream(chunks::cut(body)));
    }
    if coding.starts_with(b"STREAMING-") {
        let waiting = chunks::Waiting::default();
        parts.extensions.insert(waiting.clone());
        return s3s::Body::http_body_unsync(Body::from_stream(waiting.comes(body)));
    }
    s3s::Body::http_body_unsync(body)
}

async fn form(
    storage: &Storage,
    service: &S3Service,
    uri: Uri,
    mut parts: Parts,
    body: Body,
) -> Result<Response> {
    let read = async {
        parts.uri = signatures::without_prefix(&uri)?;
        let secret = storage.kernel.env().new_secret::<24>();
        forms::read(&parts.headers, body, &secret).await
    };
    let form = match read.await {
        Ok(form) => form,
        Err(error) => {
            let refused = error.to_http_response().map_err(Error::internal)?;
            return Ok(refused.map(Body::new));
        }
    };
    parts.headers = form.headers;
    parts.extensions.insert(form.file.clone());
    let response = call(service, axum::http::Request::from_parts(parts, form.body)).await;
    if let Some(mut unread) = form.file.take() {
        forms::read_on(&mut unread).await;
    }
    response.map(|mut response| {
        // Upstream says so of a form that asked for nothing else.
        if response.status() == StatusCode::NO_CONTENT {
            *response.status_mut() = StatusCode::OK;
        }
        response
    })
}
