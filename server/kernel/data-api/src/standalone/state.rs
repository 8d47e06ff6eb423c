//! What requests need, swapped as one when the configuration or the schema changes, without stopping them.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tenon_sdk::db::{Param, PlainDb, PlainError, PlainOptions, Statement, parse_url};
use tenon_sdk::env::Env;
use tokio::sync::{Mutex, Notify, watch};

use super::StartError;
use super::config::{Config, ConfigError, KEYS, Key, Sources, Texts};
use super::figures::Figures;
use super::jwt::Verifier;
use super::listener;
use crate::error::{Error, Result};
use crate::plan::array_literal;
use crate::schema_cache::{QUERY, QualifiedName, SchemaCache};

/// The longest pause between two tries to reach the database.
const LONGEST_PAUSE: Duration = Duration::from_secs(32);

/// How it stands with the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is being read.
    Pending,
    /// It is known.
    Loaded,
    /// The last try to read it failed.
    Failed,
}

/// Everything that stays the same for one request.
#[derive(Clone)]
pub(super) struct State {
    pub(super) config: Arc<Config>,
    pub(super) verifier: Arc<Verifier>,
    /// The call of the function before each request.
    pub(super) pre_request: Option<Statement>,
    schema: Option<Arc<Schema>>,
}

/// The schema, and the text that it was read from.
struct Schema {
    cache: Arc<SchemaCache>,
    text: String,
}

impl State {
    fn new(config: Config) -> std::result::Result<Self, ConfigError> {
        Ok(Self {
            verifier: Arc::new(Verifier::new(&config)?),
            pre_request: config.pre_request.as_ref().map(call),
            config: Arc::new(config),
            schema: None,
        })
    }

    /// The same under another configuration. Tokens stay known as long as they are checked alike.
    fn with(self, config: Config) -> std::result::Result<Self, ConfigError> {
        let alike = self.config.checks_tokens_like(&config);
        let new = Self::new(config)?;
        Ok(Self {
            verifier: if alike { self.verifier } else { new.verifier },
            schema: self.schema,
            ..new
        })
    }

    pub(super) fn cache(&self) -> Result<Arc<SchemaCache>> {
        let schema = self.schema.as_ref().ok_or_else(Error::no_schema_cache)?;
        Ok(schema.cache.clone())
    }

    /// What was read from the catalogues, as JSON.
    pub(super) fn catalogue(&self) -> &str {
        self.schema.as_ref().map_or("", |schema| &schema.text)
    }

    pub(super) fn knows_schema(&self) -> bool {
        self.schema.is_some()
    }
}

/// The state of the moment, and what changes it.
pub(super) struct Shared {
    pub(super) env: Env,
    pub(super) db: PlainDb,
    current: RwLock<State>,
    sources: Mutex<Sources>,
    /// The schema has to be read again.
    pub(super) reload_schema: Notify,
    phase: watch::Sender<Phase>,
    given_up: watch::Sender<Option<String>>,
    pub(super) figures: Figures,
}

impl Shared {
    /// Opens the database and begins to read the schema, again and again until that works.
    pub(super) fn start(
        env: Env,
        sources: Sources,
        config: Config,
    ) -> std::result::Result<Arc<Self>, StartError> {
        let db = PlainDb::new(PlainOptions {
            config: address(&config)?,
            pool_size: config.pool,
            wait: Duration::from_secs(config.pool_acquisition_timeout),
            idle: Duration::from_secs(config.pool_max_idletime),
            life: Duration::from_secs(config.pool_max_lifetime),
            prepared: config.prepared_statements,
        })?;
        let shared = Arc::new(Self {
            env,
            db,
            current: RwLock::new(State::new(config)?),
            sources: Mutex::new(sources),
            reload_schema: Notify::new(),
            phase: watch::Sender::new(Phase::Pending),
            given_up: watch::Sender::new(None),
            figures: Figures::default(),
        });
        let loading = shared.clone();
        tokio::spawn(async move { loading.keep_schema().await });
        let listening = shared.clone();
        tokio::spawn(async move { listener::listen(listening).await });
        Ok(shared)
    }

    pub(super) fn state(&self) -> State {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How it stands with the schema.
    pub(super) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// The state once the first try to read the schema has ended, however it did.
    pub(super) async fn ready(&self) -> State {
        let state = self.state();
        if state.knows_schema() {
            return state;
        }
        let mut phase = self.phase.subscribe();
        let _ = phase.wait_for(|phase| *phase != Phase::Pending).await;
        self.state()
    }

    fn set(&self, state: State) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Reads configuration and schema now, and the schema whenever it was announced to have changed.
    async fn keep_schema(&self) {
        let mut config_read = false;
        loop {
            let mut pause = Duration::from_secs(1);
            self.phase.send_replace(Phase::Pending);
            loop {
                let began = Instant::now();
                let read = if config_read {
                    Ok(())
                } else {
                    self.read_config().await
                };
                config_read = read.is_ok();
                let loaded = match read {
                    Ok(()) => self.load().await,
                    Err(error) => Err(error),
                };
                self.figures.loaded(loaded.is_ok(), began.elapsed());
                let Err(error) = loaded else { break };
                self.phase.send_replace(Phase::Failed);
                if !self.state().config.pool_automatic_recovery {
                    self.given_up.send_replace(Some(error));
                    return;
                }
                tracing::error!(%error, "could not read the schema; trying again in {} s", pause.as_secs());
                // What changed while the database was away was not announced.
                config_read = false;
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            self.phase.send_replace(Phase::Loaded);
            self.reload_schema.notified().await;
        }
    }

    /// Ends when the database is gone and nobody wants to wait for it; says why.
    pub(super) async fn given_up(&self) -> String {
        let mut given_up = self.given_up.subscribe();
        match given_up.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }

    async fn load(&self) -> std::result::Result<(), String> {
        let state = self.state();
        let query = Statement {
            sql: QUERY.into(),
            params: vec![
                Param::text(array_literal(&state.config.settings.schemas)),
                Param::text(array_literal(&state.config.settings.extra_search_path)),
            ],
        };
        let rows = self.db.query(query).await.map_err(describe)?;
        let text = rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next()?)
            .ok_or("the catalogue's query did not return its row")?;
        let text = String::from_utf8(text.to_vec()).map_err(|error| error.to_string())?;
        let cache = SchemaCache::from_catalogue(&text).map_err(|error| error.to_string())?;
        tracing::info!(relations = cache.tables().count(), "schema read");
        self.set(State {
            schema: Some(Arc::new(Schema {
                cache: Arc::new(cache),
                text,
            })),
            ..self.state()
        });
        Ok(())
    }

    /// Reads file and database again.
    pub(super) async fn reload_config(&self) {
        if let Err(error) = self.read_config().await {
            tracing::error!(%error, "the configuration could not be read again; the old one stays in use");
        }
    }

    async fn read_config(&self) -> std::result::Result<(), String> {
        let mut sources = self.sources.lock().await;
        sources.reread().map_err(|error| error.to_string())?;
        let outside = Config::new(&sources.settings()).map_err(|error| error.to_string())?;
        let from_database = if outside.in_database {
            self.database_settings(outside.pre_config.as_ref()).await?
        } else {
            Texts::new()
        };
        let config = Config::new(&sources.with(from_database)).map_err(|error| error.to_string())?;
        let state = self.state().with(config).map_err(|error| error.to_string())?;
        self.set(state);
        Ok(())
    }

    /// What the database says: `ALTER ROLE … SET pgrst.…` of the login, for this database before all databases, and
    /// what the function of the operator sets.
    async fn database_settings(
        &self,
        function: Option<&QualifiedName>,
    ) -> std::result::Result<Texts, String> {
        let mut statements = Vec::new();
        if let Some(function) = function {
            statements.push(call(function));
        }
        statements.push(Statement {
            sql: include_str!("settings.sql").into(),
            params: vec![Param::text(array_literal(&in_database()))],
        });
        let results = self.db.query_all(statements).await.map_err(describe)?;
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
fn call(function: &QualifiedName) -> Statement {
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let name = match function.schema.as_str() {
        "" => quote(&function.name),
        schema => format!("{}.{}", quote(schema), quote(&function.name)),
    };
    Statement::new(format!("SELECT {name}()"))
}

fn describe(error: PlainError) -> String {
    match error {
        PlainError::Refused(error) => error.to_string(),
        PlainError::Unreachable(error) => error.details.unwrap_or(error.message),
        PlainError::Lost => "the connection was lost".to_owned(),
        PlainError::Busy => "no connection became free".to_owned(),
    }
}

/// The address, with what it leaves out taken from the variables that `libpq` knows.
fn address(config: &Config) -> std::result::Result<tokio_postgres::Config, tenon_sdk::Error> {
    let uri = match config.uri.as_str() {
        "postgresql://" | "postgres://" => "",
        other => other,
    };
    let mut address = parse_url(uri)?;
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
