//! Traces to a collector, by OTLP over HTTP.

use std::{collections::HashMap, fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use opentelemetry::{Context, KeyValue, propagation::TextMapPropagator, trace::TracerProvider as _};
use opentelemetry_http::{HeaderExtractor, HeaderInjector, HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use tenon_sdk::{Error, Result, config::Telemetry, telemetry::trace};
use tracing::{Span, Subscriber, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

/// How long a collector may take for one batch.
const PATIENCE: Duration = Duration::from_secs(10);

/// What sends spans, in batches, from a thread of its own.
pub(crate) fn provider(settings: &Telemetry) -> Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client::new()?)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&settings.otlp_endpoint)
        .with_headers(headers(settings.otlp_headers.expose())?)
        .with_timeout(PATIENCE)
        .build()
        .map_err(|_| wrong("telemetry.otlp_endpoint is no address"))?;
    if !(0.0..=1.0).contains(&settings.trace_ratio) {
        return Err(wrong("telemetry.trace_ratio is not between 0 and 1"));
    }
    let resource = Resource::builder()
        .with_service_name(settings.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        // Whoever sends a request has decided for the whole trace.
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
            settings.trace_ratio,
        ))))
        .with_resource(resource)
        .build())
}

/// What turns spans of the one target into spans of traces. Lines of the log are none of them.
pub(crate) fn layer<S>(traces: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    trace::propagate(Box::new(Propagator(TraceContextPropagator::new())));
    tracing_opentelemetry::layer()
        .with_tracer(traces.tracer("tenon"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_filter(Targets::new().with_target(trace::TARGET, LevelFilter::INFO))
}

struct Propagator(TraceContextPropagator);

impl trace::Propagator for Propagator {
    fn take(&self, headers: &HeaderMap, span: &Span) {
        let from = self
            .0
            .extract_with_context(&Context::new(), &HeaderExtractor(headers));
        if let Err(error) = span.set_parent(from) {
            tracing::debug!(%error, "a request goes on with no trace");
        }
    }

    fn give(&self, headers: &mut HeaderMap) {
        let context = Span::current().context();
        self.0.inject_context(&context, &mut HeaderInjector(headers));
    }
}

fn headers(text: &str) -> Result<HashMap<String, String>> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| wrong("telemetry.otlp_headers has something without a value"))?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}

fn wrong(what: &str) -> Error {
    Error::invalid("config.invalid", format!("A setting is wrong: {what}."))
        .hint("tenon.default.toml lists every setting with its default.")
}

/// The client that is here already, on a small runtime of its own: batches are sent from a thread that has none.
struct Client {
    http: reqwest::Client,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Client {
    fn new() -> Result<Self> {
        // The collector is the operator's, wherever it is; nothing else is asked for an address.
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(Error::internal)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::internal)?;
        Ok(Self {
            http,
            runtime: Some(runtime),
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let sent = async {
            let answer = self
                .http
                .execute(request)
                .await
                .map_err(reqwest::Error::without_url)?;
            let mut made = Response::builder().status(answer.status());
            if let Some(headers) = made.headers_mut() {
                headers.extend(answer.headers().clone());
            }
            let body = answer.bytes().await.map_err(reqwest::Error::without_url)?;
            Ok(made.body(body)?)
        };
        match &self.runtime {
            Some(runtime) => runtime.block_on(sent),
            None => Err("it has ended".into()),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Client")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_pairs() {
        let read = headers(" a = b=c, x-key=1,").unwrap();
        assert_eq!((read["a"].as_str(), read["x-key"].as_str()), ("b=c", "1"));
        assert!(headers("").unwrap().is_empty());
        assert_eq!(headers("a").unwrap_err().code, "config.invalid");
    }
}
