//! What the app refuses, beside what the engine refuses by itself (missing, malformed and repeated values).

use std::collections::HashSet;

use rust_decimal::Decimal;
use tenon_sdk::imports::{ImportRow, Issue, Seen, SeenKind, SheetSpec};
use tenon_sdk::{Result, TenantTx};

use super::spec::ORDERS;
use crate::commands::plans;
use crate::queries;

/// Under this name the file's order numbers are noted for its surveys.
const ORDER: &str = "order";
/// Under this name what the books said of an order's number, so that they are asked once a file.
const BOOKED: &str = "order in the books";

/// Amounts stay below this, so that they fit `numeric(19,4)` and sums of them have room.
const AMOUNT_LIMIT: i64 = 100_000_000_000_000;

/// Rules across the cells of one row.
pub fn row(sheet: &SheetSpec, row: &mut ImportRow) {
    let date = |key| sheet.index_of(key).and_then(|index| row.values[index].as_date());
    let amount_key = if sheet.key == ORDERS { "value" } else { "amount" };
    let amount = sheet
        .index_of(amount_key)
        .and_then(|index| row.values[index].as_decimal());
    let mut issues = Vec::new();
    if let (Some(start), Some(due)) = (date("start_date"), date("due_date"))
        && due < start
    {
        issues.push(Issue::error(
            Some("due_date"),
            "due_before_start",
            format!("The due date {due} lies before the start date {start}."),
        ));
    }
    if amount.is_some_and(|amount| amount.abs() >= Decimal::from(AMOUNT_LIMIT)) {
        issues.push(Issue::error(
            Some(amount_key),
            "amount_too_large",
            "The amount is too large: at most 14 digits before the point.",
        ));
    }
    row.issues.extend(issues);
}

/// Orders against the books; notes every number for the surveys of the same file.
pub async fn orders(tx: &TenantTx, sheet: &SheetSpec, rows: &mut [ImportRow], seen: &mut Seen) -> Result<()> {
    refuse_known(tx, sheet, rows, queries::KNOWN_ORDERS, "Order").await?;
    for row in rows {
        if let Some(number) = text(sheet, row, "number") {
            let outcome = if row.accepted() {
                SeenKind::Accepted
            } else {
                SeenKind::Refused
            };
            seen.note(ORDER, number.to_lowercase(), outcome);
        }
    }
    Ok(())
}

/// Surveys against the books, the order each names against the file and the books.
pub async fn surveys(
    tx: &TenantTx,
    sheet: &SheetSpec,
    rows: &mut [ImportRow],
    seen: &mut Seen,
) -> Result<()> {
    refuse_known(tx, sheet, rows, queries::KNOWN_ENTRIES, "Survey").await?;
    let unsure: HashSet<&str> = rows
        .iter()
        .filter_map(|row| text(sheet, row, "order"))
        .filter(|order| {
            seen.get(ORDER, &order.to_lowercase()) != Some(SeenKind::Accepted)
                && seen.get(BOOKED, order).is_none()
        })
        .collect();
    let known = known(tx, queries::KNOWN_ORDERS, unsure.clone()).await?;
    for order in unsure {
        let outcome = if known.contains(order) {
            SeenKind::Accepted
        } else {
            SeenKind::Refused
        };
        seen.note(BOOKED, order, outcome);
    }
    for row in rows {
        let Some(order) = text(sheet, row, "order") else {
            continue;
        };
        let issue = match seen.get(ORDER, &order.to_lowercase()) {
            Some(SeenKind::Accepted) => continue,
            _ if seen.get(BOOKED, order) == Some(SeenKind::Accepted) => continue,
            Some(SeenKind::Refused) => (
                "order_refused",
                format!("Order {order} stands in this file, but its row was refused."),
            ),
            None => (
                "po_unknown",
                format!("There is no order {order}, neither in the books nor in this file."),
            ),
        };
        row.issues.push(Issue::error(Some("order"), issue.0, issue.1));
    }
    Ok(())
}

/// Refuses rows whose number is in the books already.
async fn refuse_known(
    tx: &TenantTx,
    sheet: &SheetSpec,
    rows: &mut [ImportRow],
    statement: &str,
    noun: &str,
) -> Result<()> {
    let numbers = rows.iter().filter_map(|row| text(sheet, row, "number")).collect();
    let known = known(tx, statement, numbers).await?;
    for row in rows {
        let Some(number) = text(sheet, row, "number").filter(|number| known.contains(*number)) else {
            continue;
        };
        let message = format!("{noun} {number} is in the books already.");
        row.issues
            .push(Issue::error(Some("number"), "duplicate_no", message));
    }
    Ok(())
}

async fn known(tx: &TenantTx, statement: &str, numbers: HashSet<&str>) -> Result<HashSet<String>> {
    if numbers.is_empty() {
        return Ok(HashSet::new());
    }
    let numbers: Vec<&str> = numbers.into_iter().collect();
    plans::for_any(tx).await?;
    let rows = tx.query(statement, &[&tx.org_id(), &numbers]).await?;
    plans::as_usual(tx).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

fn text<'row>(sheet: &SheetSpec, row: &'row ImportRow, key: &str) -> Option<&'row str> {
    row.values[sheet.index_of(key)?].as_text()
}

#[cfg(test)]
#[path = "checks_tests.rs"]
mod tests;
