//! HTTP in, HTTP out.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State as Extract;
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::IntoResponse;
use tokio::net::TcpListener;

use super::StartError;
use super::answer::answer;
use super::config::Config;
use super::session::caller;
use super::state::Shared;
use crate::api_request::HttpRequest;
use crate::error::{Error, Result};
use crate::respond::Response;

/// The largest body that is read.
const MOST_BODY: usize = 64 << 20;

/// Listens until `stop` is done, then lets what is in flight end.
pub(super) async fn run(
    shared: Arc<Shared>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::result::Result<(), StartError> {
    let config = shared.state().config;
    let listener = bind(&config).await?;
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "listening");
    }
    let router = Router::new().fallback(handle).with_state(shared);
    axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .await
        .map_err(|error| StartError::Listen(config.host.clone(), error))
}

async fn bind(config: &Config) -> std::result::Result<TcpListener, StartError> {
    let hosts: &[&str] = match config.host.as_str() {
        "*" | "*4" | "!4" => &["0.0.0.0"],
        "*6" | "!6" => &["::"],
        other => &[other],
    };
    let mut result = Err(StartError::Listen(
        config.host.clone(),
        std::io::ErrorKind::AddrNotAvailable.into(),
    ));
    for host in hosts {
        match TcpListener::bind((*host, config.port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => result = Err(StartError::Listen(format!("{host}:{}", config.port), error)),
        }
    }
    result
}

async fn handle(Extract(shared): Extract<Arc<Shared>>, request: Request<Body>) -> axum::response::Response {
    let response = respond(&shared, request)
        .await
        .unwrap_or_else(|error| Response::from(&error));
    to_http(response)
}

async fn respond(shared: &Shared, request: Request<Body>) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let state = shared.state();
    let caller = caller(&state, &parts.headers, shared.env.now().as_second())?;
    let body = axum::body::to_bytes(body, MOST_BODY)
        .await
        .map_err(|_| Error::new(413, "request.too_large", "The request is too large."))?;
    let http = HttpRequest {
        method: &parts.method,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &body,
    };
    answer(&state, &shared.db, &caller, http, &parts.headers).await
}

fn to_http(response: Response) -> axum::response::Response {
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut http = (status, Body::from(response.body)).into_response();
    let headers = http.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            headers.append(name, value);
        }
    }
    http
}
