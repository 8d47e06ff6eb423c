//! The workbook a person fills in.

use rust_xlsxwriter::{
    Color, DataValidation, DataValidationRule, Format, Note, Workbook, Worksheet, XlsxError,
};
use tenon_sdk::error::Result;
use tenon_sdk::imports::{Field, FieldKind, SheetSpec, TemplateSpec, Value};

use super::{failed, fitting, heading, sheet_name};
use crate::reader::Cell;
use crate::values::{ColumnRules, parse};

/// Rows below the headings that offer a list of choices.
const CHECKED_ROWS: u32 = 10_000;
/// Longest list of choices, in characters, that a cell can offer without a sheet of its own.
const LONGEST_LIST: usize = 255;

/// Makes the workbook of a template: a sheet for each of its sheets, with headings (required ones marked by a star),
/// one example row, notes with help and lists of choices, and a sheet that explains them.
pub fn template_workbook(spec: &TemplateSpec) -> Result<Vec<u8>> {
    let mut workbook = Workbook::new();
    for sheet in spec.sheets {
        fill(workbook.add_worksheet(), sheet).map_err(failed)?;
    }
    explain(workbook.add_worksheet(), spec).map_err(failed)?;
    workbook.save_to_buffer().map_err(failed)
}

fn fill(sheet: &mut Worksheet, spec: &SheetSpec) -> Result<(), XlsxError> {
    sheet.set_name(sheet_name(spec.title))?;
    let plain = heading();
    let required = heading().set_background_color(Color::RGB(0x009C_4A1A));
    let example = Format::new().set_italic().set_font_color(Color::RGB(0x0060_6060));
    let date = example.clone().set_num_format("yyyy-mm-dd");
    for (column, field) in (0_u16..).zip(spec.fields) {
        let title = if field.required {
            format!("{} *", field.label)
        } else {
            field.label.to_owned()
        };
        sheet.write_string_with_format(0, column, &title, if field.required { &required } else { &plain })?;
        let width = title
            .chars()
            .count()
            .max(field.example.chars().count())
            .clamp(10, 40);
        sheet.set_column_width(column, f64::from(u32::try_from(width).unwrap_or(40)) + 3.0)?;
        if !field.help.is_empty() {
            sheet.insert_note(0, column, &Note::new(field.help).add_author_prefix(false))?;
        }
        write_example(sheet, column, field, &example, &date)?;
        if let FieldKind::Choice(choices) = field.kind {
            let codes: Vec<&str> = choices.iter().map(|(code, _)| *code).collect();
            if codes.join(",").chars().count() <= LONGEST_LIST {
                let list = DataValidation::new()
                    .allow_list_strings(&codes)?
                    .set_error_message("Choose one of the list.")?;
                sheet.add_data_validation(1, column, CHECKED_ROWS, column, &list)?;
            }
        }
        if let FieldKind::Text { max } = field.kind
            && let Ok(max) = u32::try_from(max)
        {
            let length = DataValidation::new().allow_text_length(DataValidationRule::LessThanOrEqualTo(max));
            sheet.add_data_validation(1, column, CHECKED_ROWS, column, &length)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

/// Writes the example with the type the column is to have.
fn write_example(
    sheet: &mut Worksheet,
    column: u16,
    field: &Field,
    example: &Format,
    date: &Format,
) -> Result<(), XlsxError> {
    if field.example.is_empty() {
        return Ok(());
    }
    let cell = Cell::Text(field.example.into());
    match parse(field, &cell, ColumnRules::default(), &mut Vec::new()) {
        Value::Decimal(number) => match number.to_string().parse::<f64>() {
            Ok(number) => sheet.write_number_with_format(1, column, number, example)?,
            Err(_) => sheet.write_string_with_format(1, column, field.example, example)?,
        },
        Value::Date(day) => {
            let serial = (day - jiff::civil::date(1899, 12, 30)).get_days();
            sheet.write_number_with_format(1, column, f64::from(serial), date)?
        }
        _ => sheet.write_string_with_format(1, column, fitting(field.example), example)?,
    };
    Ok(())
}

fn explain(sheet: &mut Worksheet, spec: &TemplateSpec) -> Result<(), XlsxError> {
    let title = Format::new().set_bold().set_font_size(14);
    let wrap = Format::new().set_text_wrap();
    sheet.set_name("Read me")?;
    sheet.write_string_with_format(0, 0, spec.title, &title)?;
    sheet.write_string(1, 0, spec.description)?;
    sheet.write_string(
        2,
        0,
        "Columns marked with a star are required. Replace the example row with your own rows.",
    )?;
    let head = heading();
    for (column, text) in (0_u16..).zip(["Sheet", "Column", "Required", "What it holds", "Help", "Example"]) {
        sheet.write_string_with_format(4, column, text, &head)?;
    }
    let fields = spec
        .sheets
        .iter()
        .flat_map(|part| part.fields.iter().map(move |field| (part, field)));
    for (row, (part, field)) in (5..).zip(fields) {
        let texts = [
            part.title,
            field.label,
            if field.required { "yes" } else { "no" },
            &holds(field.kind),
            field.help,
            field.example,
        ];
        for (column, text) in (0_u16..).zip(texts) {
            sheet.write_string_with_format(row, column, text, &wrap)?;
        }
    }
    for (column, width) in (0_u16..).zip([22.0, 22.0, 10.0, 34.0, 50.0, 22.0]) {
        sheet.set_column_width(column, width)?;
    }
    Ok(())
}

fn holds(kind: FieldKind) -> String {
    match kind {
        FieldKind::Text { max } => format!("text of at most {max} characters"),
        FieldKind::Decimal { scale, min: None } => format!("a number with at most {scale} decimal places"),
        FieldKind::Decimal {
            scale,
            min: Some(min),
        } => {
            format!("a number from {min} with at most {scale} decimal places")
        }
        FieldKind::Date => "a date".to_owned(),
        FieldKind::Currency => "a currency code such as GBP or EUR".to_owned(),
        FieldKind::Choice(choices) => {
            let codes: Vec<&str> = choices.iter().map(|(code, _)| *code).collect();
            format!("one of: {}", codes.join(", "))
        }
    }
}
