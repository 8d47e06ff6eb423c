//! An import as it is stored and as the wire shows it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tenon_sdk::{Error, Result, TenantTx, audit::Action};
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{model::State, validate::Mapping};

/// One sheet of an import's file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sheet {
    /// Its name in the file.
    pub name: String,
    /// Key of the template's sheet it feeds; null: it is left out.
    pub target: Option<String>,
    /// Row of the headings, from 1.
    pub header_row: Option<u32>,
    /// Headings from column A on.
    pub headers: Vec<String>,
    /// Column, from 0, of each field.
    pub columns: BTreeMap<String, Option<u32>>,
    /// Rows checked.
    #[serde(default)]
    pub rows: u64,
    /// Rows that no issue refuses.
    #[serde(default)]
    pub accepted: u64,
    /// Rows refused.
    #[serde(default)]
    pub refused: u64,
    /// Accepted rows with a warning.
    #[serde(default)]
    pub warnings: u64,
    /// What there is to say about the sheet as a whole.
    #[serde(default)]
    pub notices: Vec<String>,
}

/// Sums over all sheets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Rows checked.
    pub rows: u64,
    /// Rows that no issue refuses.
    pub accepted: u64,
    /// Rows refused.
    pub refused: u64,
    /// Accepted rows with a warning.
    pub warnings: u64,
}

/// How far the work at hand is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// Rows done.
    pub done: u64,
    /// Rows in all; 0 while unknown.
    pub total: u64,
    /// What is being done: `reading`, `checking`, `committing`, `evaluating`.
    pub phase: String,
}

/// An import.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Import)]
pub struct Run {
    /// Its id.
    pub id: Uuid,
    /// The template it follows.
    pub template: String,
    /// The file's name.
    pub filename: String,
    /// The file's size in bytes.
    pub size: i64,
    /// The file's SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// How far it has come.
    pub state: State,
    /// Grows with every check; a confirmation names it.
    pub validation_version: i32,
    /// The file's sheets.
    pub sheets: Vec<Sheet>,
    /// What there is to say about the file as a whole.
    pub notices: Vec<String>,
    /// Sums over all sheets.
    pub counts: Counts,
    /// How far the work at hand is; null when none is.
    pub progress: Option<Progress>,
    /// Why it stopped or waits, in the form of every error.
    pub error: Option<Value>,
    /// What the app made of it.
    pub summary: Option<Value>,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// Who uploaded it.
    pub created_by: Option<Uuid>,
    /// When it arrived.
    pub committed_at: Option<Timestamp>,
    /// When it was taken back.
    pub undone_at: Option<Timestamp>,
    #[serde(skip)]
    pub(crate) mapping: Option<Mapping>,
    #[serde(skip)]
    pub(crate) target_version: Option<i64>,
    #[serde(skip)]
    pub(crate) job: Option<Uuid>,
}

const COLUMNS: &str = "id, template, filename, size, sha256, state, validation_version, sheets, notices, error, \
                       summary, created_at, created_by, committed_at, undone_at, mapping, target_version, job_id";

impl Run {
    fn from_row(row: &Row) -> Result<Self> {
        let state: String = row.try_get(5)?;
        let sheets: Vec<Sheet> = serde_json::from_value(row.try_get(7)?).map_err(Error::internal)?;
        let counts = sheets.iter().fold(Counts::default(), |sum, sheet| Counts {
            rows: sum.rows + sheet.rows,
            accepted: sum.accepted + sheet.accepted,
            refused: sum.refused + sheet.refused,
            warnings: sum.warnings + sheet.warnings,
        });
        let mapping: Option<Value> = row.try_get(15)?;
        Ok(Self {
            id: row.try_get(0)?,
            template: row.try_get(1)?,
            filename: row.try_get(2)?,
            size: row.try_get(3)?,
            sha256: row.try_get(4)?,
            state: State::parse(&state).ok_or_else(|| Error::internal("unknown state of an import"))?,
            validation_version: row.try_get(6)?,
            sheets,
            notices: serde_json::from_value(row.try_get(8)?).map_err(Error::internal)?,
            counts,
            progress: None,
            error: row.try_get(9)?,
            summary: row.try_get(10)?,
            created_at: row.try_get(11)?,
            created_by: row.try_get(12)?,
            committed_at: row.try_get(13)?,
            undone_at: row.try_get(14)?,
            mapping: mapping
                .map(serde_json::from_value)
                .transpose()
                .map_err(Error::internal)?,
            target_version: row.try_get(16)?,
            job: row.try_get(17)?,
        })
    }

    /// The import with an id.
    pub(crate) async fn find(tx: &TenantTx, id: Uuid) -> Result<Self> {
        Self::select(tx, id, "").await
    }

    /// The import with an id, locked until the transaction ends.
    pub(crate) async fn lock(tx: &TenantTx, id: Uuid) -> Result<Self> {
        Self::select(tx, id, "for update").await
    }

    /// Records in the trail what is done with the import.
    pub(crate) async fn audit(&self, tx: &TenantTx, action: &str) -> Result<()> {
        let id = self.id.to_string();
        tx.audit(&Action {
            table: Some("imports.runs"),
            row: Some(&id),
            details: json!({
                "template": self.template, "filename": self.filename, "sha256": self.sha256, "rows": self.counts.accepted,
            }),
            ..Action::new(action)
        })
        .await
    }

    async fn select(tx: &TenantTx, id: Uuid, lock: &str) -> Result<Self> {
        let sql = format!("select {COLUMNS} from imports.runs where org_id = $1 and id = $2 {lock}");
        let row = tx.query_opt(&sql, &[&tx.org_id(), &id]).await?;
        let row = row.ok_or_else(|| Error::not_found("imports.not_found", "There is no such import."))?;
        Self::from_row(&row)
    }

    /// The import that an idempotency key already stands for.
    pub(crate) async fn by_key(tx: &TenantTx, key: &str) -> Result<Option<Self>> {
        let sql = format!("select {COLUMNS} from imports.runs where org_id = $1 and idempotency_key = $2");
        tx.query_opt(&sql, &[&tx.org_id(), &key])
            .await?
            .as_ref()
            .map(Self::from_row)
            .transpose()
    }

    /// A page of imports, newest first, without their sheets, and how many there are.
    pub(crate) async fn page(
        tx: &TenantTx,
        state: Option<State>,
        limit: i64,
        offset: i64,
    ) -> Result<(i64, Vec<Self>)> {
        let state = state.map(State::as_str);
        let total = tx
            .query_one(
                "select count(*) from imports.runs where org_id = $1 and ($2::text is null or state = $2)",
                &[&tx.org_id(), &state],
            )
            .await?
            .try_get(0)?;
        let sql = format!(
            "select {COLUMNS} from imports.runs where org_id = $1 and ($2::text is null or state = $2) \
             order by created_at desc, id desc limit $3 offset $4"
        );
        let rows = tx.query(&sql, &[&tx.org_id(), &state, &limit, &offset]).await?;
        let mut runs: Vec<Self> = rows.iter().map(Self::from_row).collect::<Result<_>>()?;
        for run in &mut runs {
            run.sheets.clear();
        }
        Ok((total, runs))
    }

    /// Moves to a state, if it may follow.
    pub(crate) async fn become_state(&mut self, tx: &TenantTx, next: State) -> Result<()> {
        self.state.check(next)?;
        tx.execute(
            "update imports.runs set state = $3 where org_id = $1 and id = $2",
            &[&tx.org_id(), &self.id, &next.as_str()],
        )
        .await?;
        self.state = next;
        Ok(())
    }

    /// The topic under which browsers hear of it.
    pub(crate) fn topic(id: Uuid) -> String {
        format!("imports:{id}")
    }
}

/// Tells the browsers that watch an import that it has come to a state.
pub(crate) async fn tell(kernel: &tenon_sdk::Kernel, org: tenon_sdk::OrgId, id: Uuid, state: State) {
    let payload = serde_json::json!({ "state": state });
    kernel
        .live()
        .publish(org, &Run::topic(id), "state", payload)
        .await;
}

/// An error in the form of every error, to be stored with an import.
pub(crate) fn error_json(error: &Error) -> Value {
    serde_json::json!({
        "code": error.code, "message": error.message, "details": error.details, "hint": error.hint,
    })
}
