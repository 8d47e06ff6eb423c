//! Steps with their times, and the table of them at the end.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Tests that passed and failed in one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
}

struct Step {
    name: String,
    took: Duration,
    counts: Counts,
    failure: Option<String>,
}

/// The steps done so far. A failed one does not keep the others from running.
#[derive(Default)]
pub struct Report {
    steps: Vec<Step>,
    left_out: Vec<&'static str>,
}

impl Report {
    /// Runs a step that is a check and counts no tests.
    pub fn check(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        self.tests(name, || (Counts::default(), work()));
    }

    /// Runs a step that counts tests.
    pub fn tests(&mut self, name: &str, work: impl FnOnce() -> (Counts, Result<()>)) {
        headline(name);
        let started = Instant::now();
        let (counts, result) = work();
        let failure = result.err().map(|error| format!("{error:#}"));
        if let Some(failure) = &failure {
            eprintln!("error: {failure}");
        }
        let took = started.elapsed();
        println!(
            "   {name}: {} in {}",
            if failure.is_some() { "FAILED" } else { "ok" },
            seconds(took)
        );
        self.steps.push(Step {
            name: name.to_owned(),
            took,
            counts,
            failure,
        });
    }

    /// Notes a step that was asked not to be run, for the table.
    pub fn leave_out(&mut self, name: &'static str) {
        self.left_out.push(name);
    }

    /// Prints the table and, as the very last line, the sum of all tests; tells whether all went well.
    pub fn finish(self) -> bool {
        headline("summary");
        for step in &self.steps {
            let counts = match step.counts {
                Counts { passed: 0, failed: 0 } => String::new(),
                Counts { passed, failed } => format!("{passed} passed, {failed} failed"),
            };
            let state = if step.failure.is_some() { "FAILED" } else { "ok" };
            println!(
                "   {:<34} {state:<7} {:>9}   {counts}",
                step.name,
                seconds(step.took)
            );
        }
        for name in &self.left_out {
            println!("   {name:<34} left out as asked");
        }
        let failed: Vec<_> = self.steps.iter().filter(|step| step.failure.is_some()).collect();
        for step in &failed {
            println!(
                "   failed: {}: {}",
                step.name,
                step.failure.as_deref().unwrap_or_default()
            );
        }
        let sum = |of: fn(&Counts) -> u64| self.steps.iter().map(|step| of(&step.counts)).sum::<u64>();
        println!(
            "{} passed, {} failed",
            sum(|counts| counts.passed),
            sum(|counts| counts.failed)
        );
        failed.is_empty()
    }
}

/// Marks the beginning of something longer.
pub fn headline(name: &str) {
    println!("\n── {name} {}", "─".repeat(70_usize.saturating_sub(name.len())));
}

/// A duration as people read it.
pub fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}
