//! Changes of single rows at fixed moments, each committed by itself.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::arrivals::Plan;
use super::frames;
use super::people::{self, ORDERS};
use crate::server::Server;

/// A commit takes longer than the pause between two changes. As many as divide the organisations, so that each is written by one
/// and its changes are committed in the order of their numbers.
const CONNECTIONS: u32 = 5;
const CHANGE: &str =
    "update purchasing.orders set description = $3, updated_at = now() where org_id = $1 and id = $2";

/// Changes an order at each moment of the plan, in the organisations in turn.
pub async fn write(server: &Server, plan: Plan, organizations: u32) -> Result<()> {
    let mut writers = JoinSet::new();
    for first in 0..CONNECTIONS {
        let database = server.database().await?;
        let change = database.prepare(CHANGE).await?;
        writers.spawn(async move {
            let began = Instant::from_std(plan.due(first));
            let mut ticks = tokio::time::interval_at(began, plan.pause * CONNECTIONS);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            for number in (first..plan.count).step_by(CONNECTIONS as usize) {
                ticks.tick().await;
                let org = people::organization(1 + number % organizations);
                let order = people::order(1 + number / organizations % ORDERS);
                let done = database
                    .execute(&change, &[&org, &order, &frames::mark(number)])
                    .await?;
                anyhow::ensure!(done == 1, "no such order");
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(done) = writers.join_next().await {
        done.context("a writer ended")??;
    }
    Ok(())
}

/// Processor time of the server and PostgreSQL so far.
pub fn spent(server: &Server) -> Result<(f64, f64)> {
    Ok((server.processor()?, server.postgres_processor()?))
}

/// Processor time of both while changes are written, and what they take in as much time without, is set off: microseconds a change.
pub async fn cost(server: &Server, a_second: u32, seconds: u32, organizations: u32) -> Result<(f64, f64)> {
    let length = Duration::from_secs(seconds.into());
    let before = spent(server)?;
    tokio::time::sleep(length).await;
    let middle = spent(server)?;
    let plan = Plan::new(a_second, seconds);
    write(server, plan, organizations).await?;
    tokio::time::sleep_until(Instant::from_std(plan.due(plan.count)) + Duration::from_millis(200)).await;
    let after = spent(server)?;
    let micros = |before: f64, middle: f64, after: f64| {
        ((after - middle) - (middle - before)) * 1e6 / f64::from(plan.count)
    };
    Ok((
        micros(before.0, middle.0, after.0),
        micros(before.1, middle.1, after.1),
    ))
}
