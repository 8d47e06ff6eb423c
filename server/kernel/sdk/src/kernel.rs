//! What every handler and job can reach: settings, the database, news, the registered modules.

use std::sync::Arc;

use crate::{
    accounts::Accounts,
    config::{Config, Secret},
    ctx::Identity,
    db::Db,
    env::Env,
    error::{Error, Result},
    events::ConsumerHandler,
    import_template::ImportTemplate,
    live::Live,
    module::Module,
    notify::NotificationKind,
    outbound::Outbound,
    secrets::Secrets,
    stopping::Stopping,
    telemetry::Metrics,
};

/// Turns a bearer token into an identity; the identity service implements it.
#[async_trait::async_trait]
pub trait Authenticator: Send + Sync {
    /// The identity of a token, or an error of kind `Unauthenticated`.
    async fn authenticate(&self, bearer: &str) -> Result<Identity>;

    /// What a request to `path` is told whose token is not good: clients of each API look for words of their own.
    fn refusal(&self, _path: &str, error: Error) -> Error {
        error
    }

    /// Forgets what it remembers of a key that was revoked here.
    fn forget_key(&self, _key: uuid::Uuid) {}

    /// Who signs requests with this access key, and with what; none if there is no such key.
    async fn signer(&self, _access_key: &str) -> Result<Option<Signer>> {
        Ok(None)
    }
}

/// A program that shows no key but signs with one, as S3 has it.
#[derive(Clone, Debug)]
pub struct Signer {
    /// What it signs with.
    pub secret: Secret,
    /// Who it speaks for.
    pub identity: Identity,
}

/// A handle to the running kernel; cheap to clone.
#[derive(Clone)]
pub struct Kernel(Arc<Inner>);

struct Inner {
    env: Env,
    config: Config,
    db: Db,
    live: Live,
    outbound: Outbound,
    authenticator: Arc<dyn Authenticator>,
    secrets: Arc<dyn Secrets>,
    modules: Vec<Module>,
    metrics: Metrics,
    stopping: Stopping,
}

impl Kernel {
    /// Puts the parts together.
    pub fn new(
        env: Env,
        config: Config,
        db: Db,
        authenticator: Arc<dyn Authenticator>,
        secrets: Arc<dyn Secrets>,
        modules: Vec<Module>,
    ) -> Self {
        let live = Live::new(db.clone());
        let outbound = Outbound::new(env.clone(), &config.outbound);
        Self(Arc::new(Inner {
            env,
            config,
            db,
            live,
            outbound,
            authenticator,
            secrets,
            modules,
            metrics: Metrics::default(),
            stopping: Stopping::default(),
        }))
    }

    /// Clock, ids and randomness.
    pub fn env(&self) -> &Env {
        &self.0.env
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// News to browsers.
    pub fn live(&self) -> &Live {
        &self.0.live
    }

    /// Calls outside.
    pub fn outbound(&self) -> &Outbound {
        &self.0.outbound
    }

    /// All modules, in the order of their migrations.
    pub fn modules(&self) -> &[Module] {
        &self.0.modules
    }

    /// What the modules keep of people.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<dyn Accounts>> {
        self.0
            .modules
            .iter()
            .filter_map(|module| module.accounts.as_ref())
    }

    /// All consumers of events.
    pub fn consumers(&self) -> impl Iterator<Item = &ConsumerHandler> {
        self.0.modules.iter().flat_map(|module| module.consumers.iter())
    }

    /// Figures about this server.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Whether and how far this server is on its way out.
    pub fn stopping(&self) -> &Stopping {
        &self.0.stopping
    }

    /// What seals and opens values.
    pub fn secrets(&self) -> &dyn Secrets {
        self.0.secrets.as_ref()
    }

    /// What turns tokens into identities.
    pub fn authenticator(&self) -> &dyn Authenticator {
        self.0.authenticator.as_ref()
    }

    /// A registered import template.
    pub fn template(&self, name: &str) -> Option<Arc<dyn ImportTemplate>> {
        self.templates()
            .find(|template| template.spec().name == name)
            .cloned()
    }

    /// What modules tell people: each kind with its module.
    pub fn notifications(&self) -> impl Iterator<Item = (&Module, &'static NotificationKind)> {
        self.0
            .modules
            .iter()
            .flat_map(|module| module.notifications.iter().map(move |kind| (module, kind)))
    }

    /// All import templates.
    pub fn templates(&self) -> impl Iterator<Item = &Arc<dyn ImportTemplate>> {
        self.0.modules.iter().flat_map(|module| module.templates.iter())
    }
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kernel")
    }
}
