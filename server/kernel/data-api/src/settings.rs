//! What the operator decides about the data API.

use crate::schema_cache::QualifiedName;

/// Settings of the data API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Exposed schemas; the first is the default.
    pub schemas: Vec<String>,
    /// Most rows that one read returns; none for no limit.
    pub max_rows: Option<u64>,
    /// `Prefer: tx=rollback` is granted.
    pub tx_override: bool,
    /// Aggregate functions in `select` are allowed.
    pub aggregates: bool,
    /// A function `(status int, code text, message text, details text)` that raises an error of class `TN`. With it a
    /// write whose result must not stand fails inside its own statement; without it the result has to be checked
    /// before the transaction commits.
    pub raise: Option<QualifiedName>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            schemas: vec!["public".to_owned()],
            max_rows: Some(1000),
            tx_override: false,
            aggregates: false,
            raise: None,
        }
    }
}
