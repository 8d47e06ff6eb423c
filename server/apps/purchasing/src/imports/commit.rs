//! Accepted rows become orders and entries, and their figures are posted and evaluated.

use std::collections::HashMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use tenon_sdk::import_template::{AcceptedBatch, AcceptedRows};
use tenon_sdk::imports::{self, ImportRow, SheetSpec};
use tenon_sdk::{Error, Result, TenantTx};
use uuid::Uuid;

use super::billing::Billing;
use super::spec::ORDERS;
use crate::commands::evaluate::evaluate;
use crate::commands::{bump_revision, plans};
use crate::model::Level;
use crate::{events, notifications, queries};

/// Moves the rows into the books, posts what they bill, evaluates the orders they bill, and tells what was done.
pub async fn commit(tx: &TenantTx, import: Uuid, rows: &mut dyn AcceptedRows) -> Result<Value> {
    bump_revision(tx).await?;
    let mut arrived = Arrived::default();
    let mut batch = rows.next().await?;
    while let Some(some) = batch {
        // The next rows are fetched while these are being written.
        let (written, next) = futures_util::join!(arrived.take(tx, import, &some), rows.next());
        written?;
        batch = next?;
    }
    plans::each_time(tx).await?;
    let standings = arrived.billing.post(tx).await?;
    let alerts = evaluate(tx, &standings, Some(import)).await?;
    let billed: Vec<Uuid> = standings.iter().map(|standing| standing.order).collect();
    let summary = json!({
        "orders": arrived.orders,
        "entries": arrived.entries,
        "suppliers": arrived.suppliers,
        "alerts": { "opened": alerts.opened, "closed": alerts.closed },
        "levels": levels(tx, import, &billed).await?,
    });
    plans::as_usual(tx).await?;
    tx.emit(&events::import_committed(import, &summary)).await?;
    if alerts.opened > 0 {
        tx.notify(&notifications::alerts_opened(&alerts.opened, tx.user_id()))
            .await?;
    }
    Ok(summary)
}

/// What has arrived so far.
#[derive(Default)]
struct Arrived {
    orders: u64,
    suppliers: u64,
    entries: u64,
    billing: Billing,
    /// Places of orders in `billing` by their numbers as surveys name them.
    places: HashMap<String, usize>,
}

impl Arrived {
    async fn take(&mut self, tx: &TenantTx, import: Uuid, batch: &AcceptedBatch) -> Result<()> {
        if batch.sheet.key == ORDERS {
            self.orders(tx, import, batch.sheet, &batch.rows).await
        } else {
            self.entries(tx, import, batch.sheet, &batch.rows).await
        }
    }

    async fn orders(
        &mut self,
        tx: &TenantTx,
        import: Uuid,
        sheet: &SheetSpec,
        rows: &[ImportRow],
    ) -> Result<()> {
        let cells = Cells { sheet, rows };
        let names = cells.texts("supplier")?;
        self.suppliers += add_suppliers(tx, import, &names).await?;
        plans::forget(tx).await?;
        plans::for_any(tx).await?;
        let arrived = tx
            .execute(
                queries::IMPORT_ORDERS,
                &[
                    &tx.org_id(),
                    &import,
                    &tx.env().now(),
                    &cells.ids(),
                    &cells.texts("number")?,
                    &cells.texts("description")?,
                    &names,
                    &cells.texts("project")?,
                    &cells.texts("currency")?,
                    &cells.decimals("value")?,
                    &cells.dates("start_date")?,
                    &cells.dates("due_date")?,
                ],
            )
            .await
            .map_err(taken)?;
        plans::as_usual(tx).await?;
        self.orders += arrived;
        all_arrived(rows, arrived)
    }

    async fn entries(
        &mut self,
        tx: &TenantTx,
        import: Uuid,
        sheet: &SheetSpec,
        rows: &[ImportRow],
    ) -> Result<()> {
        let cells = Cells { sheet, rows };
        let numbers = cells.texts("order")?;
        if self.entries == 0 {
            // Orders may have come before them.
            plans::forget(tx).await?;
            plans::for_any(tx).await?;
        }
        self.look_up(tx, &numbers).await?;
        let (dates, amounts) = (cells.dates("survey_date")?, cells.decimals("amount")?);
        // The orders of these rows, each once, and of each row the place of its own among them, from 1.
        let ids: Vec<Uuid> = self.billing.order_ids().collect();
        let (mut orders, mut place_of) = (Vec::new(), vec![0_i32; ids.len()]);
        let mut places = Vec::with_capacity(rows.len());
        for ((number, date), amount) in numbers.iter().zip(&dates).zip(&amounts) {
            // It was there when the file was checked.
            let order = number.and_then(|number| self.places.get(number));
            let order = *order.ok_or_else(changed_meanwhile)?;
            if place_of[order] == 0 {
                orders.push(ids[order]);
                place_of[order] = i32::try_from(orders.len()).map_err(Error::internal)?;
            }
            places.push(place_of[order]);
            if let (Some(date), Some(amount)) = (date, amount) {
                self.billing.add(order, *date, *amount);
            }
        }
        let arrived: i64 = tx
            .query_one(
                queries::IMPORT_ENTRIES,
                &[
                    &tx.org_id(),
                    &import,
                    &tx.env().now(),
                    &orders,
                    &cells.ids(),
                    &cells.texts("number")?,
                    &places,
                    &cells.texts("note")?,
                    &dates,
                    &amounts,
                    &cells.texts("surveyor")?,
                ],
            )
            .await
            .map_err(taken)?
            .try_get(0)?;
        let arrived = u64::try_from(arrived).map_err(Error::internal)?;
        self.entries += arrived;
        all_arrived(rows, arrived)
    }

    /// Finds the orders that were not asked for before.
    async fn look_up(&mut self, tx: &TenantTx, numbers: &[Option<&str>]) -> Result<()> {
        let mut unknown: Vec<&str> = numbers
            .iter()
            .flatten()
            .copied()
            .filter(|number| !self.places.contains_key(*number))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return Ok(());
        }
        for row in tx.query(queries::ORDER_IDS, &[&tx.org_id(), &unknown]).await? {
            let place = self.billing.order(row.try_get(1)?, row.try_get(2)?);
            self.places.insert(row.try_get(0)?, place);
        }
        Ok(())
    }
}

async fn add_suppliers(tx: &TenantTx, import: Uuid, names: &[Option<&str>]) -> Result<u64> {
    let rows = tx.query(queries::NEW_SUPPLIERS, &[&tx.org_id(), &names]).await?;
    let names: Vec<&str> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let ids: Vec<Uuid> = names.iter().map(|_| tx.env().new_id()).collect();
    tx.execute(
        queries::ADD_SUPPLIERS,
        &[&tx.org_id(), &ids, &names, &import, &tx.env().now()],
    )
    .await
}

/// A number that the check found free.
fn taken(error: Error) -> Error {
    if error.code == "23505" {
        changed_meanwhile()
    } else {
        error
    }
}

/// A row whose supplier or order has gone since the check finds no partner.
fn all_arrived(rows: &[ImportRow], arrived: u64) -> Result<()> {
    if rows.len() as u64 == arrived {
        Ok(())
    } else {
        Err(changed_meanwhile())
    }
}

fn changed_meanwhile() -> Error {
    Error::conflict(
        "imports.validation_stale",
        "Orders or surveys have changed since the file was checked.",
    )
    .hint("Check the file again, then confirm.")
}

/// The columns of some rows.
struct Cells<'rows> {
    sheet: &'rows SheetSpec,
    rows: &'rows [ImportRow],
}

impl<'rows> Cells<'rows> {
    fn ids(&self) -> Vec<Uuid> {
        self.rows.iter().map(|row| row.id).collect()
    }

    fn column<T>(
        &self,
        key: &str,
        read: impl Fn(&'rows imports::Value) -> Option<T>,
    ) -> Result<Vec<Option<T>>> {
        let index = self.sheet.index_of(key).ok_or_else(|| Error::internal(key))?;
        Ok(self.rows.iter().map(|row| read(&row.values[index])).collect())
    }

    fn texts(&self, key: &str) -> Result<Vec<Option<&'rows str>>> {
        self.column(key, imports::Value::as_text)
    }

    fn decimals(&self, key: &str) -> Result<Vec<Option<Decimal>>> {
        self.column(key, imports::Value::as_decimal)
    }

    fn dates(&self, key: &str) -> Result<Vec<Option<Date>>> {
        self.column(key, imports::Value::as_date)
    }
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
