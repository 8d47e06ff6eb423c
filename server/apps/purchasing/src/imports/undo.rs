//! An import is taken back whole, unless something has come to depend on it.

use std::collections::HashSet;

use tenon_sdk::permission::Permission;
use tenon_sdk::{Error, Result, TenantTx};
use tokio_postgres::Row;
use uuid::Uuid;

use super::billing::Billing;
use crate::commands::evaluate::evaluate;
use crate::commands::{bump_revision, plans};
use crate::permissions::{AlertsAcknowledge, OrdersImport};
use crate::{events, queries};

/// Takes back what the import brought, unless something has come to depend on it.
pub async fn undo(tx: &TenantTx, import: Uuid) -> Result<()> {
    tx.require(OrdersImport::DEF.name)?;
    tx.require(AlertsAcknowledge::DEF.name)?;
    bump_revision(tx).await?;
    plans::each_time(tx).await?;
    let own = ids(&tx
        .query(queries::ORDERS_OF_IMPORT, &[&tx.org_id(), &import])
        .await?)?;
    refuse_if_in_use(tx, import, &own).await?;
    let mut standings = Billing::of(tx, import).await?.reversed().post(tx).await?;
    tx.execute(queries::UNDO_ENTRIES, &[&tx.org_id(), &import])
        .await?;
    tx.execute(queries::UNDO_ALERTS, &[&tx.org_id(), &own]).await?;
    tx.execute(queries::UNDO_ORDERS, &[&tx.org_id(), &import]).await?;
    tx.execute(queries::UNDO_SUPPLIERS, &[&tx.org_id(), &import])
        .await?;
    let gone: HashSet<Uuid> = own.into_iter().collect();
    standings.retain(|standing| !gone.contains(&standing.order));
    evaluate(tx, &standings, None).await?;
    plans::as_usual(tx).await?;
    tx.emit(&events::import_undone(import)).await
}

async fn refuse_if_in_use(tx: &TenantTx, import: Uuid, own: &[Uuid]) -> Result<()> {
    let row = tx
        .query_one(queries::IMPORT_DEPENDANTS, &[&tx.org_id(), &import, &own])
        .await?;
    let (entries, alerts): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let counted = [
        (entries, "entries of other imports on its orders"),
        (alerts, "acknowledged alerts"),
    ];
    let named: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if named.is_empty() {
        return Ok(());
    }
    Err(Error::conflict(
        "purchasing.import_in_use",
        "The import cannot be undone: other data depends on it.",
    )
    .details(format!("In the way: {}.", named.join(", ")))
    .hint("Undo the later imports first. What somebody has acknowledged stays."))
}

fn ids(rows: &[Row]) -> Result<Vec<Uuid>> {
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
