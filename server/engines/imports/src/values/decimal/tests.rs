use proptest::prelude::*;

use super::*;

fn number(text: &str) -> String {
    match parse(text, Convention::Unknown, 2) {
        Amount::Number { value, .. } => value.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn amounts_are_read_in_many_conventions() {
    for (text, expected) in [
        ("1234.5", "1234.5"),
        ("£1,234.50", "1234.50"),
        ("1.234,50 €", "1234.50"),
        ("(1,234.50)", "-1234.50"),
        ("£(1,234.50)", "-1234.50"),
        ("-£1,234.50", "-1234.50"),
        ("1,234.50-", "-1234.50"),
        ("\u{2212}5", "-5"),
        ("1 234 567,89", "1234567.89"),
        ("1\u{a0}234,5", "1234.5"),
        ("CHF 1'234.50", "1234.50"),
        ("1.234.567", "1234567"),
        ("12,34,567.80", "1234567.80"),
        ("USD 99", "99"),
        ("99 kr", "99"),
        ("R$ 1.500,00", "1500.00"),
        (".5", "0.5"),
        ("5.", "5"),
        ("0,123", "0.123"),
        ("1234,567", "1234.567"),
        ("1,234", "1234"),
        ("1.234", "1234"),
        ("1.5E+06", "1500000"),
        ("+7", "7"),
        ("00012", "12"),
    ] {
        assert_eq!(number(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_amount_is_told_apart() {
    for text in [
        "tbc",
        "see note",
        "",
        "-",
        "()",
        "1.2.3,4,5",
        "12 34",
        "1,23,4",
        "--5",
        "5 apples",
        "1/2",
        "£",
        ".",
        "1e",
        "e5",
    ] {
        assert_eq!(number(text), "NotANumber", "{text}");
    }
    assert_eq!(number("12 %"), "Percent");
    assert_eq!(number("123456789012345678901234567890"), "TooLarge");
}

#[test]
fn the_column_decides_what_a_single_separator_means() {
    let read = |text, convention| parse(text, convention, 3);
    let value = |units, scale, assumed| Amount::Number {
        value: Decimal::new(units, scale),
        assumed,
    };
    assert_eq!(read("1,234", Convention::Dot), value(1234, 0, false));
    assert_eq!(read("1,234", Convention::Comma), value(1234, 3, false));
    assert_eq!(read("1.234", Convention::Comma), value(1234, 0, false));
    assert_eq!(read("1,234", Convention::Unknown), value(1234, 0, true));
    assert_eq!(read("1.234", Convention::Unknown), value(1234, 3, true));
    assert_eq!(shows("1,234"), Shows::Either);
    assert_eq!(shows("1,2"), Shows::Comma);
    assert_eq!(shows("£1,234.50"), Shows::Dot);
    assert_eq!(shows("1234"), Shows::Nothing);
}

#[test]
fn binary_noise_is_not_taken_for_decimal_places() {
    assert_eq!(
        from_f64(0.1 + 0.2).map(|value| value.to_string()).as_deref(),
        Some("0.3")
    );
    assert_eq!(
        from_f64(434_680.97).map(|value| value.to_string()).as_deref(),
        Some("434680.97")
    );
    assert_eq!(
        from_f64(1e-9).map(|value| value.to_string()).as_deref(),
        Some("0.000000001")
    );
    assert_eq!(from_f64(f64::NAN), None);
    assert_eq!(from_f64(1e300), None);
}

proptest! {
    #[test]
    fn a_decimal_survives_its_way_through_a_spreadsheet(units in -99_999_999_999_999_i64..99_999_999_999_999, scale in 0_u32..5) {
        let exact = Decimal::new(units, scale);
        let binary: f64 = exact.to_string().parse().unwrap();
        prop_assert_eq!(from_f64(binary), Some(exact.normalize()));
    }

    #[test]
    fn a_decimal_survives_any_way_of_writing_it(units in -9_999_999_999_i64..9_999_999_999, style in 0..4) {
        let exact = Decimal::new(units, 2);
        let plain = exact.abs().to_string();
        let (whole, part) = plain.split_once('.').unwrap();
        let group = |separator: &str| {
            let digits: Vec<char> = whole.chars().rev().collect();
            let groups: Vec<String> = digits.chunks(3).map(|three| three.iter().rev().collect()).collect();
            groups.into_iter().rev().collect::<Vec<String>>().join(separator)
        };
        let text = match style {
            0 => format!("{}.{part}", group(",")),
            1 => format!("{},{part} €", group(".")),
            2 => format!("CHF {}.{part}", group("'")),
            _ => format!("{},{part}", group("\u{202f}")),
        };
        let text = if units < 0 { format!("({text})") } else { text };
        prop_assert_eq!(parse(&text, Convention::Unknown, 2), Amount::Number { value: exact, assumed: false });
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,30}") {
        let _ = parse(&text, Convention::Comma, 2);
        let _ = shows(&text);
    }
}
