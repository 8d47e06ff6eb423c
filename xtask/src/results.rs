//! Reads how many tests passed and failed from what the test runners write for machines.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::steps::Counts;

/// nextest's `JUnit` file: the totals stand in the attributes of its root.
pub fn junit(text: &str) -> Option<Counts> {
    let head = text.split_once("<testsuites")?.1.split_once('>')?.0;
    let attribute = |name: &str| -> Option<u64> {
        head.split_once(&format!(" {name}=\""))?
            .1
            .split_once('"')?
            .0
            .parse()
            .ok()
    };
    let failed = attribute("failures")? + attribute("errors")?;
    Some(Counts {
        passed: attribute("tests")?.checked_sub(failed)?,
        failed,
    })
}

/// The lines `test result: ok. 3 passed; 0 failed; …` that `cargo test` prints, one a binary.
pub fn libtest(text: &str) -> Counts {
    let number = |line: &str, what: &str| -> u64 {
        let before = line.split_once(what).map_or("", |(before, _)| before);
        before
            .split_whitespace()
            .next_back()
            .and_then(|word| word.parse().ok())
            .unwrap_or(0)
    };
    text.lines()
        .filter(|line| line.starts_with("test result: "))
        .fold(Counts::default(), |sum, line| Counts {
            passed: sum.passed + number(line, " passed"),
            failed: sum.failed + number(line, " failed"),
        })
}

/// vitest's JSON report.
pub fn vitest(text: &str) -> Option<Counts> {
    let report: Value = serde_json::from_str(text).ok()?;
    let number = |name: &str| report.get(name).and_then(Value::as_u64);
    // A file that cannot be loaded is a failed suite without a single failed test.
    let broken = number("numFailedTestSuites")?.min(1);
    Some(Counts {
        passed: number("numPassedTests")?,
        failed: number("numFailedTests")?.max(broken),
    })
}

/// Reads a report that a runner has just written and removes it, so that the next run cannot take it for its
/// own.
pub fn take(path: &Path, parse: impl Fn(&str) -> Option<Counts>) -> Result<Counts> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("no test report in {}", path.display()))?;
    std::fs::remove_file(path).with_context(|| format!("remove {}", path.display()))?;
    parse(&text).with_context(|| format!("the test report in {} is not understood", path.display()))
}

/// A runner that failed without counting a failure broke down as a whole, which counts as one.
pub fn counted(outcome: Result<()>, counts: Result<Counts>) -> (Counts, Result<()>) {
    match (outcome, counts) {
        (Ok(()), Ok(counts)) => (counts, Ok(())),
        (Ok(()), Err(error)) => (Counts { passed: 0, failed: 1 }, Err(error)),
        (Err(error), counts) => {
            let counts = counts.unwrap_or_default();
            (
                Counts {
                    failed: counts.failed.max(1),
                    ..counts
                },
                Err(error),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, junit, libtest, vitest};

    #[test]
    fn nextest_totals_are_read_from_the_junit_root() {
        let text = r#"<?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="nextest-run" tests="12" failures="2" errors="1" uuid="x" time="3.1">
                <testsuite name="a" tests="1" failures="0"/></testsuites>"#;
        assert_eq!(junit(text), Some(Counts { passed: 9, failed: 3 }));
        assert_eq!(junit("<html>"), None);
    }

    #[test]
    fn totals_of_all_libtest_binaries_are_added() {
        let text = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured\n\
                    test result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured\n";
        assert_eq!(
            libtest(text),
            Counts {
                passed: 13,
                failed: 2
            }
        );
    }

    #[test]
    fn a_vitest_file_that_cannot_be_loaded_counts_as_a_failure() {
        let text = r#"{"numPassedTests":4,"numFailedTests":0,"numFailedTestSuites":1,"testResults":[]}"#;
        assert_eq!(vitest(text), Some(Counts { passed: 4, failed: 1 }));
    }
}
