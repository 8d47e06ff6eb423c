//! Logs, figures and traces.

use serde::Deserialize;

use super::Secret;

/// What the server tells about its work, and to whom.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// How lines of the log look.
    pub log_format: LogFormat,
    /// Which requests have a line of their own.
    pub log_requests: RequestLog,
    /// Statements that take longer, in milliseconds, are told; 0: none.
    pub slow_statement_ms: u64,
    /// The address and port of a listener for `/metrics`, `/healthz` and `/readyz` that asks nobody who they are; empty: none.
    pub listen: String,
    /// The bearer token with which `/metrics` can be read where the API is; empty: it is not there.
    pub metrics_token: Secret,
    /// Where traces are sent by OTLP over HTTP, such as `http://localhost:4318/v1/traces`; empty: nowhere.
    pub otlp_endpoint: String,
    /// Headers sent with them, such as keys, as `name=value` separated by commas.
    pub otlp_headers: Secret,
    /// What this server is called in traces.
    pub service_name: String,
    /// The part of requests that are traced, from 0 to 1, unless whoever sends one has decided.
    pub trace_ratio: f64,
}

/// How lines of the log look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Which requests have a line of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestLog {
    /// Each.
    All,
    /// Those that failed for a fault of the server, with 500 or more.
    Failed,
    /// None.
    None,
}
