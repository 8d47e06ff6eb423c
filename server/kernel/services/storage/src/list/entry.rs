//! One entry of a list.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use tenon_sdk::Result;
use tokio_postgres::{Row, types::Json};

/// An object, or a folder, which has no id. As JSON it is what lists v1 tell of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) id: Option<uuid::Uuid>,
    #[serde(serialize_with = "time")]
    pub(crate) updated_at: Option<Timestamp>,
    #[serde(serialize_with = "time")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(serialize_with = "time")]
    pub(crate) last_accessed_at: Option<Timestamp>,
    /// As the database wrote it: a thousand of them are passed on, and not read.
    pub(crate) metadata: Option<Box<RawValue>>,
}

/// The columns that [`Entry::read`] takes.
pub(super) const COLUMNS: &str = "name, id, updated_at, created_at, last_accessed_at, metadata";

impl Entry {
    /// Reads [`COLUMNS`].
    pub(super) fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            name: row.try_get(0)?,
            id: row.try_get(1)?,
            updated_at: row.try_get(2)?,
            created_at: row.try_get(3)?,
            last_accessed_at: row.try_get(4)?,
            metadata: row
                .try_get::<_, Option<Json<Box<RawValue>>>>(5)?
                .map(|json| json.0),
        })
    }
}

#[allow(clippy::ref_option)] // serde hands it on so
fn time<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(crate::model::time).serialize(serializer)
}
