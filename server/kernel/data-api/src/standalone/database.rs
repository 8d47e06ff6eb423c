//! What is asked of the database besides requests: settings, and what there is.

use std::fmt;
use std::time::Duration;

use tenon_sdk::db::{Param, PlainDb, PlainError, PlainOptions, Statement, parse_url};

use super::config::{Config, KEYS, Key, Texts};
use crate::plan::array_literal;
use crate::schema_cache::{BEFORE_QUERY, QUERY, QualifiedName};

/// Why something could not be had from the database.
#[derive(Debug)]
pub(super) struct Trouble {
    reason: String,
    /// Trying again would not help: the database does not let this login in.
    pub(super) hopeless: bool,
}

impl From<PlainError> for Trouble {
    fn from(error: PlainError) -> Self {
        let (reason, hopeless) = match error {
            PlainError::Refused(error) => (error.to_string(), false),
            PlainError::Unreachable(error) => {
                let hopeless =
                    ["database.authentication", "database.password"].contains(&error.code.as_ref());
                (error.details.unwrap_or(error.message), hopeless)
            }
            PlainError::Lost => ("the connection was lost".to_owned(), false),
            PlainError::Busy => ("no connection became free".to_owned(), false),
        };
        Self { reason, hopeless }
    }
}

impl From<String> for Trouble {
    fn from(reason: String) -> Self {
        Self {
            reason,
            hopeless: false,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// The connections to the database of a configuration.
pub(super) fn open(config: &Config) -> Result<PlainDb, tenon_sdk::Error> {
    PlainDb::new(PlainOptions {
        config: address(config)?,
        pool_size: config.pool,
        wait: Duration::from_secs(config.pool_acquisition_timeout),
        idle: Duration::from_secs(config.pool_max_idletime),
        life: Duration::from_secs(config.pool_max_lifetime),
        prepared: config.prepared_statements,
    })
}

/// What the catalogues say of the exposed schemas, as JSON.
pub(super) async fn catalogue(db: &PlainDb, config: &Config) -> Result<String, Trouble> {
    let query = Statement {
        sql: QUERY.into(),
        params: vec![
            Param::text(array_literal(&config.settings.schemas)),
            Param::text(array_literal(&config.settings.extra_search_path)),
        ],
    };
    let mut results = db.query_all(vec![Statement::new(BEFORE_QUERY), query]).await?;
    let rows = results.pop().unwrap_or_default();
    let text = rows
        .into_iter()
        .next()
        .and_then(|row| row.into_iter().next()?)
        .ok_or_else(|| "the catalogue's query did not return its row".to_owned())?;
    Ok(String::from_utf8(text.to_vec()).map_err(|error| error.to_string())?)
}

/// What the database says: `ALTER ROLE … SET pgrst.…` of the login, for this database before all databases, and what the
/// function of the operator sets.
pub(super) async fn settings(db: &PlainDb, function: Option<&QualifiedName>) -> Result<Texts, Trouble> {
    let mut statements = Vec::new();
    if let Some(function) = function {
        statements.push(call(function));
    }
    statements.push(Statement {
        sql: include_str!("settings.sql").into(),
        params: vec![Param::text(array_literal(&in_database()))],
    });
    let results = db.query_all(statements).await?;
    let mut texts = Texts::new();
    for row in results.last().into_iter().flatten() {
        let [Some(name), Some(value)] = row.as_slice() else {
            continue;
        };
        let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
        if let Some(setting) = name.strip_prefix("pgrst.app.settings.") {
            texts.insert(format!("app.settings.{setting}"), value.into_owned());
        } else if let Some(key) = named(&name) {
            texts.insert(key.name.to_owned(), value.into_owned());
        }
    }
    Ok(texts)
}

fn in_database() -> Vec<String> {
    let keys = KEYS.iter().filter(|key| key.in_database);
    keys.map(|key| format!("pgrst.{}", key.name.replace('-', "_")))
        .collect()
}

fn named(name: &str) -> Option<&'static Key> {
    let name = name.strip_prefix("pgrst.")?.replace('_', "-");
    KEYS.iter()
        .find(|key| key.in_database && (key.name == name || key.alias == Some(name.as_str())))
}

/// `SELECT "schema"."function"()`
pub(super) fn call(function: &QualifiedName) -> Statement {
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let name = match function.schema.as_str() {
        "" => quote(&function.name),
        schema => format!("{}.{}", quote(schema), quote(&function.name)),
    };
    Statement::new(format!("SELECT {name}()"))
}

/// The address, with what it leaves out taken from the variables that `libpq` knows.
pub(super) fn address(config: &Config) -> Result<tokio_postgres::Config, tenon_sdk::Error> {
    let uri = match config.uri.as_str() {
        "postgresql://" | "postgres://" => "",
        other => other,
    };
    let mut address = parse_url(&understood(uri))?;
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if address.get_hosts().is_empty() {
        match variable("PGHOST") {
            Some(host) => address.host(&host),
            None => address.host("localhost"),
        };
    }
    if address.get_ports().is_empty()
        && let Some(port) = variable("PGPORT").and_then(|port| port.parse().ok())
    {
        address.port(port);
    }
    if address.get_user().is_none() {
        let user = variable("PGUSER")
            .or_else(|| variable("USER"))
            .unwrap_or_else(|| "postgres".to_owned());
        address.user(user);
    }
    if address.get_password().is_none()
        && let Some(password) = variable("PGPASSWORD")
    {
        address.password(password);
    }
    if address.get_dbname().is_none() {
        let name = variable("PGDATABASE").or_else(|| address.get_user().map(str::to_owned));
        address.dbname(name.unwrap_or_default());
    }
    if address.get_application_name().is_none() {
        address.application_name(variable("PGAPPNAME").unwrap_or_else(|| "tenon".to_owned()));
    }
    Ok(address)
}

/// An address without what `libpq` knows and the driver need not: ways of encryption that are not spoken here, and words
/// for what is done anyway. Certificates and names are always checked once a connection is encrypted.
fn understood(uri: &str) -> String {
    let Some((before, query)) = uri.split_once('?') else {
        return uri.to_owned();
    };
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !IGNORED.contains(&pair.split('=').next().unwrap_or_default()))
        .map(|pair| match pair {
            "sslmode=allow" => "sslmode=prefer",
            "sslmode=verify-ca" | "sslmode=verify-full" => "sslmode=require",
            other => other,
        })
        .collect();
    format!("{before}?{}", kept.join("&"))
}

/// Parameters of an address that change nothing here.
const IGNORED: [&str; 7] = [
    "client_encoding",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "krbsrvname",
    "sslcompression",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_say_what_only_libpq_knows() {
        for (uri, read) in [
            ("postgres://a@b/c", "postgres://a@b/c"),
            ("postgres://a@b/c?gssencmode=disable", "postgres://a@b/c?"),
            (
                "postgres://a@b/c?sslmode=verify-full&connect_timeout=5&client_encoding=utf8",
                "postgres://a@b/c?sslmode=require&connect_timeout=5",
            ),
            ("host=b user=a", "host=b user=a"),
        ] {
            assert_eq!(understood(uri), read);
            assert!(parse_url(&understood(uri)).is_ok(), "{uri}");
        }
    }
}
