//! Figures of one server, in the text form that Prometheus reads.
//!
//! A module registers what it counts when it starts, and keeps the handle. What is only looked up (rows of a table, open
//! connections) is set by a look, which runs before the figures are told. Labels have few values: routes and not paths, kinds and
//! never organisations or people.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use prometheus_client::{
    encoding::text::encode,
    registry::{Metric, Registry},
};
pub use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Unit,
};

use crate::{error::Result, module::BoxFuture};

/// One label and its value.
pub type Label = (&'static str, Cow<'static, str>);
/// Whole numbers apart by labels.
pub type Counters<const N: usize> = Family<[Label; N], Counter>;
/// Numbers that rise and fall, apart by labels.
pub type Gauges<const N: usize> = Family<[Label; N], Gauge>;
/// Distributions apart by labels.
pub type Histograms<const N: usize> = Family<[Label; N], Histogram>;
/// A number with a fraction.
pub type FloatGauge = Gauge<f64, std::sync::atomic::AtomicU64>;

/// What our figures' names begin with.
const OURS: &str = "tenon_";
/// How long one look may take; the figures are told without it then.
const PATIENCE: Duration = Duration::from_secs(5);
/// Whoever asks more often than this is told what was looked up before.
const FRESH: Duration = Duration::from_secs(1);

type Look = Arc<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// All figures of a server; cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Mutex<Registry>,
    looks: Mutex<Vec<(&'static str, Look)>>,
    failed: Counters<1>,
    looked: tokio::sync::Mutex<Option<Instant>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let failed = Counters::default();
        registry.register(
            "tenon_figures_failed",
            "Looks at figures that failed, so that they are as they were before",
            failed.clone(),
        );
        Self(Arc::new(Inner {
            registry: Mutex::new(registry),
            looks: Mutex::default(),
            failed,
            looked: tokio::sync::Mutex::default(),
        }))
    }
}

impl Metrics {
    /// Adds a figure. `tenon_` comes before its name, and a count ends with `_total`; the help is a sentence without its full stop.
    pub fn register<M: Metric + Clone>(&self, name: &str, help: &str, metric: M) -> M {
        let mut registry = self.0.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register(format!("{OURS}{name}"), help, metric.clone());
        metric
    }

    /// Adds a figure that all programs have by the same name.
    pub fn register_common<M: Metric + Clone>(&self, name: &str, help: &str, metric: M) -> M {
        let mut registry = self.0.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register(name, help, metric.clone());
        metric
    }

    /// Adds durations, in seconds.
    pub fn durations<const N: usize>(&self, name: &str, help: &str) -> Histograms<N> {
        let histograms = Family::new_with_constructor(seconds as fn() -> Histogram);
        let mut registry = self.0.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register_with_unit(format!("{OURS}{name}"), help, Unit::Seconds, histograms.clone());
        histograms
    }

    /// Runs `look` each time before the figures are told.
    pub fn look<F>(&self, name: &'static str, look: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let look: Look = Arc::new(move || Box::pin(look()));
        let mut looks = self.0.looks.lock().unwrap_or_else(PoisonError::into_inner);
        looks.push((name, look));
    }

    /// All figures.
    pub async fn text(&self) -> String {
        self.look_up().await;
        let mut text = String::new();
        let registry = self.0.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing into a string does not fail.
        let _ = encode(&mut text, &registry);
        text
    }

    /// One at a time: several who ask at once cost what one does.
    async fn look_up(&self) {
        let mut looked = self.0.looked.lock().await;
        if looked.is_some_and(|at| at.elapsed() < FRESH) {
            return;
        }
        let looks = self
            .0
            .looks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let all = looks.into_iter().map(|(name, look)| async move {
            let why = match tokio::time::timeout(PATIENCE, look()).await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no answer in time".to_owned(),
            };
            tracing::debug!(name, why, "figures could not be looked up");
            self.0.failed.get_or_create(&[("of", name.into())]).inc();
        });
        futures_util::future::join_all(all).await;
        *looked = Some(Instant::now());
    }
}

/// From a millisecond, as for a row that is read, to ten seconds.
fn seconds() -> Histogram {
    Histogram::new([
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ])
}

impl fmt::Debug for Metrics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Metrics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[tokio::test]
    async fn figures_are_told_with_help_kind_and_escaped_labels() {
        let metrics = Metrics::default();
        let count = metrics.register("things", "Things seen", Counters::<1>::default());
        count.get_or_create(&[("kind", "a\"b\\c\nd".into())]).inc();
        let took = metrics.durations::<0>("waiting", "How long things waited");
        took.get_or_create(&[]).observe(0.003);
        let text = metrics.text().await;
        for line in [
            "# HELP tenon_things Things seen.",
            "# TYPE tenon_things counter",
            r#"tenon_things_total{kind="a\"b\\c\nd"} 1"#,
            r#"tenon_waiting_seconds_bucket{le="0.0025"} 0"#,
            r#"tenon_waiting_seconds_bucket{le="0.005"} 1"#,
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }

    #[tokio::test]
    async fn a_look_that_fails_costs_no_other_figure() {
        let metrics = Metrics::default();
        let open = metrics.register("open", "Open things", Gauge::<i64>::default());
        metrics.look("broken", || std::future::ready(Err(Error::internal("away"))));
        metrics.look("open", move || {
            open.set(7);
            std::future::ready(Ok(()))
        });
        let text = metrics.text().await;
        assert!(text.contains("\ntenon_open 7\n"), "{text}");
        assert!(
            text.contains("tenon_figures_failed_total{of=\"broken\"} 1\n"),
            "{text}"
        );
    }
}
