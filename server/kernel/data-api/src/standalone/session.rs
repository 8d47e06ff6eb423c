//! A caller becomes the context of a transaction: role, claims, and everything about the request that SQL may read.

use std::fmt::Write;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};
use tenon_sdk::db::{Isolation, Param, PlainContext, Statement};

use super::jwt::claims_as;
use super::state::State;
use crate::api_request::HttpRequest;
use crate::error::{Error, Result};
use crate::http::headers_json;
use crate::schema_cache::RoleSettings;
use crate::sql::search_path;

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) role: Arc<str>,
    /// As JSON, with the role.
    claims: Bytes,
    /// As somebody else than those without a token.
    pub(super) signed_in: bool,
}

/// Reads the token, if there is one.
pub(super) fn caller(state: &State, headers: &HeaderMap, now: i64) -> Result<Caller> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| {
            let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
    let known = bearer
        .map(|token| state.verifier.verify(token, now))
        .transpose()?;
    let named = known.as_ref().and_then(|token| token.role.clone());
    let anonymous = state.config.anon_role.as_deref();
    let Some(role) = named.or_else(|| anonymous.map(Arc::from)) else {
        return Err(Error::token_required());
    };
    let claims = match known {
        Some(token) => token.claims_as(&role),
        None => claims_as(Map::new(), &role),
    };
    Ok(Caller {
        signed_in: anonymous != Some(&*role),
        role,
        claims,
    })
}

/// What else the context says.
pub(super) struct Circumstances<'a> {
    pub(super) schema: &'a str,
    pub(super) http: HttpRequest<'a>,
    pub(super) read_only: bool,
    pub(super) roll_back: bool,
    pub(super) timezone: Option<&'a str>,
    /// Settings that the role brings with it.
    pub(super) role: Option<&'a RoleSettings>,
    /// Settings of the function that is called.
    pub(super) function: &'a [(String, String)],
}

/// The context of a transaction.
pub(super) fn context(state: &State, caller: &Caller, at: &Circumstances<'_>) -> PlainContext {
    let config = &state.config;
    let mut opener = Opener {
        sql: String::with_capacity(512),
        params: Vec::with_capacity(16),
    };
    opener.set(
        "search_path",
        search_path(at.schema, &config.settings.extra_search_path),
    );
    opener.set("role", &*caller.role);
    opener.set_to("request.jwt.claims", caller.claims.clone());
    opener.set("request.method", at.http.method.as_str());
    opener.set("request.path", at.http.path);
    opener.set(
        "request.headers",
        headers_json(at.http.headers, &[header::COOKIE]),
    );
    opener.set("request.cookies", cookie_json(at.http.headers));
    if at.read_only {
        opener.set("transaction_read_only", "on");
    }
    let brought = at.role.iter().flat_map(|role| &role.settings);
    for (name, value) in brought {
        opener.set(name, value.as_str());
    }
    let hoisted = at
        .function
        .iter()
        .filter(|(name, _)| config.hoisted_tx_settings.contains(name));
    let mut isolation = at.role.and_then(|role| role.isolation.as_deref());
    for (name, value) in hoisted {
        if name == "default_transaction_isolation" {
            isolation = Some(value);
        } else {
            opener.set(name, value.as_str());
        }
    }
    if let Some(timezone) = at.timezone {
        opener.set("timezone", timezone);
    }
    for (name, value) in &config.app_settings {
        opener.set(name, value.as_str());
    }
    PlainContext {
        role: caller.role.clone(),
        opener: opener.finish(),
        isolation: isolation.map(level).unwrap_or_default(),
        read_only: at.read_only,
        roll_back: at.roll_back,
    }
}

fn level(name: &str) -> Isolation {
    match name.to_ascii_lowercase().as_str() {
        "repeatable read" => Isolation::RepeatableRead,
        "serializable" => Isolation::Serializable,
        _ => Isolation::ReadCommitted,
    }
}

/// One `SELECT set_config(…), …`. Names stand in its text, so that the same ones are prepared once; values do not.
struct Opener {
    sql: String,
    params: Vec<Param>,
}

impl Opener {
    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.set_to(name, Bytes::from(value.into()));
    }

    fn set_to(&mut self, name: &str, value: Bytes) {
        self.params.push(Param {
            oid: 0,
            value: Some(value),
        });
        self.sql
            .push_str(if self.sql.is_empty() { "SELECT " } else { ", " });
        self.sql.push_str("set_config(E'");
        for c in name.chars() {
            if matches!(c, '\'' | '\\') {
                self.sql.push(c);
            }
            self.sql.push(c);
        }
        let _ = write!(self.sql, "', ${}, true)", self.params.len());
    }

    fn finish(self) -> Statement {
        Statement {
            sql: self.sql.into(),
            params: self.params,
        }
    }
}

fn cookie_json(headers: &HeaderMap) -> String {
    let mut object = Map::new();
    for value in headers.get_all(header::COOKIE) {
        let text = String::from_utf8_lossy(value.as_bytes()).replace('\0', "");
        for pair in text.split(';') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !name.trim().is_empty() {
                object.insert(name.trim().to_owned(), Value::from(value.trim()));
            }
        }
    }
    Value::Object(object).to_string()
}
