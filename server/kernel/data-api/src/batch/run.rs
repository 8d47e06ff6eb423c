//! Runs the operations of a batch one after the other on one connection, in the context of one caller.

use std::sync::Arc;

use tenon_sdk::Kernel;
use tenon_sdk::db::{RequestContext, RequestTx};
use tokio_postgres::types::ToSql;

use super::answer;
use super::operation::Operation;
use super::reference::Results;
use crate::api_request::{ApiRequest, Handling, HttpRequest, Preferences, TxEnd};
use crate::error::{Error, Result};
use crate::plan::{Plan, PlannedAction};
use crate::respond::{DbResult, Response, respond};
use crate::run::{Caller, from_kernel};
use crate::schema_cache::SchemaCache;
use crate::service::DataApi;
use crate::settings::Settings;
use crate::sql::{Statement, estimated_rows};

/// What all operations of a batch share.
struct Shared<'a> {
    caller: &'a Caller,
    cache: Arc<SchemaCache>,
    settings: &'a Settings,
    /// What stands before the path of an operation in the path of a request.
    root: &'a str,
    /// Some operation may write, so the transaction does not refuse writes by itself.
    writes: bool,
}

/// Runs a batch; `full_path` is the path that the request itself was sent to.
pub(crate) async fn run(
    kernel: &Kernel,
    api: &DataApi,
    caller: &Caller,
    http: HttpRequest<'_>,
    full_path: &str,
) -> Result<Response> {
    let settings = api.settings()?;
    let headers = http.headers.get_all("prefer").into_iter();
    let wishes = Preferences::parse(
        headers.filter_map(|value| value.to_str().ok()),
        settings.tx_override,
    );
    if wishes.handling == Some(Handling::Strict) && !wishes.invalid.is_empty() {
        return Err(Error::preferences(&wishes.invalid));
    }
    let schema = http.headers.get("content-profile");
    let operations = Operation::list(http.body, settings.batch_operations, schema)?;
    let shared = Shared {
        caller,
        cache: api.cache()?,
        settings,
        root: full_path.strip_suffix(super::PATH).unwrap_or_default(),
        writes: !operations.iter().all(Operation::reads),
    };
    let context = RequestContext {
        role: caller.identity.role,
        user: caller.identity.user,
        claims: caller.identity.claims.clone(),
        org: caller.org.clone(),
        request: Some((http.method.as_str().to_owned(), full_path.to_owned())),
        read_only: !shared.writes,
    };
    let refused = |error| from_kernel(error, caller);
    let tx = RequestTx::begin(kernel.db(), &context).await.map_err(refused)?;
    if let Some(zone) = &wishes.timezone {
        tx.time_zone(zone).await.map_err(refused)?;
    }
    let mut results = Results::new(super::BUDGET);
    let mut responses = Vec::with_capacity(operations.len());
    let mut size = 0_usize;
    for (index, operation) in operations.iter().enumerate() {
        let response = shared
            .operate(&tx, operation, &mut results)
            .await
            .map_err(|error| error.of_operation(index, operation.id.as_deref()))?;
        size = size.saturating_add(response.body.len());
        if size > super::BUDGET {
            let error = Error::batch_too_large("The results of the batch are too large.");
            return Err(error.of_operation(index, operation.id.as_deref()));
        }
        results.push(operation.id.as_deref(), answer::json(&response));
        responses.push(response);
    }
    let body = answer::all(&operations, &responses).ok_or_else(|| {
        Error::batch("The result of an operation is neither JSON nor text.")
            .hint("Ask for it in a request of its own.")
    })?;
    let ended = match wishes.tx {
        Some(TxEnd::Rollback) => tx.roll_back().await,
        Some(TxEnd::Commit) | None => tx.commit().await,
    };
    ended.map_err(refused)?;
    Ok(respond_all(body, &wishes))
}

fn respond_all(body: bytes::Bytes, wishes: &Preferences) -> Response {
    let mut headers = vec![(
        "Content-Type".to_owned(),
        "application/json; charset=utf-8".to_owned(),
    )];
    let granted = Preferences {
        tx: wishes.tx,
        handling: wishes.handling,
        timezone: wishes.timezone.clone(),
        ..Preferences::default()
    };
    if let Some(applied) = granted.applied() {
        headers.push(("Preference-Applied".to_owned(), applied));
    }
    Response {
        status: 200,
        headers,
        body,
    }
}

impl Shared<'_> {
    async fn operate(
        &self,
        tx: &RequestTx,
        operation: &Operation,
        results: &mut Results,
    ) -> Result<Response> {
        let body = match &operation.body {
            Some(body) => results.fill(body.get(), super::BUDGET)?,
            None => String::new(),
        };
        let http = HttpRequest {
            method: &operation.method,
            path: &operation.path,
            query: &operation.query,
            headers: &operation.headers,
            body: &body.into(),
        };
        let mut request = ApiRequest::parse(http, self.settings)?;
        if request.preferences.tx.is_some() || request.preferences.timezone.is_some() {
            return Err(Error::batch(
                "tx and timezone are wished for the whole batch, not for one operation.",
            ));
        }
        results.fill_values(&mut request)?;
        let tenant = tx.resolved().org.map(|org| org.0);
        let plan = Plan::new(&request, &self.cache, self.settings, tenant)?;
        if plan.explain.is_some() {
            return Err(Error::batch("A plan is asked for in a request of its own."));
        }
        self.check_call(&plan, operation)?;
        let Some(statement) = Statement::new(&plan) else {
            return Err(Error::batch("This operation has no result."));
        };
        let path = format!("{}{}", self.root, operation.path);
        tx.next_operation(operation.method.as_str(), &path)
            .await
            .map_err(|error| from_kernel(error, self.caller))?;
        let row = self.row(tx, &statement).await?;
        let mut result = DbResult::from_row(&row).map_err(|error| from_kernel(error.into(), self.caller))?;
        if let Some(estimate) = Statement::estimate(&plan) {
            let explained: serde_json::Value = self
                .row(tx, &estimate)
                .await?
                .try_get(0)
                .map_err(|error| from_kernel(error.into(), self.caller))?;
            result.estimate = estimated_rows(&explained.to_string());
        }
        // A result that must not stand is an error here, and the transaction ends without a trace.
        respond(&request, &plan, result)
    }

    /// Beside operations that write, the transaction cannot keep a function called by GET from writing.
    fn check_call(&self, plan: &Plan, operation: &Operation) -> Result<()> {
        let PlannedAction::Call(call) = &plan.action else {
            return Ok(());
        };
        let overloads = self.cache.functions(&call.function);
        if self.writes && operation.reads() && overloads.iter().any(|function| function.volatile) {
            return Err(
                Error::batch("A function that may write is called by POST in a batch that writes.")
                    .hint("Declare the function STABLE or IMMUTABLE if it does not write."),
            );
        }
        Ok(())
    }

    async fn row(&self, tx: &RequestTx, statement: &Statement) -> Result<tokio_postgres::Row> {
        let params: Vec<&(dyn ToSql + Sync)> = statement.params.iter().map(|param| param as _).collect();
        let rows = tx
            .query(&statement.sql, &params)
            .await
            .map_err(|error| from_kernel(error, self.caller))?;
        rows.into_iter().next().ok_or_else(|| {
            from_kernel(
                tenon_sdk::Error::internal("a statement did not return its row"),
                self.caller,
            )
        })
    }
}
