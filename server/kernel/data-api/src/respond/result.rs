//! The one row that a statement returns.

use std::error::Error as StdError;

use bytes::Bytes;
use postgres_types::{FromSql, Type};
use tokio_postgres::Row;

/// A value of type `json` or `text` as the bytes on the wire, neither parsed nor checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw(pub Bytes);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(Bytes::copy_from_slice(raw)))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::JSON | Type::TEXT)
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
        let location: Option<Raw> = if writes { row.try_get(5)? } else { None };
        Ok(Self {
            total_count: row.try_get(0)?,
            page_count: row.try_get(1)?,
            body: row.try_get::<_, Option<Raw>>(2)?.map(|raw| raw.0),
            response_headers: row.try_get(3)?,
            response_status: row.try_get(4)?,
            location: location.map(|raw| String::from_utf8_lossy(&raw.0).into_owned()),
            updated_count: if writes { row.try_get(6)? } else { None },
            estimate: None,
        })
    }

    /// Reads the same row in text form, as a pipelined client has it. Bodies are not copied.
    pub fn from_texts(row: &[Option<Bytes>]) -> Option<Self> {
        let text = |index: usize| {
            let value = row.get(index)?.as_deref()?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let number = |index: usize| text(index)?.parse::<i64>().ok();
        Some(Self {
            total_count: number(0),
            page_count: number(1)?,
            body: row.get(2)?.clone(),
            response_headers: text(3),
            response_status: text(4),
            location: text(5),
            updated_count: number(6),
            estimate: None,
        })
    }
}
