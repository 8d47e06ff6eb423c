//! Brings orders to the level their figures make, and their alerts after them, in the transaction that changed the
//! figures. What counts as a crossing is decided in `model`.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use tenon_sdk::events::Event;
use tenon_sdk::permission::Permission;
use tenon_sdk::{Error, Result, TenantTx};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::model::{self, Crossing, Level, Thresholds};
use crate::permissions::{AlertsAcknowledge, OrdersImport};
use crate::{events, queries};

/// Events recorded with one statement.
const EVENTS_AT_ONCE: usize = 500;

/// What decides the level of an order, and the level it was last evaluated at.
#[derive(Debug)]
pub struct Standing {
    /// The order's id.
    pub order: Uuid,
    current_value: Decimal,
    billed: Decimal,
    level: Level,
    /// What its row says: already the new level where that was written together with the figures.
    stored: Level,
    utilisation: Option<String>,
}

impl Standing {
    /// The level once `amount` more is billed.
    pub fn level_with(&self, amount: Decimal, thresholds: Thresholds) -> Level {
        model::level_of(self.current_value, self.billed + amount, thresholds)
    }

    /// As its row stands now; it is still to be evaluated from where it stood before.
    pub fn now(&mut self, row: &Row) -> Result<()> {
        let before = self.level;
        *self = standing(row)?;
        self.level = before;
        Ok(())
    }
}

/// What an evaluation did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Alerts opened.
    pub opened: usize,
    /// Alerts closed because their order fell back.
    pub closed: usize,
}

/// The organisation's thresholds, or the defaults.
pub async fn thresholds(tx: &TenantTx) -> Result<Thresholds> {
    let Some(row) = tx.query_opt(queries::THRESHOLDS, &[&tx.org_id()]).await? else {
        return Ok(Thresholds::default());
    };
    Thresholds::new(row.try_get(0)?, row.try_get(1)?).map_err(Error::internal)
}

/// Sums the certified entries of these orders anew.
pub async fn post_billing(tx: &TenantTx, orders: &[Uuid]) -> Result<Vec<Standing>> {
    let rows = tx
        .query(queries::POST_BILLING, &[&tx.org_id(), &orders, &tx.env().now()])
        .await?;
    rows.iter().map(standing).collect()
}

/// Every order of the organisation as it stands.
pub async fn all_standings(tx: &TenantTx) -> Result<Vec<Standing>> {
    tx.query(queries::STANDINGS, &[&tx.org_id()])
        .await?
        .iter()
        .map(standing)
        .collect()
}

/// These orders as they stand, by their ids.
pub async fn standings_of(tx: &TenantTx, orders: &[Uuid]) -> Result<BTreeMap<Uuid, Standing>> {
    tx.query(queries::STANDINGS_OF, &[&tx.org_id(), &orders])
        .await?
        .iter()
        .map(|row| Ok((row.try_get(0)?, standing(row)?)))
        .collect()
}

/// From id, value, billed, level and utilisation, in this order.
fn standing(row: &Row) -> Result<Standing> {
    let level = level(row.try_get(3)?)?;
    Ok(Standing {
        order: row.try_get(0)?,
        current_value: row.try_get(1)?,
        billed: row.try_get(2)?,
        level,
        stored: level,
        utilisation: row.try_get(4)?,
    })
}

fn level(name: &str) -> Result<Level> {
    name.parse().map_err(Error::internal)
}

/// Moves the levels of `standings`, opens alerts on upward crossings and closes those the orders fell back from.
/// `import` is the import whose figures these are.
pub async fn evaluate(tx: &TenantTx, standings: &[Standing], import: Option<Uuid>) -> Result<Outcome> {
    // The policies of orders and alerts ask for these; without them the statements below would quietly touch nothing.
    tx.require(OrdersImport::DEF.name)?;
    tx.require(AlertsAcknowledge::DEF.name)?;
    let thresholds = thresholds(tx).await?;
    let mut moved: [Vec<Uuid>; Level::ALL.len()] = Default::default();
    let mut raised: Vec<(&Standing, Level)> = Vec::new();
    let mut fallen: [Vec<Uuid>; Level::ALL.len()] = Default::default();
    for standing in standings {
        let after = model::level_of(standing.current_value, standing.billed, thresholds);
        match model::crossing(standing.level, after) {
            Crossing::None => continue,
            Crossing::Raise(level) => raised.push((standing, level)),
            Crossing::CloseAbove(floor) => fallen[floor as usize].push(standing.order),
        }
        if standing.stored != after {
            moved[after as usize].push(standing.order);
        }
    }
    for (level, orders) in Level::ALL
        .into_iter()
        .zip(&moved)
        .filter(|(_, orders)| !orders.is_empty())
    {
        tx.execute(
            queries::MOVE_LEVEL,
            &[&tx.org_id(), orders, &level.as_str(), &tx.env().now()],
        )
        .await?;
    }
    let mut told = open(tx, &raised, import).await?;
    let opened = told.len();
    for (floor, orders) in Level::ALL
        .into_iter()
        .zip(&fallen)
        .filter(|(_, orders)| !orders.is_empty())
    {
        told.extend(close(tx, orders, floor).await?);
    }
    for some in told.chunks(EVENTS_AT_ONCE) {
        tx.emit_all(some).await?;
    }
    Ok(Outcome {
        opened,
        closed: told.len() - opened,
    })
}

async fn open(tx: &TenantTx, raised: &[(&Standing, Level)], import: Option<Uuid>) -> Result<Vec<Event>> {
    if raised.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = raised.iter().map(|_| tx.env().new_id()).collect();
    let orders: Vec<Uuid> = raised.iter().map(|(standing, _)| standing.order).collect();
    let levels: Vec<&str> = raised.iter().map(|(_, level)| level.as_str()).collect();
    let shares: Vec<Option<&str>> = raised
        .iter()
        .map(|(standing, _)| standing.utilisation.as_deref())
        .collect();
    let rows = tx
        .query(
            queries::OPEN_ALERTS,
            &[
                &tx.org_id(),
                &ids,
                &orders,
                &levels,
                &shares,
                &import,
                &tx.env().now(),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let utilisation: Option<&str> = row.try_get(3)?;
            Ok(events::alert_opened(
                row.try_get(0)?,
                row.try_get(1)?,
                level(row.try_get(2)?)?,
                utilisation,
            ))
        })
        .collect()
}

/// Closes the live alerts above `floor` of orders that fell back to it.
async fn close(tx: &TenantTx, orders: &[Uuid], floor: Level) -> Result<Vec<Event>> {
    let above: Vec<&str> = Level::ALL
        .into_iter()
        .filter(|level| *level > floor)
        .map(Level::as_str)
        .collect();
    let rows = tx
        .query(
            queries::CLOSE_ALERTS,
            &[&tx.org_id(), &orders, &above, &tx.env().now()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(events::alert_closed(
                row.try_get(0)?,
                row.try_get(1)?,
                level(row.try_get(2)?)?,
            ))
        })
        .collect()
}
