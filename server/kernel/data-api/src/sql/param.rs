//! Parameters in PostgreSQL's text form: the server's input functions read them, whatever type was inferred.

use std::error::Error;

use bytes::{Bytes, BytesMut};
use postgres_types::{Format, IsNull, ToSql, Type, to_sql_checked};

/// The text of a value of any type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param(pub Bytes);

impl Param {
    pub(crate) fn text(value: impl Into<String>) -> Self {
        Self(Bytes::from(value.into()))
    }

    /// The text of a `bytea`.
    pub(crate) fn binary(value: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = BytesMut::with_capacity(2 + value.len() * 2);
        text.extend_from_slice(b"\\x");
        for byte in value {
            text.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        Self(text.freeze())
    }
}

impl ToSql for Param {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}
