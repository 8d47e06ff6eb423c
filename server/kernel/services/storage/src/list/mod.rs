//! Lists of names, as far as the caller may see them. The database finds them (`storage.entries`), from a cursor on.

mod entry;
mod v1;
mod v2;

use axum::{Router, routing::post};
use tenon_sdk::Kernel;

pub(crate) use entry::Entry;
pub(crate) use v2::{Page, Sorting, page};

pub(crate) fn routes() -> Router<Kernel> {
    Router::new()
        .route("/object/list/{bucket}", post(v1::list))
        .route("/object/list-v2/{bucket}", post(v2::list))
}

/// Text that no name contains is looked for in vain, and PostgreSQL takes no NUL.
pub(crate) fn plain(text: &str) -> bool {
    !text.contains('\0') && text.len() <= 4096
}
