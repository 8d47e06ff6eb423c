//! Files made to harm, or harmed: a clear error, no panic, bounded memory.

use std::fmt::Write as _;
use std::io::{Cursor, Write};

use proptest::prelude::*;
use tenon_imports::detect::{Remembered, detect};
use tenon_imports::{Limits, Workbook};
use tenon_sdk::error::Result;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{REGISTER, data, open_bytes, rows};

const TYPES: &str =
    r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
const ROOT: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const LINKS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
const BOOK: &str = r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>"#;

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn workbook_with(sheet: &[u8], more: &[(&str, &[u8])]) -> Vec<u8> {
    let mut parts: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("_rels/.rels", ROOT.as_bytes()),
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", LINKS.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet),
    ];
    parts.extend(more);
    archive(&parts)
}

fn sheet(body: &str) -> Vec<u8> {
    format!(r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{body}</worksheet>"#)
        .into_bytes()
}

fn data_of(rows: &str) -> Vec<u8> {
    sheet(&format!("<sheetData>{rows}</sheetData>"))
}

fn text_cell(at: &str, text: &str) -> String {
    format!(r#"<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>"#)
}

/// Reads everything there is to read.
fn read_all(name: &str, bytes: Vec<u8>, limits: &Limits) -> Result<Vec<(u32, Vec<String>)>> {
    let mut workbook = Workbook::from_bytes(bytes, name, limits)?;
    let mut all = Vec::new();
    for sheet in 0..workbook.sheets().len() {
        all.extend(rows(&mut workbook, sheet)?);
        workbook.merged_ranges(sheet)?;
    }
    Ok(all)
}

fn refusal(bytes: Vec<u8>) -> (String, String) {
    let error = read_all("file.xlsx", bytes, &Limits::default()).expect_err("it is hostile");
    (
        error.code.into_owned(),
        format!("{} {}", error.message, error.details.unwrap_or_default()),
    )
}

/// The process's greatest memory so far, where the system tells.
fn assert_memory_stayed_bounded() {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return;
    };
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kib < 600 << 10, "the tests of this file together took {kib} KiB");
}

#[test]
fn what_is_no_spreadsheet_is_called_by_its_name() {
    let cases: &[(&[u8], &str, &str)] = &[
        (b"", "imports.file_empty", "empty"),
        (b"%PDF-1.7 ...", "imports.file_not_recognised", "a PDF document"),
        (
            b"\x89PNG\r\n\x1a\n0000",
            "imports.file_not_recognised",
            "a PNG picture",
        ),
        (
            b"<!DOCTYPE html><html><table></table></html>",
            "imports.file_not_recognised",
            "a web page",
        ),
        (
            b"<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\">",
            "imports.file_not_recognised",
            "a web page",
        ),
        (
            b"{\"orders\": []}",
            "imports.file_not_recognised",
            "a JSON document",
        ),
        (
            b"\x00\x01\x02\x03\x04\x05\x06\x07binary",
            "imports.file_not_recognised",
            "not a format",
        ),
        (b"PK\x03\x04", "imports.file_malformed", "archive"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "imports.file_malformed",
            "compound file",
        ),
    ];
    for (bytes, code, word) in cases {
        let (found, message) = refusal(bytes.to_vec());
        assert_eq!(&found, code, "{message}");
        assert!(
            message.contains("file.xlsx") && message.contains(word),
            "{message}"
        );
    }
    let (code, message) = refusal(archive(&[
        ("[Content_Types].xml", b""),
        ("word/document.xml", b"<a/>"),
    ]));
    assert_eq!(
        (code.as_str(), message.contains("Word")),
        ("imports.file_not_recognised", true)
    );
    let (code, _) = refusal(archive(&[("photo.jpg", b"...")]));
    assert_eq!(code, "imports.file_not_recognised");
}

#[test]
fn a_file_that_grows_beyond_the_limits_is_refused() {
    // The ratio alone: 80 MiB of blanks.
    let mut blank = data_of("");
    blank.extend(vec![b' '; 3 << 20]);
    let filler = b"<x>".repeat(26 << 20);
    let mut bomb = blank.clone();
    bomb.extend(&filler);
    let (code, message) = refusal(workbook_with(&bomb, &[]));
    assert_eq!(code, "imports.file_expands_too_far");
    assert!(message.contains("xl/worksheets/sheet1.xml"), "{message}");
    // The size in total, and of the table of texts.
    let limits = Limits {
        decompressed_bytes: 1 << 20,
        ..Limits::default()
    };
    let error = read_all("file.xlsx", workbook_with(&blank, &[]), &limits).unwrap_err();
    assert_eq!(error.code, "imports.file_expands_too_far");
    let limits = Limits {
        shared_text_bytes: 1 << 20,
        ..Limits::default()
    };
    let texts = format!("<sst>{}</sst>", "<si><t>x</t></si>".repeat(100_000));
    let bytes = workbook_with(&data_of(""), &[("xl/sharedStrings.xml", texts.as_bytes())]);
    assert_eq!(
        read_all("file.xlsx", bytes, &limits).unwrap_err().code,
        "imports.file_expands_too_far"
    );
    assert_memory_stayed_bounded();
}

#[test]
fn a_size_that_lies_changes_nothing() {
    let mut bytes = workbook_with(&data_of(&"<row></row>".repeat(200_000)), &[]);
    // Local headers hold the decompressed size at 22, entries of the directory at 24.
    for (magic, offset) in [(b"PK\x03\x04", 22), (b"PK\x01\x02", 24)] {
        let places: Vec<usize> = bytes
            .windows(4)
            .enumerate()
            .filter(|(_, four)| *four == magic)
            .map(|(at, _)| at)
            .collect();
        for place in places {
            bytes[place + offset..place + offset + 4].copy_from_slice(&7_u32.to_le_bytes());
        }
    }
    let limits = Limits {
        decompressed_bytes: 1 << 20,
        ..Limits::default()
    };
    let error = read_all("file.xlsx", bytes, &limits).unwrap_err();
    assert!(
        ["imports.file_expands_too_far", "imports.file_malformed"].contains(&error.code.as_ref()),
        "{error:?}"
    );
}

#[test]
fn pieces_too_large_to_hold_are_refused_before_they_are_held() {
    let long = "x".repeat(5 << 20);
    assert_eq!(
        refusal(workbook_with(&data_of(&text_cell("A1", &long)), &[])).0,
        "imports.file_malformed"
    );
    let (code, message) = refusal(workbook_with(
        &data_of(&format!(
            "<row r=\"3\">{}</row>",
            text_cell("B3", &long[..40_000])
        )),
        &[],
    ));
    assert_eq!(code, "imports.cell_too_large");
    assert!(message.contains("B3 on the sheet Data"), "{message}");
}

#[test]
fn entities_are_never_expanded() {
    let bomb = br#"<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&c;</t></is></c></row></sheetData></worksheet>"#;
    let (code, message) = refusal(workbook_with(bomb, &[]));
    assert_eq!(
        (code.as_str(), message.contains("entities")),
        ("imports.file_malformed", true),
        "{message}"
    );
}

#[test]
fn a_million_empty_rows_cost_nothing() {
    let mut body = String::new();
    for row in 1..=1_048_575 {
        if row % 2 == 0 {
            write!(body, "<row r=\"{row}\"/>").unwrap();
        } else {
            write!(body, "<row r=\"{row}\"><c r=\"A{row}\"/></row>").unwrap();
        }
    }
    write!(body, "<row r=\"1048576\">{}</row>", text_cell("C1048576", "end")).unwrap();
    let found = read_all(
        "file.xlsx",
        workbook_with(&data_of(&body), &[]),
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(
        found,
        [(1_048_576, vec![String::new(), String::new(), "end".to_owned()])]
    );
    assert_memory_stayed_bounded();
}

#[test]
fn absurd_and_wrong_dimensions_are_not_believed() {
    for dimension in ["A1:XFD1048576", "A1", "B7:C9", "A1:A1"] {
        let row = format!("<row r=\"2\">{}</row>", text_cell("B2", "here"));
        let body = format!("<dimension ref=\"{dimension}\"/><sheetData>{row}</sheetData>");
        let found = read_all("file.xlsx", workbook_with(&sheet(&body), &[]), &Limits::default()).unwrap();
        assert_eq!(
            found,
            [(2, vec![String::new(), "here".to_owned()])],
            "{dimension}"
        );
    }
    // Backwards: whatever becomes of it, it does not end the process.
    let body = "<dimension ref=\"Z9:A1\"/><sheetData></sheetData>";
    let _ = read_all("file.xlsx", workbook_with(&sheet(body), &[]), &Limits::default());
}

#[test]
fn cells_beyond_the_last_column_are_named() {
    let body = format!(
        "<row r=\"5\"><c r=\"XFC5\" s=\"0\"/>{}</row>",
        text_cell("XFD5", "far")
    );
    let (code, message) = refusal(workbook_with(&data_of(&body), &[]));
    assert_eq!(
        (code.as_str(), message.contains("XFD5")),
        ("imports.too_many_columns", true),
        "{message}"
    );
}

#[test]
fn rows_out_of_order_are_refused() {
    let body = format!(
        "<row r=\"5\">{}</row><row r=\"2\">{}</row>",
        text_cell("A5", "x"),
        text_cell("A2", "y")
    );
    assert_eq!(
        refusal(workbook_with(&data_of(&body), &[])).0,
        "imports.file_malformed"
    );
}

#[test]
fn a_spreadsheet_of_repeated_cells_is_measured_before_it_is_written_out() {
    let ods = |table: &str| {
        let content = format!(
            r#"<?xml version="1.0"?><office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet><table:table table:name="Data">{table}</table:table></office:spreadsheet></office:body></office:document-content>"#
        );
        archive(&[
            ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
            ("META-INF/manifest.xml", b"<manifest:manifest/>"),
            ("content.xml", content.as_bytes()),
        ])
    };
    let filled = r#"<table:table-cell office:value-type="string" table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell>"#;
    let rows = format!(r#"<table:table-row table:number-rows-repeated="1048576">{filled}</table:table-row>"#);
    let error = read_all("bomb.ods", ods(&rows), &Limits::default()).unwrap_err();
    assert_eq!(error.code, "imports.sheet_too_large");
    let rows = format!("<table:table-row>{filled}</table:table-row>").repeat(300);
    assert_eq!(
        read_all("bomb.ods", ods(&rows), &Limits::default())
            .unwrap_err()
            .code,
        "imports.sheet_too_large"
    );
    // What spreadsheet programs write below and beside the data is no bomb.
    let cell = r#"<table:table-cell office:value-type="float" office:value="7"><text:p>7</text:p></table:table-cell>"#;
    let rest = r#"<table:table-cell table:number-columns-repeated="16383"/>"#;
    let rows = format!(
        r#"<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row><table:table-row>{cell}{rest}</table:table-row><table:table-row table:number-rows-repeated="1048573">{rest}</table:table-row>"#
    );
    assert_eq!(
        read_all("fine.ods", ods(&rows), &Limits::default()).unwrap(),
        [(3, vec!["7".to_owned()])]
    );
    assert_memory_stayed_bounded();
}

#[test]
fn too_many_sheets_are_refused() {
    let mut book = rust_xlsxwriter::Workbook::new();
    for _ in 0..70 {
        book.add_worksheet();
    }
    assert_eq!(
        refusal(book.save_to_buffer().unwrap()).0,
        "imports.too_many_sheets"
    );
}

#[test]
fn a_workbook_cut_off_anywhere_is_refused() {
    let whole = std::fs::read(data("orders-and-surveys.xlsx")).unwrap();
    for part in 1..40 {
        let cut = whole[..whole.len() * part / 40].to_vec();
        assert_eq!(refusal(cut).0, "imports.file_malformed");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_that_changed_never_make_the_reader_panic(
        file in prop::sample::select(vec![
            "orders-and-surveys.xlsx", "OOM_alloc.xls", "empty-string.xls", "date_1904.xlsb", "merged_cells.ods",
        ]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut bytes = std::fs::read(data(file)).unwrap();
        for (place, byte) in changes {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read_all(file, bytes, &Limits::default());
    }

    #[test]
    fn random_bytes_never_make_the_reader_panic(
        start in prop::sample::select(vec![&b""[..], b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe", b"sep=;\n", b"\xef\xbb\xbf"]),
        rest in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        let _ = read_all("file.bin", [start, &rest].concat(), &Limits::default());
    }

    #[test]
    fn random_text_is_read_and_matched_without_a_panic(text in "([a-zA-Z0-9 ,;\"#£€./-]{0,40}\n){0,30}") {
        if let Ok(mut workbook) = open_bytes("a.csv", text) {
            let _ = detect(&mut workbook, &REGISTER, &Remembered::default());
        }
    }
}
