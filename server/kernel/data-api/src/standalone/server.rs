//! HTTP in, HTTP out.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State as Extract;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::IntoResponse;
use futures_util::FutureExt;

use super::StartError;
use super::answer::answer;
use super::config::LogLevel;
use super::session::caller;
use super::state::{Shared, State};
use super::timing::Timing;
use super::{admin, batch, cors, listen};
use crate::api_request::HttpRequest;
use crate::error::{Error, Result};
use crate::http::to_http;
use crate::respond::Response;
use crate::stream::Answer;

/// The largest body that is read.
const MOST_BODY: usize = 64 << 20;

/// What an answer depends on, unless it says so itself.
const VARY: HeaderValue = HeaderValue::from_static("Accept, Prefer, Range");

/// Serves until `stop` is done, then lets what is in flight end.
pub(super) async fn run(
    shared: Arc<Shared>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::result::Result<(), StartError> {
    let config = shared.state().config;
    let listener = listen::main(&config).await?;
    let address = listener.address();
    if let Some(admin) = listen::admin(&config).await? {
        let router = admin::router(shared.clone(), address.clone());
        tokio::spawn(admin.serve(router, std::future::pending()));
    }
    tracing::info!(%address, "listening");
    let watched = shared.clone();
    let router = Router::new().fallback(handle).with_state(shared);
    tokio::select! {
        served = listener.serve(router, stop) => {
            served.map_err(|error| StartError::Listen(address.to_string(), error))
        }
        reason = watched.given_up() => Err(StartError::Database(reason)),
    }
}

async fn handle(Extract(shared): Extract<Arc<Shared>>, request: Request<Body>) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    let state = shared.ready().await;
    let origins = state.config.cors_allowed_origins.as_deref();
    if let Some(headers) = cors::preflight(origins, &parts.method, &parts.headers) {
        return (HeaderMap::from_iter(headers), ()).into_response();
    }
    let mut timing = Timing::start();
    // A fault of ours must not take the connection and the requests after it along.
    let answering = AssertUnwindSafe(respond(&shared, &state, &parts, body, &mut timing));
    let result = answering
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(Error::fault()));
    let answered = result.is_ok();
    let answer = result.unwrap_or_else(|error| refusal(&error, state.config.brief_errors).into());
    let mut http = to_http(answer, &parts.method);
    log(&state, &parts, http.status());
    let headers = http.headers_mut();
    if answered {
        headers.entry(header::VARY).or_insert(VARY);
    }
    if state.config.timing
        && let Ok(value) = HeaderValue::from_str(&timing.header())
    {
        headers.insert(HeaderName::from_static("server-timing"), value);
    }
    if let Some(name) = &state.config.trace_header
        && let Ok(name) = HeaderName::from_bytes(name.as_bytes())
        && let Some(value) = parts.headers.get(&name)
    {
        headers.insert(name, value.clone());
    }
    for (name, value) in cors::simple(origins, &parts.headers) {
        headers.insert(name, value);
    }
    http
}

async fn respond(
    shared: &Shared,
    state: &State,
    parts: &Parts,
    body: Body,
    timing: &mut Timing,
) -> Result<Answer> {
    let caller = caller(state, &parts.headers, shared.env.now().as_second());
    timing.ended("jwt");
    let caller = caller?;
    let body = axum::body::to_bytes(body, MOST_BODY)
        .await
        .map_err(|_| Error::new(413, "request.too_large", "The request is too large."))?;
    timing.skip();
    let http = HttpRequest {
        method: &parts.method,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &body,
    };
    let answer = if crate::batch::is_batch(&http, &*state.cache()?) {
        // On the heap, so that other requests need not carry its room with them.
        let answer = Box::pin(batch::run(state, &shared.db, &caller, http)).await;
        timing.ended("transaction");
        answer.map(Answer::from)
    } else {
        answer(state, &shared.db, &caller, http, timing).await
    };
    if answer.as_ref().is_err_and(|error| error.code == "PGRST003") {
        shared.figures.timed_out();
    }
    answer
}

/// The answer to what was refused; in brief without details and hint.
fn refusal(error: &Error, brief: bool) -> Response {
    let mut response = Response::from(error);
    if brief {
        let body = serde_json::json!({"code": error.code, "message": error.message});
        response.body = body.to_string().into();
    }
    response
}

fn log(state: &State, parts: &Parts, status: StatusCode) {
    let level = state.config.log_level;
    let (method, path, status) = (&parts.method, parts.uri.path(), status.as_u16());
    match status {
        500.. if level >= LogLevel::Error => tracing::error!(%method, path, status, "answered"),
        400..500 if level >= LogLevel::Warn => tracing::warn!(%method, path, status, "answered"),
        _ if level >= LogLevel::Info => tracing::info!(%method, path, status, "answered"),
        _ => {}
    }
}
