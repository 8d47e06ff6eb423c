//! A database of its own for each test, and the five stages run against it with a plain client as the superuser:
//! row-level security does not apply, so what is asserted here is the planner's own wall.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::{Bytes, BytesMut};
use serde_json::Value;
use tenon_data_api::api_request::{ApiRequest, HttpRequest};
use tenon_data_api::cost::CostGate;
use tenon_data_api::error::{DatabaseError, Error};
use tenon_data_api::plan::Plan;
use tenon_data_api::respond::{DbResult, Lines, Response, check, info, respond};
use tenon_data_api::schema_cache::{QUERY, SchemaCache};
use tenon_data_api::settings::Settings;
use tenon_data_api::sql::{Param, Statement, estimated_rows};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

pub const ORG_A: Uuid = Uuid::from_u128(0x0a);

pub struct Shop {
    client: Client,
    pub cache: SchemaCache,
    pub settings: Settings,
    pub tenant: Option<Uuid>,
    /// Statements at the beginning of every transaction.
    pub prelude: Option<String>,
}

/// An answer, with its body read as JSON if it is any.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Value,
    /// The body as it was sent.
    pub raw: Bytes,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

async fn connect(config: &tokio_postgres::Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("the test cluster answers");
    tokio::spawn(connection);
    client
}

impl Shop {
    pub async fn open() -> Self {
        let postgres = tenon_testkit::postgres::shared();
        let schema = include_str!("schema.sql");
        let mut hasher = DefaultHasher::new();
        schema.hash(&mut hasher);
        let name = format!("data_api_{:x}", hasher.finish());
        // One database for all tests of all processes: they roll back, so none sees another's changes.
        let admin = connect(&postgres.superuser("postgres")).await;
        admin
            .batch_execute("select pg_advisory_lock(7266)")
            .await
            .expect("one process at a time makes it");
        let made = admin
            .query_opt("select from pg_database where datname = $1", &[&name])
            .await
            .expect("can be asked");
        if made.is_none() {
            let new = format!("{name}_new");
            admin
                .batch_execute(&format!("drop database if exists {new}"))
                .await
                .expect("a leftover can be dropped");
            admin
                .batch_execute(&format!("create database {new}"))
                .await
                .expect("a database can be made");
            let client = connect(&postgres.superuser(&new)).await;
            client.batch_execute(schema).await.expect("the schema is valid");
            drop(client);
            let rename = format!("alter database {new} rename to {name}");
            // The last connection may take a moment to leave.
            while admin.batch_execute(&rename).await.is_err() {
                tokio::task::yield_now().await;
            }
        }
        drop(admin);
        let client = connect(&postgres.superuser(&name)).await;
        let schemas = vec!["shop".to_owned()];
        let extra: Vec<String> = Vec::new();
        let row = client
            .query_one(QUERY, &[&schemas, &extra])
            .await
            .expect("the catalogue can be read");
        let json: Value = row.get(0);
        let cache = SchemaCache::from_catalogue(&json.to_string()).expect("the catalogue is understood");
        let settings = Settings {
            schemas,
            tx_override: true,
            ..Settings::default()
        };
        Self {
            client,
            cache,
            settings,
            tenant: Some(ORG_A),
            prelude: None,
        }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.send("GET", target, &[], "").await
    }

    /// Runs a request through all stages and rolls it back.
    pub async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let response = match self.try_send(method, target, headers, body).await {
            Ok(response) => response,
            Err(error) => Response::from(&error),
        };
        let _ = self.client.batch_execute("rollback").await;
        let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        Answer {
            status: response.status,
            headers: response.headers,
            body,
            raw: response.body,
        }
    }

    pub fn compile(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<(ApiRequest, Plan), Error> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            map.append(name, HeaderValue::from_str(value).expect("a header's value"));
        }
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let body = Bytes::copy_from_slice(body.as_bytes());
        let request = HttpRequest {
            method: &method,
            path,
            query,
            headers: &map,
            body: &body,
        };
        let request = ApiRequest::parse(request, &self.settings)?;
        let plan = Plan::new(&request, &self.cache, &self.settings, self.tenant)?;
        Ok((request, plan))
    }

    async fn try_send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Response, Error> {
        let (request, plan) = self.compile(method, target, headers, body)?;
        let Some(statement) = Statement::new(&plan) else {
            return Ok(info(&plan).expect("only these need no database"));
        };
        let begin = if let Some(prelude) = &self.prelude {
            prelude.as_str()
        } else if plan.is_read_only() {
            "begin read only"
        } else {
            "begin"
        };
        self.client
            .batch_execute(begin)
            .await
            .expect("a transaction begins");
        if let Some(zone) = &plan.timezone {
            let zone = Statement {
                sql: "select set_config('timezone', $1, true)".to_owned(),
                params: vec![Param(Bytes::from(zone.clone()))],
                names_tenant: false,
            };
            self.query(&zone).await?;
        }
        for before in Statement::before(&plan) {
            self.query(&before).await?;
        }
        if let Some(gate) = CostGate::new(&plan, &self.settings, None) {
            let explained: Value = self.query(&gate.statement()).await?[0].get(0);
            gate.judge(explained.to_string().as_bytes())?;
        }
        let rows = self.query(&statement).await?;
        if let Some(explain) = &plan.explain {
            let lines = rows.iter().map(|row| {
                if explain.json {
                    row.get::<_, Value>(0).to_string()
                } else {
                    row.get::<_, String>(0)
                }
            });
            return respond(&request, &plan, DbResult::explained(lines));
        }
        let mut result = DbResult::from_row(&rows[0]).expect("the documented columns");
        if let Some(estimate) = Statement::estimate(&plan) {
            let explained: Value = self.query(&estimate).await?[0].get(0);
            result.estimate = estimated_rows(&explained.to_string());
        }
        if let Some(streamed) = Statement::streamed(&plan) {
            self.same_row_by_row(&plan, &streamed, &result).await?;
        }
        check(&plan, &result)?;
        respond(&request, &plan, result)
    }

    /// A stream says the same as the statement that makes all of the body at once.
    async fn same_row_by_row(
        &self,
        plan: &Plan,
        streamed: &Statement,
        whole: &DbResult,
    ) -> Result<(), Error> {
        let rows = self.query(streamed).await?;
        let text =
            |row: &tokio_postgres::Row, index: usize| row.get::<_, Option<String>>(index).map(Bytes::from);
        let rows = rows.iter().map(|row| {
            let total = row.get::<_, Option<i64>>(0);
            let total = total.map(|total| Bytes::from(total.to_string()));
            let rest = (1..row.len()).map(|index| text(row, index));
            std::iter::once(total).chain(rest).collect::<Vec<_>>()
        });
        let (mut lines, mut body, mut result) = (Lines::new(plan), BytesMut::new(), None);
        let mut count = 0;
        for row in rows {
            result.get_or_insert_with(|| Lines::result(&row));
            count += i64::from(lines.write(&row, &mut body));
        }
        let result = DbResult {
            page_count: count,
            body: Some(body.freeze()),
            estimate: whole.estimate,
            ..result.expect("at least one row")
        };
        assert_eq!(&result, whole, "{}", streamed.sql);
        Ok(())
    }

    async fn query(&self, statement: &Statement) -> Result<Vec<tokio_postgres::Row>, Error> {
        let params: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> =
            statement.params.iter().map(|param: &Param| param as _).collect();
        self.client
            .query(&statement.sql, &params)
            .await
            .map_err(|error| match error.as_db_error() {
                Some(reported) => Error::from_database(&DatabaseError::from(reported), true),
                None => panic!("{error}: {}", statement.sql),
            })
    }
}
