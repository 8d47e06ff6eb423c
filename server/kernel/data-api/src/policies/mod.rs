//! What row-level security does to a read: which policies hold for its reader on every relation that is touched, how many
//! rows each lets through, and whether it is worked out once or for every row.
//!
//! It counts rows that the reader may not see, so it is for operators: it wants a connection of a role that row-level
//! security does not hold for. All of it happens in a transaction that is rolled back.

mod plan;
mod report;

use std::collections::BTreeSet;

use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

pub use plan::{Evaluation, Step};

use crate::api_request::{ApiRequest, HttpRequest};
use crate::client_types;
use crate::plan::{Plan, PlannedAction, ReadPlan, Via};
use crate::settings::Settings;
use crate::sql::Statement;

/// Relations, whose policies, as whom.
const RELATIONS: &str = include_str!("relations.sql");

/// Policies see the row under the name of their table, of which this is a copy without row-level security.
const COPY: &str = "tenon_all_rows";

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Path and query below the API's root: `/orders?select=number`.
    pub target: String,
    /// Exposed schemas; the first is meant.
    pub schemas: Vec<String>,
    /// The role of the reader.
    pub role: String,
    /// A person; then the database is Tenon's, and the role that of people who are signed in.
    pub user: Option<Uuid>,
    /// An organisation by its id or name in addresses, if not the person's default.
    pub organization: Option<String>,
    /// The token's claims as JSON.
    pub claims: Option<String>,
    /// Further settings that policies read.
    pub settings: Vec<(String, String)>,
    /// Most rows of each relation that are judged; the first that are found.
    pub rows: i64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The role.
    pub role: String,
    /// The organisation.
    pub organization: Option<Uuid>,
    /// Relations that the request reads.
    pub relations: Vec<Relation>,
    /// How PostgreSQL ran it.
    pub steps: Vec<Step>,
    /// Why it did not.
    pub refused: Option<String>,
}

/// A relation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Relation {
    /// With its schema.
    pub name: String,
    /// As whom it is read.
    pub reader: String,
    /// Why no policy is asked, if none is.
    pub open: Option<&'static str>,
    /// Policies that hold for the reader.
    pub policies: Vec<Policy>,
    /// Rows that were judged.
    pub judged: i64,
    /// There are more than those.
    pub more: bool,
    /// Rows that all policies together let through.
    pub visible: Option<i64>,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// One permissive policy must agree, and every restrictive one.
    pub permissive: bool,
    /// Roles that it was made for.
    pub roles: Vec<String>,
    /// Its condition.
    pub expression: String,
    /// Rows that it alone lets through.
    pub passed: Option<i64>,
    /// How often it is worked out.
    pub evaluation: Option<Evaluation>,
    /// What it failed with.
    pub error: Option<String>,
}

#[derive(Deserialize)]
struct Known {
    name: String,
    permissive: bool,
    roles: Vec<String>,
    expression: Option<String>,
}

/// Answers a question; `client` may see all rows.
pub async fn explain(client: &Client, question: &Question) -> Result<Report, Failure> {
    client.batch_execute("begin").await?;
    let report = within(client, question).await;
    client.batch_execute("rollback").await?;
    report
}

async fn within(client: &Client, question: &Question) -> Result<Report, Failure> {
    let (_, cache) = client_types::read(client, &question.schemas).await?;
    let settings = Settings {
        schemas: question.schemas.clone(),
        aggregates: true,
        ..Settings::default()
    };
    let (path, query) = question.target.split_once('?').unwrap_or((&question.target, ""));
    let request = HttpRequest {
        method: &Method::GET,
        path,
        query,
        headers: &HeaderMap::new(),
        body: &Bytes::new(),
    };
    let request = ApiRequest::parse(request, &settings)?;
    let organization = begin(client, question).await?;
    let plan = Plan::new(&request, &cache, &settings, organization)?;
    let PlannedAction::Read(read) = &plan.action else {
        return Err("Only reads of relations are explained.".into());
    };
    let statement = Statement::new(&plan).ok_or("The database is not asked for this.")?;
    let role = &question.role;
    let explain = "explain (analyze, verbose, costs off, timing off, format json) ";
    let ran = as_role(
        client,
        role,
        &format!("{explain}{}", statement.sql),
        &statement.params,
    )
    .await?;
    let (steps, refused) = match ran {
        Ok(rows) => (plan::steps(&json(&rows)), None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let mut names = BTreeSet::new();
    name(read, &mut names);
    let names: Vec<String> = names.into_iter().collect();
    // Names of other schemas are written in full.
    client
        .batch_execute("savepoint tenon_names; set local search_path = pg_catalog")
        .await?;
    let rows = client.query(RELATIONS, &[&names, role]).await?;
    client.batch_execute("rollback to savepoint tenon_names").await?;
    let mut relations = Vec::with_capacity(rows.len());
    for row in &rows {
        relations.push(relation(client, question, row).await?);
    }
    Ok(Report {
        role: role.clone(),
        organization,
        relations,
        steps,
        refused,
    })
}

/// Sets what policies read. The role is taken later, for one statement at a time.
async fn begin(client: &Client, question: &Question) -> Result<Option<Uuid>, Failure> {
    let mut organization = None;
    if let Some(user) = &question.user {
        let claims = question.claims.clone().unwrap_or_else(|| {
            serde_json::json!({"sub": user.to_string(), "role": "authenticated"}).to_string()
        });
        let named = question.organization.as_deref();
        let id = named.and_then(|name| Uuid::try_parse(name).ok());
        let slug = named.filter(|_| id.is_none());
        let begin = "select org_id from kernel.begin_request($1, $2, $3, $4, $5, 'GET', $6, false)";
        let row = client
            .query_one(
                begin,
                &[&question.role, user, &claims, &id, &slug, &question.target],
            )
            .await?;
        organization = row.try_get(0)?;
        client.batch_execute("set local role none").await?;
    } else {
        let claims = question
            .claims
            .clone()
            .unwrap_or_else(|| serde_json::json!({"role": question.role}).to_string());
        set(client, "request.jwt.claims", &claims).await?;
        set(client, "request.method", "GET").await?;
    }
    for (name, value) in &question.settings {
        set(client, name, value).await?;
    }
    Ok(organization)
}

async fn set(client: &Client, name: &str, value: &str) -> Result<(), Failure> {
    client
        .execute("select set_config($1, $2, true)", &[&name, &value])
        .await?;
    Ok(())
}

/// The relations of a read as they stand in SQL.
fn name(read: &ReadPlan, names: &mut BTreeSet<String>) {
    names.insert(quoted_relation(&read.table.schema, &read.table.name));
    for embed in &read.embeds {
        if let Via::Junction { junction, .. } = &embed.via {
            names.insert(quoted_relation(&junction.table.schema, &junction.table.name));
        }
        name(&embed.read, names);
    }
}

async fn relation(client: &Client, question: &Question, row: &Row) -> Result<Relation, Failure> {
    let (schema, table): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
    let (view, secured, forced): (bool, bool, bool) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
    let reader: String = row.try_get(5)?;
    let known: Value = row.try_get(6)?;
    let known: Vec<Known> = serde_json::from_value(known)?;
    let source = quoted_relation(schema, table);
    let active = format!("select pg_catalog.row_security_active({})", literal(&source));
    let active = |role: String| {
        let active = active.clone();
        async move {
            let rows = as_role(client, &role, &active, &[]).await??;
            Ok::<bool, Failure>(rows.first().is_some_and(|row| row.get(0)))
        }
    };
    let open = match (view, secured) {
        (true, _) => Some("a view: what is below it is read with the rights told there"),
        (_, false) => Some("row-level security is off"),
        _ if active(reader.clone()).await? => None,
        _ if forced => Some("the reader bypasses row-level security"),
        _ => Some("the reader owns it, or bypasses row-level security"),
    };
    let mut relation = Relation {
        name: format!("{schema}.{table}"),
        reader: reader.clone(),
        open,
        policies: Vec::new(),
        judged: 0,
        more: false,
        visible: None,
    };
    if relation.open.is_some() {
        return Ok(relation);
    }
    if active("none".to_owned()).await? {
        let text = "This connection does not see all rows of";
        return Err(format!("{text} {source}: connect as a superuser, or as a role with BYPASSRLS.").into());
    }
    client
        .batch_execute(&format!(
            "savepoint tenon_copy; create temp view {COPY} as select * from {source}; grant select on {COPY} to {}",
            identifier(&reader)
        ))
        .await?;
    let judge = Judge {
        client,
        reader: &reader,
        table,
        rows: question.rows.max(0),
    };
    relation.judged = judge.count("true").await?.unwrap_or_default();
    relation.more = judge.more().await?;
    for known in known {
        relation.policies.push(judge.policy(known).await?);
    }
    let expressions = |permissive: bool| {
        let wanted = relation
            .policies
            .iter()
            .filter(move |policy| policy.permissive == permissive);
        let texts: Vec<String> = wanted.map(|policy| format!("({})", policy.expression)).collect();
        texts
    };
    let (any, all) = (expressions(true), expressions(false));
    let any = if any.is_empty() {
        "false".to_owned()
    } else {
        any.join(" or ")
    };
    let all = if all.is_empty() {
        "true".to_owned()
    } else {
        all.join(" and ")
    };
    relation.visible = judge.count(&format!("({any}) and {all}")).await?.ok();
    client.batch_execute("rollback to savepoint tenon_copy").await?;
    Ok(relation)
}

/// Judges the rows of one relation by conditions of its policies, with the rights of its reader.
struct Judge<'a> {
    client: &'a Client,
    reader: &'a str,
    table: &'a str,
    rows: i64,
}

impl Judge<'_> {
    /// Rows for which a condition holds; in the inner result what it failed with.
    async fn count(&self, condition: &str) -> Result<Result<i64, String>, Failure> {
        let query = format!(
            "select count(*) filter (where {condition}) from (select * from pg_temp.{COPY} limit {}) as {}",
            self.rows,
            identifier(self.table)
        );
        let counted = as_role(self.client, self.reader, &query, &[]).await?;
        Ok(counted.map(|rows| rows.first().map_or(0, |row| row.get(0))))
    }

    /// Whether there are rows that are not judged.
    async fn more(&self) -> Result<bool, Failure> {
        let query = format!("select exists (select from pg_temp.{COPY} offset {})", self.rows);
        let found = as_role(self.client, self.reader, &query, &[]).await?;
        Ok(found.is_ok_and(|rows| rows.first().is_some_and(|row| row.get(0))))
    }

    async fn policy(&self, known: Known) -> Result<Policy, Failure> {
        let expression = known.expression.unwrap_or_else(|| "true".to_owned());
        // PostgreSQL makes joins of these, but not where they belong to a policy.
        let joins = expression.contains("EXISTS ( SELECT") || expression.contains("IN ( SELECT");
        let query = format!(
            "explain (verbose, costs off, format json) select 1 from pg_temp.{COPY} as {} where ({expression}){}",
            identifier(self.table),
            if joins { " is true" } else { "" }
        );
        let explained = as_role(self.client, self.reader, &query, &[]).await?;
        let counted = self.count(&expression).await?;
        Ok(Policy {
            name: known.name,
            permissive: known.permissive,
            roles: known.roles,
            expression,
            passed: counted.as_ref().ok().copied(),
            evaluation: explained.ok().map(|rows| plan::evaluation(&json(&rows))),
            error: counted.err(),
        })
    }
}

/// Runs a statement as a role; in the inner result what PostgreSQL refused it with.
async fn as_role(
    client: &Client,
    role: &str,
    sql: &str,
    params: &[crate::sql::Param],
) -> Result<Result<Vec<Row>, String>, Failure> {
    let role = if role == "none" {
        role.to_owned()
    } else {
        identifier(role)
    };
    client
        .batch_execute(&format!("savepoint tenon_role; set local role {role}"))
        .await?;
    let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
    let rows = client.query(sql, &params).await;
    client.batch_execute("rollback to savepoint tenon_role").await?;
    match rows {
        Ok(rows) => Ok(Ok(rows)),
        Err(error) => match error.as_db_error() {
            Some(reported) => Ok(Err(format!("{}: {}", reported.code().code(), reported.message()))),
            None => Err(error.into()),
        },
    }
}

fn json(rows: &[Row]) -> Value {
    rows.first()
        .and_then(|row| row.try_get(0).ok())
        .unwrap_or(Value::Null)
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\"").replace('\0', ""))
}

fn quoted_relation(schema: &str, name: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(name))
}

fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
