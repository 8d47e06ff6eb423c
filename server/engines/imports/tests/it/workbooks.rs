//! Workbooks that other people made.

use tenon_imports::detect::{Remembered, detect, sample};
use tenon_imports::reader::{Cell, Format, LeftOutReason};

use crate::support::{REGISTER, open, rows};

fn refusal(name: &str) -> String {
    let error = open(name).expect_err(name);
    assert!(error.message.contains(name), "{error:?}");
    assert!(error.hint.is_some());
    error.code.into_owned()
}

#[test]
fn protected_workbooks_are_refused_as_such() {
    assert_eq!(refusal("pass_protected.xlsx"), "imports.file_encrypted");
    assert_eq!(refusal("pass_protected.ods"), "imports.file_encrypted");
}

#[test]
fn corrupt_old_workbooks_are_read_as_far_as_they_can_be() {
    for (name, sheet, count) in [
        ("OOM_alloc.xls", "Weekly Report", 19),
        ("malformed_format.xls", "2014", 36),
    ] {
        let mut workbook = open(name).unwrap();
        assert_eq!(workbook.sheets()[0], sheet, "{name}");
        assert_eq!(rows(&mut workbook, 0).unwrap().len(), count, "{name}");
    }
}

#[test]
fn the_1904_date_system_is_respected() {
    let mut workbook = open("date_1904.xlsb").unwrap();
    assert_eq!(workbook.format(), Format::Xlsb);
    assert_eq!(
        rows(&mut workbook, 0).unwrap()[0],
        (1, vec!["2021-01-01".to_owned(), "15".to_owned()])
    );
}

#[test]
fn merged_cells_are_known_and_only_the_first_has_a_value() {
    for (name, merged) in [
        ("merge_cells.xlsx", &["A1:B1", "A2:A4", "B2:D4"][..]),
        ("merged_cells.ods", &["A2:A3"]),
    ] {
        let mut workbook = open(name).unwrap();
        let ranges: Vec<String> = workbook
            .merged_ranges(0)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(ranges, merged, "{name}");
        let last = rows(&mut workbook, 0).unwrap().pop().unwrap();
        match name {
            "merge_cells.xlsx" => assert_eq!(last, (2, vec!["Column Merge".into(), "Chunk Merged".into()])),
            _ => assert_eq!(last, (3, vec![String::new(), String::new(), "C".into()])),
        }
    }
}

#[test]
fn errors_keep_their_name() {
    let mut workbook = open("errors.xlsx").unwrap();
    let mut found = Vec::new();
    workbook
        .for_each_row(0, |_, cells| {
            found.extend(
                cells
                    .iter()
                    .filter(|cell| matches!(cell, Cell::Error(_)))
                    .map(|cell| cell.text().into_owned()),
            );
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    for error in ["#DIV/0!", "#NAME?", "#N/A", "#NULL!", "#NUM!", "#REF!", "#VALUE!"] {
        assert!(found.iter().any(|text| text == error), "{error} in {found:?}");
    }
}

#[test]
fn formulas_give_their_stored_results() {
    let mut workbook = open("formula.issue.xlsx").unwrap();
    for sheet in 0..workbook.sheets().len() {
        assert!(!rows(&mut workbook, sheet).unwrap().is_empty());
    }
}

#[test]
fn hidden_sheets_and_charts_are_left_out_but_named() {
    let workbook = open("any_sheets.xlsx").unwrap();
    assert_eq!(workbook.sheets(), ["Visible"]);
    let left_out: Vec<_> = workbook
        .left_out()
        .iter()
        .map(|sheet| (sheet.name.as_str(), sheet.reason))
        .collect();
    assert_eq!(
        left_out,
        [
            ("Hidden", LeftOutReason::Hidden),
            ("VeryHidden", LeftOutReason::Hidden),
            ("Chart", LeftOutReason::NotAWorksheet),
        ]
    );
}

#[test]
fn headings_below_the_first_row_are_found() {
    let mut workbook = open("header-row.xlsx").unwrap();
    assert_eq!(sample(&mut workbook, 0).unwrap().header(), Some(9));
}

#[test]
fn empty_strings_do_not_make_a_row() {
    let mut workbook = open("empty-string.xls").unwrap();
    assert_eq!(workbook.format(), Format::Xls);
    for (_, cells) in rows(&mut workbook, 0).unwrap() {
        assert!(cells.iter().any(|cell| !cell.is_empty()));
    }
}

#[test]
fn a_workbook_of_another_purpose_is_read_but_fits_no_template_sheet() {
    let mut workbook = open("ocds-implementation.xlsx").unwrap();
    assert_eq!(workbook.sheets().len(), 25);
    let parties = workbook.sheet_index("Parties").unwrap();
    assert!(!rows(&mut workbook, parties).unwrap().is_empty());
    let found = detect(&mut workbook, &REGISTER, &Remembered::default()).unwrap();
    assert!(
        found.sheets.iter().all(|sheet| sheet.target.is_none()),
        "{found:?}"
    );
}
