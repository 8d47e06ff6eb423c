//! Spans of traces. They are `tracing` spans of one target, which nothing listens to unless traces are sent somewhere: then they cost a
//! look at a flag. They say what was done and how long it took, never with which values.

use std::{
    future::Future,
    sync::OnceLock,
    time::{Duration, Instant},
};

use axum::http::HeaderMap;
use futures_util::FutureExt;
use tracing::{Instrument, Span, field::Empty};

/// The target of all spans.
pub const TARGET: &str = "tenon::trace";
/// Characters of a statement that are told.
const LONGEST: usize = 2000;

/// Takes the trace that a request belongs to from its headers, and passes it on in those of calls outside (W3C Trace Context).
pub trait Propagator: Send + Sync {
    /// The span goes on with the trace that the headers name.
    fn take(&self, headers: &HeaderMap, span: &Span);
    /// Names the trace that the current span belongs to.
    fn give(&self, headers: &mut HeaderMap);
}

static PROPAGATOR: OnceLock<Box<dyn Propagator>> = OnceLock::new();

/// Says how traces are passed on; once in a process.
pub fn propagate(propagator: Box<dyn Propagator>) {
    drop(PROPAGATOR.set(propagator));
}

/// The span of a request.
pub fn request(headers: &HeaderMap, method: &str, route: &str, id: &str) -> Span {
    let span = tracing::info_span!(
        target: TARGET,
        parent: None,
        "request",
        otel.name = format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        request.id = id,
        tenon.organization = Empty,
    );
    if !span.is_disabled()
        && let Some(propagator) = PROPAGATOR.get()
    {
        propagator.take(headers, &span);
    }
    span
}

/// The span of a job.
pub fn job(name: &str, id: uuid::Uuid, org: crate::ids::OrgId, attempt: i32) -> Span {
    tracing::info_span!(
        target: TARGET,
        parent: None,
        "job",
        otel.name = format_args!("job {name}"),
        otel.kind = "consumer",
        otel.status_code = Empty,
        job.name = name,
        job.id = %id,
        job.attempt = attempt,
        tenon.organization = %org,
    )
}

/// Names the trace in the headers of a call outside.
pub(crate) fn give(headers: &mut HeaderMap) {
    if let Some(propagator) = PROPAGATOR.get() {
        propagator.give(headers);
    }
}

/// The span of a call outside; of its address only the host is told.
pub(crate) fn call(method: &str, host: &str) -> Span {
    tracing::info_span!(
        target: TARGET,
        "call",
        otel.name = method,
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = method,
        server.address = host,
        http.response.status_code = Empty,
    )
}

/// Runs a statement in a span of its own, and tells the log if it took longer than `slow`. No async function: each of them would hold what
/// it runs once more.
pub(crate) fn statement<T, E>(
    sql: &str,
    slow: Option<Duration>,
    run: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    let span = tracing::info_span!(
        target: TARGET,
        "statement",
        otel.name = kind(sql),
        otel.kind = "client",
        otel.status_code = Empty,
        db.system.name = "postgresql",
        db.operation.name = kind(sql),
        db.query.text = shown(sql),
    );
    let began = slow.map(|slow| (slow, Instant::now()));
    run.instrument(span.clone()).inspect(move |result| {
        if result.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        if let Some((slow, began)) = began
            && began.elapsed() >= slow
        {
            let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(target: "tenon::slow", ms, sql = shown(sql), "slow statement");
        }
    })
}

/// The first word.
fn kind(sql: &str) -> &str {
    let sql = sql.trim_start();
    let end = sql.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(sql.len());
    &sql[..end]
}

/// A statement as far as anybody reads it. All values are parameters, so that the text has none.
fn shown(sql: &str) -> &str {
    let end = sql.char_indices().nth(LONGEST).map_or(sql.len(), |(at, _)| at);
    &sql[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_called_by_its_first_word() {
        for (sql, word) in [
            ("select 1", "select"),
            ("\n  with a as (select)", "with"),
            ("", ""),
            ("(select 1)", ""),
        ] {
            assert_eq!(kind(sql), word);
        }
        assert_eq!(shown(&"ä".repeat(3000)).chars().count(), LONGEST);
    }
}
