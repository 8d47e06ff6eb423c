//! What a demo organisation has ordered and how far it was billed. Pure: a number and a day give the same plan always.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use rust_decimal::Decimal;

pub struct Plan {
    pub suppliers: Vec<&'static str>,
    pub orders: Vec<Order>,
    pub entries: Vec<Entry>,
}

pub struct Order {
    pub number: String,
    pub description: &'static str,
    pub supplier: &'static str,
    pub project: &'static str,
    pub currency: &'static str,
    pub value: Decimal,
    pub start: Date,
    pub due: Date,
}

pub struct Entry {
    pub number: String,
    /// Place of the order in [`Plan::orders`].
    pub order: usize,
    pub note: String,
    pub date: Date,
    pub amount: Decimal,
    pub surveyor: &'static str,
}

/// One organisation's world.
struct World {
    orders: usize,
    entries: usize,
    suppliers: &'static [&'static str],
    projects: &'static [&'static str],
    /// With weights.
    currencies: &'static [(&'static str, u64)],
    descriptions: &'static [&'static str],
    surveyors: &'static [&'static str],
}

const LARGE: World = World {
    orders: 140,
    entries: 1500,
    suppliers: &[
        "Alder & Finch Groundworks",
        "Brackenridge Steel",
        "Castlemere Roofing",
        "Dunmore Electrical",
        "Eastquay Plant Hire",
        "Fenwick Façades",
        "Greywater Drainage",
        "Hallamshore Piling",
        "Inverlea Joinery",
        "Juniper Lifts",
        "Kilnside Brickwork",
        "Larchfield Mechanical",
        "Moorgate Scaffolds",
        "Northvale Concrete",
        "Ottershaw Fire Protection",
        "Pennard Glazing",
    ],
    projects: &[
        "Riverside Depot",
        "Hollin Tower",
        "Quay 9",
        "A47 Culverts",
        "St Anne's Wing C",
        "Market Hall Refit",
        "Tannery Lofts",
    ],
    currencies: &[("GBP", 76), ("EUR", 18), ("USD", 6)],
    descriptions: &[
        "Piling",
        "Groundworks phase 1",
        "Groundworks phase 2",
        "Rebar supply",
        "Ready-mix concrete",
        "Structural steel",
        "Brickwork",
        "Roof covering",
        "Curtain walling",
        "Drainage run 2",
        "Lift installation",
        "Temporary works",
        "First fix electrical",
        "Second fix joinery",
        "Ductwork",
        "Sprinklers",
        "Scaffolding",
        "External works",
    ],
    surveyors: &["P. Achebe", "J. Ortiz", "M. Lindqvist", "R. Dhillon"],
};

const SMALL: World = World {
    orders: 40,
    entries: 300,
    suppliers: &[
        "Birkenau Tiefbau",
        "Fjordlys Elektro",
        "Gletscher Stahlbau",
        "Holmgren Snekkeri",
        "Lindenhof Dach",
        "Rheinblick Haustechnik",
        "Seewind Gerüste",
        "Talbach Beton",
    ],
    projects: &["Hafenkontor", "Schule am Anger", "Werkhalle 4"],
    currencies: &[("EUR", 80), ("CHF", 15), ("NOK", 5)],
    descriptions: &[
        "Erdarbeiten",
        "Rohbau",
        "Stahlbau",
        "Dachabdichtung",
        "Elektro Los 1",
        "Elektro Los 2",
        "Heizung",
        "Lüftung",
        "Trockenbau",
        "Gerüst",
    ],
    surveyors: &["K. Sommer", "A. Yilmaz"],
};

/// How far orders are billed, in hundredths of a per cent from/to, with weights: every level occurs, and the exact
/// boundaries do too.
const USE: &[(i64, i64, u64)] = &[
    (0, 0, 8),
    (500, 7_999, 52),
    (8_000, 8_000, 2),
    (8_001, 9_499, 17),
    (9_500, 9_500, 2),
    (9_501, 9_999, 8),
    (10_000, 10_000, 5),
    (10_001, 12_400, 6),
];

impl Plan {
    pub fn new(number: u64, today: Date) -> Self {
        let world = if number <= 1 { &LARGE } else { &SMALL };
        let mut dice = Dice(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let orders: Vec<Order> = (0..world.orders)
            .map(|index| order(&mut dice, world, index, today))
            .collect();
        let entries = entries(&mut dice, world, &orders, today);
        Self {
            suppliers: world.suppliers.to_vec(),
            orders,
            entries,
        }
    }
}

fn order(dice: &mut Dice, world: &World, index: usize, today: Date) -> Order {
    // Newer orders have higher numbers; the last ones have hardly begun.
    let age = 540 - 530 * index / world.orders;
    let start = days(today, -(i64::try_from(age).unwrap_or(0) + dice.between(0, 6)));
    Order {
        number: format!("PO-{}", 240_101 + index),
        description: dice.pick(world.descriptions),
        supplier: dice.pick(world.suppliers),
        project: dice.pick(world.projects),
        currency: dice.weighted(world.currencies),
        // Skewed: many small orders, few large ones.
        value: Decimal::new(
            dice.between(90, 970) * dice.between(90, 970) * dice.between(5, 95),
            2,
        ),
        start,
        due: days(start, dice.between(60, 420)),
    }
}

fn entries(dice: &mut Dice, world: &World, orders: &[Order], today: Date) -> Vec<Entry> {
    let billed: Vec<Decimal> = orders
        .iter()
        .map(|order| {
            let (from, to) = dice.weighted(
                &USE.iter()
                    .map(|band| ((band.0, band.1), band.2))
                    .collect::<Vec<_>>(),
            );
            (order.value * Decimal::new(dice.between(from, to), 4)).round_dp(2)
        })
        .collect();
    let billable: Vec<usize> = (0..orders.len())
        .filter(|index| !billed[*index].is_zero())
        .collect();
    let mut entries = Vec::with_capacity(world.entries);
    for (place, order) in billable.iter().copied().enumerate() {
        let count = world.entries * (place + 1) / billable.len() - world.entries * place / billable.len();
        let parts = split(dice, billed[order], count);
        let span = i64::from((today - orders[order].start).get_days()).max(1);
        for (part, amount) in parts.into_iter().enumerate() {
            let step = i64::try_from(part + 1).unwrap_or(1) * span / i64::try_from(count).unwrap_or(1).max(1);
            entries.push(Entry {
                number: String::new(),
                order,
                note: format!("Valuation {}", part + 1),
                date: days(orders[order].start, step.min(span) - dice.between(0, 2).min(step)),
                amount,
                surveyor: dice.pick(world.surveyors),
            });
        }
    }
    entries.sort_by_key(|entry| entry.date);
    for (index, entry) in entries.iter_mut().enumerate() {
        entry.number = format!("QS-{:06}", index + 1);
    }
    entries
}

/// Splits an amount into parts of different sizes whose sum is exact.
fn split(dice: &mut Dice, total: Decimal, count: usize) -> Vec<Decimal> {
    let weights: Vec<i64> = (0..count).map(|_| dice.between(40, 160)).collect();
    let sum: i64 = weights.iter().sum();
    let mut parts: Vec<Decimal> = weights
        .iter()
        .map(|weight| (total * Decimal::from(*weight) / Decimal::from(sum)).round_dp(2))
        .collect();
    let rest = total - parts.iter().sum::<Decimal>();
    if let Some(last) = parts.last_mut() {
        *last += rest;
    }
    parts
}

fn days(date: Date, days: i64) -> Date {
    date.saturating_add(days.days())
}

/// Nine in the morning UTC of a day, as the moment somebody wrote it down.
pub fn at_nine(date: Date) -> Timestamp {
    date.at(9, 0, 0, 0)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}

/// `SplitMix64`: small, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Both ends included.
    fn between(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below(to.abs_diff(from) + 1)).unwrap_or(0)
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[usize::try_from(self.below(items.len() as u64)).unwrap_or(0)]
    }

    fn weighted<T: Copy>(&mut self, items: &[(T, u64)]) -> T {
        let mut roll = self.below(items.iter().map(|item| item.1).sum());
        for (item, weight) in items {
            if roll < *weight {
                return *item;
            }
            roll -= weight;
        }
        items[0].0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use jiff::civil::date;

    use super::*;
    use crate::model::{Level, Thresholds, level_of};

    fn plan(number: u64) -> (Plan, BTreeMap<Level, usize>) {
        let plan = Plan::new(number, date(2026, 3, 31));
        let mut billed = vec![Decimal::ZERO; plan.orders.len()];
        for entry in &plan.entries {
            billed[entry.order] += entry.amount;
        }
        let mut levels = BTreeMap::new();
        for (order, billed) in plan.orders.iter().zip(billed) {
            *levels
                .entry(level_of(order.value, billed, Thresholds::default()))
                .or_default() += 1;
        }
        (plan, levels)
    }

    #[test]
    fn both_organisations_have_their_size_and_every_level() {
        for (number, orders, entries) in [(1, 140, 1500), (2, 40, 300)] {
            let (plan, levels) = plan(number);
            assert_eq!((plan.orders.len(), plan.entries.len()), (orders, entries));
            assert_eq!(levels.len(), 4, "{levels:?}");
            assert!(
                plan.orders
                    .iter()
                    .map(|order| order.currency)
                    .collect::<HashSet<_>>()
                    .len()
                    > 1
            );
        }
    }

    #[test]
    fn nothing_is_surveyed_before_its_order_starts_or_in_the_future() {
        let (plan, _) = plan(1);
        for entry in &plan.entries {
            assert!(entry.date >= plan.orders[entry.order].start && entry.date <= date(2026, 3, 31));
        }
    }

    #[test]
    fn some_orders_are_overdue() {
        let (plan, _) = plan(1);
        assert!(plan.orders.iter().any(|order| order.due < date(2026, 3, 31)));
    }

    #[test]
    fn the_same_number_gives_the_same_books() {
        let (first, second) = (plan(2).0, plan(2).0);
        assert_eq!(first.orders[7].value, second.orders[7].value);
        assert_eq!(first.entries[99].amount, second.entries[99].amount);
    }
}
