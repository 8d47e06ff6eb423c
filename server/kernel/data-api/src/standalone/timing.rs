//! How long each stage of a request took, for the header `Server-Timing`.

use std::fmt::Write;
use std::time::{Duration, Instant};

/// A stopwatch with the names of the stages.
#[derive(Debug)]
pub(super) struct Timing {
    since: Instant,
    stages: Vec<(&'static str, Duration)>,
}

impl Timing {
    pub(super) fn start() -> Self {
        Self {
            since: Instant::now(),
            stages: Vec::with_capacity(5),
        }
    }

    /// A stage has ended; the next begins.
    pub(super) fn ended(&mut self, stage: &'static str) {
        self.stages.push((stage, self.since.elapsed()));
        self.since = Instant::now();
    }

    /// What happened since the last stage counts for none.
    pub(super) fn skip(&mut self) {
        self.since = Instant::now();
    }

    /// The header's value, in milliseconds and tenths of them: what is finer is noise.
    pub(super) fn header(&self) -> String {
        let mut header = String::new();
        for (stage, duration) in &self.stages {
            if !header.is_empty() {
                header.push_str(", ");
            }
            let _ = write!(header, "{stage};dur={:.1}", duration.as_secs_f64() * 1000.0);
        }
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_told_in_their_order() {
        let mut timing = Timing::start();
        timing.ended("jwt");
        timing.skip();
        timing.ended("parse");
        let header = timing.header();
        assert!(header.starts_with("jwt;dur=0.0"), "{header}");
        assert!(header.contains(", parse;dur=0.0"), "{header}");
    }
}
