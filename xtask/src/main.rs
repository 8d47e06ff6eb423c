//! `cargo xtask`: everything one does with a checkout, as a program instead of a page of instructions.
//!
//! It depends on no crate of Tenon, so that it is built in seconds and works when they do not.

// A program for a terminal: what it prints is what it is for.
#![allow(clippy::print_stdout)]

mod bench;
mod command;
mod e2e;
mod generate;
mod licences;
mod passwords;
mod postgres;
mod results;
mod run;
mod steps;
mod test;
mod tools;
mod web;

use std::process::ExitCode;

use clap::Parser;

/// Runs, tests, measures and generates.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Task {
    /// Builds everything and serves it with a demo, on a PostgreSQL of its own.
    Run(run::Options),
    /// Checks everything: format, lints, licences, Rust, web and end-to-end tests.
    Test(test::Options),
    /// Runs one of the benchmarks of `bench/`, or lists them.
    Bench(bench::Options),
    /// Writes `openapi.json` and the web app's types of it.
    Gen,
    /// Writes the list of common passwords that the server refuses, from published lists.
    Passwords(passwords::Options),
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Run(options) => run::run(&options).map(|never| match never {}),
        Task::Test(options) => return test::test(&options),
        Task::Bench(options) => bench::bench(&options),
        Task::Gen => generate::generate(),
        Task::Passwords(options) => passwords::passwords(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
