//! What all programs tell of themselves, by the names that all of them use.

use tenon_sdk::telemetry::{
    Metrics,
    metrics::{Counter, FloatGauge, Gauge},
};

/// Registers time, memory and files of this process; where they cannot be had, nothing.
pub fn watch(metrics: &Metrics) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let cpu = metrics.register_common(
        "process_cpu_seconds",
        "Processor time of the process in seconds",
        Counter::<f64, std::sync::atomic::AtomicU64>::default(),
    );
    let memory = metrics.register_common(
        "process_resident_memory_bytes",
        "Memory of the process that is in use",
        Gauge::<i64>::default(),
    );
    let open = metrics.register_common(
        "process_open_fds",
        "Open files of the process",
        Gauge::<i64>::default(),
    );
    let most = metrics.register_common("process_max_fds", "Most open files", Gauge::<i64>::default());
    let started = metrics.register_common(
        "process_start_time_seconds",
        "When the process started, in seconds since 1970",
        FloatGauge::default(),
    );
    #[cfg(target_os = "linux")]
    metrics.look("process", move || {
        use std::sync::atomic::Ordering;
        if let Some(seconds) = linux::cpu_seconds() {
            cpu.inner().store(seconds.to_bits(), Ordering::Relaxed);
        }
        if let Some(seconds) = linux::started_seconds() {
            started.set(seconds);
        }
        let numbers = [
            (&memory, linux::memory_bytes()),
            (&open, linux::open_files()),
            (&most, linux::most_files()),
        ];
        for (gauge, number) in numbers {
            if let Some(number) = number {
                gauge.set(number);
            }
        }
        std::future::ready(Ok(()))
    });
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;

    /// Fields of `/proc/self/stat` after the name, which may have anything in it (proc(5)).
    fn stat() -> Option<Vec<f64>> {
        let text = fs::read_to_string("/proc/self/stat").ok()?;
        let (_, fields) = text.rsplit_once(')')?;
        Some(
            fields
                .split_whitespace()
                .map(|field| field.parse().unwrap_or(0.0))
                .collect(),
        )
    }

    #[allow(clippy::cast_precision_loss, reason = "a hundred or a thousand")]
    fn ticks() -> f64 {
        rustix::param::clock_ticks_per_second() as f64
    }

    pub(super) fn cpu_seconds() -> Option<f64> {
        let fields = stat()?;
        Some((fields.get(11)? + fields.get(12)?) / ticks())
    }

    pub(super) fn started_seconds() -> Option<f64> {
        let since_boot = stat()?.get(19)? / ticks();
        let text = fs::read_to_string("/proc/stat").ok()?;
        let boot = text.lines().find_map(|line| line.strip_prefix("btime "))?;
        Some(boot.trim().parse::<f64>().ok()? + since_boot)
    }

    pub(super) fn memory_bytes() -> Option<i64> {
        let text = fs::read_to_string("/proc/self/statm").ok()?;
        let pages: i64 = text.split_whitespace().nth(1)?.parse().ok()?;
        Some(pages * i64::try_from(rustix::param::page_size()).ok()?)
    }

    pub(super) fn open_files() -> Option<i64> {
        i64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()
    }

    pub(super) fn most_files() -> Option<i64> {
        let text = fs::read_to_string("/proc/self/limits").ok()?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("Max open files"))?;
        line.split_whitespace().next()?.parse().ok()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_tells_of_itself() {
        let metrics = Metrics::default();
        watch(&metrics);
        let text = metrics.text().await;
        let value = |name: &str| -> f64 {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("{name}: {text}")).parse().unwrap()
        };
        assert!(value("process_resident_memory_bytes") > 1_000_000.0);
        assert!(value("process_open_fds") >= 3.0);
        assert!(value("process_max_fds") > 3.0);
        assert!(value("process_start_time_seconds") > 1.6e9);
        assert!(value("process_cpu_seconds_total") >= 0.0);
    }
}
