//! Five hundred changes of rows a second to two hundred subscribers in fifty organisations.

use anyhow::Result;

use super::Options;
use super::arrivals::{Arrivals, Plan};
use super::listeners::listen;
use super::people;
use super::socket::{self, Wish};
use super::{frames, writer};
use crate::report::{Rounds, verdict, warn_if_unsteady};
use crate::server::Server;

const ORGANIZATIONS: u32 = 50;
/// In each organisation.
const SUBSCRIBERS: u32 = 4;
const A_SECOND: u32 = 500;
/// Milliseconds.
const P50: f64 = 20.0;
const P99: f64 = 100.0;

/// Somebody of an organisation who wants to know of its orders.
pub fn wish(organization: u32, person: u32) -> Result<Wish> {
    Ok(Wish {
        topic: "realtime:orders".to_owned(),
        org: Some(people::organization(organization)),
        token: Some(people::token(organization, person)?),
        changes: true,
    })
}

/// Some people of each of these organisations.
pub fn wishes(organizations: impl Iterator<Item = u32>, people: u32) -> Result<Vec<Wish>> {
    organizations
        .flat_map(|organization| (0..people).map(move |person| wish(organization, person)))
        .collect()
}

pub async fn run(server: &Server, options: &Options) -> Result<()> {
    println!(
        "realtime, changes: {A_SECOND} updates of single orders a second, each committed by itself, to {SUBSCRIBERS} people in each of \
         {ORGANIZATIONS} organisations, {} s a round",
        options.seconds
    );
    let database = server.database().await?;
    people::make(&database, ORGANIZATIONS).await?;
    let wishes = wishes(1..=ORGANIZATIONS, SUBSCRIBERS)?;
    let mut sockets = socket::open_all(&server.address, wishes).await?;
    let (mut p50, mut p99, mut lost, mut out_of_turn) = (Rounds::new(), Rounds::new(), 0, 0);
    for round in 0..=options.rounds {
        // The first, which is short, is not counted: tables and statements are new then.
        let seconds = if round == 0 { 2 } else { options.seconds };
        let plan = Plan::new(A_SECOND, seconds);
        let ear = Arrivals::new(plan, frames::change_number, sockets.len(), SUBSCRIBERS);
        let before = writer::spent(server)?;
        let listening = listen(sockets, ear, plan.patience())?;
        writer::write(server, plan, ORGANIZATIONS).await?;
        let (back, ear) = listening.end().await?;
        sockets = back;
        let after = writer::spent(server)?;
        if round == 0 {
            continue;
        }
        let summary = ear.summary();
        p50.add(summary.last_p50);
        p99.add(summary.last_p99);
        lost += summary.lost;
        out_of_turn += summary.out_of_turn;
        println!(
            "  round {round}: until the last subscriber p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms, lost {}, twice or out of order {}, \
             processor {:.1} s and PostgreSQL {:.1} s",
            summary.last_p50,
            summary.last_p99,
            summary.most,
            summary.lost,
            summary.out_of_turn,
            after.0 - before.0,
            after.1 - before.1
        );
    }
    verdict(
        "p50 from due to the last subscriber",
        &p50.text(1, " ms"),
        "under 20 ms",
        p50.median() < P50,
    );
    verdict("p99", &p99.text(1, " ms"), "under 100 ms", p99.median() < P99);
    verdict(
        "changes lost, twice or out of order",
        &format!("{lost}, {out_of_turn}"),
        "none",
        lost == 0 && out_of_turn == 0,
    );
    warn_if_unsteady("the p99", &p99);
    Ok(())
}
