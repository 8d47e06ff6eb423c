//! Resumable uploads: TUS 1.0.0 with creation, creation-with-upload, creation-defer-length, termination, expiration and checksum.
//!
//! What was acknowledged is kept, whatever dies: content grows in the store piece by piece, and a row says how far. An upload
//! belongs to whoever began it. Policies are asked when it begins, with each request, and before the object is made.

mod answer;
mod append;
mod create;
mod finish;
mod holders;
mod look;
mod metadata;
mod source;
mod sweep;
mod upload;

use axum::{
    Router,
    http::{HeaderMap, HeaderValue},
    routing::{get, post},
};
use tenon_sdk::Kernel;

pub(crate) use holders::Holders;
pub(crate) use sweep::sweep;

/// Where these routes are.
pub(crate) const PREFIX: &str = "/storage/v1/upload/resumable";

pub(crate) fn routes() -> Router<Kernel> {
    let one = || {
        get(look::head_only)
            .head(look::offset)
            .patch(append::add)
            .put(append::add)
            .post(append::by_another_name)
            .delete(look::give_up)
    };
    Router::new()
        .route("/upload/resumable", post(create::create))
        .route("/upload/resumable/", post(create::create))
        .route("/upload/resumable/sign", post(create::create_signed))
        .route("/upload/resumable/sign/", post(create::create_signed))
        .route("/upload/resumable/{id}", one())
        .route("/upload/resumable/sign/{id}", one())
}

/// What OPTIONS says of these routes.
pub(crate) fn abilities(kernel: &Kernel) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let most = kernel.config().storage.max_file_bytes;
    answer::protocol(&mut headers);
    for (name, value) in [
        ("tus-version", "1.0.0"),
        (
            "tus-extension",
            "creation,creation-with-upload,creation-defer-length,termination,expiration,checksum",
        ),
        ("tus-checksum-algorithm", "md5,sha1,sha256"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("tus-max-size", most.into());
    headers
}
