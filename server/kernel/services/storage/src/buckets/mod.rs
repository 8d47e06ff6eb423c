//! Buckets: made, changed, emptied, deleted, as far as policies let the caller.

mod empty;
mod read;
mod write;

use axum::{
    Router,
    routing::{get, post},
};
use tenon_sdk::Kernel;

pub(crate) use write::{New, create as create_bucket, delete as delete_bucket};

pub(crate) fn routes() -> Router<Kernel> {
    Router::new()
        .route("/bucket", get(read::list).post(write::create_route))
        .route("/bucket/", get(read::list).post(write::create_route))
        .route(
            "/bucket/{bucket}",
            get(read::one)
                .put(write::update_route)
                .delete(write::delete_route),
        )
        .route("/bucket/{bucket}/empty", post(empty::empty))
}
