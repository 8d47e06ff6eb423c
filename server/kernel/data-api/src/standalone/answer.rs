//! Stage 4 in front of a database that is not Tenon's: the plan's statements in the caller's context, in one round
//! trip. Only where the result decides whether the change may stand, the end of the transaction takes another.

use tenon_sdk::db::{PlainDb, PlainError, Statement as DbStatement, TextRow};

use super::session::{Caller, Circumstances, context};
use super::state::State;
use super::timing::Timing;
use crate::api_request::{ApiRequest, HttpRequest, TxEnd};
use crate::cost::CostGate;
use crate::error::{DatabaseError, Error, Result};
use crate::plan::{Plan, PlannedAction};
use crate::respond::{DbResult, Response, check, info, respond};
use crate::run::{first_value, outcome, to_db};
use crate::schema_cache::SchemaCache;
use crate::sql::Statement;

/// All stages, for one request.
pub(super) async fn answer(
    state: &State,
    db: &PlainDb,
    caller: &Caller,
    http: HttpRequest<'_>,
    timing: &mut Timing,
) -> Result<Response> {
    let cache = state.cache()?;
    let settings = &state.config.settings;
    let request = ApiRequest::parse(http, settings);
    timing.ended("parse");
    let request = request?;
    let plan = Plan::new(&request, &cache, settings, None);
    timing.ended("plan");
    let plan = plan?;
    let result = run(state, db, caller, http, &request, &plan, &cache).await;
    timing.ended("transaction");
    let response = match result? {
        Some(result) => respond(&request, &plan, result),
        None => Ok(info(&plan).unwrap_or_default()),
    };
    if response.is_ok() {
        timing.ended("response");
    }
    response
}

/// The transaction of a plan; no result if the database need not be asked.
async fn run(
    state: &State,
    db: &PlainDb,
    caller: &Caller,
    http: HttpRequest<'_>,
    request: &ApiRequest,
    plan: &Plan,
    cache: &SchemaCache,
) -> Result<Option<DbResult>> {
    let Some(statement) = Statement::new(plan) else {
        return Ok(None);
    };
    let context = context(
        state,
        caller,
        &Circumstances {
            schema: &request.schema,
            http,
            read_only: plan.is_read_only(),
            roll_back: match request.preferences.tx {
                Some(wish) => wish == TxEnd::Rollback,
                None => state.config.tx_end.roll_back,
            },
            timezone: plan.timezone.as_deref(),
            role: cache.role(&caller.role),
            function: match &plan.action {
                PlannedAction::Call(call) => &call.settings,
                _ => &[],
            },
        },
    );
    let mut statements: Vec<DbStatement> = state.pre_request.iter().cloned().collect();
    statements.extend(Statement::before(plan).into_iter().map(to_db));
    let main = statements.len();
    statements.push(to_db(statement));
    statements.extend(Statement::estimate(plan).map(to_db));
    if state.config.log_query {
        tracing::info!(sql = %statements[main].sql, "query");
    }
    let refused = |error| refused(error, caller);
    if let Some(gate) = CostGate::new(plan, &state.config.settings, cache.role(&caller.role)) {
        let asked = statements.split_off(main);
        statements.push(to_db(gate.statement()));
        let (tx, results) = db.begin(&context, statements).await.map_err(refused)?;
        let price = results.get(main).and_then(|rows| first_value(rows));
        gate.judge(price.unwrap_or_default())?;
        let results = tx.run(&caller.role, asked).await.map_err(refused)?;
        let result = read(plan, results, 0)?;
        tx.finish().await.map_err(refused)?;
        return Ok(Some(result));
    }
    if !plan.checks_before_commit() {
        let results = db.run(&context, statements).await.map_err(refused)?;
        return read(plan, results, main).map(Some);
    }
    let (tx, results) = db.begin(&context, statements).await.map_err(refused)?;
    let result = read(plan, results, main)?;
    check(plan, &result)?;
    tx.finish().await.map_err(refused)?;
    Ok(Some(result))
}

/// The rows of the main statement, with the estimate after it.
fn read(plan: &Plan, results: Vec<Vec<TextRow>>, main: usize) -> Result<DbResult> {
    let mut results = results.into_iter().skip(main);
    let rows = results.next().unwrap_or_default();
    outcome(plan, rows, &results.next().unwrap_or_default())
}

/// What the database said, as an answer.
pub(super) fn refused(error: PlainError, caller: &Caller) -> Error {
    match error {
        PlainError::Refused(error) => {
            let reported = DatabaseError {
                of_code: error.is_of_code(),
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
