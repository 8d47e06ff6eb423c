//! `cargo xtask bench`: the benchmarks of `bench/`, always with optimisation.

use anyhow::Result;

use crate::command::{cargo, run};
use crate::{postgres, tools};

#[derive(clap::Args)]
pub struct Options {
    /// The benchmark and its own options; without any, the list of them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub fn bench(options: &Options) -> Result<()> {
    let installation = postgres::installation()?;
    let mut command = cargo();
    command
        .args(["run", "--release", "--locked", "-p", "tenon-bench", "--"])
        .args(&options.arguments);
    if options.arguments.first().is_some_and(|name| name == "storage") {
        command.env("TENON_NGINX", tools::nginx()?);
    }
    run(command.env("TENON_PG_BIN", installation.bin_dir))
}
