//! What an import bills, added to the figures of its orders and months, or taken away again.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use tenon_sdk::{Result, TenantTx};
use uuid::Uuid;

use crate::commands::evaluate::{Standing, standing};
use crate::queries;

/// Amounts of an import's entries by order and month.
#[derive(Default)]
pub struct Billing {
    amounts: HashMap<(Uuid, Date), Decimal>,
}

impl Billing {
    /// Of the entries as they stand now.
    pub async fn of(tx: &TenantTx, import: Uuid) -> Result<Self> {
        let rows = tx
            .query(queries::BILLED_BY_IMPORT, &[&tx.org_id(), &import])
            .await?;
        let mut billing = Self::default();
        for row in &rows {
            billing.add(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        }
        Ok(billing)
    }

    /// Adds the amount of an entry.
    pub fn add(&mut self, order: Uuid, day: Date, amount: Decimal) {
        *self.amounts.entry((order, day.first_of_month())).or_default() += amount;
    }

    /// The same amounts with the opposite sign.
    pub fn reversed(mut self) -> Self {
        for amount in self.amounts.values_mut() {
            *amount = -*amount;
        }
        self
    }

    /// Adds the amounts; gives how the orders stand afterwards.
    pub async fn post(&self, tx: &TenantTx) -> Result<Vec<Standing>> {
        let mut by_order: HashMap<Uuid, Decimal> = HashMap::new();
        for ((order, _), amount) in &self.amounts {
            *by_order.entry(*order).or_default() += amount;
        }
        let orders: Vec<Uuid> = by_order.keys().copied().collect();
        let amounts: Map<String, Value> = by_order
            .iter()
            .map(|(order, amount)| (order.to_string(), amount.to_string().into()))
            .collect();
        let rows = tx
            .query(
                queries::ADD_BILLING,
                &[&tx.org_id(), &orders, &Value::Object(amounts), &tx.env().now()],
            )
            .await?;
        let mut currencies: HashMap<Uuid, &str> = HashMap::new();
        let mut standings = Vec::with_capacity(rows.len());
        for row in &rows {
            currencies.insert(row.try_get(0)?, row.try_get(5)?);
            standings.push(standing(row)?);
        }
        self.post_months(tx, &currencies).await?;
        Ok(standings)
    }

    async fn post_months(&self, tx: &TenantTx, currencies: &HashMap<Uuid, &str>) -> Result<()> {
        let mut by_month: BTreeMap<(Date, &str), Decimal> = BTreeMap::new();
        for ((order, month), amount) in &self.amounts {
            if let Some(currency) = currencies.get(order) {
                *by_month.entry((*month, currency)).or_default() += amount;
            }
        }
        let months: Vec<Date> = by_month.keys().map(|(month, _)| *month).collect();
        let names: Vec<&str> = by_month.keys().map(|(_, currency)| *currency).collect();
        let amounts: Vec<Decimal> = by_month.into_values().collect();
        tx.execute(queries::ADD_MONTHS, &[&tx.org_id(), &months, &names, &amounts])
            .await
            .map(drop)
    }
}
