//! What the operator decides about the data API.

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
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            schemas: vec!["public".to_owned()],
            max_rows: Some(1000),
            tx_override: false,
            aggregates: false,
        }
    }
}
