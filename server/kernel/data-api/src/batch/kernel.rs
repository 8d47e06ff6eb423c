//! Batches of Tenon's own callers: one connection, one organisation.

use tenon_sdk::Kernel;
use tenon_sdk::db::{RequestContext, Surroundings};

use super::run::{Batch, Shared};
use crate::api_request::HttpRequest;
use crate::error::Result;
use crate::http::headers_without_credentials;
use crate::respond::Response;
use crate::run::Caller;
use crate::service::DataApi;
use crate::within::Within;

/// Runs a batch; `full_path` is the path that the request itself was sent to.
pub(crate) async fn run(
    kernel: &Kernel,
    api: &DataApi,
    caller: &Caller,
    http: HttpRequest<'_>,
    full_path: &str,
) -> Result<Response> {
    let settings = api.settings()?;
    let batch = Batch::parse(&http, settings)?;
    let cache = api.cache()?;
    let shared = Shared {
        cache: &cache,
        settings,
        root: full_path
            .trim_end_matches('/')
            .strip_suffix(super::PATH)
            .unwrap_or_default(),
        role: cache.role(caller.identity.role),
    };
    let context = RequestContext {
        role: caller.identity.role,
        user: caller.identity.user,
        key: caller.identity.key.map(|key| key.id),
        claims: caller.identity.claims.clone(),
        org: caller.org.clone(),
        request: Some((http.method.as_str().to_owned(), full_path.to_owned())),
        read_only: !batch.writes(),
        time_zone: batch.time_zone().map(str::to_owned),
        surroundings: Surroundings {
            search_path: None,
            headers: Some(headers_without_credentials(http.headers)),
        },
    };
    let tx = Within::begin(kernel, api, caller, &context).await?;
    let response = batch.perform(&shared, &tx).await?;
    tx.end(batch.rolls_back() == Some(true)).await?;
    Ok(response)
}
