//! Benchmarks that compare Tenon with the least work that could do the same, side by side in one run. What counts is
//! the ratio; absolute numbers depend on the machine and are printed as context.
#![allow(clippy::print_stdout, reason = "results are for the person at the terminal")]

mod api;
mod audit;
mod auth;
mod baseline;
mod compiled;
mod dialect;
mod idle;
mod import;
mod load;
mod pgbench;
mod processor;
mod realtime;
mod report;
mod rest;
mod secrets;
mod server;
mod storage;
mod workbook;

use clap::{Parser, Subcommand};

/// Side-by-side benchmarks.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    benchmark: Option<Benchmark>,
}

#[derive(Debug, Subcommand)]
enum Benchmark {
    /// A workbook of 100,000 survey rows, from upload to committed, against calamine and a bare COPY.
    Import(import::Options),
    /// A page of 50 orders with their suppliers over HTTP, against pgbench with the same statements.
    Rest(rest::Options),
    /// Six kinds of requests on a million rows, against pgbench, pipelined and not.
    Dialect(dialect::Options),
    /// `tenon rest` against postrust-server, a server of the same kind, on one plain database.
    Peer(dialect::peer::Options),
    /// Refresh of sessions, the cost of tokens, and the data API beside sign-ins by password.
    Auth(auth::Options),
    /// Broadcasts, idle connections, row changes, and what other organisations cost a change.
    Realtime(realtime::Options),
    /// What `realtime` compares broadcasts with.
    #[command(hide = true)]
    FanOut,
    /// Downloads against nginx, the memory of uploads, lists out of a million objects.
    Storage(storage::Options),
    /// What the trail costs an update.
    Audit(audit::Options),
    /// Sealing and opening of values on one core.
    Secrets(secrets::Options),
    /// Memory of an idle server, size of the binary, time to start.
    Idle,
}

// One thread: the load generator shares the cores with what it measures and should take little of them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().benchmark {
        Some(Benchmark::Import(options)) => import::run(&options).await,
        Some(Benchmark::Rest(options)) => rest::run(&options).await,
        Some(Benchmark::Dialect(options)) => dialect::run(&options).await,
        Some(Benchmark::Peer(options)) => dialect::peer::run(&options).await,
        Some(Benchmark::Auth(options)) => auth::run(&options).await,
        Some(Benchmark::Realtime(options)) => realtime::run(&options).await,
        Some(Benchmark::FanOut) => realtime::fan_out::run().await,
        Some(Benchmark::Storage(options)) => storage::run(&options).await,
        Some(Benchmark::Audit(options)) => audit::run(&options).await,
        Some(Benchmark::Secrets(options)) => secrets::run(&options),
        Some(Benchmark::Idle) => idle::run().await,
        None => {
            println!(
                "cargo xtask bench NAME, with NAME one of: import, rest, dialect, peer, auth, realtime, storage, audit, secrets, idle"
            );
            println!("bench/README.md says what each measures.");
            Ok(())
        }
    }
}
