//! The workbooks the engine writes can be read by the engine.

use tenon_imports::detect::{Confidence, Remembered, detect};
use tenon_imports::workbook_out::{RefusedRow, RefusedWorkbook, template_workbook};
use tenon_sdk::imports::{Level, Value};

use crate::support::{REGISTER, check, open, open_bytes, rows};

#[test]
fn a_template_filled_with_its_own_example_is_understood() {
    let bytes = template_workbook(&REGISTER).unwrap();
    let mut workbook = open_bytes("template.xlsx", bytes).unwrap();
    assert_eq!(
        workbook.sheets(),
        ["Purchase orders", "Quantity surveys", "Read me"]
    );
    let found = detect(&mut workbook, &REGISTER, &Remembered::default()).unwrap();
    let targets: Vec<_> = found.sheets.iter().map(|sheet| sheet.target).collect();
    assert_eq!(targets, [Some("orders"), Some("surveys"), None]);
    assert_eq!(found.sheets[0].confidence(&REGISTER.sheets[0]), Confidence::Sure);
    let (_, rows) = check(&mut workbook);
    assert_eq!(rows[0].1.row.values[5], Value::Decimal("1250".parse().unwrap()));
}

#[test]
fn refused_rows_come_back_with_their_reasons_and_can_be_uploaded_again() {
    let (_, checked) = check(&mut open("orders-and-surveys.xlsx").unwrap());
    let mut out = RefusedWorkbook::default();
    let mut written = 0;
    for spec in REGISTER.sheets {
        out.sheet(spec).unwrap();
        for (_, row) in checked
            .iter()
            .filter(|(key, row)| *key == spec.key && !row.row.accepted())
        {
            let cells: Vec<String> = (0..spec.fields.len()).map(|field| row.found(field)).collect();
            out.row(&RefusedRow {
                number: row.row.number,
                cells: &cells,
                issues: &row.row.issues,
            })
            .unwrap();
            written += 1;
        }
    }
    let bytes = out.finish().unwrap();
    let mut again = open_bytes("refused.xlsx", bytes).unwrap();
    let orders = rows(&mut again, 0).unwrap();
    let refused = orders.iter().find(|(_, cells)| cells[9] == "20").unwrap();
    assert_eq!(refused.1[5], "tbc");
    assert_eq!(refused.1[10], "Order value: “tbc” is not a number.");
    let (report, checked) = check(&mut again);
    assert_eq!(report.sheets.iter().map(|sheet| sheet.rows).sum::<u64>(), written);
    // Duplicates are gone: the rows they repeat were accepted and are not here. Formulas cannot come back as such.
    let still = checked
        .iter()
        .filter(|(_, row)| row.row.issues.iter().any(|issue| issue.level == Level::Error))
        .count();
    assert_eq!(still as u64, written - 8);
}

#[test]
fn text_that_looks_like_a_formula_stays_text() {
    let mut out = RefusedWorkbook::default();
    out.sheet(&REGISTER.sheets[0]).unwrap();
    let cells = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "=HYPERLINK(\"http://x\")",
        "x".repeat(40_000).as_str(),
    ]
    .map(str::to_owned);
    out.row(&RefusedRow {
        number: 7,
        cells: &cells,
        issues: &[],
    })
    .unwrap();
    let bytes = out.finish().unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
    let mut sheet = String::new();
    std::io::Read::read_to_string(
        &mut archive.by_name("xl/worksheets/sheet1.xml").unwrap(),
        &mut sheet,
    )
    .unwrap();
    assert!(!sheet.contains("<f>"), "no formula");
    let found = rows(&mut open_bytes("refused.xlsx", bytes).unwrap(), 0).unwrap();
    assert_eq!(found[1].1[..5], cells[..5]);
}

#[test]
fn a_workbook_without_refused_rows_says_so() {
    let bytes = RefusedWorkbook::default().finish().unwrap();
    assert_eq!(
        rows(&mut open_bytes("refused.xlsx", bytes).unwrap(), 0).unwrap()[0].1,
        ["No row was refused."]
    );
}
