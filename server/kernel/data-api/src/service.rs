//! Stage 4, run, and the data API as a module of the server: the one place here that does I/O.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::response::IntoResponse;
use axum::{Extension, Router};
use bytes::Bytes;
use serde_json::Value;
use tenon_sdk::ctx::Identity;
use tenon_sdk::db::{OrgSelector, RequestContext, RequestTx};
use tenon_sdk::http::{OrgHeader, RequestIdentity};
use tenon_sdk::module::Routes;
use tenon_sdk::{Kernel, Module, SystemTx};
use tokio::sync::Notify;
use tokio_postgres::types::ToSql;

use crate::api_request::{ApiRequest, Count, HttpRequest};
use crate::error::{DatabaseError, Error, Result};
use crate::plan::{Plan, PlannedAction};
use crate::respond::{self, DbResult, Response};
use crate::schema_cache::{QUERIES, SchemaCache};
use crate::settings::Settings;
use crate::sql::{Statement, estimated_rows};

/// Where the data API lives.
const ROOT: &str = "/rest/v1";
/// Changes to a schema come in bursts; the cache is read once after each.
const RELOAD_PAUSE: Duration = Duration::from_millis(100);

/// What requests are planned against; swapped as one, so that no request waits for a reload.
#[derive(Default)]
struct Loaded {
    cache: SchemaCache,
    settings: Settings,
}

type Shared = Arc<RwLock<Option<Arc<Loaded>>>>;

/// The module's manifest. `reload` wakes it when the schema may have changed.
pub fn module(reload: Arc<Notify>) -> Module {
    let shared = Shared::default();
    let served = shared.clone();
    Module::new("rest", "Data API").routes(move || routes(served.clone())).on_start(move |kernel| {
        let (shared, reload) = (shared.clone(), reload.clone());
        async move {
            load(&kernel, &shared).await?;
            tokio::spawn(keep_loaded(kernel, shared, reload));
            Ok(())
        }
    })
}

fn routes(shared: Shared) -> Routes {
    let any = || axum::routing::any(answer);
    let router: Router<Kernel> = Router::new()
        .route(ROOT, any())
        .route("/rest/v1/", any())
        .route("/rest/v1/{*path}", any())
        .layer(Extension(shared));
    router.into()
}

async fn load(kernel: &Kernel, shared: &Shared) -> tenon_sdk::Result<()> {
    let mut schemas = vec!["public".to_owned()];
    for module in kernel.modules() {
        schemas.extend(module.api_schemas.iter().map(|schema| (*schema).to_owned()));
    }
    let tx = SystemTx::begin(kernel.db(), "schema cache").await?;
    let mut read = Vec::with_capacity(QUERIES.len());
    for query in QUERIES {
        let json: Value = tx.query_one(query, &[&schemas]).await?.try_get(0)?;
        read.push(json.to_string());
    }
    tx.commit().await?;
    let cache = SchemaCache::from_json(&read[0], &read[1], &read[2]).map_err(tenon_sdk::Error::internal)?;
    let settings =
        Settings { schemas, max_rows: Some(kernel.config().rest.max_rows), ..Settings::default() };
    let loaded = Arc::new(Loaded { cache, settings });
    *shared.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
    Ok(())
}

async fn keep_loaded(kernel: Kernel, shared: Shared, reload: Arc<Notify>) {
    loop {
        reload.notified().await;
        tokio::time::sleep(RELOAD_PAUSE).await;
        if let Err(error) = load(&kernel, &shared).await {
            tracing::warn!(%error, "the schema could not be read anew; the old one stays");
        }
    }
}

/// The straight line of a request: parse, plan, sql, run, respond.
async fn answer(
    State(kernel): State<Kernel>,
    Extension(shared): Extension<Shared>,
    Extension(RequestIdentity(identity)): Extension<RequestIdentity>,
    Extension(OrgHeader(org)): Extension<OrgHeader>,
    (method, uri, headers): (Method, Uri, HeaderMap),
    body: Bytes,
) -> axum::response::Response {
    let loaded = shared.read().unwrap_or_else(PoisonError::into_inner).clone();
    let outcome = async {
        let loaded = loaded.ok_or_else(Error::no_schema_cache)?;
        let path = uri.path().strip_prefix(ROOT).unwrap_or_default();
        let http = HttpRequest {
            method: &method,
            path: if path.is_empty() { "/" } else { path },
            query: uri.query().unwrap_or_default(),
            headers: &headers,
            body: &body,
        };
        let request = ApiRequest::parse(http, &loaded.settings)?;
        let mut context = RequestContext {
            role: identity.role,
            user: identity.user,
            claims: identity.claims.clone(),
            org,
            request: Some((method.as_str().to_owned(), uri.path().to_owned())),
            read_only: true,
        };
        let tenant = tenant(&kernel, &identity, &mut context).await?;
        let plan = Plan::new(&request, &loaded.cache, &loaded.settings, tenant)?;
        if let Some(info) = respond::info(&plan) {
            return Ok(info);
        }
        context.read_only = plan.is_read_only();
        let result = run(&kernel, &context, &plan).await?;
        respond::respond(&request, &plan, result)
    };
    let response = match outcome.await {
        Ok(response) => response,
        Err(error) => Response::from(&error),
    };
    into_http(response)
}

/// The organisation of the request as an id, so that every statement can name it.
async fn tenant(
    kernel: &Kernel,
    identity: &Identity,
    context: &mut RequestContext,
) -> Result<Option<uuid::Uuid>> {
    if identity.user.is_none() {
        return Ok(None);
    }
    if let OrgSelector::Id(id) = context.org {
        return Ok(Some(id));
    }
    let resolved = kernel.db().resolve(context).await.map_err(|error| refused(error, true))?;
    let org = resolved.org.map(|org| org.0);
    if let Some(org) = org {
        context.org = OrgSelector::Id(org);
    }
    Ok(org)
}

async fn run(kernel: &Kernel, context: &RequestContext, plan: &Plan) -> Result<DbResult> {
    let statement = Statement::new(plan).ok_or_else(Error::no_schema_cache)?;
    let signed_in = context.user.is_some();
    let result = if alone(plan) {
        run_alone(kernel, context, plan, &statement).await?
    } else {
        let params = statement
            .params
            .into_iter()
            .map(|param| tenon_sdk::db::Param { oid: 0, value: Some(param.0) })
            .collect();
        let statement = tenon_sdk::db::Statement { sql: statement.sql.into(), params };
        let reply = kernel.db().run(context, statement).await.map_err(|error| refused(error, signed_in))?;
        reply.rows.first().and_then(|row| DbResult::from_texts(row))
    };
    result.ok_or_else(|| refused(tenon_sdk::Error::internal("the data API's statement gave no row"), signed_in))
}

/// Whether a request gets a connection of its own: it needs two statements, its result decides whether it may stand, or
/// it may run long and would hold up its neighbours.
fn alone(plan: &Plan) -> bool {
    plan.checks_before_commit()
        || plan.wants_estimate()
        || plan.count == Some(Count::Exact)
        || matches!(plan.action, PlannedAction::Call(_))
}

async fn run_alone(
    kernel: &Kernel,
    context: &RequestContext,
    plan: &Plan,
    statement: &Statement,
) -> Result<Option<DbResult>> {
    let signed_in = context.user.is_some();
    let refused = |error| refused(error, signed_in);
    let tx = RequestTx::begin(kernel.db(), context).await.map_err(refused)?;
    let rows = tx.query(&statement.sql, &as_sql(statement)).await.map_err(refused)?;
    let Some(row) = rows.first() else { return Ok(None) };
    let mut result = DbResult::from_row(row).map_err(|error| refused(error.into()))?;
    if let Some(estimate) = Statement::estimate(plan) {
        let rows = tx.query(&estimate.sql, &as_sql(&estimate)).await.map_err(refused)?;
        let explained: Option<Value> = rows.first().map(|row| row.try_get(0)).transpose().map_err(
            |error: tokio_postgres::Error| refused(error.into()),
        )?;
        result.estimate = explained.and_then(|explained| estimated_rows(&explained.to_string()));
    }
    // A result that may not stand is rolled back when the transaction is dropped here.
    respond::check(plan, &result)?;
    tx.commit().await.map_err(refused)?;
    Ok(Some(result))
}

fn as_sql(statement: &Statement) -> Vec<&(dyn ToSql + Sync)> {
    statement.params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

/// What the kernel or PostgreSQL refused, in the words of the dialect.
fn refused(error: tenon_sdk::Error, signed_in: bool) -> Error {
    let is_sqlstate = error.code.len() == 5
        && error.code.bytes().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit());
    if is_sqlstate {
        let database = DatabaseError {
            code: error.code.into_owned(),
            message: error.message,
            detail: error.details,
            hint: error.hint,
            constraint: None,
        };
        return Error::from_database(&database, signed_in);
    }
    Error::from_kernel(error)
}

fn into_http(response: Response) -> axum::response::Response {
    let mut answer = (
        axum::http::StatusCode::from_u16(response.status).unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR),
        Body::from(response.body),
    )
        .into_response();
    let fields = answer.headers_mut();
    fields.remove(axum::http::header::CONTENT_TYPE);
    for (name, value) in response.headers {
        // A function may set any header; what HTTP does not allow is left out.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        {
            fields.append(name, value);
        }
    }
    answer
}
