use tenon_sdk::imports::Level;

use super::*;

fn field(kind: FieldKind, required: bool) -> Field {
    Field {
        key: "f",
        label: "Value",
        kind,
        required,
        unique: false,
        synonyms: &[],
        help: "",
        example: "",
    }
}

fn read_cell(kind: FieldKind, cell: &Cell<'_>) -> (Value, Vec<String>) {
    let mut issues = Vec::new();
    let value = parse(&field(kind, true), cell, ColumnRules::default(), &mut issues);
    (
        value,
        issues.into_iter().map(|issue| issue.code.into_owned()).collect(),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "calls read better")]
fn read(kind: FieldKind, cell: Cell<'_>) -> (Value, Vec<String>) {
    read_cell(kind, &cell)
}

fn text(text: &str) -> Cell<'_> {
    Cell::Text(Cow::Borrowed(text))
}

const MONEY: FieldKind = FieldKind::Decimal {
    scale: 2,
    min: Some("0"),
};

#[test]
fn amounts_are_checked_against_places_and_minimum() {
    assert_eq!(
        read(MONEY, text("£1,234.50")),
        (Value::Decimal(Decimal::new(123_450, 2)), vec![])
    );
    assert_eq!(
        read(MONEY, Cell::Number(0.1 + 0.2)),
        (Value::Decimal(Decimal::new(3, 1)), vec![])
    );
    assert_eq!(
        read(MONEY, text("12.3450")),
        (Value::Decimal(Decimal::new(1235, 2)), vec!["rounded".into()])
    );
    assert_eq!(
        read(MONEY, text("12.5000")),
        (Value::Decimal(Decimal::new(1250, 2)), vec![])
    );
    assert_eq!(read(MONEY, Cell::Number(-3.0)).1, ["negative_not_allowed"]);
    assert_eq!(
        read(MONEY, text("tbc")),
        (Value::Empty, vec!["not_a_number".into()])
    );
    assert_eq!(read(MONEY, text("5%")).1, ["not_a_number"]);
    assert_eq!(read(MONEY, Cell::Bool(true)).1, ["not_a_number"]);
    assert_eq!(
        read(MONEY, Cell::Date(jiff::civil::date(2025, 1, 1).into())).1,
        ["not_a_number"]
    );
    assert_eq!(read(MONEY, Cell::Empty).1, ["required_missing"]);
    assert_eq!(read(MONEY, text(" \u{a0}")).1, ["required_missing"]);
    assert_eq!(
        read(
            FieldKind::Decimal {
                scale: 0,
                min: Some("1")
            },
            text("0")
        )
        .1,
        ["below_minimum"]
    );
}

#[test]
fn formulas_that_failed_are_told_apart_from_blanks() {
    for cell in [
        Cell::Error("#DIV/0!".into()),
        Cell::Uncalculated,
        text("#REF!"),
        text(" #N/A "),
        text("Err:502"),
    ] {
        assert_eq!(read(MONEY, cell.clone()).1, ["formula_error"], "{cell:?}");
    }
    assert_eq!(
        read(FieldKind::Text { max: 10 }, text("#1")),
        (Value::Text("#1".into()), vec![])
    );
}

#[test]
fn text_is_trimmed_cleaned_and_measured_in_characters() {
    let kind = FieldKind::Text { max: 3 };
    assert_eq!(read(kind, text(" äöü\0 ")), (Value::Text("äöü".into()), vec![]));
    assert_eq!(read(kind, text("abcd")), (Value::Empty, vec!["too_long".into()]));
    assert_eq!(
        read(FieldKind::Text { max: 9 }, Cell::Number(1_700_001.0)),
        (Value::Text("1700001".into()), vec![])
    );
}

#[test]
fn currencies_and_choices_go_by_their_codes_or_other_words() {
    assert_eq!(
        read(FieldKind::Currency, text("eur")),
        (Value::Text("EUR".into()), vec![])
    );
    assert_eq!(
        read(FieldKind::Currency, text("$")),
        (Value::Text("USD".into()), vec!["currency_assumed".into()])
    );
    assert_eq!(read(FieldKind::Currency, text("QQQ")).1, ["unknown_currency"]);
    let kind = FieldKind::Choice(&[("open", &["offen", "in progress"]), ("closed", &["done"])]);
    assert_eq!(
        read(kind, text("In  Progress")),
        (Value::Text("open".into()), vec![])
    );
    assert_eq!(read(kind, text("maybe")).1, ["not_a_choice"]);
}

#[test]
fn a_column_of_dates_is_read_one_way() {
    let mut evidence = Evidence::default();
    evidence.note(FieldKind::Date, &text("03/04/2025"));
    assert!(evidence.is_undecided());
    evidence.note(FieldKind::Date, &text("06/17/2025"));
    let rules = evidence.rules();
    assert!(rules.order_known && !evidence.is_undecided());
    let mut issues = Vec::new();
    let value = parse(
        &field(FieldKind::Date, true),
        &text("03/04/2025"),
        rules,
        &mut issues,
    );
    assert_eq!(value, Value::Date(jiff::civil::date(2025, 3, 4)));
    assert!(issues.is_empty());
    let refused = parse(
        &field(FieldKind::Date, true),
        &text("17/06/2025"),
        rules,
        &mut issues,
    );
    assert_eq!(refused, Value::Empty);
    assert_eq!(issues[0].code, "impossible_date");
    assert_eq!(
        issues[0].message,
        "Value: there is no date “17/06/2025” (read month first)."
    );
}

#[test]
fn an_undecidable_date_is_read_day_first_with_a_warning() {
    let mut issues = Vec::new();
    let value = parse(
        &field(FieldKind::Date, true),
        &text("03/04/2025"),
        ColumnRules::default(),
        &mut issues,
    );
    assert_eq!(value, Value::Date(jiff::civil::date(2025, 4, 3)));
    assert_eq!(
        (issues[0].level, issues[0].code.as_ref()),
        (Level::Warning, "ambiguous_date")
    );
}

#[test]
fn a_message_never_repeats_a_whole_essay() {
    let essay = "x".repeat(10_000);
    let mut issues = Vec::new();
    parse(
        &field(MONEY, true),
        &text(&essay),
        ColumnRules::default(),
        &mut issues,
    );
    assert!(issues[0].message.len() < 120);
}

#[test]
fn a_dash_in_an_optional_column_is_read_as_empty() {
    let mut issues = Vec::new();
    let optional = field(MONEY, false);
    assert_eq!(
        parse(&optional, &text(" – "), ColumnRules::default(), &mut issues),
        Value::Empty
    );
    assert_eq!(
        (issues[0].level, issues[0].code.as_ref()),
        (Level::Warning, "read_as_empty")
    );
    assert_eq!(read(MONEY, text("-")).1, ["not_a_number"]);
}
