//! Delimited text: finds out the encoding and the delimiter, then reads records, ragged or not.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::path::Path;

use bytes::Bytes;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use tenon_sdk::error::Result;

use super::cell::Cell;
use super::excel::Opened;
use super::rows::{Row, Sink};
use super::sniff::{self, Format};
use super::{Inner, Notice};
use crate::fault;

/// Delimiters in the order in which they win a tie: a comma is often a decimal comma.
const DELIMITERS: [u8; 4] = [b'\t', b';', b'|', b','];
/// How much of the text is looked at to find the delimiter.
const SAMPLE: usize = 64 << 10;
const SAMPLE_RECORDS: usize = 200;

/// Text in memory, as UTF-8.
pub(super) struct TextFile {
    name: String,
    text: Bytes,
    delimiter: u8,
    /// Rows before `text` begins: one if the file names its delimiter in the first line.
    skipped: u32,
    notices: Vec<Notice>,
}

impl From<TextFile> for Opened {
    fn from(mut text: TextFile) -> Self {
        Self {
            format: Format::Text,
            sheets: vec![text.name.clone()],
            left_out: Vec::new(),
            notices: std::mem::take(&mut text.notices),
            merges: None,
            inner: Inner::Text(text),
        }
    }
}

/// Decodes the text and finds its delimiter.
pub(super) fn open(file: &str, bytes: &Bytes) -> TextFile {
    let mut notices = Vec::new();
    let mut text = decode(file, bytes, &mut notices);
    let mut skipped = 0;
    let mut delimiter = None;
    // Excel writes and honours a first line such as "sep=;".
    if let [
        b's' | b'S',
        b'e' | b'E',
        b'p' | b'P',
        b'=',
        named,
        b'\r' | b'\n',
        ..,
    ] = text[..]
    {
        let end = memchr::memchr(b'\n', &text).map_or(text.len(), |at| at + 1);
        text = text.slice(end..);
        delimiter = Some(named);
        skipped = 1;
    }
    let delimiter = delimiter.unwrap_or_else(|| sniff_delimiter(&text));
    let name = Path::new(file)
        .file_stem()
        .map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned());
    TextFile {
        name,
        text,
        delimiter,
        skipped,
        notices,
    }
}

/// The text as UTF-8 without a byte order mark.
fn decode(file: &str, bytes: &Bytes, notices: &mut Vec<Notice>) -> Bytes {
    let encoding = if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        encoding
    } else if sniff::looks_utf16(&bytes[..bytes.len().min(4096)]) {
        if bytes[0] == 0 { UTF_16BE } else { UTF_16LE }
    } else if std::str::from_utf8(bytes).is_ok() {
        UTF_8
    } else {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(bytes, true);
        detector.guess(None, Utf8Detection::Allow)
    };
    if encoding == UTF_8 {
        let body = if bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.slice(3..)
        } else {
            bytes.clone()
        };
        if std::str::from_utf8(&body).is_ok() {
            return body;
        }
    }
    let (text, used, faults) = encoding.decode(bytes);
    if used != UTF_8 {
        notices.push(Notice {
            code: "encoding_guessed",
            sheet: None,
            message: format!("{file} was read as {}.", used.name()),
        });
    }
    if faults {
        notices.push(Notice {
            code: "characters_lost",
            sheet: None,
            message: format!(
                "Some characters of {file} are not valid {} and were replaced.",
                used.name()
            ),
        });
    }
    Bytes::from(text.into_owned())
}

/// The delimiter that cuts the most records into the same number of fields.
fn sniff_delimiter(text: &[u8]) -> u8 {
    let mut sample = &text[..text.len().min(SAMPLE)];
    if sample.len() < text.len() {
        sample = memchr::memrchr(b'\n', sample).map_or(sample, |end| &sample[..end]);
    }
    let mut best = (0, b',');
    for delimiter in DELIMITERS {
        let mut counts = std::collections::HashMap::<usize, usize>::new();
        let mut total = 0;
        let mut record = csv::ByteRecord::new();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(sample);
        while total < SAMPLE_RECORDS && reader.read_byte_record(&mut record).unwrap_or(false) {
            total += 1;
            *counts.entry(record.len()).or_default() += 1;
        }
        let score = counts
            .into_iter()
            .filter(|(fields, _)| *fields > 1)
            .map(|(fields, records)| records * records * (fields - 1) * 1000 / total.max(1))
            .max()
            .unwrap_or(0);
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    best.1
}

impl TextFile {
    /// Passes on the rows. A record that spans lines is one row, and so is a blank line.
    pub(super) fn rows<F>(&mut self, sink: &mut Sink<'_, F>) -> Result<()>
    where
        F: FnMut(u32, &[Cell<'_>]) -> ControlFlow<()>,
    {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .from_reader(self.text.as_ref());
        let mut record = csv::ByteRecord::new();
        // A row's number is one more than the line breaks before it that are not inside of cells.
        let (mut number, mut breaks, mut counted) = (0_u32, self.skipped as usize, 0_usize);
        while reader
            .read_byte_record(&mut record)
            .map_err(|error| fault::malformed(&self.name, format!("After row {number}: {error}.")))?
        {
            let start = record
                .position()
                .and_then(|place| usize::try_from(place.byte()).ok())
                .unwrap_or(counted);
            let blank = self.text[start..]
                .iter()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            breaks += memchr::memchr_iter(b'\n', &self.text[counted..start + blank]).count();
            counted = start + blank;
            number = u32::try_from(breaks + 1)
                .unwrap_or(u32::MAX)
                .max(number.saturating_add(1));
            breaks = breaks.saturating_sub(memchr::memchr_iter(b'\n', record.as_slice()).count());
            let mut cells = Row::new();
            for (column, field) in record.iter().enumerate() {
                let text =
                    std::str::from_utf8(field).map_or_else(|_| String::from_utf8_lossy(field), Cow::Borrowed);
                let column = u32::try_from(column).unwrap_or(u32::MAX);
                if cells.put(number, column, Cell::Text(text), sink)?.is_break() {
                    return Ok(());
                }
            }
            if cells.finish(sink)?.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }
}
