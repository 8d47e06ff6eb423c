//! The server for whoever runs this one: is it alive, is it ready, what does it know, how is it doing.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Extract;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::figures::Moment;
use super::listen::Address;
use super::state::{Phase, Shared};

#[derive(Clone)]
struct Watched {
    shared: Arc<Shared>,
    main: Address,
}

/// The routes; `main` is where the API itself listens.
pub(super) fn router(shared: Arc<Shared>, main: Address) -> Router {
    Router::new()
        .route("/live", get(live))
        .route("/ready", get(ready))
        .route("/schema_cache", get(schema_cache))
        .route("/metrics", get(metrics))
        .route("/config", get(config))
        .with_state(Watched { shared, main })
}

async fn live(Extract(watched): Extract<Watched>) -> StatusCode {
    if watched.main.answers().await {
        StatusCode::OK
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}

async fn ready(Extract(watched): Extract<Watched>) -> StatusCode {
    match watched.shared.phase() {
        Phase::Pending => StatusCode::SERVICE_UNAVAILABLE,
        Phase::Loaded if watched.main.answers().await => StatusCode::OK,
        Phase::Loaded | Phase::Failed => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn schema_cache(Extract(watched): Extract<Watched>) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (json, watched.shared.state().catalogue().to_owned()).into_response()
}

async fn metrics(Extract(watched): Extract<Watched>) -> Response {
    let moment = Moment {
        connections: watched.shared.db.figures(),
        tokens: watched.shared.state().verifier.figures(),
    };
    let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (text, watched.shared.figures.text(moment)).into_response()
}

async fn config(Extract(watched): Extract<Watched>) -> Response {
    let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    match watched.shared.state().config.to_text(false) {
        Ok(settings) => (text, settings).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
