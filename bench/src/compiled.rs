//! The statement that the data API compiles from a request, as a line of a pgbench script.

use anyhow::{Context, Result};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::Bytes;
use serde_json::Value;
use tenon_data_api::api_request::{ApiRequest, HttpRequest};
use tenon_data_api::plan::Plan;
use tenon_data_api::schema_cache::{QUERY, SchemaCache};
use tenon_data_api::settings::Settings;
use tenon_data_api::sql::Statement;
use tokio_postgres::Client;
use uuid::Uuid;

/// One request as the data API sees it.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The exposed schema.
    pub schema: &'a str,
    pub method: &'a Method,
    /// Below `/rest/v1`.
    pub path: &'a str,
    pub query: &'a str,
    pub prefer: Option<&'static str>,
    pub body: &'a [u8],
    pub tenant: Uuid,
}

impl Asked<'_> {
    /// The text with its parameters written in. Each value in `variables` is replaced by what stands beside it there
    /// (an expression of the script), every other one becomes a literal.
    pub async fn sql(&self, database: &Client, variables: &[(&str, &str)]) -> Result<String> {
        let schemas = vec![self.schema.to_owned()];
        let extra: Vec<String> = Vec::new();
        let read: Value = database.query_one(QUERY, &[&schemas, &extra]).await?.try_get(0)?;
        let cache = SchemaCache::from_catalogue(&read.to_string())?;
        let settings = Settings {
            schemas,
            ..Settings::default()
        };
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("application/json"));
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        if let Some(prefer) = self.prefer {
            headers.insert(
                HeaderName::from_static("prefer"),
                HeaderValue::from_static(prefer),
            );
        }
        let request = HttpRequest {
            method: self.method,
            path: self.path,
            query: self.query,
            headers: &headers,
            body: &Bytes::copy_from_slice(self.body),
        };
        let refused = |error| anyhow::anyhow!("the data API refuses the request: {error:?}");
        let request = ApiRequest::parse(request, &settings).map_err(refused)?;
        let plan = Plan::new(&request, &cache, &settings, Some(self.tenant)).map_err(refused)?;
        let statement = Statement::new(&plan).context("the request needs no statement")?;
        let mut sql = statement.sql;
        // The highest first, so that $1 does not match the beginning of $10.
        for (index, param) in statement.params.iter().enumerate().rev() {
            let value = std::str::from_utf8(&param.0)?;
            let variable = variables.iter().find(|(known, _)| *known == value);
            let written = variable.map_or_else(
                || format!("'{}'", value.replace('\'', "''")),
                |(_, expression)| (*expression).to_owned(),
            );
            sql = sql.replace(&format!("${}", index + 1), &written);
        }
        Ok(sql.replace('\n', " "))
    }
}
