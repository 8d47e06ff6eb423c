use jiff::civil::date;
use tenon_sdk::imports::Value;
use uuid::Uuid;

use super::super::spec::{REGISTER, SURVEYS};
use super::*;

fn codes_of(sheet: &str, values: &[(&str, Value)]) -> Vec<String> {
    let sheet = REGISTER.sheet(sheet).unwrap();
    let mut cells = vec![Value::Empty; sheet.fields.len()];
    for (key, value) in values {
        cells[sheet.index_of(key).unwrap()] = value.clone();
    }
    let mut row = ImportRow {
        id: Uuid::nil(),
        number: 5,
        values: cells,
        issues: Vec::new(),
    };
    super::row(sheet, &mut row);
    row.issues
        .into_iter()
        .map(|issue| issue.code.into_owned())
        .collect()
}

#[test]
fn an_order_is_refused_when_it_is_due_before_it_starts() {
    let dates = |start, due| [("start_date", Value::Date(start)), ("due_date", Value::Date(due))];
    assert_eq!(
        codes_of(ORDERS, &dates(date(2025, 6, 17), date(2025, 6, 8))),
        ["due_before_start"]
    );
    assert!(codes_of(ORDERS, &dates(date(2025, 6, 17), date(2025, 6, 17))).is_empty());
}

#[test]
fn an_order_without_one_of_its_dates_is_accepted() {
    assert!(codes_of(ORDERS, &[("due_date", Value::Date(date(2025, 6, 8)))]).is_empty());
}

#[test]
fn an_amount_that_no_column_can_hold_is_refused() {
    let huge = Value::Decimal("100000000000000".parse().unwrap());
    assert_eq!(codes_of(ORDERS, &[("value", huge.clone())]), ["amount_too_large"]);
    assert_eq!(codes_of(SURVEYS, &[("amount", huge)]), ["amount_too_large"]);
    let reversal = Value::Decimal("-99999999999999.9999".parse().unwrap());
    assert!(codes_of(SURVEYS, &[("amount", reversal)]).is_empty());
}
