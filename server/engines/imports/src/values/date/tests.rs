use proptest::prelude::*;

use super::*;

fn read(text: &str) -> String {
    match parse(text, Order::DayFirst) {
        Parsed::Certain(date) => date.to_string(),
        Parsed::ByOrder(date) => format!("{date}?"),
        other => format!("{other:?}"),
    }
}

#[test]
fn dates_are_read_in_many_forms() {
    for text in [
        "2025-06-17",
        "2025/6/17",
        "2025-06-17T10:30:00Z",
        "17/06/2025",
        "17.6.2025",
        "17-06-25",
        "17/06/2025 10:30 AM",
        "17 June 2025",
        "17th June, 2025",
        "June 17, 2025",
        "Jun-17-2025",
        "17-Jun-25",
        "Tuesday 17 June 2025",
        "Di, 17. Juni 2025",
        "le 17 juin 2025",
        "17 de junio de 2025",
        "mardi 17 juin 2025",
        "20250617",
        "2025 Jun 17",
        "17giugno2025",
    ] {
        assert_eq!(read(text), "2025-06-17", "{text}");
    }
    assert_eq!(read("01 März 2025"), "2025-03-01");
    assert_eq!(read("1er août 2025"), "2025-08-01");
    assert_eq!(read("31 déc. 99"), "1999-12-31");
    assert_eq!(read("03/04/2025"), "2025-04-03?");
    assert_eq!(read("04/04/2025"), "2025-04-04");
}

#[test]
fn impossible_dates_are_told_from_what_is_no_date() {
    for text in [
        "31/02/2025",
        "06/17/2025",
        "00/01/2025",
        "30 February 2025",
        "20251301",
        "29/02/2025",
        "1/1/1066",
    ] {
        assert_eq!(read(text), "Impossible", "{text}");
    }
    for text in [
        "soon",
        "",
        "June 2025",
        "06/2025",
        "1234",
        "17/06",
        "1/2/3/2025",
        "12:30",
        "10%",
        "17 Foo 2025",
        "q",
    ] {
        assert_eq!(read(text), "NotADate", "{text}");
    }
}

#[test]
fn only_days_after_the_twelfth_show_the_order() {
    assert_eq!(shows("17/06/2025"), Some(Some(Order::DayFirst)));
    assert_eq!(shows("06/17/2025"), Some(Some(Order::MonthFirst)));
    assert_eq!(shows("06/07/2025"), Some(None));
    assert_eq!(shows("06/06/2025"), None);
    assert_eq!(shows("2025-06-07"), None);
    assert_eq!(shows("17 June 2025"), None);
}

#[test]
fn numbers_are_dates_only_where_that_is_believable() {
    assert_eq!(from_number(45_825.0), Some(date(2025, 6, 17)));
    assert_eq!(from_number(20_250_617.0), Some(date(2025, 6, 17)));
    assert_eq!(from_number(17.0), None);
    assert_eq!(from_number(f64::NAN), None);
}

proptest! {
    #[test]
    fn a_date_survives_any_way_of_writing_it(day in 0_i64..60_000, style in 0..5) {
        let exact = date(1980, 1, 1).checked_add(day.days()).unwrap();
        let (year, month, of_month) = (exact.year(), exact.month(), exact.day());
        let (text, order) = match style {
            0 => (exact.to_string(), Order::DayFirst),
            1 => (format!("{of_month}/{month}/{year}"), Order::DayFirst),
            2 => (format!("{month:02}-{of_month:02}-{year}"), Order::MonthFirst),
            3 => (exact.strftime("%d %B %Y").to_string(), Order::MonthFirst),
            _ => (exact.strftime("%b %d, %Y").to_string(), Order::DayFirst),
        };
        let found = match parse(&text, order) {
            Parsed::Certain(found) | Parsed::ByOrder(found) => Some(found),
            _ => None,
        };
        prop_assert_eq!(found, Some(exact));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,30}") {
        let _ = parse(&text, Order::MonthFirst);
        let _ = shows(&text);
    }
}
