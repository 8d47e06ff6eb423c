//! The web app, embedded in the binary. In a debug build the files are read from `web/dist` at each request.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, any},
};
use rust_embed::{EmbeddedFile, RustEmbed};
use tenon_sdk::error::Error;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

/// Paths that belong to the server; an unknown one among them is an error in JSON, not the web app.
const SERVER_PATHS: [&str; 6] = [
    "/api/",
    "/auth/v1/",
    "/rest/v1/",
    "/realtime/v1/",
    "/storage/v1/",
    "/functions/v1/",
];

/// Scripts and styles from here alone; pictures also inline, for charts and icons.
const POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; \
                      frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

/// The web app, for whatever is no other route.
pub fn pages() -> MethodRouter {
    any(answer)
}

async fn answer(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if SERVER_PATHS.iter().any(|prefix| path.starts_with(prefix)) {
        return Error::not_found("request.not_found", "There is nothing at this address.")
            .details(format!("{method} {path}"))
            .into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let name = path.trim_start_matches('/');
    match Files::get(name) {
        Some(file) => respond(name, &file, &headers),
        // A missing file is missing; any other path is a page of the app, which knows its own "not found".
        None if name.starts_with("assets/") => StatusCode::NOT_FOUND.into_response(),
        None => match Files::get("index.html") {
            Some(page) => respond("index.html", &page, &headers),
            None => (
                StatusCode::NOT_FOUND,
                "The web app is not built: run `cargo xtask run`.",
            )
                .into_response(),
        },
    }
}

fn respond(name: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", tenon_sdk::hex(&file.metadata.sha256_hash()[..16]));
    // Names of built files carry a hash of their content.
    let cache = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = mime_guess::from_path(name).first_or_octet_stream();
        (
            [(header::CONTENT_TYPE, kind.as_ref())],
            Body::from(file.data.to_vec()),
        )
            .into_response()
    };
    let fields = response.headers_mut();
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    fields.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    fields.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    fields.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        fields.insert(header::ETAG, tag);
    }
    response
}
