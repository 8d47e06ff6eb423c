//! The register with planted faults: exactly the faulty rows are refused, each for its own reason.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value as Json;
use tenon_imports::detect::{Confidence, Remembered, detect};
use tenon_sdk::imports::{Level, Value};

use crate::support::{REGISTER, check, codes, data, open};

/// Kinds of fault that only the app can see: across fields, across sheets.
const OF_THE_APP: &[&str] = &["po_unknown", "order_refused", "due_before_start"];

fn expected_code(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "value_missing" => ("value", "required_missing"),
        "value_text" => ("value", "not_a_number"),
        "value_negative" => ("value", "negative_not_allowed"),
        "currency_unknown" => ("currency", "unknown_currency"),
        "no_missing" => ("number", "required_missing"),
        "duplicate_no" => ("number", "duplicate_in_file"),
        "total_missing" => ("amount", "required_missing"),
        "total_text" => ("amount", "not_a_number"),
        "total_formula_error" => ("amount", "formula_error"),
        "date_impossible" => ("survey_date", "impossible_date"),
        other => panic!("no code for {other}"),
    }
}

#[test]
fn the_register_is_understood_without_help() {
    let found = detect(
        &mut open("orders-and-surveys.xlsx").unwrap(),
        &REGISTER,
        &Remembered::default(),
    )
    .unwrap();
    let seen: Vec<_> = found
        .sheets
        .iter()
        .map(|sheet| (sheet.name.as_str(), sheet.target, sheet.header_row))
        .collect();
    assert_eq!(
        seen,
        [
            ("Purchase Orders", Some("orders"), Some(4)),
            ("QS Register", Some("surveys"), Some(4))
        ]
    );
    for (sheet, spec) in found.sheets.iter().zip(REGISTER.sheets) {
        assert_eq!(sheet.confidence(spec), Confidence::Sure, "{:?}", sheet.columns);
        assert_eq!(sheet.missing(spec).count(), 0);
    }
    let columns: Vec<_> = found.sheets[0]
        .columns
        .iter()
        .map(|column| column.column)
        .collect();
    assert_eq!(
        columns,
        [0, 1, 2, 3, 4, 5, 6, 7]
            .map(Some)
            .into_iter()
            .chain([None])
            .collect::<Vec<_>>()
    );
}

#[test]
fn exactly_the_planted_faults_are_refused() {
    let truth: Json =
        serde_json::from_str(&fs::read_to_string(data("orders-and-surveys.truth.json")).unwrap()).unwrap();
    let mut expected = BTreeSet::new();
    for sheet in ["orders", "surveys"] {
        for fault in truth[sheet].as_array().unwrap() {
            let kind = fault["kind"].as_str().unwrap();
            if !OF_THE_APP.contains(&kind) {
                let (field, code) = expected_code(kind);
                let row = u32::try_from(fault["row"].as_u64().unwrap()).unwrap();
                expected.insert((sheet, row, field.to_owned(), code.to_owned()));
            }
        }
    }
    let (report, rows) = check(&mut open("orders-and-surveys.xlsx").unwrap());
    let mut found = BTreeSet::new();
    for (sheet, row) in &rows {
        for issue in row.row.issues.iter().filter(|issue| issue.level == Level::Error) {
            found.insert((
                *sheet,
                row.row.number,
                issue.field.unwrap().to_owned(),
                issue.code.clone().into_owned(),
            ));
        }
    }
    assert_eq!(found, expected);
    let counts: Vec<u64> = report.sheets.iter().map(|sheet| sheet.rows).collect();
    let total =
        |sheet: &str| truth["accepted"][sheet].as_u64().unwrap() + truth["refused"][sheet].as_u64().unwrap();
    assert_eq!(counts, [total("orders"), total("surveys")]);
    for sheet in &report.sheets {
        assert_eq!(sheet.accepted + sheet.refused, sheet.rows);
        assert_eq!(sheet.warnings, 0, "nothing in it is a guess");
    }
}

#[test]
fn amounts_and_dates_written_as_text_are_understood_and_kept_as_found() {
    let (_, rows) = check(&mut open("orders-and-surveys.xlsx").unwrap());
    let row = |wanted| {
        &rows
            .iter()
            .find(|(sheet, row)| *sheet == "orders" && row.row.number == wanted)
            .unwrap()
            .1
    };
    let order = row(13);
    assert_eq!(order.row.values[5], Value::Decimal("713702.83".parse().unwrap()));
    assert_eq!(order.found(5), "£713,702.83");
    let order = row(5);
    assert_eq!(order.row.values[7], Value::Date(jiff::civil::date(2025, 6, 8)));
    assert_eq!(order.found(7), "08/06/2025");
    assert_eq!(order.found(5), "434680.97");
    assert_eq!(order.originals.len(), 1, "what is canonical is not kept twice");
    assert_eq!(codes(row(20)), ["not_a_number"]);
    assert_eq!(
        row(20).row.issues[0].message,
        "Order value: “tbc” is not a number."
    );
}
