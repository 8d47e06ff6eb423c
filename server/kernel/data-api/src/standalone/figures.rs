//! Figures about the server itself, in the text form that Prometheus reads.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tenon_sdk::db::PlainFigures;

use super::jwt::CacheFigures;

/// What is counted while the server runs.
#[derive(Debug, Default)]
pub(super) struct Figures {
    loads: AtomicU64,
    failed_loads: AtomicU64,
    last_load_micros: AtomicU64,
    timeouts: AtomicU64,
}

/// What others know at the moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) connections: PlainFigures,
    pub(super) tokens: CacheFigures,
}

impl Figures {
    /// The schema was read, or could not be.
    pub(super) fn loaded(&self, good: bool, took: Duration) {
        let count = if good { &self.loads } else { &self.failed_loads };
        count.fetch_add(1, Ordering::Relaxed);
        if good {
            let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            self.last_load_micros.store(micros, Ordering::Relaxed);
        }
    }

    /// A request found no free connection in time.
    pub(super) fn timed_out(&self) {
        self.timeouts.fetch_add(1, Ordering::Relaxed);
    }

    /// All figures.
    pub(super) fn text(&self, moment: Moment) -> String {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed).to_string();
        let seconds = Duration::from_micros(self.last_load_micros.load(Ordering::Relaxed)).as_secs_f64();
        let mut text = String::new();
        let mut say = |name: &str, help: &str, kind: &str, values: &[(&str, String)]| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (label, value) in values {
                let _ = writeln!(text, "{name}{label} {value}");
            }
        };
        say(
            "pgrst_schema_cache_query_time_seconds",
            "The query time in seconds of the last schema cache load",
            "gauge",
            &[("", seconds.to_string())],
        );
        say(
            "pgrst_schema_cache_loads_total",
            "The total number of times the schema cache was loaded",
            "counter",
            &[
                ("{status=\"SUCCESS\"}", read(&self.loads)),
                ("{status=\"FAIL\"}", read(&self.failed_loads)),
            ],
        );
        say(
            "pgrst_db_pool_max",
            "Max pool connections",
            "gauge",
            &[("", moment.connections.most.to_string())],
        );
        say(
            "pgrst_db_pool_available",
            "Available connections in the pool",
            "gauge",
            &[("", moment.connections.idle.to_string())],
        );
        say(
            "pgrst_db_pool_waiting",
            "Requests waiting to acquire a pool connection",
            "gauge",
            &[("", moment.connections.waiting.to_string())],
        );
        say(
            "pgrst_db_pool_timeouts_total",
            "The total number of pool connection timeouts",
            "counter",
            &[("", read(&self.timeouts))],
        );
        say(
            "pgrst_jwt_cache_requests_total",
            "The total number of JWT cache lookups",
            "counter",
            &[("", moment.tokens.asked.to_string())],
        );
        say(
            "pgrst_jwt_cache_hits_total",
            "The total number of JWT cache hits",
            "counter",
            &[("", moment.tokens.hits.to_string())],
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_help_and_kind() {
        let figures = Figures::default();
        figures.loaded(true, Duration::from_millis(250));
        figures.loaded(false, Duration::ZERO);
        figures.timed_out();
        let text = figures.text(Moment {
            connections: PlainFigures {
                most: 10,
                idle: 3,
                waiting: 0,
            },
            tokens: CacheFigures { asked: 5, hits: 4 },
        });
        for line in [
            "# TYPE pgrst_schema_cache_loads_total counter",
            "pgrst_schema_cache_loads_total{status=\"SUCCESS\"} 1",
            "pgrst_schema_cache_query_time_seconds 0.25",
            "pgrst_db_pool_timeouts_total 1",
            "pgrst_jwt_cache_hits_total 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }
}
