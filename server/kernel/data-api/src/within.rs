//! A transaction in a caller's context, statement by statement: for batches, and for the requests whose end is not that of
//! their one statement.

use bytes::Bytes;
use tenon_sdk::Kernel;
use tenon_sdk::db::{RequestContext, RequestTx};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::batch::{Next, Transaction};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::respond::{DbResult, Raw};
use crate::run::{Caller, from_kernel};
use crate::service::DataApi;
use crate::sql::{Statement, estimated_rows};

/// One that is open.
pub(crate) struct Within<'a> {
    tx: RequestTx,
    caller: &'a Caller,
    api: &'a DataApi,
}

impl<'a> Within<'a> {
    /// Begins.
    pub(crate) async fn begin(
        kernel: &Kernel,
        api: &'a DataApi,
        caller: &'a Caller,
        context: &RequestContext,
    ) -> Result<Self> {
        let tx = RequestTx::begin(kernel.db(), context).await;
        Ok(Self {
            tx: tx.map_err(|error| from_kernel(error, caller))?,
            caller,
            api,
        })
    }

    /// Ends it: what was done stands, or never was. A rehearsal finds what a commit would have found, so constraints that
    /// wait for the end are checked.
    pub(crate) async fn end(self, roll_back: bool) -> Result<()> {
        if roll_back {
            self.query("set constraints all immediate", &[]).await?;
        }
        let ended = if roll_back {
            self.tx.roll_back().await
        } else {
            self.tx.commit().await
        };
        ended.map_err(|error| from_kernel(error, self.caller))
    }

    async fn query(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<tokio_postgres::Row>> {
        self.tx
            .query(sql, params)
            .await
            .map_err(|error| from_kernel(error, self.caller))
    }

    async fn rows(&self, statement: &Statement) -> Result<Vec<tokio_postgres::Row>> {
        let params: Vec<&(dyn ToSql + Sync)> = statement.params.iter().map(|param| param as _).collect();
        self.query(&statement.sql, &params).await
    }

    /// What `EXPLAIN` says in JSON.
    async fn explained(&self, statement: &Statement) -> Result<Bytes> {
        let rows = self.rows(statement).await?;
        let row = rows.first().ok_or_else(|| self.missing())?;
        let Raw(text) = row.try_get(0).map_err(|error| self.internal(error))?;
        Ok(text)
    }

    fn missing(&self) -> Error {
        self.internal(tenon_sdk::Error::internal("a statement did not return its row"))
    }

    fn internal(&self, error: impl Into<tenon_sdk::Error>) -> Error {
        from_kernel(error.into(), self.caller)
    }
}

impl Transaction for Within<'_> {
    fn tenant(&self) -> Option<Uuid> {
        self.tx.resolved().org.map(|org| org.0)
    }

    async fn run(&self, next: Next<'_>, plan: &Plan, statement: Statement) -> Result<DbResult> {
        self.tx
            .next_operation(next.method, next.path, self.api.search_path(next.schema))
            .await
            .map_err(|error| self.internal(error))?;
        if let Some(gate) = next.gate {
            let price = self.explained(&gate.statement()).await?;
            gate.judge(&price)?;
        }
        for before in Statement::before(plan) {
            self.rows(&before).await?;
        }
        let rows = self.rows(&statement).await?;
        if plan.explain.is_some() {
            let lines = rows.iter().map(|row| row.try_get::<_, Raw>(0));
            let lines: std::result::Result<Vec<_>, _> = lines.collect();
            let lines = lines.map_err(|error| self.internal(error))?;
            return Ok(DbResult::explained(lines.into_iter().map(|line| line.0)));
        }
        let row = rows.first().ok_or_else(|| self.missing())?;
        let mut result = DbResult::from_row(row).map_err(|error| self.internal(error))?;
        if let Some(estimate) = Statement::estimate(plan) {
            let explained = self.explained(&estimate).await?;
            result.estimate = std::str::from_utf8(&explained).ok().and_then(estimated_rows);
        }
        Ok(result)
    }
}
