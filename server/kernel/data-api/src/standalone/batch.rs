//! Batches in front of a database that is not Tenon's.

use tenon_sdk::db::{Param, PlainDb, PlainTx, Statement as DbStatement};
use uuid::Uuid;

use super::answer::refused;
use super::session::{Caller, Circumstances, context};
use super::state::State;
use crate::api_request::HttpRequest;
use crate::batch::{Batch, Next, Shared, Transaction};
use crate::error::Result;
use crate::plan::Plan;
use crate::respond::{DbResult, Response};
use crate::run::{first_value, outcome, to_db};
use crate::sql::{Statement, search_path};

/// Makes an operation the one that functions see, and forgets what those of the one before it set.
const NEXT_OPERATION: &str = "select set_config('search_path', $1, true), set_config('request.method', $2, true), \
    set_config('request.path', $3, true), set_config('response.status', '', true), \
    set_config('response.headers', '', true), set_config('tenon.updated', '', true)";

/// Runs a batch. The function before each request is called once, before the first operation.
pub(super) async fn run(
    state: &State,
    db: &PlainDb,
    caller: &Caller,
    http: HttpRequest<'_>,
) -> Result<Response> {
    let cache = state.cache()?;
    let settings = &state.config.settings;
    let batch = Batch::parse(&http, settings)?;
    let shared = Shared {
        cache: &cache,
        settings,
        root: "",
        role: cache.role(&caller.role),
    };
    let context = context(
        state,
        caller,
        &Circumstances {
            schema: settings.schemas.first().map_or("public", String::as_str),
            http,
            read_only: !batch.writes(),
            roll_back: batch.rolls_back().unwrap_or(state.config.tx_end.roll_back),
            timezone: batch.time_zone(),
            role: cache.role(&caller.role),
            function: &[],
        },
    );
    let before = state.pre_request.iter().cloned().collect();
    let (tx, _) = db
        .begin(&context, before)
        .await
        .map_err(|error| refused(error, caller))?;
    let within = Within {
        tx: &tx,
        state,
        caller,
    };
    let response = batch.perform(&shared, &within).await?;
    tx.finish().await.map_err(|error| refused(error, caller))?;
    Ok(response)
}

struct Within<'a> {
    tx: &'a PlainTx,
    state: &'a State,
    caller: &'a Caller,
}

impl Transaction for Within<'_> {
    fn tenant(&self) -> Option<Uuid> {
        None
    }

    async fn run(&self, next: Next<'_>, plan: &Plan, statement: Statement) -> Result<DbResult> {
        if let Some(gate) = next.gate {
            let asked = vec![to_db(gate.statement())];
            let results = self.tx.run(&self.caller.role, asked).await;
            let results = results.map_err(|error| refused(error, self.caller))?;
            let price = results.first().and_then(|rows| first_value(rows));
            gate.judge(price.unwrap_or_default())?;
        }
        let path = search_path(next.schema, &self.state.config.settings.extra_search_path);
        let opener = DbStatement {
            sql: NEXT_OPERATION.into(),
            params: vec![
                Param::text(path),
                Param::text(next.method),
                Param::text(next.path),
            ],
        };
        let mut statements = vec![opener];
        statements.extend(Statement::before(plan).into_iter().map(to_db));
        let main = statements.len();
        statements.push(to_db(statement));
        statements.extend(Statement::estimate(plan).map(to_db));
        let results = self
            .tx
            .run(&self.caller.role, statements)
            .await
            .map_err(|error| refused(error, self.caller))?;
        let mut results = results.into_iter().skip(main);
        let rows = results.next().unwrap_or_default();
        outcome(plan, rows, &results.next().unwrap_or_default())
    }
}
