//! Figures about connections and what they listen to.

use std::sync::Arc;

use tenon_sdk::{
    Kernel,
    telemetry::metrics::{FloatGauge, Gauge, Gauges},
};

use crate::Realtime;

/// Why connections end when the server does.
pub(crate) const STOPPING: &str = "the server is stopping: connect again";

/// What is counted as it happens.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    open: Gauges<1>,
}

/// Counts a connection until it is dropped.
#[derive(Debug)]
pub(crate) struct Open(Gauge);

impl Figures {
    pub(crate) fn new(kernel: &Kernel) -> Self {
        let open = kernel.metrics().register(
            "realtime_connections",
            "Open connections for live news: sockets and streams of server-sent events",
            Gauges::default(),
        );
        for kind in ["socket", "stream"] {
            open.get_or_create(&[("kind", kind.into())]).set(0);
        }
        Self { open }
    }

    /// A connection was opened.
    pub(crate) fn opened(&self, kind: &'static str) -> Open {
        let gauge = self.open.get_or_create_owned(&[("kind", kind.into())]);
        gauge.inc();
        Open(gauge)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Registers what is only looked up.
pub(crate) fn watch(realtime: &Arc<Realtime>) {
    let metrics = realtime.kernel.metrics();
    let topics = metrics.register(
        "realtime_topics",
        "Channels that somebody is in here",
        Gauge::<i64>::default(),
    );
    let subscriptions = metrics.register(
        "realtime_subscriptions",
        "Subscriptions to changes of rows here",
        Gauge::<i64>::default(),
    );
    let lag = metrics.register(
        "realtime_lag_seconds",
        "How long after its commit the last change was read from the log here",
        FloatGauge::default(),
    );
    let known = Arc::downgrade(realtime);
    metrics.look("realtime", move || {
        if let Some(realtime) = known.upgrade() {
            let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
            topics.set(number(realtime.hub.len()));
            subscriptions.set(number(realtime.changes.registry.subscriptions()));
            lag.set(realtime.changes.lag().as_secs_f64());
        }
        std::future::ready(Ok(()))
    });
}
