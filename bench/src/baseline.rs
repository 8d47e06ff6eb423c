//! The least that could bring the same rows into PostgreSQL: read the cells, copy them into a plain table. No sheet or
//! column is looked for, nothing is checked, staged, walled off, indexed, added up or told to anybody.

use std::fmt::Write as _;
use std::io::Cursor;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use calamine::{Data, DataRef, Reader, Xlsx};
use futures_util::SinkExt as _;
use jiff::civil::Date;
use rust_decimal::Decimal;
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use crate::workbook::COLUMNS;

const TABLE: &str = "create table if not exists public.bench_rows (number text, order_number text, note text, survey_date date, \
    amount numeric, surveyor text, location text, unit text, quantity numeric, rate numeric)";
const TYPES: [Type; 10] = [
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::DATE,
    Type::NUMERIC,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::NUMERIC,
    Type::NUMERIC,
];
/// Bytes of one message of a COPY.
const MESSAGE: usize = 64 << 10;

/// What the parts of the baseline took, in the faster of two ways each.
#[derive(Debug, Clone, Copy)]
pub struct Baseline {
    /// Reading the cells.
    pub read: Duration,
    /// Copying the rows.
    pub copy: Duration,
}

impl Baseline {
    /// Both.
    pub fn total(self) -> Duration {
        self.read + self.copy
    }
}

/// Reads the file and copies its rows into a table that was empty.
pub async fn measure(file: &[u8], client: &Client) -> Result<Baseline> {
    let began = Instant::now();
    stream_cells(file)?;
    let streamed = began.elapsed();
    let began = Instant::now();
    let rows = read_sheet(file)?;
    let read = began.elapsed().min(streamed);

    client.batch_execute(TABLE).await?;
    client.batch_execute("truncate public.bench_rows").await?;
    let text = copy_text(client, &rows).await?;
    client.batch_execute("truncate public.bench_rows").await?;
    let binary = copy_binary(client, &rows).await?;
    let copied: i64 = client
        .query_one("select count(*) from public.bench_rows", &[])
        .await?
        .get(0);
    if usize::try_from(copied).ok() != Some(rows.len()) {
        bail!("the baseline copied {copied} rows of {}", rows.len());
    }
    Ok(Baseline {
        read,
        copy: text.min(binary),
    })
}

/// Every cell once, kept nowhere.
fn stream_cells(file: &[u8]) -> Result<u64> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file))?;
    let mut cells = book.worksheet_cells_reader("Surveys")?;
    let mut seen = 0;
    while let Some(cell) = cells.next_cell()? {
        seen += u64::from(!matches!(cell.get_value(), DataRef::Empty));
    }
    Ok(seen)
}

fn read_sheet(file: &[u8]) -> Result<Vec<Vec<Data>>> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file))?;
    let range = book.worksheet_range("Surveys")?;
    Ok(range.rows().skip(1).map(<[Data]>::to_vec).collect())
}

fn date(cell: &Data) -> Result<Date> {
    let (year, month, day, ..) = match cell {
        Data::DateTime(moment) => moment.to_ymd_hms_milli(),
        other => bail!("{other} is no date"),
    };
    Ok(Date::new(
        i16::try_from(year)?,
        i8::try_from(month)?,
        i8::try_from(day)?,
    )?)
}

fn number(cell: &Data) -> Result<f64> {
    match cell {
        Data::Float(number) => Ok(*number),
        other => bail!("{other} is no number"),
    }
}

fn text(cell: &Data) -> Result<&str> {
    match cell {
        Data::String(text) => Ok(text),
        other => bail!("{other} is no text"),
    }
}

async fn copy_text(client: &Client, rows: &[Vec<Data>]) -> Result<Duration> {
    let began = Instant::now();
    let mut sink = pin!(client.copy_in("copy public.bench_rows from stdin").await?);
    let mut lines = String::with_capacity(MESSAGE + 1024);
    for row in rows {
        for (index, (cell, kind)) in row.iter().zip(&TYPES).enumerate() {
            if index > 0 {
                lines.push('\t');
            }
            match *kind {
                Type::DATE => write!(lines, "{}", date(cell)?)?,
                Type::NUMERIC => write!(lines, "{}", number(cell)?)?,
                _ => lines.push_str(text(cell)?),
            }
        }
        lines.push('\n');
        if lines.len() > MESSAGE {
            sink.feed(Bytes::copy_from_slice(lines.as_bytes())).await?;
            lines.clear();
        }
    }
    sink.feed(Bytes::from(lines)).await?;
    sink.finish().await?;
    Ok(began.elapsed())
}

async fn copy_binary(client: &Client, rows: &[Vec<Data>]) -> Result<Duration> {
    let began = Instant::now();
    let sink = client
        .copy_in("copy public.bench_rows from stdin (format binary)")
        .await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &TYPES));
    let amount =
        |cell| -> Result<Decimal> { Decimal::try_from(number(cell)?).context("a number is out of range") };
    for row in rows {
        let [
            number,
            order,
            note,
            day,
            value,
            surveyor,
            location,
            unit,
            quantity,
            rate,
        ] = row.as_slice()
        else {
            bail!("a row has {} cells instead of {}", row.len(), COLUMNS.len());
        };
        writer
            .as_mut()
            .write(&[
                &text(number)?,
                &text(order)?,
                &text(note)?,
                &date(day)?,
                &amount(value)?,
                &text(surveyor)?,
                &text(location)?,
                &text(unit)?,
                &amount(quantity)?,
                &amount(rate)?,
            ])
            .await?;
    }
    writer.finish().await?;
    Ok(began.elapsed())
}
