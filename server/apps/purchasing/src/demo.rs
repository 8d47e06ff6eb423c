//! Believable figures for a demo organisation: the same number always gives the same books, dated back from today.
//! All names are made up.

mod plan;

use jiff::tz::TimeZone;
use tenon_sdk::{Result, TenantTx};
use uuid::Uuid;

use crate::commands::acknowledge_alert::acknowledge;
use crate::commands::bump_revision;
use crate::commands::evaluate::{all_standings, evaluate, post_billing};
use crate::queries;
use plan::Plan;

/// Every so many alerts one was acknowledged.
const ACKNOWLEDGED: usize = 5;

/// Fills an organisation's empty books; number 1 is the larger of the two demo organisations.
pub async fn load(tx: &TenantTx, number: u64) -> Result<()> {
    let now = tx.env().now();
    let today = now.to_zoned(TimeZone::UTC).date();
    let plan = Plan::new(number, today);
    bump_revision(tx).await?;

    let suppliers: Vec<Uuid> = plan.suppliers.iter().map(|_| tx.env().new_id()).collect();
    let none: Option<Uuid> = None;
    tx.execute(
        queries::ADD_SUPPLIERS,
        &[&tx.org_id(), &suppliers, &plan.suppliers, &none, &now],
    )
    .await?;
    let orders = add_orders(tx, &plan).await?;
    add_entries(tx, &plan, &orders).await?;

    post_billing(tx, &orders).await?;
    evaluate(tx, &all_standings(tx).await?, None).await?;
    tx.execute(queries::REBUILD_MONTHS, &[&tx.org_id()]).await?;
    for row in tx
        .query(queries::DEMO_ALERTS, &[&tx.org_id()])
        .await?
        .iter()
        .step_by(ACKNOWLEDGED)
    {
        acknowledge(
            tx,
            row.try_get(0)?,
            Some("Variation agreed with the supplier; paperwork to follow."),
        )
        .await?;
    }
    Ok(())
}

/// Turns a list of planned things into one array a column.
macro_rules! columns {
    ($items:expr, |$item:ident| $($column:ident = $value:expr),* $(,)?) => {
        $(let $column: Vec<_> = $items.iter().map(|$item| $value).collect();)*
    };
}

async fn add_orders(tx: &TenantTx, plan: &Plan) -> Result<Vec<Uuid>> {
    let ids: Vec<Uuid> = plan.orders.iter().map(|_| tx.env().new_id()).collect();
    columns!(
        plan.orders,
        |order| numbers = order.number.as_str(),
        descriptions = order.description,
        suppliers = order.supplier,
        projects = order.project,
        currencies = order.currency,
        values = order.value,
        starts = order.start,
        dues = order.due,
        created = plan::at_nine(order.start),
    );
    tx.execute(
        queries::DEMO_ORDERS,
        &[
            &tx.org_id(),
            &ids,
            &numbers,
            &descriptions,
            &suppliers,
            &projects,
            &currencies,
            &values,
            &starts,
            &dues,
            &created,
        ],
    )
    .await?;
    Ok(ids)
}

async fn add_entries(tx: &TenantTx, plan: &Plan, orders: &[Uuid]) -> Result<()> {
    let ids: Vec<Uuid> = plan.entries.iter().map(|_| tx.env().new_id()).collect();
    columns!(
        plan.entries,
        |entry| numbers = entry.number.as_str(),
        order_ids = orders[entry.order],
        notes = entry.note.as_str(),
        dates = entry.date,
        amounts = entry.amount,
        surveyors = entry.surveyor,
        created = plan::at_nine(entry.date),
    );
    tx.execute(
        queries::DEMO_ENTRIES,
        &[
            &tx.org_id(),
            &ids,
            &numbers,
            &order_ids,
            &notes,
            &dates,
            &amounts,
            &surveyors,
            &created,
        ],
    )
    .await
    .map(drop)
}
