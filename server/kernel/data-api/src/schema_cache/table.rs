//! Relations and their columns.

use serde::Deserialize;

use super::QualifiedName;

/// The column that says whose a row is.
pub(crate) const TENANT_COLUMN: &str = "org_id";

/// How a column's value is reached into and searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// `json` or `jsonb`
    Json,
    /// `tsvector`
    Tsvector,
    /// Anything else.
    Other,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type as it may stand in a cast: qualified unless it is PostgreSQL's own.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Type below all domains, without length.
    #[serde(default)]
    pub base_type: String,
    /// The type is a domain.
    #[serde(default)]
    pub domain: bool,
    /// Most characters.
    #[serde(default)]
    pub max_length: Option<i32>,
    /// Labels of an enum.
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    /// What matters of the type.
    pub kind: ColumnKind,
    /// Whether null is a value of it.
    pub nullable: bool,
    /// Expression of the default, from the catalogue.
    pub default: Option<String>,
    /// Computed by PostgreSQL, never written.
    #[serde(default)]
    pub generated: bool,
    /// Comment.
    pub comment: Option<String>,
}

/// A table, view, materialised view or foreign table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent facts, as the catalogue tells them"
)]
pub struct Table {
    /// Its name.
    #[serde(flatten)]
    pub qualified: QualifiedName,
    /// Comment.
    pub comment: Option<String>,
    /// A view or materialised view.
    #[serde(default)]
    pub view: bool,
    /// POST may work.
    pub insertable: bool,
    /// PATCH may work.
    pub updatable: bool,
    /// DELETE may work.
    pub deletable: bool,
    /// Rows belong to organisations: every statement on it says `org_id = $n`.
    pub tenant: bool,
    /// Columns in their order.
    pub columns: Vec<Column>,
    /// Columns of the primary key in key order; of a view, the primary keys that it shows. Empty without one.
    pub primary_key: Vec<String>,
}

impl Table {
    /// A column by its name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The primary key as clients know it: which organisation is not theirs to say.
    pub fn public_key(&self) -> impl Iterator<Item = &str> {
        let tenant = self.tenant;
        self.primary_key
            .iter()
            .map(String::as_str)
            .filter(move |column| !tenant || *column != TENANT_COLUMN)
    }
}
