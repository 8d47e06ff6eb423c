//! `import`: from the upload of 100,000 rows until they are committed and evaluated, against reading the same file
//! with calamine and a bare COPY of its rows, on the same PostgreSQL in the same run.

use anyhow::{Result, ensure};

use crate::api::Person;
use crate::report::{Rounds, verdict, warn_if_unsteady};
use crate::server::{self, Server};
use crate::{baseline, workbook};

const RATIO: f64 = 3.0;
const SECONDS: f64 = 30.0;
const MIB: f64 = 400.0;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Rounds, of the baseline and the import in turn.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Survey rows.
    #[arg(long, default_value_t = 100_000)]
    rows: u32,
}

pub async fn run(options: &Options) -> Result<()> {
    let binary = server::build()?;
    let (orders, surveys) = (workbook::orders()?, workbook::surveys(options.rows)?);
    println!(
        "import: {} survey rows of {} columns ({} KiB) against {} orders",
        options.rows,
        workbook::COLUMNS.len(),
        surveys.len() >> 10,
        workbook::ORDERS
    );
    let folder = server::folder()?;
    let server = Server::start(&binary, &folder.path().join("data"), &[]).await?;
    let person = Person::sign_up(&server.address).await?;
    let database = server.database().await?;

    let (mut ratios, mut totals, mut plain) = (Rounds::new(), Rounds::new(), Rounds::new());
    let (mut reads, mut copies) = (Rounds::new(), Rounds::new());
    let (mut uploads, mut checks, mut commits) = (Rounds::new(), Rounds::new(), Rounds::new());
    for round in 1..=options.rounds {
        let org = person.create_organization(&format!("Round {round}")).await?;
        person.import(&org, "orders.xlsx", orders.clone()).await?;

        let bare = baseline::measure(&surveys, &database).await?;
        let (times, done) = person.import(&org, "surveys.xlsx", surveys.clone()).await?;
        ensure!(
            done["counts"]["accepted"] == options.rows && done["summary"]["entries"] == options.rows,
            "not all rows arrived: {done}"
        );
        reads.add_time(bare.read);
        copies.add_time(bare.copy);
        plain.add_time(bare.total());
        uploads.add_time(times.upload);
        checks.add_time(times.check);
        commits.add_time(times.commit);
        totals.add_time(times.total);
        ratios.add(totals.last() / plain.last());
        println!(
            "  round {round}: import {:.2} s, baseline {:.2} s, ratio {:.2}",
            totals.last(),
            plain.last(),
            ratios.last()
        );
    }
    println!(
        "  baseline: calamine {}, COPY {}",
        reads.text(2, " s"),
        copies.text(2, " s")
    );
    println!(
        "  import: upload {}, read + check + stage {}, commit + evaluate {}",
        uploads.text(2, " s"),
        checks.text(2, " s"),
        commits.text(2, " s")
    );
    #[expect(clippy::cast_precision_loss, reason = "memory in KiB is far below 2^52")]
    let peak = server.memory_kib("VmHWM")? as f64 / 1024.0;
    verdict(
        "ratio",
        &ratios.text(2, ""),
        "at most 3",
        ratios.median() <= RATIO,
    );
    verdict(
        "end to end",
        &totals.text(2, " s"),
        "at most 30 s",
        totals.median() <= SECONDS,
    );
    verdict(
        "peak memory of the server",
        &format!("{peak:.0} MiB"),
        "under 400 MiB",
        peak < MIB,
    );
    warn_if_unsteady("the ratio", &ratios);
    server.stop()
}
