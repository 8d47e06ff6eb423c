//! An entry as people and programs see it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tenon_sdk::{Error, Result, TenantTx};
use tokio_postgres::{Row, types::ToSql};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::filter::{Filter, Place};

/// Something that was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entry {
    /// Names it in the organisation, and where to go on from it.
    pub id: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `user`, `key`, `server`, `visitor`, or `database` for somebody on the database itself.
    pub actor_kind: String,
    /// The person or key; of the server, for whom it worked.
    pub actor: Option<Uuid>,
    /// Of an operator of the installation who acted as support: the visit.
    pub visit: Option<Uuid>,
    /// `insert`, `update`, `delete`, or the name of an action.
    pub action: String,
    /// The table, with its schema.
    pub table: Option<String>,
    /// The row's key; parts of a longer one with commas between them.
    pub row: Option<String>,
    /// What became different.
    pub changes: Vec<Change>,
    /// Particulars of an action.
    pub details: Option<Value>,
    /// Rules that it answers, as `framework:control`.
    pub tags: Vec<String>,
    /// From where.
    pub address: Option<String>,
    /// With which program, as it says of itself.
    pub user_agent: Option<String>,
    /// The request's name: what one request did has the same.
    pub request: Option<String>,
    /// The key or token that a person used.
    pub key: Option<String>,
    /// Of somebody on the database itself: as whom they signed in there.
    pub login: Option<String>,
}

/// One field before and after.
#[derive(Debug, Serialize, ToSchema)]
pub struct Change {
    /// The column.
    pub field: String,
    /// Its value before; null of a new row.
    pub before: Value,
    /// Its value after; null of a deleted one. Secrets are `***`, long texts are cut.
    pub after: Value,
}

const COLUMNS: &str =
    "id, at, actor_kind, actor, visit, action, relation, row_key, changes, details, tags, origin";

impl Entry {
    fn read(row: &Row) -> Result<Self> {
        let place = Place {
            id: row.try_get(0)?,
            at: row.try_get(1)?,
        };
        let mut changes: Vec<Change> = match row.try_get(8)? {
            Some(Value::Object(fields)) => fields.into_iter().map(Change::of).collect(),
            _ => Vec::new(),
        };
        changes.sort_by(|one, other| one.field.cmp(&other.field));
        let mut origin = match row.try_get(11)? {
            Some(Value::Object(origin)) => origin,
            _ => serde_json::Map::new(),
        };
        let mut from = |name: &str| match origin.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        Ok(Self {
            id: place.to_string(),
            at: place.at,
            actor_kind: row.try_get(2)?,
            actor: row.try_get(3)?,
            visit: row.try_get(4)?,
            action: row.try_get(5)?,
            table: row.try_get(6)?,
            row: row.try_get(7)?,
            changes,
            details: row.try_get(9)?,
            tags: row.try_get(10)?,
            address: from("address"),
            user_agent: from("agent"),
            request: from("request"),
            key: from("key"),
            login: from("login"),
        })
    }
}

impl Change {
    fn of((field, both): (String, Value)) -> Self {
        let mut both = match both {
            Value::Array(both) => both.into_iter(),
            _ => Vec::new().into_iter(),
        };
        Self {
            field,
            before: both.next().unwrap_or_default(),
            after: both.next().unwrap_or_default(),
        }
    }
}

/// A page of entries, the newest first, from before a place.
pub(crate) async fn page(
    tx: &TenantTx,
    filter: &Filter,
    before: Option<&Place>,
    many: i64,
) -> Result<Vec<Entry>> {
    let org = tx.org_id();
    let conditions = filter.conditions(&org, before);
    let sql = format!(
        "select {COLUMNS} from audit.entries where {} order by at desc, id desc limit ${}",
        conditions.sql,
        conditions.values.len() + 1
    );
    let mut values: Vec<&(dyn ToSql + Sync)> = conditions.values;
    values.push(&many);
    let rows = tx.query(&sql, &values).await?;
    rows.iter().map(Entry::read).collect()
}

/// One entry.
///
/// Errors: `audit.entry_not_found`.
pub(crate) async fn one(tx: &TenantTx, id: &str) -> Result<Entry> {
    let not_found = || Error::not_found("audit.entry_not_found", "There is no such entry.");
    let place = Place::parse(id).ok_or_else(not_found)?;
    let sql = format!("select {COLUMNS} from audit.entries where org_id = $1 and at = $2 and id = $3");
    let row = tx.query_opt(&sql, &[&tx.org_id(), &place.at, &place.id]).await?;
    row.as_ref().ok_or_else(not_found).and_then(Entry::read)
}
