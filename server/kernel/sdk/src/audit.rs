//! What somebody did that no changed row tells, for the organisation's trail; the audit service keeps it. Tables write their
//! changes themselves, by triggers.

use serde_json::Value;
use tokio_postgres::types::ToSql;

use crate::{
    db::{SystemTx, TenantTx},
    error::Result,
    ids::OrgId,
};

/// An action.
#[derive(Clone, Debug, Default)]
pub struct Action<'a> {
    /// `app.thing.verb`.
    pub name: &'a str,
    /// The table that it is about, with its schema.
    pub table: Option<&'a str>,
    /// The row that it is about, by its key.
    pub row: Option<&'a str>,
    /// Particulars, with no secret.
    pub details: Value,
    /// Which rules it answers, as `framework:control`.
    pub tags: &'a [&'a str],
}

impl<'a> Action<'a> {
    /// An action of a name.
    pub fn new(name: &'a str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    fn details(&self) -> Option<&Value> {
        Some(&self.details).filter(|details| !details.is_null())
    }
}

impl TenantTx {
    /// Records an action in the organisation's trail, in this transaction.
    pub async fn audit(&self, action: &Action<'_>) -> Result<()> {
        let (details, tags) = (action.details(), action.tags);
        let values: &[&(dyn ToSql + Sync)] = &[&action.name, &action.table, &action.row, &details, &tags];
        self.query("select audit.record($1, $2, $3, $4, $5)", values)
            .await
            .map(drop)
    }
}

impl SystemTx {
    /// Records an action in the trail of an organisation, in this transaction.
    pub async fn audit(&self, org: OrgId, action: &Action<'_>) -> Result<()> {
        let (details, tags) = (action.details(), action.tags);
        let values: &[&(dyn ToSql + Sync)] =
            &[&org, &action.name, &action.table, &action.row, &details, &tags];
        self.query("select audit.record_in($1, $2, $3, $4, $5, $6)", values)
            .await
            .map(drop)
    }
}
