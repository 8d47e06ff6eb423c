//! What a server tells about its work, and where it goes: lines of the log, figures of the process, traces.

mod lines;
mod otlp;
mod process;

use std::io::IsTerminal as _;

use opentelemetry_sdk::trace::SdkTracerProvider;
use tenon_sdk::{
    Result,
    config::{LogFormat, Telemetry},
    telemetry::trace,
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{self, format},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

pub use process::watch as watch_process;

/// What was begun, to be finished when the process ends.
#[derive(Debug, Default)]
#[must_use = "what is not finished is not sent"]
pub struct Started {
    traces: Option<SdkTracerProvider>,
}

impl Started {
    /// Sends what is left. Not from within an asynchronous task.
    pub fn finish(self) {
        if let Some(traces) = self.traces
            && let Err(error) = traces.shutdown()
        {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Begins to write the log, by `RUST_LOG` and the settings, to standard error; and to send traces, if the settings say where.
///
/// Errors: `config.invalid`.
pub fn start(settings: &Telemetry) -> Result<Started> {
    // Where a program alone decides, before there are settings.
    let json = std::env::var("TENON_LOG_FORMAT")
        .map_or(settings.log_format == LogFormat::Json, |format| format == "json");
    let ansi = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = lines(json, ansi, filter());
    let mut started = Started::default();
    if settings.otlp_endpoint.is_empty() {
        tracing_subscriber::registry().with(log).init();
    } else {
        let traces = otlp::provider(settings)?;
        let spans = otlp::layer(&traces);
        tracing_subscriber::registry().with(log).with(spans).init();
        started.traces = Some(traces);
    }
    Ok(started)
}

fn filter() -> EnvFilter {
    // s3s calls every request that it refuses an error; what goes wrong here is told where it does.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,s3s=off"));
    let spans_are_no_lines = format!("{}=off", trace::TARGET);
    match spans_are_no_lines.parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    }
}

fn lines(json: bool, ansi: bool, filter: EnvFilter) -> Box<dyn Layer<Registry> + Send + Sync> {
    let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(ansi);
    if json {
        let line = lines::Scoped::new(format::format().json());
        let layer = layer.fmt_fields(format::JsonFields::new()).event_format(line);
        layer.with_filter(filter).boxed()
    } else {
        let line = lines::Scoped::new(format::format().with_ansi(ansi));
        layer.event_format(line).with_filter(filter).boxed()
    }
}
