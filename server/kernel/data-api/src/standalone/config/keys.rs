//! The table of settings, and how their texts are read.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;

use super::{ConfigError, Texts};
use crate::schema_cache::QualifiedName;

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name in the file.
    pub name: &'static str,
    /// What it was called before.
    pub alias: Option<&'static str>,
    /// What it is when nobody says.
    pub default: &'static str,
    /// It may be set in the database.
    pub in_database: bool,
    /// It is a number or a switch, printed without quotes.
    pub bare: bool,
}

const fn key(name: &'static str, default: &'static str) -> Key {
    Key {
        name,
        alias: None,
        default,
        in_database: false,
        bare: false,
    }
}

impl Key {
    const fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    const fn db(mut self) -> Self {
        self.in_database = true;
        self
    }

    const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    /// Its name in the environment.
    pub fn variable(&self) -> String {
        variable(self.name)
    }
}

fn variable(name: &str) -> String {
    format!("PGRST_{}", name.to_ascii_uppercase().replace('-', "_"))
}

/// All settings but `app.settings.*`, in the order in which they are printed.
pub const KEYS: &[Key] = &[
    key("client-error-verbosity", "verbose").db(),
    key("db-aggregates-enabled", "false").bare().db(),
    key("db-anon-role", "").db(),
    key("db-channel", "pgrst"),
    key("db-channel-enabled", "true").bare(),
    key("db-extra-search-path", "public").db(),
    key(
        "db-hoisted-tx-settings",
        "statement_timeout,plan_filter.statement_cost_limit,default_transaction_isolation",
    )
    .db(),
    key("db-max-cost", "").bare().db(),
    key("db-max-rows", "").bare().db().alias("max-rows"),
    key("db-plan-enabled", "false").bare().db(),
    key("db-pool", "10").bare(),
    key("db-pool-acquisition-timeout", "10").bare(),
    key("db-pool-max-lifetime", "1800").bare(),
    key("db-pool-max-idletime", "30").bare().alias("db-pool-timeout"),
    key("db-pool-automatic-recovery", "true").bare(),
    key("db-pre-request", "").db().alias("pre-request"),
    key("db-prepared-statements", "true").bare().db(),
    key("db-root-spec", "").db().alias("root-spec"),
    key("db-schemas", "public").db().alias("db-schema"),
    key("db-config", "true").bare(),
    key("db-pre-config", "").db(),
    key("db-tx-end", "commit"),
    key("db-uri", "postgresql://"),
    key("jwt-aud", "").db(),
    key("jwt-role-claim-key", "$.role").db().alias("role-claim-key"),
    key("jwt-secret", "").db(),
    key("jwt-secret-is-base64", "false")
        .bare()
        .db()
        .alias("secret-is-base64"),
    key("jwt-cache-max-entries", "1000").bare().db(),
    key("log-level", "error"),
    key("log-query", "false").bare().db(),
    key("openapi-mode", "follow-privileges").db(),
    key("openapi-security-active", "false").bare().db(),
    key("openapi-server-proxy-uri", "").db(),
    key("server-cors-allowed-origins", "").db(),
    key("server-host", "!4"),
    key("server-port", "3000").bare(),
    key("server-reuseport", "false").bare(),
    key("server-trace-header", "").db(),
    key("server-timing-enabled", "false").bare().db(),
    key("server-unix-socket", ""),
    key("server-unix-socket-mode", "660"),
    key("url-use-legacy-target-names", "true").bare().db(),
    key("admin-server-host", ""),
    key("admin-server-port", "").bare(),
    key("admin-server-unix-socket", ""),
    key("admin-server-unix-socket-mode", "660"),
];

/// The settings among the variables of the environment.
pub(super) fn from_environment(variables: &BTreeMap<String, String>) -> Texts {
    let mut texts = Texts::new();
    for (name, value) in variables {
        let Some(rest) = name.strip_prefix("PGRST_") else {
            continue;
        };
        if let Some(setting) = rest.strip_prefix("APP_SETTINGS_") {
            texts.insert(format!("app.settings.{setting}"), value.clone());
        } else if let Some(key) = KEYS.iter().find(|key| key.variable() == *name) {
            texts.insert(key.name.to_owned(), value.clone());
        } else if let Some(key) = KEYS
            .iter()
            .find(|key| key.alias.map(variable).as_ref() == Some(name))
        {
            texts.entry(key.name.to_owned()).or_insert_with(|| value.clone());
        } else {
            tracing::warn!(variable = %name, "there is no such setting; it is ignored");
        }
    }
    texts
}

/// The settings among the pairs of a file.
pub(super) fn from_file(pairs: Vec<(String, String)>) -> Texts {
    let mut texts = Texts::new();
    for (name, value) in pairs {
        if name.starts_with("app.settings.") {
            texts.insert(name, value);
        } else if let Some(key) = KEYS.iter().find(|key| key.name == name) {
            texts.insert(key.name.to_owned(), value);
        } else if let Some(key) = KEYS.iter().find(|key| key.alias == Some(name.as_str())) {
            texts.entry(key.name.to_owned()).or_insert(value);
        } else {
            tracing::warn!(setting = %name, "there is no such setting; it is ignored");
        }
    }
    texts
}

/// `scheme:rest`, where the rest has only characters that may stand in an address.
fn is_address(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let named = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|each| each.is_ascii_alphanumeric() || "+-.".contains(each));
    named
        && rest
            .chars()
            .all(|each| each.is_ascii_graphic() && !"<>\"{}|\\^`".contains(each))
}

fn default(name: &str) -> &'static str {
    KEYS.iter()
        .find(|key| key.name == name)
        .map_or("", |key| key.default)
}

fn list(text: &str) -> Vec<String> {
    let parts = text.split(',').map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Reads texts as what they stand for.
pub(super) struct Reader<'a>(&'a Texts);

impl<'a> Reader<'a> {
    pub(super) fn new(texts: &'a Texts) -> Self {
        Self(texts)
    }

    /// What is said, or the default; an empty text says nothing.
    pub(super) fn text(&self, name: &str) -> &'a str {
        let said = self
            .0
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty());
        said.unwrap_or_else(|| default(name))
    }

    /// An empty text is none.
    pub(super) fn optional(&self, name: &str) -> Option<String> {
        Some(self.text(name).to_owned()).filter(|text| !text.is_empty())
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        list(self.text(name))
    }

    /// A list that may be said to be empty.
    pub(super) fn emptyable(&self, name: &str) -> Vec<String> {
        list(self.0.get(name).map_or_else(|| default(name), String::as_str))
    }

    pub(super) fn schemas(&self) -> Result<Vec<String>, ConfigError> {
        let schemas = self.list("db-schemas");
        if schemas.is_empty() {
            return Err(ConfigError(
                "db-schemas is empty: name at least one schema".to_owned(),
            ));
        }
        let hidden = ["pg_catalog", "information_schema"];
        match schemas.iter().find(|schema| hidden.contains(&schema.as_str())) {
            Some(schema) => Err(ConfigError(format!(
                "db-schemas does not allow schema: '{schema}'"
            ))),
            None => Ok(schemas),
        }
    }

    pub(super) fn boolean(&self, name: &str) -> Result<bool, ConfigError> {
        let text = self.text(name);
        match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
            "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
            _ => match text.parse::<f64>() {
                Ok(number) => Ok(number != 0.0),
                Err(_) => Err(ConfigError(format!("{name} is neither true nor false: '{text}'"))),
            },
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, ConfigError> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        match text.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ConfigError(format!("{name} is no whole number: '{text}'"))),
        }
    }

    pub(super) fn port(&self, name: &str) -> Result<Option<u16>, ConfigError> {
        match self.number(name)? {
            None => Ok(None),
            Some(number) => u16::try_from(number)
                .map(Some)
                .map_err(|_| ConfigError(format!("{name} is no port: {number}"))),
        }
    }

    pub(super) fn mode(&self, name: &str) -> Result<u32, ConfigError> {
        let wrong = |reason: &str| ConfigError(format!("Invalid {name}: {reason}"));
        let mode = u32::from_str_radix(self.text(name), 8).map_err(|_| wrong("not an octal"))?;
        if (0o600..=0o777).contains(&mode) {
            return Ok(mode);
        }
        Err(wrong("needs to be between 600 and 777"))
    }

    pub(super) fn function(&self, name: &str) -> Option<QualifiedName> {
        let text = self.optional(name)?;
        Some(match text.split_once('.') {
            Some((schema, function)) => QualifiedName::new(schema, function),
            None => QualifiedName::new("", text),
        })
    }

    /// A name, or an address where it has a colon.
    pub(super) fn audience(&self) -> Result<Option<String>, ConfigError> {
        let audience = self.optional("jwt-aud");
        let wrong = |text: &String| text.contains(':') && !is_address(text);
        if audience.as_ref().is_some_and(wrong) {
            let reason = "jwt-aud should be a string or a valid URI";
            return Err(ConfigError(reason.to_owned()));
        }
        Ok(audience)
    }

    pub(super) fn proxy(&self) -> Result<Option<String>, ConfigError> {
        let proxy = self.optional("openapi-server-proxy-uri");
        let good = |text: &String| {
            let uri = text.parse::<axum::http::Uri>().ok();
            uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
        };
        if proxy.as_ref().is_none_or(good) {
            return Ok(proxy);
        }
        let reason = "Malformed proxy uri, a correct example: https://example.com:8443/basePath";
        Err(ConfigError(reason.to_owned()))
    }

    /// A text that may be in a file, as `@path`.
    pub(super) fn maybe_file(&self, name: &str) -> Result<String, ConfigError> {
        let bytes = self.bytes(name)?;
        String::from_utf8(bytes).map_err(|_| ConfigError(format!("{name} is not UTF-8")))
    }

    /// What is said, or stands in the file that is said, without the end of its last line.
    fn bytes(&self, name: &str) -> Result<Vec<u8>, ConfigError> {
        let text = self.text(name);
        let Some(path) = text.strip_prefix('@') else {
            return Ok(text.as_bytes().to_vec());
        };
        let mut read =
            read(path).map_err(|error| ConfigError(format!("{name}: cannot read {path}: {error}")))?;
        if read.ends_with(b"\n") {
            read.pop();
            if read.ends_with(b"\r") {
                read.pop();
            }
        }
        Ok(read)
    }

    /// The secret as bytes, decoded if it is Base64.
    pub(super) fn secret(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        let secret = self.bytes("jwt-secret")?;
        if secret.is_empty() {
            return Ok(None);
        }
        if !self.boolean("jwt-secret-is-base64")? {
            return Ok(Some(secret));
        }
        // Both alphabets, with and without padding.
        let plain: String = String::from_utf8_lossy(&secret)
            .trim()
            .trim_end_matches('=')
            .replace('-', "+")
            .replace('_', "/");
        let plain = plain.replace('.', "");
        base64::engine::general_purpose::STANDARD_NO_PAD
            .decode(plain)
            .map(Some)
            .map_err(|_| {
                ConfigError("jwt-secret is not Base64, though jwt-secret-is-base64 says so".to_owned())
            })
    }
}

/// Reads a file. What stands in the standard input can be read once; it is kept for whoever asks again.
fn read(path: &str) -> std::io::Result<Vec<u8>> {
    static INPUT: Mutex<Option<Vec<u8>>> = Mutex::new(None);
    if path != "/dev/stdin" {
        return std::fs::read(path);
    }
    let mut input = INPUT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = &*input {
        return Ok(known.clone());
    }
    let read = std::fs::read(path)?;
    Ok(input.insert(read).clone())
}
