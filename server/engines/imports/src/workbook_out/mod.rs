//! Workbooks the engine writes: the template to fill in, and the refused rows with their reasons.
//!
//! Text is always written as text: what begins with `=`, `+`, `-` or `@` never becomes a formula.

mod refused;
mod template;

use rust_xlsxwriter::{Color, Format, FormatBorder, XlsxError};
use tenon_sdk::error::Error;

pub use refused::{RefusedRow, RefusedWorkbook};
pub use template::template_workbook;

/// Rows a sheet can have below its headings.
pub(crate) const MAX_ROWS: u32 = 1_048_575;
/// Characters a cell can have.
const MAX_TEXT: usize = 32_767;

fn heading() -> Format {
    Format::new()
        .set_bold()
        .set_font_color(Color::White)
        .set_background_color(Color::RGB(0x0031_4A63))
        .set_border_bottom(FormatBorder::Thin)
        .set_text_wrap()
}

#[expect(clippy::needless_pass_by_value, reason = "the form of `map_err`")]
fn failed(error: XlsxError) -> Error {
    Error::internal(format!("writing a workbook: {error}"))
}

/// The text cut to what a cell can hold.
fn fitting(text: &str) -> &str {
    match text.char_indices().nth(MAX_TEXT) {
        Some((at, _)) => &text[..at],
        None => text,
    }
}

/// A name a sheet may have: at most 31 characters, none of `[]:*?/\`, no apostrophe at an end.
fn sheet_name(wanted: &str) -> String {
    let clean: String = wanted
        .chars()
        .map(|letter| {
            if matches!(letter, '[' | ']' | ':' | '*' | '?' | '/' | '\\') {
                ' '
            } else {
                letter
            }
        })
        .take(31)
        .collect();
    let clean = clean.trim_matches(['\'', ' ']);
    if clean.is_empty() || clean.eq_ignore_ascii_case("history") {
        "Sheet".to_owned()
    } else {
        clean.to_owned()
    }
}
