//! Parameters in PostgreSQL's text form: the server's input functions read them, whatever type was inferred.

use std::error::Error;

use bytes::{Bytes, BytesMut};
use postgres_types::{Format, IsNull, ToSql, Type, to_sql_checked};

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    /// Text form of a value of any type.
    Text(Bytes),
    /// Raw bytes, for `bytea`.
    Binary(Bytes),
}

impl Param {
    pub(crate) fn text(value: impl Into<String>) -> Self {
        Self::Text(Bytes::from(value.into()))
    }
}

impl ToSql for Param {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let (Self::Text(value) | Self::Binary(value)) = self;
        out.extend_from_slice(value);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        match self {
            Self::Text(_) => Format::Text,
            Self::Binary(_) => Format::Binary,
        }
    }

    to_sql_checked!();
}
