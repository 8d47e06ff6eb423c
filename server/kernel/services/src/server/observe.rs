//! What every request goes through first: it gets an id, is counted and timed, and has a span and a line of the log if they are wanted.

use std::{borrow::Cow, sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use tenon_sdk::{
    Kernel,
    config::RequestLog,
    telemetry::{
        Scope,
        metrics::{Counters, Gauge, Histograms},
        scope::{self, REQUEST_ID},
        trace,
    },
};
use tracing::Instrument;

/// What is known of requests; cheap to clone.
#[derive(Clone)]
pub(super) struct Observer(Arc<Inner>);

struct Inner {
    kernel: Kernel,
    took: Histograms<3>,
    refused: Counters<1>,
    open: Gauge,
}

impl Observer {
    pub(super) fn new(kernel: &Kernel) -> Self {
        let metrics = kernel.metrics();
        Self(Arc::new(Inner {
            kernel: kernel.clone(),
            took: metrics.durations(
                "request_duration",
                "Time until the head of the answer was there, by the pattern of the route",
            ),
            refused: metrics.register(
                "requests_limited",
                "Requests that were told to wait (429), by the pattern of the route",
                Counters::default(),
            ),
            open: metrics.register(
                "requests_open",
                "Requests that are being answered",
                Gauge::default(),
            ),
        }))
    }
}

/// Counts a request as open until it is answered or given up.
struct Open<'a>(&'a Gauge);

impl<'a> Open<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

pub(super) async fn observe(
    State(Observer(seen)): State<Observer>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let _open = Open::new(&seen.open);
    let method = common(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("none", MatchedPath::as_str);
    let scope = Scope::request(request.headers(), seen.kernel.env());
    let id = scope.request_id().cloned();
    let name = id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
    let span = trace::request(request.headers(), method, route, name);
    let answered = async {
        let mut response = next.run(request).instrument(span.clone()).await;
        if let Some(id) = id.clone() {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        if seen.kernel.stopping().is_leaving() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            // The next request of this client finds another server.
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        let status = response.status();
        let took = began.elapsed();
        tell(&seen, method, route, status, took);
        if !span.is_disabled() {
            span.record("http.response.status_code", status.as_u16());
            if status.is_server_error() {
                span.record("otel.status_code", "ERROR");
            }
            if let Some(org) = scope::current(Scope::org).flatten() {
                span.record("tenon.organization", tracing::field::display(org));
            }
        }
        response
    };
    scope.around(answered).await
}

fn tell(seen: &Inner, method: &'static str, route: &str, status: StatusCode, took: std::time::Duration) {
    let labels = [
        ("method", Cow::Borrowed(method)),
        ("route", Cow::Owned(route.to_owned())),
        ("status", class(status).into()),
    ];
    seen.took.get_or_create(&labels).observe(took.as_secs_f64());
    if status == StatusCode::TOO_MANY_REQUESTS {
        let labels = [("route", Cow::Owned(route.to_owned()))];
        seen.refused.get_or_create(&labels).inc();
    }
    let failed = status.is_server_error();
    let wanted = match seen.kernel.config().telemetry.log_requests {
        RequestLog::All => true,
        RequestLog::Failed => failed,
        RequestLog::None => false,
    };
    if wanted {
        let (status, ms) = (status.as_u16(), took.as_secs_f64() * 1000.0);
        let ms = (ms * 1000.0).round() / 1000.0;
        if failed {
            tracing::warn!(target: "tenon::requests", method, route, status, ms, "request failed");
        } else {
            tracing::info!(target: "tenon::requests", method, route, status, ms, "request");
        }
    }
}

/// Clients may make methods up, and figures are kept for each.
fn common(method: &Method) -> &'static str {
    const KNOWN: [&str; 8] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY",
    ];
    let known = KNOWN.into_iter().find(|known| *known == method.as_str());
    known.unwrap_or("other")
}

const fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
