//! A small schema cache for the tests of the pure stages.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, Method};
use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api_request::{ApiRequest, HttpRequest};
use crate::error::Result;
use crate::plan::Plan;
use crate::schema_cache::SchemaCache;
use crate::settings::Settings;
use crate::sql::Statement;

pub(crate) const TENANT: Uuid = Uuid::from_u128(0xa);

fn column(name: &str, ty: &str) -> Value {
    let kind = if ty == "jsonb" { "json" } else { "other" };
    json!({"name": name, "type": ty, "kind": kind, "nullable": true, "default": null, "comment": null})
}

fn table(name: &str, tenant: bool, key: &[&str], columns: &[(&str, &str)]) -> Value {
    let columns: Vec<Value> = columns.iter().map(|(name, ty)| column(name, ty)).collect();
    json!({"schema": "shop", "name": name, "comment": null, "insertable": true, "updatable": true, "deletable": true,
           "tenant": tenant, "columns": columns, "primary_key": key})
}

fn key(name: &str, from: &str, to: &str, columns: &Value, unique: bool) -> Value {
    json!({"constraint": name, "schema": "shop", "table": from, "foreign_schema": "shop", "foreign_table": to,
           "columns": columns, "unique": unique})
}

pub(crate) fn cache() -> &'static SchemaCache {
    static CACHE: LazyLock<SchemaCache> = LazyLock::new(build);
    &CACHE
}

fn build() -> SchemaCache {
    let id = ["org_id", "id"];
    let tables = json!([
        table(
            "suppliers",
            true,
            &id,
            &[("org_id", "uuid"), ("id", "uuid"), ("name", "text")]
        ),
        table(
            "orders",
            true,
            &id,
            &[
                ("org_id", "uuid"),
                ("id", "uuid"),
                ("number", "text"),
                ("supplier_id", "uuid"),
                ("value", "numeric(12,2)"),
                ("data", "jsonb")
            ]
        ),
        table(
            "entries",
            true,
            &id,
            &[
                ("org_id", "uuid"),
                ("id", "uuid"),
                ("order_id", "uuid"),
                ("amount", "numeric")
            ]
        ),
        table(
            "labels",
            true,
            &id,
            &[("org_id", "uuid"), ("id", "uuid"), ("name", "text")]
        ),
        table(
            "order_labels",
            true,
            &["org_id", "order_id", "label_id"],
            &[("org_id", "uuid"), ("order_id", "uuid"), ("label_id", "uuid")]
        ),
        table("notes", false, &["id"], &[("id", "integer"), ("body", "text")]),
    ]);
    let keys = json!([
        key(
            "orders_supplier",
            "orders",
            "suppliers",
            &json!([["org_id", "org_id"], ["supplier_id", "id"]]),
            false
        ),
        key(
            "entries_order",
            "entries",
            "orders",
            &json!([["org_id", "org_id"], ["order_id", "id"]]),
            false
        ),
        key(
            "order_labels_order",
            "order_labels",
            "orders",
            &json!([["org_id", "org_id"], ["order_id", "id"]]),
            false
        ),
        key(
            "order_labels_label",
            "order_labels",
            "labels",
            &json!([["org_id", "org_id"], ["label_id", "id"]]),
            false
        ),
    ]);
    let functions = json!([
        {"schema": "shop", "name": "add", "comment": null, "volatile": false, "returns_set": false, "one_row": true,
         "returns": "scalar", "relation": null, "args": [
            {"name": "a", "type": "integer", "relation": null, "required": true, "variadic": false},
            {"name": "b", "type": "integer", "relation": null, "required": false, "variadic": false}]},
    ]);
    let domains = json!({
        "handlers": [
            {"media": "image/svg+xml", "base": "text", "function": {"schema": "shop", "name": "drawing"}, "relation": null,
             "aggregate": false},
            {"media": "application/vnd.orders", "base": "bytea", "function": {"schema": "shop", "name": "pack"},
             "relation": {"schema": "shop", "name": "orders"}, "aggregate": true},
            {"media": "text/tab-separated-values", "base": "text", "function": {"schema": "shop", "name": "tsv"},
             "relation": null, "aggregate": true},
        ],
        "representations": [
            {"domain": "shop.code", "direction": "to_json", "function": {"schema": "shop", "name": "code_shown"}},
            {"domain": "shop.code", "direction": "from_json", "function": {"schema": "shop", "name": "code_sent"}},
            {"domain": "shop.code", "direction": "from_text", "function": {"schema": "shop", "name": "code_asked"}},
        ],
        "geojson": null,
    });
    SchemaCache::from_json(
        &tables.to_string(),
        &keys.to_string(),
        &functions.to_string(),
        &domains.to_string(),
    )
    .expect("the fixture is valid")
}

pub(crate) fn settings() -> Settings {
    Settings {
        schemas: vec!["shop".to_owned()],
        aggregates: true,
        legacy_target_names: false,
        ..Settings::default()
    }
}

/// Compiles a request of an organisation's member.
pub(crate) fn plan(method: &str, target: &str, prefer: &str, body: &str) -> Result<Plan> {
    plan_for(method, target, prefer, body, Some(TENANT))
}

pub(crate) fn plan_for(
    method: &str,
    target: &str,
    prefer: &str,
    body: &str,
    tenant: Option<Uuid>,
) -> Result<Plan> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = HeaderMap::new();
    headers.insert("prefer", HeaderValue::from_str(prefer).expect("a header's value"));
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let body = Bytes::copy_from_slice(body.as_bytes());
    let request = HttpRequest {
        method: &method,
        path,
        query,
        headers: &headers,
        body: &body,
    };
    Plan::new(
        &ApiRequest::parse(request, &settings())?,
        cache(),
        &settings(),
        tenant,
    )
}

pub(crate) fn statement(method: &str, target: &str, prefer: &str, body: &str) -> Statement {
    let plan = plan(method, target, prefer, body).unwrap_or_else(|error| panic!("{target}: {error}"));
    Statement::new(&plan).expect("it needs the database")
}

/// A read under other settings.
pub(crate) fn statement_with(target: &str, set: impl FnOnce(&mut Settings)) -> Statement {
    let mut settings = settings();
    set(&mut settings);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = HttpRequest {
        method: &Method::GET,
        path,
        query,
        headers: &HeaderMap::new(),
        body: &Bytes::new(),
    };
    let request = ApiRequest::parse(request, &settings).unwrap_or_else(|error| panic!("{target}: {error}"));
    let plan = Plan::new(&request, cache(), &settings, Some(TENANT));
    Statement::new(&plan.unwrap_or_else(|error| panic!("{target}: {error}"))).expect("it needs the database")
}
