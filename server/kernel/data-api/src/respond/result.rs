//! The one row that a statement returns.

use std::error::Error as StdError;

use bytes::{Bytes, BytesMut};
use postgres_types::{FromSql, Type};
use tokio_postgres::Row;

/// A value of a type whose text and bytes on the wire are the same, such as `json`, `text` or `bytea`; neither parsed nor
/// checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw(pub Bytes);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(Bytes::copy_from_slice(raw)))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(
            *ty,
            Type::JSON | Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::XML | Type::BYTEA
        )
    }
}

/// What the database returned, see [`crate::sql`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DbResult {
    /// Rows beside the page.
    pub total_count: Option<i64>,
    /// Rows on the page, or changed rows.
    pub page_count: i64,
    /// The body.
    pub body: Option<Bytes>,
    /// Headers that a function set.
    pub response_headers: Option<String>,
    /// Status that a function set.
    pub response_status: Option<String>,
    /// Key of the one new row, a JSON object.
    pub location: Option<String>,
    /// Rows that an upsert updated.
    pub updated_count: Option<i64>,
    /// The planner's estimate of the total, from [`crate::sql::Statement::estimate`].
    pub estimate: Option<i64>,
}

impl DbResult {
    /// Reads the row of a [`crate::sql::Statement`].
    pub fn from_row(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let writes = row.len() > 6;
        let location: Option<Raw> = if writes { row.try_get(2)? } else { None };
        let body = if writes { 3 } else { 2 };
        Ok(Self {
            total_count: row.try_get(0)?,
            page_count: row.try_get(1)?,
            body: row.try_get::<_, Option<Raw>>(body)?.map(|raw| raw.0),
            response_headers: row.try_get(body + 1)?,
            response_status: row.try_get(body + 2)?,
            location: location.map(|raw| String::from_utf8_lossy(&raw.0).into_owned()),
            updated_count: if writes { row.try_get(6)? } else { None },
            estimate: None,
        })
    }

    /// Reads the same row in text form, as a pipelined client has it. Bodies are not copied, unless they are `binary`
    /// and arrive as digits.
    pub fn from_texts(row: &[Option<Bytes>], binary: bool) -> Option<Self> {
        let text = |index: usize| {
            let value = row.get(index)?.as_deref()?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let number = |index: usize| text(index)?.parse::<i64>().ok();
        let writes = row.len() > 6;
        let body = if writes { 3 } else { 2 };
        let found = row.get(body)?.clone();
        Some(Self {
            total_count: number(0),
            page_count: number(1)?,
            body: if binary {
                found.map(|digits| bytes_of(&digits))
            } else {
                found
            },
            response_headers: text(body + 1),
            response_status: text(body + 2),
            location: if writes { text(2) } else { None },
            updated_count: if writes { number(6) } else { None },
            estimate: None,
        })
    }

    /// Reads what `EXPLAIN` returned, line by line.
    pub fn explained<L: AsRef<[u8]>>(lines: impl IntoIterator<Item = L>) -> Self {
        let mut body = BytesMut::new();
        for (index, line) in lines.into_iter().enumerate() {
            if index > 0 {
                body.extend_from_slice(b"\n");
            }
            body.extend_from_slice(line.as_ref());
        }
        Self {
            body: Some(body.freeze()),
            ..Self::default()
        }
    }
}

/// The bytes of a `bytea` in its text form, `\x` and digits.
fn bytes_of(text: &[u8]) -> Bytes {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or_default();
    let digits = text.strip_prefix(b"\\x").unwrap_or_default();
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(digit(pair[0]) << 4 | digit(pair[1])).unwrap_or_default())
        .collect()
}
