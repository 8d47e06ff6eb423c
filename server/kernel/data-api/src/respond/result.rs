//! The one row that a statement returns.

use std::error::Error as StdError;

use bytes::{BufMut, Bytes, BytesMut};
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
    /// More rows follow than those counted, nobody knows how many.
    pub open: bool,
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
        let location: Option<Raw> = if writes { row.try_get(4)? } else { None };
        Ok(Self {
            total_count: row.try_get(0)?,
            page_count: row.try_get(1)?,
            response_headers: row.try_get(2)?,
            response_status: row.try_get(3)?,
            location: location.map(|raw| String::from_utf8_lossy(&raw.0).into_owned()),
            updated_count: if writes { row.try_get(5)? } else { None },
            body: row.try_get::<_, Option<Raw>>(row.len() - 1)?.map(|raw| raw.0),
            ..Self::default()
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
        let found = row.last()?.clone();
        Some(Self {
            total_count: number(0),
            page_count: number(1)?,
            body: if binary {
                found.map(|digits| bytes_of(&digits))
            } else {
                found
            },
            response_headers: text(2),
            response_status: text(3),
            location: if writes { text(4) } else { None },
            updated_count: if writes { number(5) } else { None },
            ..Self::default()
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
    Digits::default().bytes(text)
}

/// Reads the text form of a `bytea` part by part.
#[derive(Debug, Default)]
pub(crate) struct Digits {
    seen: usize,
    half: u8,
}

impl Digits {
    /// How many bytes so many characters stand for.
    pub(crate) fn count(characters: usize) -> usize {
        characters.saturating_sub(2) / 2
    }

    /// The bytes that are complete with this part.
    pub(crate) fn bytes(&mut self, part: &[u8]) -> Bytes {
        let mut bytes = BytesMut::with_capacity(part.len() / 2 + 1);
        for byte in part {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                // The two characters before the digits.
                _ => 0,
            };
            self.seen += 1;
            if self.seen <= 2 {
                continue;
            }
            if self.seen.is_multiple_of(2) {
                bytes.put_u8(self.half << 4 | digit);
            } else {
                self.half = digit;
            }
        }
        bytes.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_however_their_digits_are_parted() {
        let text = b"\\x00ff10a9";
        assert_eq!(bytes_of(text).as_ref(), [0, 255, 16, 169]);
        assert_eq!(Digits::count(text.len()), 4);
        for cut in 0..text.len() {
            let mut digits = Digits::default();
            let parts = [digits.bytes(&text[..cut]), digits.bytes(&text[cut..])];
            assert_eq!(parts.concat(), [0, 255, 16, 169], "{cut}");
        }
        assert_eq!(bytes_of(b"").as_ref(), b"");
    }
}
