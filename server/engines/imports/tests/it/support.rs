//! A template like the one of purchasing, and short ways to read files.

use std::ops::ControlFlow;
use std::path::PathBuf;

use tenon_imports::detect::{Remembered, detect};
use tenon_imports::validate::{CheckedRow, Report, validate};
use tenon_imports::{Limits, Workbook};
use tenon_sdk::error::Result;
use tenon_sdk::imports::{Field, FieldKind, SheetSpec, TemplateSpec};
use uuid::Uuid;

const fn field(
    key: &'static str,
    label: &'static str,
    kind: FieldKind,
    synonyms: &'static [&'static str],
) -> Field {
    Field {
        key,
        label,
        kind,
        required: false,
        unique: false,
        synonyms,
        help: "",
        example: "",
    }
}

const fn required(field: Field) -> Field {
    Field {
        required: true,
        ..field
    }
}

const fn unique(field: Field) -> Field {
    Field {
        required: true,
        unique: true,
        ..field
    }
}

const TEXT: FieldKind = FieldKind::Text { max: 200 };

const NUMBER: Field = Field {
    help: "The number of the order, once in the file.",
    example: "PO-1001",
    ..unique(field(
        "number",
        "Order number",
        TEXT,
        &["PO No.", "PO", "Order", "Purchase order"],
    ))
};

const VALUE: Field = Field {
    example: "1250.00",
    ..required(field(
        "value",
        "Order value",
        FieldKind::Decimal {
            scale: 2,
            min: Some("0"),
        },
        &["Value", "Amount", "Net value"],
    ))
};

/// Purchase orders and the surveys that bill them.
pub static REGISTER: TemplateSpec = TemplateSpec {
    name: "test.register",
    title: "Register of purchase orders",
    description: "Purchase orders and the quantity surveys against them.",
    permission: "test.import",
    sheets: &[
        SheetSpec {
            key: "orders",
            title: "Purchase orders",
            names: &["Orders", "PO register"],
            fields: &[
                NUMBER,
                field("description", "Description", TEXT, &["Scope", "Works"]),
                required(field("supplier", "Supplier", TEXT, &["Vendor", "Subcontractor"])),
                field("project", "Project", TEXT, &["Job", "Site"]),
                Field {
                    example: "GBP",
                    ..required(field(
                        "currency",
                        "Currency",
                        FieldKind::Currency,
                        &["Ccy", "Cur"],
                    ))
                },
                VALUE,
                field("start_date", "Start date", FieldKind::Date, &["Start", "From"]),
                field(
                    "due_date",
                    "Due date",
                    FieldKind::Date,
                    &["Due", "Target date", "To"],
                ),
                field(
                    "status",
                    "Status",
                    FieldKind::Choice(&[("open", &["active"]), ("closed", &["done"])]),
                    &["State"],
                ),
            ],
        },
        SheetSpec {
            key: "surveys",
            title: "Quantity surveys",
            names: &["QS", "QS register", "Surveys", "Valuations"],
            fields: &[
                unique(field(
                    "number",
                    "Survey number",
                    TEXT,
                    &["QS #", "QS No.", "Survey"],
                )),
                required(field(
                    "order",
                    "Order number",
                    TEXT,
                    &["Purchase order", "PO No.", "PO"],
                )),
                field("note", "Note", TEXT, &["Remark", "Comment"]),
                required(field(
                    "survey_date",
                    "Survey date",
                    FieldKind::Date,
                    &["Date", "Valuation date"],
                )),
                required(field(
                    "amount",
                    "Amount",
                    FieldKind::Decimal { scale: 2, min: None },
                    &["Total", "Value", "This period"],
                )),
                field("surveyor", "Surveyor", TEXT, &["QS name", "Measured by"]),
            ],
        },
    ],
};

/// Path of a file in `tests/data`.
pub fn data(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data")).join(name)
}

/// Opens a file in `tests/data` with the usual limits.
pub fn open(name: &str) -> Result<Workbook> {
    Workbook::from_path(data(name), name, &Limits::default())
}

/// Opens bytes with the usual limits.
pub fn open_bytes(name: &str, bytes: impl Into<Vec<u8>>) -> Result<Workbook> {
    Workbook::from_bytes(bytes.into(), name, &Limits::default())
}

/// All rows of a sheet as texts.
pub fn rows(workbook: &mut Workbook, sheet: usize) -> Result<Vec<(u32, Vec<String>)>> {
    let mut rows = Vec::new();
    workbook.for_each_row(sheet, |number, cells| {
        rows.push((
            number,
            cells.iter().map(|cell| cell.text().into_owned()).collect(),
        ));
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

/// Ids that count up.
pub fn ids() -> impl FnMut() -> Uuid {
    let mut last = 0_u128;
    move || {
        last += 1;
        Uuid::from_u128(last)
    }
}

/// Detects and validates a register; rows come with the key of their sheet.
pub fn check(workbook: &mut Workbook) -> (Report, Vec<(&'static str, CheckedRow)>) {
    let mapping = detect(workbook, &REGISTER, &Remembered::default())
        .unwrap()
        .mapping();
    let mut rows = Vec::new();
    let report = validate(workbook, &REGISTER, &mapping, ids(), |batch| {
        let key = batch.spec.key;
        rows.extend(batch.rows.into_iter().map(|row| (key, row)));
        ControlFlow::Continue(())
    })
    .unwrap();
    (report, rows)
}

/// Codes of a row's issues.
pub fn codes(row: &CheckedRow) -> Vec<&str> {
    row.row.issues.iter().map(|issue| issue.code.as_ref()).collect()
}
