//! What requests need, swapped as one when the configuration or the schema changes, without stopping them.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tenon_sdk::db::{PlainDb, Statement};
use tenon_sdk::env::Env;
use tokio::sync::{Mutex, Notify, watch};

use super::StartError;
use super::config::{Config, ConfigError, Sources, Texts};
use super::database::{self, Trouble};
use super::figures::Figures;
use super::jwt::Verifier;
use super::listener;
use crate::error::{Error, Result};
use crate::schema_cache::SchemaCache;

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
            pre_request: config.pre_request.as_ref().map(database::call),
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
        let db = database::open(&config)?;
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
                if error.hopeless || !self.state().config.pool_automatic_recovery {
                    self.given_up.send_replace(Some(error.to_string()));
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
        let reason = given_up
            .wait_for(Option::is_some)
            .await
            .map(|reason| reason.clone());
        match reason {
            Ok(reason) => reason.unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }

    async fn load(&self) -> std::result::Result<(), Trouble> {
        let text = database::catalogue(&self.db, &self.state().config).await?;
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

    /// Reads file and database again, the settings of roles too: they are read with the schema.
    pub(super) async fn reload_config(&self) {
        match self.read_config().await {
            Ok(()) if self.state().config.in_database => self.reload_schema.notify_one(),
            Ok(()) => {}
            Err(error) => {
                tracing::error!(%error, "the configuration could not be read again; the old one stays in use");
            }
        }
    }

    async fn read_config(&self) -> std::result::Result<(), Trouble> {
        let mut sources = self.sources.lock().await;
        sources.reread().map_err(|error| error.to_string())?;
        let outside = Config::new(&sources.settings()).map_err(|error| error.to_string())?;
        let from_database = if outside.in_database {
            database::settings(&self.db, outside.pre_config.as_ref()).await?
        } else {
            Texts::new()
        };
        let config = Config::new(&sources.with(from_database)).map_err(|error| error.to_string())?;
        let state = self.state().with(config).map_err(|error| error.to_string())?;
        self.set(state);
        Ok(())
    }
}
