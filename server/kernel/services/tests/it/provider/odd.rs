//! Answers that no good provider gives.

use std::convert::Infallible;

use axum::{
    Json,
    body::{Body, Bytes},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde_json::json;

/// What is answered in place of a document or of keys; nothing for a good provider.
pub(super) async fn answer(name: &str) -> Option<Response> {
    let answer = match name {
        // More than is read, of what would be good.
        "huge" => Json(json!({ "keys": [], "padding": "x".repeat(256 * 1024) })).into_response(),
        "page" => Html("<html><body>Sign in to the Wi-Fi</body></html>").into_response(),
        "list" => Json(json!([{ "issuer": 7 }])).into_response(),
        "empty" => StatusCode::NO_CONTENT.into_response(),
        "no" => Json(json!({ "keys": [] })).into_response(),
        "failing" => (StatusCode::INTERNAL_SERVER_ERROR, "out of order").into_response(),
        // Nobody may lead the server inside, nor to a port of its own machine.
        "redirecting" => (
            StatusCode::FOUND,
            [(header::LOCATION, "http://169.254.169.254/latest/meta-data")],
        )
            .into_response(),
        "silent" => std::future::pending().await,
        "dribbling" => {
            let first = stream::once(async { Ok::<_, Infallible>(Bytes::from_static(b"{")) });
            Body::from_stream(first.chain(stream::pending())).into_response()
        }
        _ => return None,
    };
    Some(answer)
}
