//! Figures about the server itself, and where they are told.

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use tenon_sdk::{
    Error, Kernel,
    db::ConnectionFigures,
    telemetry::metrics::{Gauge, Gauges},
};

/// Registers what the kernel knows of itself.
pub(super) fn register(kernel: &Kernel) {
    let metrics = kernel.metrics();
    let build = metrics.register("build_info", "The version of the server", Gauges::<1>::default());
    build
        .get_or_create(&[("version", env!("CARGO_PKG_VERSION").into())])
        .set(1);
    tenon_telemetry::watch_process(metrics);
    let connections = metrics.register(
        "database_connections",
        "Connections to the database: of transactions and of streams, used and idle",
        Gauges::<2>::default(),
    );
    let most = metrics.register(
        "database_connections_max",
        "Most connections to the database of each kind",
        Gauges::<1>::default(),
    );
    let waiting = metrics.register(
        "database_waiting",
        "Requests that wait for a connection to the database",
        Gauges::<1>::default(),
    );
    let piped = metrics.register(
        "database_piped",
        "Requests on their way on shared connections, of reads and of writes",
        Gauges::<1>::default(),
    );
    let leaving = metrics.register(
        "stopping",
        "Whether the server is on its way out",
        Gauge::<i64>::default(),
    );
    let known = (kernel.db().clone(), kernel.stopping().clone());
    metrics.look("database", move || {
        let (db, stopping) = &known;
        let set = |kind: &'static str, of: ConnectionFigures| {
            let used = [("kind", kind.into()), ("state", "used".into())];
            connections.get_or_create(&used).set(number(of.used));
            let idle = [("kind", kind.into()), ("state", "idle".into())];
            connections.get_or_create(&idle).set(number(of.idle));
            most.get_or_create(&[("kind", kind.into())]).set(number(of.most));
            waiting
                .get_or_create(&[("kind", kind.into())])
                .set(number(of.waiting));
        };
        let figures = db.figures();
        set("transactions", figures.exclusive);
        set("streams", figures.streams);
        piped
            .get_or_create(&[("kind", "reads".into())])
            .set(number(figures.reads));
        piped
            .get_or_create(&[("kind", "writes".into())])
            .set(number(figures.writes));
        leaving.set(i64::from(stopping.is_leaving()));
        std::future::ready(Ok(()))
    });
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// All figures, to whoever may be here.
pub(super) async fn tell(State(kernel): State<Kernel>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], kernel.metrics().text().await).into_response()
}

/// The same, to whoever has the token. Without a token in the settings there is nothing here.
pub(super) async fn tell_those_with_token(
    State(kernel): State<Kernel>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let token = kernel.config().telemetry.metrics_token.expose();
    if token.is_empty() {
        return Err(Error::not_found(
            "request.not_found",
            "There is nothing at this address.",
        ));
    }
    let sent = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    // Hashes, so that the time a comparison takes tells nothing.
    if sent.is_none_or(|sent| Sha256::digest(sent.trim()) != Sha256::digest(token)) {
        return Err(Error::unauthenticated(
            "telemetry.token_required",
            "The figures are for whoever has their token.",
        )
        .hint("Send telemetry.metrics_token as Authorization: Bearer <token>."));
    }
    Ok(tell(State(kernel)).await)
}
