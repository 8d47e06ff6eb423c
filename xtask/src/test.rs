//! `cargo xtask test`: every check there is, in the order in which they need each other's results.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use anyhow::{Context, Result, bail};

use crate::command::{cargo, program, run, scratch, target};
use crate::postgres::{Installation, machine};
use crate::steps::{Counts, Report};
use crate::{e2e, generate, licences, postgres, results, tools, web};

/// What is tested again on an older PostgreSQL of the machine's own.
const KERNEL: [&str; 6] = [
    "tenon-sdk",
    "tenon-data-api",
    "tenon-services",
    "tenon-audit",
    "tenon-realtime",
    "tenon-storage",
];

/// Where property tests begin. A check says the same of the same commit every time; who looks for more counter-examples
/// sets another seed, or more cases with `PROPTEST_CASES`.
const SEED: &str = "PROPTEST_RNG_SEED";

#[derive(clap::Args)]
pub struct Options {
    /// Leaves out the browser and the second PostgreSQL.
    #[arg(long)]
    fast: bool,
    /// Runs only the Rust tests whose names contain this, and the web tests in files of such names.
    filter: Option<String>,
}

pub fn test(options: &Options) -> ExitCode {
    let mut report = Report::default();
    if let Some(filter) = &options.filter {
        only(&mut report, filter);
    } else {
        everything(&mut report, options.fast);
    }
    if report.finish() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn everything(report: &mut Report, fast: bool) {
    report.check("rustfmt", || run(cargo().args(["fmt", "--all", "--check"])));
    report.check("npm ci", web::install);
    report.check("web types", || web::script("gen", &[]));
    report.check("prettier", || web::script("format:check", &[]));
    report.check("eslint", || web::script("lint", &[]));
    report.check("tsc", || web::script("typecheck", &[]));
    report.check("web build", web::build);
    report.tests("web tests", || web_tests(&[]));
    report.check("clippy", || {
        run(cargo().args([
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    });
    report.check("licences", licences::check);
    let installation = find_postgres(report);
    report.check("build", build);
    report.tests("Rust tests", || {
        rust_tests(installation.as_ref(), &Selection::All)
    });
    report.check("openapi.json", generate::check_openapi);
    if fast {
        report.leave_out("kernel tests on other PostgreSQL");
        report.leave_out("end-to-end tests");
        return;
    }
    let newest = installation.as_ref().map_or(0, |found| found.major);
    let others: Vec<_> = machine()
        .into_iter()
        .filter(|found| found.major < newest)
        .collect();
    for older in &others {
        let name = format!("kernel tests on PostgreSQL {}", older.major);
        report.tests(&name, || rust_tests(Some(older), &Selection::Kernel));
    }
    if others.is_empty() {
        println!(
            "   this machine has no second, older PostgreSQL: the kernel's tests ran on one version only"
        );
    }
    report.tests("end-to-end tests", || match &installation {
        Some(installation) => e2e::test(installation),
        None => (Counts::default(), Err(anyhow::anyhow!("no PostgreSQL"))),
    });
}

fn only(report: &mut Report, filter: &str) {
    let installation = find_postgres(report);
    report.check("build", build);
    report.tests("Rust tests", || {
        rust_tests(installation.as_ref(), &Selection::Named(filter))
    });
    report.check("npm ci", web::install);
    report.tests("web tests", || web_tests(&["--passWithNoTests", filter]));
    for name in [
        "format, lints, licences",
        "kernel tests on other PostgreSQL",
        "end-to-end tests",
    ] {
        report.leave_out(name);
    }
}

fn find_postgres(report: &mut Report) -> Option<Installation> {
    let mut found = None;
    report.check("PostgreSQL", || {
        let installation = postgres::installation()?;
        println!(
            "   PostgreSQL {} in {}",
            installation.major,
            installation.bin_dir.display()
        );
        found = Some(installation);
        Ok(())
    });
    found
}

fn web_tests(arguments: &[&str]) -> (Counts, Result<()>) {
    let report = match scratch() {
        Ok(folder) => folder.join("web.json"),
        Err(error) => return (Counts::default(), Err(error)),
    };
    _ = fs::remove_file(&report);
    let reporters = web::reporters(&report);
    let arguments: Vec<_> = reporters
        .iter()
        .map(String::as_str)
        .chain(arguments.iter().copied())
        .collect();
    results::counted(
        web::script("test", &arguments),
        results::take(&report, results::vitest),
    )
}

/// All programs and tests in one go, so that each dependency is compiled once.
fn build() -> Result<()> {
    // A program of an earlier build must not be tested in the place of one that cannot be built.
    for name in ["tenon", "test-postgres"] {
        _ = fs::remove_file(target().join("debug").join(name));
    }
    run(cargo().args(["build", "--locked", "--workspace", "--lib", "--bins", "--tests"]))
}

enum Selection<'a> {
    All,
    Kernel,
    Named(&'a str),
}

/// Rust tests inside `test-postgres`, by nextest or else by cargo.
fn rust_tests(postgres: Option<&Installation>, selection: &Selection<'_>) -> (Counts, Result<()>) {
    let Some(postgres) = postgres else {
        return (Counts::default(), Err(anyhow::anyhow!("no PostgreSQL")));
    };
    let runner = target().join("debug/test-postgres");
    let mut command = program(runner);
    if env::var_os(SEED).is_none() {
        command.env(SEED, "1");
    }
    command
        .arg("--bin-dir")
        .arg(&postgres.bin_dir)
        .arg("--")
        .arg(cargo().get_program());
    if tools::has_nextest() {
        nextest(&mut command, selection)
    } else {
        cargo_test(&mut command, selection)
    }
}

fn nextest(command: &mut Command, selection: &Selection<'_>) -> (Counts, Result<()>) {
    let report = target().join("nextest/default/junit.xml");
    _ = fs::remove_file(&report);
    command.args(["nextest", "run", "--locked", "--workspace"]);
    match selection {
        Selection::All => {}
        Selection::Kernel => {
            // The cluster's own tests look for every version by themselves.
            let packages = KERNEL.map(|name| format!("package(={name})")).join(" | ");
            command.args(["-E", &format!("({packages}) - test(/^postgres::/)")]);
        }
        Selection::Named(filter) => _ = command.args(["--no-tests=pass", filter]),
    }
    let outcome = run(command);
    if outcome.is_ok() && !report.exists() && matches!(selection, Selection::Named(_)) {
        return (Counts::default(), Ok(()));
    }
    results::counted(outcome, results::take(&report, results::junit))
}

fn cargo_test(command: &mut Command, selection: &Selection<'_>) -> (Counts, Result<()>) {
    command.args(["test", "--locked", "--no-fail-fast"]);
    match selection {
        Selection::All => _ = command.arg("--workspace"),
        Selection::Kernel => {
            command.args(KERNEL.iter().flat_map(|name| ["-p", name]));
            command.args(["--", "--skip", "postgres::"]);
        }
        Selection::Named(filter) => _ = command.args(["--workspace", filter]),
    }
    let mut text = String::new();
    let outcome = tee(command, &mut text);
    results::counted(outcome, Ok(results::libtest(&text)))
}

/// Shows what the command prints and keeps it.
fn tee(command: &mut Command, text: &mut String) -> Result<()> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo test could not be started")?;
    for line in BufReader::new(child.stdout.take().context("its output is piped")?).lines() {
        let line = line?;
        writeln!(std::io::stdout(), "{line}")?;
        text.push_str(&line);
        text.push('\n');
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("cargo test failed ({status})");
    }
    Ok(())
}
