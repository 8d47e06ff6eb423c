//! `/rest/v1`: HTTP in, HTTP out. Everything between is the stages'.

use std::sync::Arc;

use axum::RequestExt;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::routing::any;
use http_body_util::LengthLimitError;
use tenon_sdk::Kernel;
use tenon_sdk::ctx::Identity;
use tenon_sdk::http::{OrgHeader, RequestIdentity};
use tenon_sdk::module::Routes;

use crate::api_request::HttpRequest;
use crate::batch;
use crate::error::Error;
use crate::http::to_http;
use crate::respond::Response;
use crate::run::{Caller, answer};
use crate::service::DataApi;
use crate::stream::Answer;

const ROOT: &str = "/rest/v1";

/// The routes; they stand for every exposed relation and function, so they are not listed one by one.
pub(crate) fn routes(api: &Arc<DataApi>) -> Routes {
    let handler = |api: Arc<DataApi>| {
        any(move |State(kernel): State<Kernel>, request: Request| async move {
            let method = request.method().clone();
            let response = handle(&kernel, &api, request)
                .await
                .unwrap_or_else(|error| Response::from(&error).into());
            let mut http = to_http(response, &method);
            http.headers_mut()
                .insert(header::VARY, HeaderValue::from_static("Accept, Prefer, Range"));
            http
        })
    };
    Routes::new()
        .route(ROOT, handler(api.clone()))
        .route(&format!("{ROOT}/"), handler(api.clone()))
        .route(&format!("{ROOT}/{{*path}}"), handler(api.clone()))
}

async fn handle(kernel: &Kernel, api: &DataApi, request: Request) -> Result<Answer, Error> {
    // With its limit, which an extractor would have found in the request.
    let (parts, body) = request.with_limited_body().into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .map_err(|error| unreadable(&error))?;
    let identity = parts.extensions.get::<RequestIdentity>();
    let org = parts.extensions.get::<OrgHeader>();
    let caller = Caller {
        identity: identity.map_or_else(Identity::anonymous, |RequestIdentity(identity)| identity.clone()),
        org: org.map(|OrgHeader(org)| org.clone()).unwrap_or_default(),
    };
    let full_path = parts.uri.path();
    let http = HttpRequest {
        method: &parts.method,
        path: full_path.strip_prefix(ROOT).unwrap_or(full_path),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &body,
    };
    if batch::is_batch(&http, &*api.cache()?) {
        // On the heap, so that other requests need not carry its room with them.
        let response = Box::pin(batch::run(kernel, api, &caller, http, full_path)).await?;
        return Ok(response.into());
    }
    answer(kernel, api, &caller, http, full_path).await
}

fn unreadable(error: &axum::Error) -> Error {
    let mut causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    if causes.any(<dyn std::error::Error>::is::<LengthLimitError>) {
        Error::new(413, "request.too_large", "The request is too large.")
    } else {
        Error::body_invalid("The body could not be read")
    }
}
