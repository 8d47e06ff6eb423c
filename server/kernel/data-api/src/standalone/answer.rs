//! Stage 4 in front of a database that is not Tenon's: the plan's statements in the caller's context, in one round
//! trip. Only where the result decides whether the change may stand, the end of the transaction takes another.

use std::sync::Arc;

use axum::http::HeaderMap;
use tenon_sdk::db::{Param, PlainContext, PlainDb, PlainError, Statement as DbStatement, TextRow};

use super::session::{Caller, Circumstances, context};
use super::state::State;
use crate::api_request::{ApiRequest, HttpRequest, TxEnd};
use crate::error::{DatabaseError, Error, Result};
use crate::plan::Plan;
use crate::respond::{Response, check, info, respond};
use crate::run::outcome;
use crate::sql::Statement;

/// All stages, for one request.
pub(super) async fn answer(
    state: &State,
    db: &PlainDb,
    caller: &Caller,
    http: HttpRequest<'_>,
    headers: &HeaderMap,
) -> Result<Response> {
    let cache = state.cache()?;
    let settings = &state.config.settings;
    let request = ApiRequest::parse(http, settings)?;
    let plan = Plan::new(&request, &cache, settings, None)?;
    let Some(statement) = Statement::new(&plan) else {
        return Ok(info(&plan).unwrap_or_default());
    };
    let roll_back = match request.preferences.tx {
        Some(wish) => wish == TxEnd::Rollback,
        None => state.config.tx_end.roll_back,
    };
    let context = context(
        state,
        caller,
        &Circumstances {
            schema: &request.schema,
            method: http.method,
            path: http.path,
            headers,
            read_only: plan.is_read_only(),
            roll_back,
            timezone: plan.timezone.as_deref(),
            hoisted: &[],
        },
    );
    let mut statements: Vec<DbStatement> = state.pre_request.iter().cloned().collect();
    let main = statements.len();
    statements.push(to_db(statement));
    statements.extend(Statement::estimate(&plan).map(to_db));
    let read = |mut results: Vec<Vec<TextRow>>| {
        let estimate = if results.len() > main + 1 {
            results.pop()
        } else {
            None
        };
        outcome(
            &plan,
            results.pop().unwrap_or_default(),
            &estimate.unwrap_or_default(),
        )
    };
    if plan.checks_before_commit() {
        let (tx, results) = db
            .begin(&context, statements)
            .await
            .map_err(|error| refused(error, caller))?;
        let result = read(results)?;
        check(&plan, &result)?;
        let response = respond(&request, &plan, result)?;
        tx.finish().await.map_err(|error| refused(error, caller))?;
        return Ok(response);
    }
    let results = run(db, &context, statements, caller).await?;
    respond(&request, &plan, read(results)?)
}

async fn run(
    db: &PlainDb,
    context: &PlainContext,
    statements: Vec<DbStatement>,
    caller: &Caller,
) -> Result<Vec<Vec<TextRow>>> {
    db.run(context, statements)
        .await
        .map_err(|error| refused(error, caller))
}

fn to_db(statement: Statement) -> DbStatement {
    let params = statement.params.into_iter().map(|param| Param {
        oid: 0,
        value: Some(param.0),
    });
    DbStatement {
        sql: Arc::from(statement.sql),
        params: params.collect(),
    }
}

/// What the database said, as an answer.
pub(super) fn refused(error: PlainError, caller: &Caller) -> Error {
    match error {
        PlainError::Refused(error) => {
            let reported = DatabaseError {
                code: error.code,
                message: error.message,
                detail: error.detail,
                hint: error.hint,
                constraint: error.constraint,
            };
            Error::from_database(&reported, caller.signed_in)
        }
        PlainError::Unreachable(error) => Error::no_connection(error.details.unwrap_or(error.message)),
        PlainError::Lost => Error::database_unavailable("The connection was lost before the answer came."),
        PlainError::Busy => Error::pool_exhausted(),
    }
}
