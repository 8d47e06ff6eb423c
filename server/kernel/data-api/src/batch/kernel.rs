//! Batches of Tenon's own callers: one connection, one organisation.

use tenon_sdk::Kernel;
use tenon_sdk::db::{RequestContext, RequestTx};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::run::{Batch, Next, Shared, Transaction};
use crate::api_request::HttpRequest;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::respond::{DbResult, Response};
use crate::run::{Caller, from_kernel};
use crate::service::DataApi;
use crate::sql::{Statement, estimated_rows};

/// Runs a batch; `full_path` is the path that the request itself was sent to.
pub(crate) async fn run(
    kernel: &Kernel,
    api: &DataApi,
    caller: &Caller,
    http: HttpRequest<'_>,
    full_path: &str,
) -> Result<Response> {
    let settings = api.settings()?;
    let batch = Batch::parse(&http, settings)?;
    let cache = api.cache()?;
    let shared = Shared {
        cache: &cache,
        settings,
        root: full_path
            .trim_end_matches('/')
            .strip_suffix(super::PATH)
            .unwrap_or_default(),
    };
    let context = RequestContext {
        role: caller.identity.role,
        user: caller.identity.user,
        claims: caller.identity.claims.clone(),
        org: caller.org.clone(),
        request: Some((http.method.as_str().to_owned(), full_path.to_owned())),
        read_only: !batch.writes(),
        time_zone: batch.time_zone().map(str::to_owned),
    };
    let refused = |error| from_kernel(error, caller);
    let tx = Within {
        tx: RequestTx::begin(kernel.db(), &context).await.map_err(refused)?,
        caller,
    };
    let response = batch.perform(&shared, &tx).await?;
    let ended = if batch.rolls_back() == Some(true) {
        tx.tx.roll_back().await
    } else {
        tx.tx.commit().await
    };
    ended.map_err(refused)?;
    Ok(response)
}

struct Within<'a> {
    tx: RequestTx,
    caller: &'a Caller,
}

impl Transaction for Within<'_> {
    fn tenant(&self) -> Option<Uuid> {
        self.tx.resolved().org.map(|org| org.0)
    }

    async fn run(&self, next: Next<'_>, plan: &Plan, statement: Statement) -> Result<DbResult> {
        self.tx
            .next_operation(next.method, next.path)
            .await
            .map_err(|error| self.refused(error))?;
        for before in Statement::before(plan) {
            self.rows(&before).await?;
        }
        let row = self.row(&statement).await?;
        let mut result = DbResult::from_row(&row).map_err(|error| self.refused(error.into()))?;
        if let Some(estimate) = Statement::estimate(plan) {
            let explained: serde_json::Value = self
                .row(&estimate)
                .await?
                .try_get(0)
                .map_err(|error| self.refused(error.into()))?;
            result.estimate = estimated_rows(&explained.to_string());
        }
        Ok(result)
    }
}

impl Within<'_> {
    fn refused(&self, error: tenon_sdk::Error) -> Error {
        from_kernel(error, self.caller)
    }

    async fn rows(&self, statement: &Statement) -> Result<Vec<tokio_postgres::Row>> {
        let params: Vec<&(dyn ToSql + Sync)> = statement.params.iter().map(|param| param as _).collect();
        self.tx
            .query(&statement.sql, &params)
            .await
            .map_err(|error| self.refused(error))
    }

    async fn row(&self, statement: &Statement) -> Result<tokio_postgres::Row> {
        self.rows(statement)
            .await?
            .into_iter()
            .next()
            .ok_or_else(|| self.refused(tenon_sdk::Error::internal("a statement did not return its row")))
    }
}
