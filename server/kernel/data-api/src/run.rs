//! Stage 4, run: one statement in the context of the caller, in one round trip: context, statement and commit are
//! pipelined, and an error in any of them undoes all.

use std::sync::Arc;

use tenon_sdk::Kernel;
use tenon_sdk::ctx::Identity;
use tenon_sdk::db::{self, OrgSelector, PlainError, RequestContext, Rest, Surroundings, TextRow};
use tenon_sdk::error::Kind;
use uuid::Uuid;

use crate::api_request::{ApiRequest, HttpRequest, TxEnd};
use crate::batch::{Next, Transaction};
use crate::cost::CostGate;
use crate::error::{DatabaseError, Error, Result};
use crate::http::headers_without_credentials;
use crate::plan::{Plan, PlannedAction};
use crate::respond::{DbResult, Response, info, respond};
use crate::schema_cache::SchemaCache;
use crate::service::DataApi;
use crate::settings::Settings;
use crate::sql::{Statement, estimated_rows};
use crate::stream::{Answer, Tail};
use crate::within::Within;

/// Who asks, and for which organisation.
pub(crate) struct Caller {
    pub identity: Identity,
    pub org: OrgSelector,
}

/// All stages, for one request.
pub(crate) async fn answer(
    kernel: &Kernel,
    api: &DataApi,
    caller: &Caller,
    http: HttpRequest<'_>,
    full_path: &str,
) -> Result<Answer> {
    let settings = api.settings()?;
    let cache = api.cache()?;
    let request = ApiRequest::parse(http, settings)?;
    let context = |read_only: bool| RequestContext {
        time_zone: request.preferences.timezone.clone(),
        role: caller.identity.role,
        user: caller.identity.user,
        key: caller.identity.key.map(|key| key.id),
        claims: caller.identity.claims.clone(),
        org: caller.org.clone(),
        request: Some((http.method.as_str().to_owned(), full_path.to_owned())),
        read_only,
        surroundings: Surroundings::default(),
    };
    let bound_to = caller.identity.key.and_then(|key| key.org);
    let mut tenant = match (&caller.org, caller.identity.user) {
        // A key is good in one organisation, whatever is asked for; another one is refused where the request begins.
        _ if bound_to.is_some() => bound_to.map(|org| org.0),
        (_, None) => None,
        (OrgSelector::Id(org), _) => Some(*org),
        (selector, Some(user)) => match api.known(user, selector) {
            Some(org) => Some(org),
            None if touches_tenants(&request, &cache, settings)? => {
                Box::pin(look_up(kernel, api, caller, context(true))).await?
            }
            None => None,
        },
    };
    for last in [false, true] {
        let plan = Plan::new(&request, &cache, settings, tenant)?;
        let Some(statement) = Statement::new(&plan) else {
            return Ok(info(&plan).unwrap_or_default().into());
        };
        let mut statements = Statement::before(&plan);
        statements.push(statement);
        let names_tenant = statements.iter().any(|statement| statement.names_tenant);
        let mut context = context(plan.is_read_only());
        if let Some(path) = api.search_path(&request.schema) {
            context.surroundings.search_path = Some(path.to_owned());
            // The policies of tenant tables are Tenon's and read no headers.
            context.surroundings.headers = (!names_tenant).then(|| headers_without_credentials(http.headers));
        }
        let rehearsed = request.preferences.tx == Some(TxEnd::Rollback);
        // A write beside tenant tables would stand even if the organisation were another meanwhile.
        if rehearsed || names_tenant && writes_beside_tenants(&plan) {
            let done = in_transaction(kernel, api, caller, &request, &context, rehearsed);
            return Box::pin(done).await.map(Answer::from);
        }
        if let Some(gate) = CostGate::new(&plan, settings, cache.role(caller.identity.role)) {
            let priced = kernel.db().run(&context, to_db(gate.statement())).await;
            let rows = priced.map_err(|error| from_kernel(error, caller))?.rows;
            gate.judge(first_value(&rows).unwrap_or_default())?;
        }
        let asked = ask(kernel, &context, &plan, statements, caller).await;
        let (reply, estimate) = match asked {
            Ok(asked) => asked,
            Err(error) => {
                if let Some(user) = caller.identity.user {
                    api.forget(user, &caller.org);
                }
                return Err(error);
            }
        };
        // The name may mean another organisation than it did before. The statement was bound to the old one and the
        // policies to the new one, so it saw and changed no row of either; a function may have done anything.
        let resolved = resolved_org(&reply);
        let calls = matches!(plan.action, PlannedAction::Call(_)) && !plan.is_read_only();
        if resolved != tenant && names_tenant && !last && !calls {
            tenant = resolved;
            if let (Some(user), Some(org)) = (caller.identity.user, resolved) {
                api.remember(user, &caller.org, org);
            }
            continue;
        }
        let refused = |error: PlainError| from_kernel(error.into(), caller);
        let (result, tail) = take(&plan, reply.rows, reply.rest, &estimate, refused).await?;
        return Ok(Answer {
            response: respond(&request, &plan, result)?,
            tail,
        });
    }
    Err(internal("the organisation changed twice"))
}

/// The same in a transaction of several statements, planned for the organisation that it begins with.
async fn in_transaction(
    kernel: &Kernel,
    api: &DataApi,
    caller: &Caller,
    request: &ApiRequest,
    context: &RequestContext,
    rehearsed: bool,
) -> Result<Response> {
    let (settings, cache) = (api.settings()?, api.cache()?);
    let tx = Within::begin(kernel, api, caller, context).await?;
    let plan = Plan::new(request, &cache, settings, tx.tenant())?;
    let Some(statement) = Statement::new(&plan) else {
        return Ok(info(&plan).unwrap_or_default());
    };
    let (method, path) = context
        .request
        .as_ref()
        .map_or(("", ""), |(method, path)| (method, path));
    let next = Next {
        method,
        path,
        schema: &request.schema,
        gate: CostGate::new(&plan, settings, cache.role(caller.identity.role)),
    };
    let result = tx.run(next, &plan, statement).await?;
    let response = respond(request, &plan, result)?;
    tx.end(rehearsed).await?;
    Ok(response)
}

/// Whether a request has to do with any tenant table.
fn touches_tenants(request: &ApiRequest, cache: &SchemaCache, settings: &Settings) -> Result<bool> {
    let plan = Plan::new(request, cache, settings, Some(Uuid::nil()))?;
    let mut statements = Statement::before(&plan).into_iter().chain(Statement::new(&plan));
    Ok(statements.any(|statement| statement.names_tenant))
}

/// Whether a plan changes a table that belongs to no organisation.
fn writes_beside_tenants(plan: &Plan) -> bool {
    let PlannedAction::Mutate(mutate) = &plan.action else {
        return false;
    };
    let mut steps = mutate.nested.iter().flat_map(|nested| &nested.steps);
    !mutate.tenant || steps.any(|step| !step.tenant)
}

/// The statements of a plan, and before them that of its estimate.
async fn ask(
    kernel: &Kernel,
    context: &RequestContext,
    plan: &Plan,
    statements: Vec<Statement>,
    caller: &Caller,
) -> Result<(db::Reply, Vec<TextRow>)> {
    let estimate = Statement::estimate(plan).map(to_db);
    let db = kernel.db();
    let asked = async {
        if let Some(streamed) = Statement::streamed(plan) {
            let mut reply = db.stream(context, estimate, to_db(streamed)).await?;
            let estimate = std::mem::take(&mut reply.rows);
            return Ok((reply, estimate));
        }
        let estimate = match estimate {
            Some(estimate) => db.run(context, estimate).await?.rows,
            None => Vec::new(),
        };
        let statements = statements.into_iter().map(to_db).collect();
        let reply = if plan.passes_on() {
            db.run_feeding(context, statements).await?
        } else {
            db.run_all(context, statements).await?
        };
        Ok((reply, estimate))
    };
    asked.await.map_err(|error| from_kernel(error, caller))
}

/// What came of a plan's statement, as far as it has arrived: its rows, what is still on its way, and the estimate.
pub(crate) async fn take(
    plan: &Plan,
    rows: Vec<TextRow>,
    rest: Option<Rest>,
    estimate: &[TextRow],
    refused: impl FnOnce(PlainError) -> Error,
) -> Result<(DbResult, Option<Tail>)> {
    match rest {
        Some(rest) if plan.streams() => {
            let (mut result, tail) = Tail::of_rows(plan, rest).await.map_err(refused)?;
            result.estimate = estimated(estimate);
            Ok((result, tail))
        }
        rest => {
            let result = outcome(plan, rows, estimate)?;
            Ok((result, rest.map(|rest| Tail::of_value(plan, rest))))
        }
    }
}

/// What the rows of a plan's statement say, and those of the estimate beside it.
pub(crate) fn outcome(plan: &Plan, rows: Vec<TextRow>, estimate: &[TextRow]) -> Result<DbResult> {
    if plan.explain.is_some() {
        return Ok(DbResult::explained(
            rows.into_iter().filter_map(|row| row.into_iter().next()?),
        ));
    }
    let mut result = rows
        .first()
        .and_then(|row| DbResult::from_texts(row, plan.is_binary()))
        .ok_or_else(|| internal("a statement did not return its row"))?;
    result.estimate = estimated(estimate);
    Ok(result)
}

fn estimated(rows: &[TextRow]) -> Option<i64> {
    estimated_rows(std::str::from_utf8(first_value(rows)?).ok()?)
}

/// The one value of a statement that returns one.
pub(crate) fn first_value(rows: &[TextRow]) -> Option<&[u8]> {
    rows.first()?.first()?.as_deref()
}

/// Which organisation the caller means, from the database.
async fn look_up(
    kernel: &Kernel,
    api: &DataApi,
    caller: &Caller,
    context: RequestContext,
) -> Result<Option<Uuid>> {
    let resolved = kernel
        .db()
        .resolve(&context)
        .await
        .map_err(|error| from_kernel(error, caller))?;
    let org = resolved.org.map(|org| org.0);
    if let (Some(user), Some(org)) = (caller.identity.user, org) {
        api.remember(user, &caller.org, org);
    }
    Ok(org)
}

/// A statement as the drivers of both kinds of database take it.
pub(crate) fn to_db(statement: Statement) -> db::Statement {
    let params = statement.params.into_iter().map(|param| db::Param {
        oid: 0,
        value: Some(param.0),
    });
    db::Statement {
        sql: Arc::from(statement.sql),
        params: params.collect(),
    }
}

fn resolved_org(reply: &db::Reply) -> Option<Uuid> {
    let text = reply.context.first()?.as_deref()?;
    Uuid::try_parse_ascii(text).ok()
}

/// An error that the kernel brought: an SQLSTATE is translated here, a stable code stays what it is.
pub(crate) fn from_kernel(error: tenon_sdk::Error, caller: &Caller) -> Error {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let is_sqlstate = error.code.len() == 5
        && error
            .code
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if is_sqlstate {
        let reported = DatabaseError {
            of_code: error.kind != Kind::Invalid,
            code: error.code.clone().into_owned(),
            message: error.message,
            detail: filled(error.details),
            hint: filled(error.hint),
            constraint: None,
        };
        return Error::from_database(&reported, caller.identity.is_principal());
    }
    if error.code == "database.busy" {
        return Error::pool_exhausted();
    }
    let mut answer = Error::new(error.status(), error.code, error.message).hint_if(filled(error.hint));
    if let Some(details) = filled(error.details) {
        answer = answer.details(details);
    }
    if matches!(answer.status, 503 | 504) {
        answer.headers.push(("Retry-After".to_owned(), "2".to_owned()));
    }
    answer
}

fn internal(cause: &str) -> Error {
    from_kernel(
        tenon_sdk::Error::internal(cause),
        &Caller {
            identity: Identity::anonymous(),
            org: OrgSelector::Default,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_pool_is_told_as_the_dialect_tells_it() {
        let nobody = Caller {
            identity: Identity::anonymous(),
            org: OrgSelector::Default,
        };
        let busy = tenon_sdk::Error::unavailable("database.busy", "All database connections are in use.");
        let told = from_kernel(busy, &nobody);
        assert_eq!((told.status, &*told.code), (504, "PGRST003"));
        assert!(told.headers.iter().any(|(name, _)| name == "Retry-After"));
    }
}
