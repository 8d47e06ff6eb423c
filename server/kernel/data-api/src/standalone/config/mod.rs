//! `PostgREST`'s settings under their own names.
//!
//! A setting `db-max-rows` is `PGRST_DB_MAX_ROWS` in the environment and `pgrst.db_max_rows` in the database. The
//! database is stronger than the environment, the environment stronger than the file.

mod file;
mod keys;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::schema_cache::QualifiedName;
use crate::settings::{OpenApiMode, Settings};

pub(super) use file::quote;
pub use keys::{KEYS, Key};

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// Settings by their name in the file, as text.
pub type Texts = BTreeMap<String, String>;

/// Where settings come from, besides the database.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    file: Option<PathBuf>,
    from_file: Texts,
    from_environment: Texts,
}

impl Sources {
    /// Reads the file, if there is one, and the environment.
    pub fn read(
        file: Option<PathBuf>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let variables: BTreeMap<String, String> = environment.collect();
        let mut sources = Self {
            file,
            from_file: Texts::new(),
            from_environment: keys::from_environment(&variables),
        };
        sources.read_file(&variables)?;
        Ok(sources)
    }

    /// Reads the file again, unless it is a pipe, which has nothing more to say; the environment of a process does not
    /// change.
    pub fn reread(&mut self) -> Result<(), ConfigError> {
        let metadata = self.file.as_ref().and_then(|path| path.metadata().ok());
        if metadata.is_some_and(|metadata| !metadata.is_file()) {
            return Ok(());
        }
        self.read_file(&std::env::vars().collect())
    }

    fn read_file(&mut self, variables: &BTreeMap<String, String>) -> Result<(), ConfigError> {
        let Some(path) = &self.file else { return Ok(()) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError(format!("cannot read {}: {error}", path.display())))?;
        self.from_file = file::parse(&text, variables)
            .map(keys::from_file)
            .map_err(|ConfigError(reason)| ConfigError(format!("{}: {reason}", path.display())))?;
        Ok(())
    }

    /// What file and environment say.
    pub fn settings(&self) -> Texts {
        self.with(Texts::new())
    }

    /// What file, environment and database say.
    pub fn with(&self, from_database: Texts) -> Texts {
        let mut all = self.from_file.clone();
        all.extend(self.from_environment.clone());
        all.extend(from_database);
        all
    }
}

/// How a transaction ends, and whether a request may say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TxEnd {
    /// Nothing is kept unless a request asks for it.
    pub roll_back: bool,
    /// A request may ask.
    pub allow_override: bool,
}

/// What is written to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Start and stop, the connection's ups and downs.
    Crit,
    /// And answers 5xx.
    Error,
    /// And answers 4xx.
    Warn,
    /// And all answers.
    Info,
    /// And what helps developers.
    Debug,
}

/// All settings, understood.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent switches of the operator"
)]
pub struct Config {
    /// What the stages of a request need.
    pub settings: Settings,
    /// `app.settings.*`, in order.
    pub app_settings: Vec<(String, String)>,
    /// Errors are told without details and hints.
    pub brief_errors: bool,
    /// Role of callers without a token.
    pub anon_role: Option<String>,
    /// Channel on which reloads are announced.
    pub channel: String,
    /// Whether it is listened to.
    pub channel_enabled: bool,
    /// Whether the database is asked for settings.
    pub in_database: bool,
    /// Function that sets `pgrst.*`.
    pub pre_config: Option<QualifiedName>,
    /// Settings of functions that hold for their whole transaction.
    pub hoisted_tx_settings: Vec<String>,
    /// Most connections.
    pub pool: usize,
    /// Seconds that a request waits for a connection.
    pub pool_acquisition_timeout: u64,
    /// Seconds after which an idle connection is closed.
    pub pool_max_idletime: u64,
    /// Seconds after which a connection is closed.
    pub pool_max_lifetime: u64,
    /// A lost connection is opened again; otherwise the process ends.
    pub pool_automatic_recovery: bool,
    /// Function called before each request's statement.
    pub pre_request: Option<QualifiedName>,
    /// Statements are kept prepared.
    pub prepared_statements: bool,
    /// How transactions end.
    pub tx_end: TxEnd,
    /// The database's address.
    pub uri: String,
    /// Audience that tokens must name, if they name any.
    pub jwt_aud: Option<String>,
    /// Tokens remembered.
    pub jwt_cache_max_entries: usize,
    /// Where a token names the role.
    pub jwt_role_claim_key: String,
    /// Secret, key or key set.
    pub jwt_secret: Option<Vec<u8>>,
    /// What is logged.
    pub log_level: LogLevel,
    /// Statements are logged too.
    pub log_query: bool,
    /// Pages that browsers may call from; none for all.
    pub cors_allowed_origins: Option<Vec<String>>,
    /// Where to listen.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Header that is echoed.
    pub trace_header: Option<String>,
    /// `Server-Timing` is sent.
    pub timing: bool,
    /// Socket instead of a port.
    pub unix_socket: Option<String>,
    /// The socket's mode.
    pub unix_socket_mode: u32,
    /// Where the admin server listens.
    pub admin_host: String,
    /// Its port; none for no such server.
    pub admin_port: Option<u16>,
    /// Socket of the admin server instead of a port.
    pub admin_unix_socket: Option<String>,
    /// That socket's mode.
    pub admin_unix_socket_mode: u32,
    /// Several processes may share the port.
    pub reuse_port: bool,
    /// What was said, by name.
    pub texts: Texts,
}

fn wrong(reason: &str) -> ConfigError {
    ConfigError(reason.to_owned())
}

/// What stands in the place of a secret.
const HIDDEN: &str = "(not shown)";

/// Settings that may hold what nobody else should read.
const SECRETS: [&str; 2] = ["db-uri", "jwt-secret"];

impl Config {
    /// Whether a token is good under both.
    pub fn checks_tokens_like(&self, other: &Self) -> bool {
        self.jwt_secret == other.jwt_secret
            && self.jwt_aud == other.jwt_aud
            && self.jwt_role_claim_key == other.jwt_role_claim_key
            && self.jwt_cache_max_entries == other.jwt_cache_max_entries
    }

    /// All settings in the form of the file, which reads back as they are; secrets are left out unless they are wanted.
    pub fn to_text(&self, secrets: bool) -> Result<String, ConfigError> {
        let mut lines = Vec::with_capacity(KEYS.len() + self.app_settings.len());
        for key in KEYS {
            let text = self.text(key)?;
            lines.push(match text.as_str() {
                "" => format!("{} = \"\"", key.name),
                _ if SECRETS.contains(&key.name) && !secrets => format!("{} = \"{HIDDEN}\"", key.name),
                text if key.bare => format!("{} = {text}", key.name),
                text => format!("{} = {}", key.name, file::quote(text)),
            });
        }
        for (name, value) in &self.app_settings {
            let value = if secrets { value } else { HIDDEN };
            lines.push(format!("{name} = {}", file::quote(value)));
        }
        lines.sort();
        lines.push(String::new());
        Ok(lines.join("\n"))
    }

    /// A setting as it is understood.
    fn text(&self, key: &Key) -> Result<String, ConfigError> {
        let read = keys::Reader::new(&self.texts);
        Ok(match key.name {
            "db-schemas" => self.settings.schemas.join(","),
            "db-extra-search-path" => self.settings.extra_search_path.join(","),
            "db-hoisted-tx-settings" => self.hoisted_tx_settings.join(","),
            "server-cors-allowed-origins" => {
                self.cors_allowed_origins.as_deref().unwrap_or_default().join(",")
            }
            "admin-server-host" => self.admin_host.clone(),
            "db-uri" => self.uri.clone(),
            "jwt-secret" => read.maybe_file(key.name)?,
            name if ["true", "false"].contains(&key.default) => read.boolean(name)?.to_string(),
            name => read.text(name).to_owned(),
        })
    }

    /// Understands settings.
    pub fn new(texts: &Texts) -> Result<Self, ConfigError> {
        let read = keys::Reader::new(texts);
        let tx_end = match read.text("db-tx-end") {
            "commit" => (false, false),
            "commit-allow-override" => (false, true),
            "rollback" => (true, false),
            "rollback-allow-override" => (true, true),
            _ => {
                return Err(wrong(
                    "Invalid transaction termination. Check your configuration.",
                ));
            }
        };
        let tx_end = TxEnd {
            roll_back: tx_end.0,
            allow_override: tx_end.1,
        };
        let uri = read.maybe_file("db-uri")?;
        let jwt_secret = read.secret()?;
        let host = read.text("server-host").to_owned();
        let admin_host = read.optional("admin-server-host").unwrap_or_else(|| host.clone());
        let port = read.port("server-port")?.unwrap_or(3000);
        let admin_port = read.port("admin-server-port")?;
        if admin_port == Some(port) && port != 0 && admin_host == host {
            return Err(wrong("admin-server-port cannot be the same as server-port"));
        }
        Ok(Self {
            settings: Settings {
                schemas: read.schemas()?,
                max_rows: read.number("db-max-rows")?,
                max_cost: read.number("db-max-cost")?,
                tx_override: tx_end.allow_override,
                aggregates: read.boolean("db-aggregates-enabled")?,
                openapi_mode: match read.text("openapi-mode") {
                    "follow-privileges" => OpenApiMode::FollowPrivileges,
                    "ignore-privileges" => OpenApiMode::IgnorePrivileges,
                    "disabled" => OpenApiMode::Disabled,
                    _ => return Err(wrong("Invalid openapi-mode. Check your configuration.")),
                },
                openapi_security_active: read.boolean("openapi-security-active")?,
                openapi_server_proxy_uri: read.proxy()?,
                server_host: host.clone(),
                server_port: port,
                root_spec: read.function("db-root-spec"),
                extra_search_path: read.emptyable("db-extra-search-path"),
                plan_enabled: read.boolean("db-plan-enabled")?,
                legacy_target_names: read.boolean("url-use-legacy-target-names")?,
                jsonb_embeds: true,
                scan_order: true,
                ..Settings::default()
            },
            app_settings: texts
                .iter()
                .filter(|(name, _)| name.starts_with("app.settings."))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            brief_errors: match read.text("client-error-verbosity") {
                "minimal" => true,
                "verbose" => false,
                _ => return Err(wrong("Invalid client-error-verbosity. Check your configuration.")),
            },
            anon_role: read.optional("db-anon-role"),
            channel: read.text("db-channel").to_owned(),
            channel_enabled: read.boolean("db-channel-enabled")?,
            in_database: read.boolean("db-config")?,
            pre_config: read.function("db-pre-config"),
            hoisted_tx_settings: read.list("db-hoisted-tx-settings"),
            pool: usize::try_from(read.number("db-pool")?.unwrap_or(10)).unwrap_or(10),
            pool_acquisition_timeout: read.number("db-pool-acquisition-timeout")?.unwrap_or(10),
            pool_max_idletime: read.number("db-pool-max-idletime")?.unwrap_or(30),
            pool_max_lifetime: read.number("db-pool-max-lifetime")?.unwrap_or(1800),
            pool_automatic_recovery: read.boolean("db-pool-automatic-recovery")?,
            pre_request: read.function("db-pre-request"),
            prepared_statements: read.boolean("db-prepared-statements")?,
            tx_end,
            uri,
            jwt_aud: read.audience()?,
            jwt_cache_max_entries: usize::try_from(read.number("jwt-cache-max-entries")?.unwrap_or(1000))
                .unwrap_or(1000),
            jwt_role_claim_key: read.text("jwt-role-claim-key").to_owned(),
            jwt_secret,
            log_level: match read.text("log-level") {
                "crit" => LogLevel::Crit,
                "error" => LogLevel::Error,
                "warn" => LogLevel::Warn,
                "info" => LogLevel::Info,
                "debug" => LogLevel::Debug,
                _ => {
                    return Err(wrong("Invalid logging level. Check your configuration."));
                }
            },
            log_query: read.boolean("log-query")?,
            cors_allowed_origins: Some(read.list("server-cors-allowed-origins"))
                .filter(|list| !list.is_empty()),
            host,
            port,
            trace_header: read.optional("server-trace-header"),
            timing: read.boolean("server-timing-enabled")?,
            unix_socket: read.optional("server-unix-socket"),
            unix_socket_mode: read.mode("server-unix-socket-mode")?,
            admin_host,
            admin_port,
            admin_unix_socket: read.optional("admin-server-unix-socket"),
            admin_unix_socket_mode: read.mode("admin-server-unix-socket-mode")?,
            reuse_port: read.boolean("server-reuseport")?,
            texts: texts.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
