//! Accepted rows become orders and entries, and go again when the import is undone.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};
use tenon_sdk::imports::SheetSpec;
use tenon_sdk::permission::Permission;
use tenon_sdk::{Error, Result, TenantTx};
use tokio_postgres::Row;
use uuid::Uuid;

use super::billing::Billing;
use super::spec::ORDERS;
use crate::commands::evaluate::evaluate;
use crate::commands::{bump_revision, plans};
use crate::model::Level;
use crate::permissions::{AlertsAcknowledge, OrdersImport};
use crate::{events, queries};

/// Moves the accepted rows of a range into the books.
pub async fn batch(tx: &TenantTx, import: Uuid, sheet: &SheetSpec, rows: RangeInclusive<u32>) -> Result<u64> {
    bump_revision(tx).await?;
    let (first, last) = (row_number(*rows.start())?, row_number(*rows.end())?);
    let statement = if sheet.key == ORDERS {
        add_suppliers(tx, import, first, last).await?;
        queries::IMPORT_ORDERS
    } else {
        queries::IMPORT_ENTRIES
    };
    plans::forget(tx).await?;
    plans::for_any(tx).await?;
    let arrived = tx
        .execute(
            statement,
            &[&tx.org_id(), &import, &first, &last, &tx.env().now()],
        )
        .await
        .map_err(|error| {
            if error.code == "23505" {
                changed_meanwhile()
            } else {
                error
            }
        })?;
    let accepted: i64 = tx
        .query_one(
            queries::COUNT_ACCEPTED,
            &[&tx.org_id(), &import, &sheet.key, &first, &last],
        )
        .await?
        .try_get(0)?;
    plans::as_usual(tx).await?;
    // An entry whose order has gone since validation finds no partner in the statement's join.
    if u64::try_from(accepted).ok() == Some(arrived) {
        Ok(arrived)
    } else {
        Err(changed_meanwhile())
    }
}

fn row_number(number: u32) -> Result<i32> {
    i32::try_from(number).map_err(Error::internal)
}

fn changed_meanwhile() -> Error {
    Error::conflict(
        "imports.validation_stale",
        "Orders or surveys have changed since the file was checked.",
    )
    .hint("Check the file again, then confirm.")
}

async fn add_suppliers(tx: &TenantTx, import: Uuid, first: i32, last: i32) -> Result<()> {
    let rows = tx
        .query(queries::NEW_SUPPLIERS, &[&tx.org_id(), &import, &first, &last])
        .await?;
    let names: Vec<&str> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let ids: Vec<Uuid> = names.iter().map(|_| tx.env().new_id()).collect();
    tx.execute(
        queries::ADD_SUPPLIERS,
        &[&tx.org_id(), &ids, &names, &import, &tx.env().now()],
    )
    .await
    .map(drop)
}

/// Posts what the import billed, evaluates the orders it billed, and tells what it did.
pub async fn finish(tx: &TenantTx, import: Uuid) -> Result<Value> {
    plans::each_time(tx).await?;
    let billing = Billing::of(tx, import).await?;
    let standings = billing.post(tx).await?;
    let alerts = evaluate(tx, &standings, Some(import)).await?;
    let billed: Vec<Uuid> = standings.iter().map(|standing| standing.order).collect();
    let counts = tx
        .query_one(queries::IMPORT_COUNTS, &[&tx.org_id(), &import])
        .await?;
    let count = |index: usize| counts.try_get::<_, i64>(index);
    let summary = json!({
        "orders": count(0)?,
        "entries": billing.entries,
        "suppliers": count(1)?,
        "alerts": { "opened": alerts.opened, "closed": alerts.closed },
        "levels": levels(tx, import, &billed).await?,
    });
    plans::as_usual(tx).await?;
    tx.emit(&events::import_committed(import, &summary)).await?;
    Ok(summary)
}

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

/// Orders the import brought or billed, per level.
async fn levels(tx: &TenantTx, import: Uuid, billed: &[Uuid]) -> Result<Value> {
    let rows = tx
        .query(queries::IMPORT_LEVELS, &[&tx.org_id(), &import, &billed])
        .await?;
    let mut levels: Map<String, Value> = Level::ALL
        .iter()
        .map(|level| (level.to_string(), json!(0)))
        .collect();
    for row in &rows {
        levels.insert(row.try_get(0)?, row.try_get::<_, i64>(1)?.into());
    }
    Ok(Value::Object(levels))
}
