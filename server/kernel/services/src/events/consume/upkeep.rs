//! Which consumers there are, and the end of events that everybody has had.

use std::time::Duration;

use tenon_sdk::{
    Error, Kernel, OrgId, Result, SystemTx,
    events::{Beginning, is_pattern},
};

/// Between two looks at what is old enough.
const PAUSE: Duration = Duration::from_mins(30);
/// Events that go at once.
const PIECE: i64 = 1000;
/// Organisations looked up at once.
const PAGE: i64 = 1000;

/// Writes down the consumers of this server, so that nothing is forgotten that they have not had.
pub(in super::super) async fn register(kernel: Kernel) -> Result<()> {
    for consumer in kernel.consumers() {
        if consumer.events.is_empty() || !consumer.events.iter().all(|pattern| is_pattern(pattern)) {
            return Err(Error::internal(format!("{} consumes no events", consumer.name)));
        }
    }
    let names: Vec<&str> = kernel.consumers().map(|consumer| consumer.name).collect();
    let from_now: Vec<&str> = kernel
        .consumers()
        .filter(|consumer| consumer.beginning == Beginning::Now)
        .map(|consumer| consumer.name)
        .collect();
    let tx = SystemTx::begin(kernel.db(), "consumers of events").await?;
    tx.execute(include_str!("register.sql"), &[&names, &from_now])
        .await?;
    tx.commit().await
}

/// Works until it is dropped.
pub(super) async fn work(kernel: Kernel) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let round = async {
            register(kernel.clone()).await?;
            retire(&kernel).await
        };
        match round.await {
            Ok(0) => {}
            Ok(gone) => tracing::info!(gone, "events were kept long enough and are gone"),
            Err(error) => tracing::warn!(%error, "old events could not be dropped"),
        }
    }
}

/// Drops events that all consumers have had and that were kept long enough, in pieces; gives how many.
pub async fn retire(kernel: &Kernel) -> Result<u64> {
    let (mut gone, mut last) = (0, OrgId(uuid::Uuid::nil()));
    loop {
        let tx = SystemTx::begin(kernel.db(), "old events").await?;
        let sql = "select org_id from events.sequences where org_id > $1 order by org_id limit $2";
        let rows = tx.query(sql, &[&last, &PAGE]).await?;
        tx.commit().await?;
        let Some(row) = rows.last() else { return Ok(gone) };
        last = row.try_get(0)?;
        for row in &rows {
            gone += retire_in(kernel, row.try_get(0)?).await?;
        }
    }
}

async fn retire_in(kernel: &Kernel, org: OrgId) -> Result<u64> {
    let days = kernel.config().events.keep_days.max(0);
    let mut gone = 0;
    loop {
        let tx = SystemTx::begin(kernel.db(), "old events").await?;
        let some = tx
            .execute(include_str!("retire.sql"), &[&org, &days, &PIECE])
            .await?;
        tx.commit().await?;
        gone += some;
        if some < PIECE.unsigned_abs() {
            return Ok(gone);
        }
    }
}
