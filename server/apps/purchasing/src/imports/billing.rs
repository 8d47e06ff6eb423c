//! What an import bills, added to the figures of its orders and months, or taken away again.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use tenon_sdk::{Result, TenantTx};
use uuid::Uuid;

use crate::commands::evaluate::{Standing, standings_of, thresholds};
use crate::queries;

/// Amounts of an import's entries, by order and by month and currency.
#[derive(Default)]
pub struct Billing {
    orders: Vec<Billed>,
    places: HashMap<Uuid, usize>,
    currencies: Vec<String>,
    /// By the first day of the month and the place of the currency.
    months: BTreeMap<(Date, usize), Decimal>,
}

/// What an order is billed.
struct Billed {
    id: Uuid,
    currency: usize,
    amount: Decimal,
}

impl Billing {
    /// Of the entries as they stand now.
    pub async fn of(tx: &TenantTx, import: Uuid) -> Result<Self> {
        let rows = tx
            .query(queries::BILLED_BY_IMPORT, &[&tx.org_id(), &import])
            .await?;
        let mut billing = Self::default();
        for row in &rows {
            let order = billing.order(row.try_get(0)?, row.try_get(1)?);
            billing.add(order, row.try_get(2)?, row.try_get(3)?);
        }
        Ok(billing)
    }

    /// The place of an order, which may be new here.
    pub fn order(&mut self, id: Uuid, currency: &str) -> usize {
        *self.places.entry(id).or_insert_with(|| {
            let known = self.currencies.iter().position(|known| known == currency);
            let currency = known.unwrap_or_else(|| {
                self.currencies.push(currency.to_owned());
                self.currencies.len() - 1
            });
            self.orders.push(Billed {
                id,
                currency,
                amount: Decimal::ZERO,
            });
            self.orders.len() - 1
        })
    }

    /// The ids of the orders, by place.
    pub fn order_ids(&self) -> impl ExactSizeIterator<Item = Uuid> {
        self.orders.iter().map(|order| order.id)
    }

    /// Adds the amount of an entry of the order at this place.
    pub fn add(&mut self, order: usize, day: Date, amount: Decimal) {
        let order = &mut self.orders[order];
        order.amount += amount;
        *self
            .months
            .entry((day.first_of_month(), order.currency))
            .or_default() += amount;
    }

    /// The same amounts with the opposite sign.
    pub fn reversed(mut self) -> Self {
        let orders = self.orders.iter_mut().map(|order| &mut order.amount);
        for amount in orders.chain(self.months.values_mut()) {
            *amount = -*amount;
        }
        self
    }

    /// Adds the amounts and writes the levels they make; gives how the orders stand, to be evaluated from before.
    ///
    /// Figures and level are written at once, because an order's row is in many indexes.
    pub async fn post(&self, tx: &TenantTx) -> Result<Vec<Standing>> {
        let orders: Vec<Uuid> = self.order_ids().collect();
        let thresholds = thresholds(tx).await?;
        // Nobody else changes them: the revision is locked.
        let mut standings = standings_of(tx, &orders).await?;
        let posted: Map<String, Value> = standings
            .iter()
            .map(|(order, standing)| {
                let amount = self.orders[self.places[order]].amount;
                let level = standing.level_with(amount, thresholds);
                (order.to_string(), json!([amount.to_string(), level.as_str()]))
            })
            .collect();
        let rows = tx
            .query(
                queries::ADD_BILLING,
                &[&tx.org_id(), &orders, &Value::Object(posted), &tx.env().now()],
            )
            .await?;
        for row in &rows {
            if let Some(standing) = standings.get_mut(&row.try_get(0)?) {
                standing.now(row)?;
            }
        }
        self.post_months(tx).await?;
        Ok(standings.into_values().collect())
    }

    async fn post_months(&self, tx: &TenantTx) -> Result<()> {
        let months: Vec<Date> = self.months.keys().map(|(month, _)| *month).collect();
        let currencies: Vec<&String> = self.months.keys().map(|(_, at)| &self.currencies[*at]).collect();
        let amounts: Vec<Decimal> = self.months.values().copied().collect();
        tx.execute(
            queries::ADD_MONTHS,
            &[&tx.org_id(), &months, &currencies, &amounts],
        )
        .await
        .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_asked_for_twice_has_one_place_and_months_add_up_by_currency() {
        let mut billing = Billing::default();
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let first = billing.order(a, "EUR");
        let second = billing.order(b, "USD");
        assert_eq!(billing.order(a, "EUR"), first);
        assert_eq!(billing.order_ids().collect::<Vec<_>>(), [a, b]);
        let day = |day| Date::constant(2026, 3, day);
        billing.add(first, day(2), Decimal::from(10));
        billing.add(first, day(31), Decimal::from(-4));
        billing.add(second, day(31), Decimal::from(7));
        let billing = billing.reversed();
        let amounts: Vec<_> = billing.orders.iter().map(|order| order.amount).collect();
        assert_eq!(amounts, [Decimal::from(-6), Decimal::from(-7)]);
        let months: Vec<_> = billing
            .months
            .iter()
            .map(|((month, currency), amount)| (*month, billing.currencies[*currency].as_str(), *amount))
            .collect();
        assert_eq!(
            months,
            [
                (day(1), "EUR", Decimal::from(-6)),
                (day(1), "USD", Decimal::from(-7))
            ]
        );
    }
}
