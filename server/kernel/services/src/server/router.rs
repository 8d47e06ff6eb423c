//! All routes of all modules in one router, with what every request goes through.

use std::time::Duration;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use tenon_sdk::{
    Error, Kernel, Module, SystemTx,
    http::{AsItIs, authenticate},
    module::Routes,
};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, DefaultPredicate, Predicate as _},
    cors::CorsLayer,
    timeout::RequestBodyTimeoutLayer,
};
use utoipa::openapi::{
    InfoBuilder, OpenApi, OpenApiBuilder,
    security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};

use super::{
    figures,
    observe::{Observer, observe},
};
use crate::identity;

pub(super) fn build(kernel: &Kernel, observer: &Observer) -> (Router, OpenApi) {
    let (documented, openapi) = describe(kernel.modules());
    let document = serde_json::to_value(&openapi).unwrap_or_default();
    // One layer of all of them: the router puts each of its own into a box that every request clones.
    let around = ServiceBuilder::new()
        .layer(axum::middleware::from_fn_with_state(observer.clone(), observe))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("unknown");
            Error::internal(format!("panic in a handler: {text}")).into_response()
        }))
        .layer(axum::middleware::from_fn_with_state(kernel.clone(), abilities))
        .layer(cors())
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(not_as_it_is)))
        // Of a body that stops to come: a handler holds what it holds until then.
        .layer(RequestBodyTimeoutLayer::new(Duration::from_secs(
            kernel.config().server.body_idle_seconds.max(1),
        )))
        .layer(DefaultBodyLimit::max(kernel.config().server.max_body_bytes));
    let router = documented
        .route(
            "/openapi.json",
            get(move || std::future::ready(axum::Json(document.clone()))),
        )
        .layer(axum::middleware::from_fn_with_state(
            kernel.clone(),
            identity::guard,
        ))
        .layer(axum::middleware::from_fn_with_state(kernel.clone(), enter))
        .route("/healthz", get(|| std::future::ready("ok")))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures::tell_those_with_token))
        .layer(around)
        .with_state(kernel.clone());
    (router, openapi)
}

/// What those see who run the server and nobody else reaches.
pub(super) fn inner(kernel: &Kernel) -> Router {
    Router::new()
        .route("/healthz", get(|| std::future::ready("ok")))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures::tell))
        .with_state(kernel.clone())
}

pub(super) fn describe(modules: &[Module]) -> (Router<Kernel>, OpenApi) {
    let base = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Tenon")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "Commands of all modules. Generic reads and writes are the data API's, under /rest/v1.",
                ))
                .build(),
        )
        .security(Some([SecurityRequirement::new("token", Vec::<String>::new())]))
        .build();
    let mut all = Routes::with_openapi(base);
    for module in modules {
        all = all.merge(module.make_routes());
    }
    let (router, mut openapi) = all.split_for_parts();
    for item in openapi.paths.paths.values_mut() {
        for operation in [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ] {
            // Handlers of different modules may share a name; with the module's before it the id is unique.
            if let Some(operation) = operation
                && let (Some(id), Some(tag)) = (
                    &operation.operation_id,
                    operation.tags.as_ref().and_then(|tags| tags.first()),
                )
                && !id.starts_with(&format!("{tag}_"))
            {
                operation.operation_id = Some(format!("{tag}_{id}"));
            }
        }
    }
    openapi.components.get_or_insert_default().add_security_scheme(
        "token",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .build(),
        ),
    );
    (router, openapi)
}

/// Finds out who asks; refusals of `/auth/v1`, and of paths with an error form, are told as their clients expect.
async fn enter(State(kernel): State<Kernel>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let form = kernel
        .modules()
        .iter()
        .filter_map(|module| module.error_form)
        .find_map(|(prefix, form)| path.starts_with(prefix).then_some(form));
    if let Some(form) = form {
        let headers = request.headers().clone();
        let mut response = authenticate(State(kernel), request, next).await;
        return match response.extensions_mut().remove::<Error>() {
            Some(error) => form(&error, &headers),
            None => response,
        };
    }
    if !path.starts_with("/auth/v1/") && !path.starts_with("/.well-known/") {
        return authenticate(State(kernel), request, next).await;
    }
    identity::spoken(request, async |request| {
        authenticate(State(kernel), request, next).await
    })
    .await
}

/// What modules say of their paths in answers to OPTIONS, which are those to browsers besides.
async fn abilities(State(kernel): State<Kernel>, request: Request, next: Next) -> Response {
    if request.method() != Method::OPTIONS {
        return next.run(request).await;
    }
    let path = request.uri().path();
    let told = kernel
        .modules()
        .iter()
        .filter_map(|module| module.abilities)
        .find_map(|(prefix, abilities)| path.starts_with(prefix).then(|| abilities(&kernel)));
    let mut response = next.run(request).await;
    response.headers_mut().extend(told.unwrap_or_default());
    response
}

/// Content whose length and ranges its reader was promised stays as it is.
fn not_as_it_is(
    _: StatusCode,
    _: axum::http::Version,
    _: &axum::http::HeaderMap,
    extensions: &axum::http::Extensions,
) -> bool {
    extensions.get::<AsItIs>().is_none()
}

/// Whether requests should come here: the database answers, and the server stays. It listens only once migrations are done.
async fn ready(State(kernel): State<Kernel>) -> Response {
    if kernel.stopping().is_leaving() {
        return Error::unavailable("server.stopping", "The server is stopping.")
            .hint("Ask another one.")
            .into_response();
    }
    let look = async {
        let tx = SystemTx::begin(kernel.db(), "readiness").await?;
        tx.commit().await
    };
    match tokio::time::timeout(Duration::from_secs(5), look).await {
        Ok(Ok(())) => (StatusCode::OK, "ready").into_response(),
        Ok(Err(error)) => error.into_response(),
        Err(_) => Error::unavailable("database.busy", "The database did not answer in time.").into_response(),
    }
}

/// Browsers of other origins may call the API with a token; cookies are not used, so any origin will do.
fn cors() -> CorsLayer {
    let names = |names: &'static [&'static str]| -> Vec<HeaderName> {
        names.iter().map(|name| HeaderName::from_static(name)).collect()
    };
    CorsLayer::new()
        .allow_origin(tower_http::cors::Any)
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers(names(&[
            "accept",
            "accept-profile",
            "amz-sdk-invocation-id",
            "amz-sdk-request",
            "apikey",
            "authorization",
            "baggage",
            "cache-control",
            "content-encoding",
            "content-md5",
            "content-profile",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-modified-since",
            "if-none-match",
            "if-range",
            "if-unmodified-since",
            "last-event-id",
            "prefer",
            "range",
            "range-unit",
            "traceparent",
            "tracestate",
            "tus-resumable",
            "upload-checksum",
            "upload-defer-length",
            "upload-length",
            "upload-metadata",
            "upload-offset",
            "x-amz-acl",
            "x-amz-checksum-crc32",
            "x-amz-checksum-crc32c",
            "x-amz-checksum-crc64nvme",
            "x-amz-checksum-mode",
            "x-amz-checksum-sha1",
            "x-amz-checksum-sha256",
            "x-amz-content-sha256",
            "x-amz-copy-source",
            "x-amz-copy-source-range",
            "x-amz-date",
            "x-amz-decoded-content-length",
            "x-amz-metadata-directive",
            "x-amz-sdk-checksum-algorithm",
            "x-amz-security-token",
            "x-amz-trailer",
            "x-amz-user-agent",
            "x-client-info",
            "x-http-method-override",
            "x-metadata",
            "x-org-id",
            "x-region",
            "x-request-id",
            "x-retry-count",
            "x-signature",
            "x-supabase-api-version",
            "x-upsert",
        ]))
        .expose_headers([
            header::ACCEPT_RANGES,
            header::CONTENT_DISPOSITION,
            header::CONTENT_LENGTH,
            header::CONTENT_RANGE,
            header::ETAG,
            header::LAST_MODIFIED,
            header::LINK,
            header::LOCATION,
            HeaderName::from_static("preference-applied"),
            HeaderName::from_static("tus-complete"),
            HeaderName::from_static("tus-extension"),
            HeaderName::from_static("tus-max-size"),
            HeaderName::from_static("tus-resumable"),
            HeaderName::from_static("tus-version"),
            HeaderName::from_static("upload-defer-length"),
            HeaderName::from_static("upload-expires"),
            HeaderName::from_static("upload-length"),
            HeaderName::from_static("upload-metadata"),
            HeaderName::from_static("upload-offset"),
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("x-supabase-api-version"),
            HeaderName::from_static("x-total-count"),
        ])
        .max_age(Duration::from_mins(10))
}
