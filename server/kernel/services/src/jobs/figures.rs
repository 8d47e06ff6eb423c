//! Figures about the queue: what lies in it, by a look at the table, and what this process works on.

use std::{sync::Arc, time::Duration};

use tenon_sdk::{
    Kernel, Result, SystemTx,
    db::Db,
    telemetry::metrics::{Counters, FloatGauge, Gauge, Gauges, Histograms},
};

/// Every state, so that one without jobs is told as none.
const STATES: [&str; 5] = ["waiting", "held", "ready", "running", "dead"];

/// Registers what lies in the queue: the same on every server of an installation.
pub fn watch(kernel: &Kernel) {
    let metrics = kernel.metrics();
    let jobs = metrics.register(
        "jobs",
        "Jobs of the installation by their state",
        Gauges::<1>::default(),
    );
    let oldest = metrics.register(
        "jobs_oldest_ready_seconds",
        "How long the job has waited that has been ready for longest",
        FloatGauge::default(),
    );
    let db = kernel.db().clone();
    metrics.look("jobs", move || look(db.clone(), jobs.clone(), oldest.clone()));
}

async fn look(db: Db, jobs: Gauges<1>, oldest: FloatGauge) -> Result<()> {
    let tx = SystemTx::begin(&db, "figures of jobs").await?;
    let rows = tx.query(include_str!("figures.sql"), &[]).await?;
    tx.commit().await?;
    for state in STATES {
        let row = rows
            .iter()
            .find(|row| row.try_get::<_, &str>(0).ok() == Some(state));
        let count = row.map_or(Ok(0), |row| row.try_get(1))?;
        jobs.get_or_create(&[("state", state.into())]).set(count);
        if state == "ready" {
            oldest.set(row.map_or(Ok(0.0), |row| row.try_get(2))?);
        }
    }
    Ok(())
}

/// What this process works on.
#[derive(Clone, Debug)]
pub(super) struct Figures(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    runs: Counters<2>,
    took: Histograms<1>,
    waited: Histograms<1>,
    running: Gauge,
}

impl Figures {
    pub(super) fn new(kernel: &Kernel) -> Self {
        let metrics = kernel.metrics();
        Self(Arc::new(Inner {
            runs: metrics.register(
                "job_runs",
                "Jobs that this server ran, by their end",
                Counters::default(),
            ),
            took: metrics.durations("job_duration", "How long jobs ran on this server"),
            waited: metrics.durations(
                "job_wait",
                "How long jobs waited after they were ready, until this server began them",
            ),
            running: metrics.register(
                "jobs_running_here",
                "Jobs that this server works on",
                Gauge::default(),
            ),
        }))
    }

    /// A job begins that has waited so long.
    pub(super) fn begins(&self, name: &'static str, waited: Duration) {
        let labels = [("job", name.into())];
        self.0.waited.get_or_create(&labels).observe(waited.as_secs_f64());
        self.0.running.inc();
    }

    /// It is over.
    pub(super) fn ends(&self, name: &'static str, outcome: &'static str, took: Duration) {
        self.0.running.dec();
        let labels = [("job", name.into())];
        self.0.took.get_or_create(&labels).observe(took.as_secs_f64());
        let labels = [("job", name.into()), ("outcome", outcome.into())];
        self.0.runs.get_or_create(&labels).inc();
    }
}
