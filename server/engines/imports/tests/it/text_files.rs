//! Delimited text in the encodings and dialects people's programs write.

use encoding_rs::{SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};
use tenon_imports::Limits;
use tenon_imports::Workbook;
use tenon_imports::reader::Format;
use tenon_sdk::imports::Value;

use crate::support::{check, codes, open_bytes, rows};

fn cells(name: &str, bytes: impl Into<Vec<u8>>) -> Vec<(u32, Vec<String>)> {
    let mut workbook = open_bytes(name, bytes).unwrap();
    assert_eq!(workbook.format(), Format::Text);
    rows(&mut workbook, 0).unwrap()
}

fn owned(row: u32, cells: &[&str]) -> (u32, Vec<String>) {
    (row, cells.iter().map(|&cell| cell.to_owned()).collect())
}

#[test]
fn any_usual_encoding_is_understood() {
    let text = "Größe;Façade;Nº\nÄpfel;Müller;7\n";
    let expected = [
        owned(1, &["Größe", "Façade", "Nº"]),
        owned(2, &["Äpfel", "Müller", "7"]),
    ];
    let wide = |big: bool, mark: bool| -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    let encodings = [
        text.as_bytes().to_vec(),
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        wide(false, true),
        wide(true, true),
        wide(false, false),
        wide(true, false),
        WINDOWS_1252.encode(text).0.into_owned(),
    ];
    for (index, bytes) in encodings.into_iter().enumerate() {
        assert_eq!(cells("a.csv", bytes), expected, "encoding {index}");
    }
    let russian = "Номер,Сумма\nПЗ-1,Двести рублей\nПЗ-2,Триста рублей\n";
    assert_eq!(
        cells("a.csv", WINDOWS_1251.encode(russian).0.into_owned())[0],
        owned(1, &["Номер", "Сумма"])
    );
    let japanese = "番号,金額\n発注一,二百円\n発注二,三百円です\n";
    assert_eq!(
        cells("a.csv", SHIFT_JIS.encode(japanese).0.into_owned())[0],
        owned(1, &["番号", "金額"])
    );
}

#[test]
fn any_usual_delimiter_is_understood() {
    for delimiter in [",", ";", "\t", "|"] {
        let text = ["PO;Value;Note", "1;2;3", "4;5;6"]
            .join("\r\n")
            .replace(';', delimiter);
        assert_eq!(
            cells("a.txt", text)[2],
            owned(3, &["4", "5", "6"]),
            "{delimiter:?}"
        );
    }
    // Decimal commas and title lines do not confuse it.
    let german = "Bestellungen\nNummer;Betrag;Datum\nA1;1.234,50;1.2.2025\nA2;7,00;13.2.2025\n";
    assert_eq!(
        cells("a.csv", german)[2],
        owned(3, &["A1", "1.234,50", "1.2.2025"])
    );
    // Excel's own first line decides, and counts as a row.
    assert_eq!(cells("a.csv", "sep=|\r\na,b|c\r\n"), [owned(2, &["a,b", "c"])]);
    assert_eq!(
        cells("a.csv", "just one column\nof text\n")[1],
        owned(2, &["of text"])
    );
}

#[test]
fn quotes_line_breaks_blank_and_ragged_rows_keep_their_numbers() {
    let text = "a,b,c\r\n\"x, \"\"y\"\"\",\"two\nlines\",1\r\n\r\n,,\r\nshort\r\nlong,1,2,3,4\r\n";
    assert_eq!(
        cells("a.csv", text),
        [
            owned(1, &["a", "b", "c"]),
            owned(2, &["x, \"y\"", "two\nlines", "1"]),
            owned(5, &["short"]),
            owned(6, &["long", "1", "2", "3", "4"]),
        ]
    );
    assert_eq!(
        cells("a.csv", "a,b\rc,d\r"),
        [owned(1, &["a", "b"]), owned(2, &["c", "d"])]
    );
}

#[test]
fn a_quotation_mark_that_never_closes_is_named_by_its_row() {
    let mut text = "a,b\n1,\"open\n".to_owned();
    text.push_str(&"2,more\n".repeat(10_000));
    let mut workbook = open_bytes("a.csv", text).unwrap();
    let error = rows(&mut workbook, 0).unwrap_err();
    assert_eq!(error.code, "imports.cell_too_large");
    assert!(error.message.contains("B2"), "{}", error.message);
}

#[test]
fn text_named_as_a_workbook_is_read_with_a_remark() {
    let mut workbook = open_bytes("orders.xlsx", "PO No.,Vendor\n1,Acme\n").unwrap();
    assert_eq!(workbook.sheets(), ["orders"]);
    assert_eq!(workbook.notices()[0].code, "extension_differs");
    assert_eq!(rows(&mut workbook, 0).unwrap().len(), 2);
}

const HEADINGS: &str = "PO No.;Vendor;Ccy;Order Value;Start;Due";

fn orders(
    lines: &[&str],
) -> (
    Vec<tenon_imports::validate::CheckedRow>,
    tenon_imports::validate::Report,
) {
    let text = format!("{HEADINGS}\n{}\n", lines.join("\n"));
    let (report, rows) = check(&mut open_bytes("orders.csv", text).unwrap());
    (rows.into_iter().map(|(_, row)| row).collect(), report)
}

#[test]
fn the_whole_column_decides_how_dates_and_amounts_are_read() {
    let (rows, report) = orders(&[
        "A;X;EUR;1.234;03/04/2025;",
        "B;X;EUR;1.234,50;12/31/2025;",
        "C;X;EUR;7,5;01/02/2025;",
    ]);
    assert_eq!(report.sheets[0].refused + report.sheets[0].warnings, 0);
    assert_eq!(rows[0].row.values[5], Value::Decimal("1234".parse().unwrap()));
    assert_eq!(rows[2].row.values[5], Value::Decimal("7.5".parse().unwrap()));
    assert_eq!(rows[0].row.values[6], Value::Date(jiff::civil::date(2025, 3, 4)));
}

#[test]
fn the_decision_looks_beyond_the_first_rows_if_they_leave_it_open() {
    let mut lines: Vec<String> = (0..3000)
        .map(|row| format!("A{row};X;EUR;5;03/04/2025;"))
        .collect();
    lines.push("Z;X;EUR;5;04/25/2025;".to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let (rows, report) = orders(&lines);
    assert_eq!(report.sheets[0].refused + report.sheets[0].warnings, 0);
    assert_eq!(rows[0].row.values[6], Value::Date(jiff::civil::date(2025, 3, 4)));
    assert_eq!(report.sheets[0].rows, 3001);
}

#[test]
fn an_undecidable_column_of_dates_is_read_day_first_with_warnings() {
    let (rows, report) = orders(&["A;X;EUR;5;03/04/2025;", "B;X;EUR;5;05/04/2025;"]);
    assert_eq!(rows[0].row.values[6], Value::Date(jiff::civil::date(2025, 4, 3)));
    assert_eq!(codes(&rows[0]), ["ambiguous_date"]);
    assert_eq!((report.sheets[0].accepted, report.sheets[0].warnings), (2, 2));
    assert_eq!(report.sheets[0].notices[0].code, "ambiguous_dates");
}

#[test]
fn later_duplicates_repeated_headings_and_footers_are_recognised() {
    let (rows, report) = orders(&["A;X;EUR;5;;", HEADINGS, "a;X;EUR;6;;", ";;;;;", "B;X;EUR;7;;"]);
    let numbers: Vec<(u32, Vec<&str>)> = rows.iter().map(|row| (row.row.number, codes(row))).collect();
    assert_eq!(
        numbers,
        [(2, vec![]), (4, vec!["duplicate_in_file"]), (6, vec![])]
    );
    assert_eq!(
        rows[1].row.issues[0].message,
        "Order number a is already in row 2."
    );
    assert_eq!(report.sheets[0].rows, 3);
}

#[test]
fn ids_are_given_in_the_order_of_the_rows() {
    let (rows, _) = orders(&["A;X;EUR;5;;", "B;X;EUR;5;;"]);
    let ids: Vec<u128> = rows.iter().map(|row| row.row.id.as_u128()).collect();
    assert_eq!(ids, [1, 2]);
}

#[test]
fn limits_on_rows_columns_and_size_name_the_place() {
    let limits = Limits {
        rows: 3,
        columns: 3,
        file_bytes: 1000,
        ..Limits::default()
    };
    let read = |text: &str| {
        Workbook::from_bytes(text.as_bytes().to_vec(), "a.csv", &limits)
            .and_then(|mut workbook| rows(&mut workbook, 0))
            .unwrap_err()
    };
    assert_eq!(read("a\n1\n2\n3\n").code, "imports.too_many_rows");
    let error = read("a,b\n1,2,3,4\n");
    assert_eq!(
        (error.code.as_ref(), error.message.contains("D2")),
        ("imports.too_many_columns", true)
    );
    assert_eq!(read(&"x".repeat(1001)).code, "imports.file_too_large");
    assert_eq!(error.status(), 413);
}
