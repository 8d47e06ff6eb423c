//! Stage 4 in front of a database that is not Tenon's: the plan's statements in the caller's context, in one round
//! trip. Only where the result decides whether the change may stand, the end of the transaction takes another.

use tenon_sdk::db::{PlainDb, PlainError, Statement as DbStatement, Wanted};

use super::session::{Caller, Circumstances, context};
use super::state::State;
use super::timing::Timing;
use crate::api_request::{ApiRequest, HttpRequest, TxEnd};
use crate::cost::CostGate;
use crate::error::{DatabaseError, Error, Result};
use crate::plan::{Plan, PlannedAction};
use crate::respond::{DbResult, check, info, respond};
use crate::run::{first_value, outcome, take, to_db};
use crate::schema_cache::SchemaCache;
use crate::sql::Statement;
use crate::stream::{Answer, Tail};

/// All stages, for one request.
pub(super) async fn answer(
    state: &State,
    db: &PlainDb,
    caller: &Caller,
    http: HttpRequest<'_>,
    timing: &mut Timing,
) -> Result<Answer> {
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
    let answer = match result? {
        Some((result, tail)) => Answer {
            response: respond(&request, &plan, result)?,
            tail,
        },
        None => info(&plan).unwrap_or_default().into(),
    };
    timing.ended("response");
    Ok(answer)
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
) -> Result<Option<(DbResult, Option<Tail>)>> {
    let gate = CostGate::new(plan, &state.config.settings, cache.role(&caller.role));
    // What had to be priced is looked at in the transaction that priced it.
    let streamed = Statement::streamed(plan).filter(|_| gate.is_none());
    let streams = streamed.is_some();
    let Some(statement) = streamed.or_else(|| Statement::new(plan)) else {
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
    let first = statements.len();
    // What is on its way may have no end yet, so that the estimate comes first.
    statements.extend(Statement::estimate(plan).map(to_db));
    let statement = to_db(statement);
    if state.config.log_query {
        tracing::info!(sql = %statement.sql, "query");
    }
    statements.push(statement);
    let refused = |error| refused(error, caller);
    if let Some(gate) = gate {
        let asked = statements.split_off(first);
        statements.push(to_db(gate.statement()));
        let (tx, results) = db.begin(&context, statements).await.map_err(refused)?;
        let price = results.last().and_then(|rows| first_value(rows));
        gate.judge(price.unwrap_or_default())?;
        let mut results = tx.run(&caller.role, asked).await.map_err(refused)?;
        let rows = results.pop().unwrap_or_default();
        let result = outcome(plan, rows, &results.pop().unwrap_or_default())?;
        tx.finish().await.map_err(refused)?;
        return Ok(Some((result, None)));
    }
    if plan.checks_before_commit() {
        let (tx, mut results) = db.begin(&context, statements).await.map_err(refused)?;
        let result = outcome(plan, results.pop().unwrap_or_default(), &[])?;
        check(plan, &result)?;
        tx.finish().await.map_err(refused)?;
        return Ok(Some((result, None)));
    }
    let (mut results, rest) = match plan.passes_on() {
        true if streams => db.run_feeding(&context, statements, Wanted::Rows).await,
        true => db.run_feeding(&context, statements, Wanted::LargeValue).await,
        false => db.run(&context, statements).await.map(|results| (results, None)),
    }
    .map_err(refused)?;
    let rows = if streams {
        Vec::new()
    } else {
        results.pop().unwrap_or_default()
    };
    let estimate = results
        .pop()
        .filter(|_| plan.wants_estimate())
        .unwrap_or_default();
    take(plan, rows, rest, &estimate, refused).await.map(Some)
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
