//! What requests need, swapped as one when the configuration or the schema changes, without stopping them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tenon_sdk::db::{Param, PlainDb, PlainError, PlainOptions, Statement, parse_url};
use tenon_sdk::env::Env;
use tokio::sync::{Mutex, Notify};

use super::StartError;
use super::config::{Config, ConfigError, KEYS, Sources, Texts};
use super::jwt::Verifier;
use super::listener;
use crate::error::{Error, Result};
use crate::plan::array_literal;
use crate::schema_cache::{QUERY, SchemaCache};

/// The longest pause between two tries to reach the database.
const LONGEST_PAUSE: Duration = Duration::from_secs(32);

/// Settings that roles bring with them.
#[derive(Debug, Clone, Default)]
pub(super) struct Roles(HashMap<String, Vec<(String, String)>>);

impl Roles {
    pub(super) fn settings(&self, role: &str) -> &[(String, String)] {
        self.0.get(role).map_or(&[], Vec::as_slice)
    }
}

/// Everything that stays the same for one request.
#[derive(Clone)]
pub(super) struct State {
    pub(super) config: Arc<Config>,
    pub(super) verifier: Arc<Verifier>,
    pub(super) roles: Arc<Roles>,
    /// The call of the function before each request.
    pub(super) pre_request: Option<Statement>,
    schema: Option<Arc<SchemaCache>>,
}

impl State {
    fn new(
        config: Config,
        roles: Roles,
        schema: Option<Arc<SchemaCache>>,
    ) -> std::result::Result<Self, ConfigError> {
        let pre_request = config.pre_request.as_ref().map(|function| {
            let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
            let name = match function.schema.as_str() {
                "" => quote(&function.name),
                schema => format!("{}.{}", quote(schema), quote(&function.name)),
            };
            Statement::new(format!("SELECT {name}()"))
        });
        Ok(Self {
            verifier: Arc::new(Verifier::new(&config)?),
            config: Arc::new(config),
            roles: Arc::new(roles),
            pre_request,
            schema,
        })
    }

    pub(super) fn cache(&self) -> Result<Arc<SchemaCache>> {
        self.schema.clone().ok_or_else(Error::no_schema_cache)
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
            current: RwLock::new(State::new(config, Roles::default(), None)?),
            sources: Mutex::new(sources),
            reload_schema: Notify::new(),
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

    fn set(&self, state: State) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Reads the schema now and whenever it was announced to have changed.
    async fn keep_schema(&self) {
        loop {
            let mut pause = Duration::from_secs(1);
            while let Err(error) = self.load().await {
                tracing::error!(%error, "could not read the schema; trying again in {} s", pause.as_secs());
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            self.reload_schema.notified().await;
        }
    }

    async fn load(&self) -> std::result::Result<(), String> {
        self.reload_config().await?;
        let state = self.state();
        let query = Statement {
            sql: QUERY.into(),
            params: vec![
                Param::text(array_literal(&state.config.settings.schemas)),
                Param::text(array_literal(&state.config.extra_search_path)),
            ],
        };
        let rows = self.db.query(query).await.map_err(describe)?;
        let text = rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next()?)
            .ok_or("the catalogue's query did not return its row")?;
        let text = std::str::from_utf8(&text).map_err(|error| error.to_string())?;
        let cache = SchemaCache::from_catalogue(text).map_err(|error| error.to_string())?;
        tracing::info!(relations = cache.tables().count(), "schema read");
        self.set(State {
            schema: Some(Arc::new(cache)),
            ..self.state()
        });
        Ok(())
    }

    /// Reads file and database again.
    pub(super) async fn reload_config(&self) -> std::result::Result<(), String> {
        let mut sources = self.sources.lock().await;
        sources.reread().map_err(|error| error.to_string())?;
        let outside = Config::new(&sources.settings()).map_err(|error| error.to_string())?;
        let from_database = if outside.in_database {
            self.database_settings().await?
        } else {
            Texts::new()
        };
        let config = Config::new(&sources.with(from_database)).map_err(|error| error.to_string())?;
        let schema = self.state().schema;
        let state = State::new(config, Roles::default(), schema).map_err(|error| error.to_string())?;
        self.set(state);
        Ok(())
    }

    /// `ALTER ROLE … SET pgrst.…` of the login, for this database before all databases.
    async fn database_settings(&self) -> std::result::Result<Texts, String> {
        let rows = self
            .db
            .query(Statement::new(include_str!("role_config.sql")))
            .await
            .map_err(describe)?;
        let mut texts = Texts::new();
        for row in rows {
            let [Some(name), Some(value)] = row.as_slice() else {
                continue;
            };
            let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
            let name = name.trim_start_matches("pgrst.").replace('_', "-");
            if KEYS.iter().any(|key| key.name == name && key.in_database) {
                texts.insert(name, value.into_owned());
            }
        }
        Ok(texts)
    }
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
