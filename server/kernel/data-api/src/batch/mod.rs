//! Several operations in one transaction, of which later ones may refer to the results of earlier ones. Each goes
//! through the same stages as a request of its own; either all of them happen or none.

mod answer;
mod json;
mod kernel;
mod operation;
mod reference;
mod run;

use axum::http::{Method, header};

pub(crate) use kernel::run;
pub(crate) use run::{Batch, Next, Shared, Transaction};

use crate::api_request::HttpRequest;
use crate::schema_cache::SchemaCache;

/// Bytes of results and filled-in references that one batch may have in memory.
const BUDGET: usize = 32 << 20;

/// The media type that says a body is a batch, even where a relation has the endpoint's name.
const MEDIA_TYPE: &str = "application/vnd.tenon.batch+json";

/// The endpoint's path below the root of the data API.
const PATH: &str = "/batch";

/// A POST to the endpoint of batches, unless a relation has its name and the body is not said to be a batch.
pub(crate) fn is_batch(http: &HttpRequest<'_>, cache: &SchemaCache) -> bool {
    if http.method != Method::POST || http.path.trim_end_matches('/') != PATH {
        return false;
    }
    let media = http.headers.get(header::CONTENT_TYPE);
    let said = media
        .and_then(|value| value.to_str().ok())
        .is_some_and(|media| media.split(';').next().unwrap_or_default().trim() == MEDIA_TYPE);
    let name = PATH.trim_start_matches('/');
    said || !cache.tables().any(|table| table.qualified.name == name)
}
