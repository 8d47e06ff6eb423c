//! The data API as a module of the server: what it knows of the database, and when it looks again.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use quick_cache::sync::Cache;
use tenon_sdk::db::OrgSelector;
use tenon_sdk::{Kernel, Module, Result, SystemTx, UserId};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::error::Error;
use crate::own_schemas;
use crate::respond::Raw;
use crate::routes;
use crate::schema_cache::{BEFORE_QUERY, QUERY, QualifiedName, SchemaCache};
use crate::settings::Settings;
use crate::sql::search_path;

/// Announcements that come this close together are one change.
const DEBOUNCE: Duration = Duration::from_millis(100);

/// Organisations remembered by the name that somebody called them by.
const KNOWN_ORGANIZATIONS: usize = 10_000;

/// The module's manifest. `reload` wakes it when the schema may have changed.
pub fn module(reload: Arc<Notify>) -> Module {
    let api = Arc::new(DataApi::new());
    let routed = api.clone();
    Module::new("rest", "Data API")
        .routes(move || routes::routes(&routed))
        .on_start(move |kernel| start(kernel, api.clone(), reload.clone()))
}

/// What requests need: settings and the schema cache, which is swapped without stopping them.
pub(crate) struct DataApi {
    settings: OnceLock<Settings>,
    cache: RwLock<Option<Arc<SchemaCache>>>,
    /// Search paths of the operator's own schemas.
    search_paths: OnceLock<HashMap<String, String>>,
    organizations: Cache<(UserId, String), Uuid>,
}

impl DataApi {
    fn new() -> Self {
        Self {
            settings: OnceLock::new(),
            cache: RwLock::new(None),
            search_paths: OnceLock::new(),
            organizations: Cache::new(KNOWN_ORGANIZATIONS),
        }
    }

    pub(crate) fn settings(&self) -> std::result::Result<&Settings, Error> {
        self.settings.get().ok_or_else(Error::no_schema_cache)
    }

    pub(crate) fn cache(&self) -> std::result::Result<Arc<SchemaCache>, Error> {
        self.cache
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or_else(Error::no_schema_cache)
    }

    /// Where names without a schema are looked for in requests to a schema of the operator's own; none for one of Tenon's.
    pub(crate) fn search_path(&self, schema: &str) -> Option<&str> {
        self.search_paths.get()?.get(schema).map(String::as_str)
    }

    /// The organisation that somebody last meant by a selector.
    pub(crate) fn known(&self, user: UserId, selector: &OrgSelector) -> Option<Uuid> {
        self.organizations.get(&(user, key(selector)))
    }

    pub(crate) fn remember(&self, user: UserId, selector: &OrgSelector, org: Uuid) {
        self.organizations.insert((user, key(selector)), org);
    }

    pub(crate) fn forget(&self, user: UserId, selector: &OrgSelector) {
        self.organizations.remove(&(user, key(selector)));
    }
}

fn key(selector: &OrgSelector) -> String {
    match selector {
        OrgSelector::Slug(slug) => slug.clone(),
        OrgSelector::Default | OrgSelector::Id(_) => String::new(),
    }
}

async fn start(kernel: Kernel, api: Arc<DataApi>, reload: Arc<Notify>) -> Result<()> {
    let config = &kernel.config().rest;
    let exposed = own_schemas::exposed(kernel.modules(), config)?;
    let tx = SystemTx::begin(kernel.db(), "open schemas").await?;
    tx.query("select kernel.open($1)", &[&config.open_schemas])
        .await?;
    tx.commit().await?;
    let extra = &config.extra_search_path;
    let paths = exposed
        .own
        .iter()
        .map(|schema| (schema.clone(), search_path(schema, extra)));
    api.search_paths.get_or_init(|| paths.collect());
    let settings = Settings {
        schemas: exposed.beginning_with(&config.default_schema)?,
        plan_enabled: config.plan,
        extra_search_path: extra.clone(),
        max_rows: Some(config.max_rows),
        openapi_server_proxy_uri: Some(format!("{}/rest/v1", kernel.config().server.site_url)),
        aggregates: config.aggregates,
        max_cost: Some(config.max_cost),
        tx_override: config.tx_rollback,
        raise: Some(QualifiedName::new("kernel", "raise")),
        ..Settings::default()
    };
    let settings = api.settings.get_or_init(|| settings).clone();
    load(&kernel, &api, &settings).await?;
    let mut watch = own_schemas::Watch::new(exposed.own);
    watch.look(&kernel).await?;
    tokio::spawn(async move {
        loop {
            reload.notified().await;
            tokio::time::sleep(DEBOUNCE).await;
            let read = load(&kernel, &api, &settings).await;
            if let Err(error) = read.and(watch.look(&kernel).await) {
                tracing::warn!(%error, "the schema could not be read; the old one stays in use");
            }
        }
    });
    Ok(())
}

async fn load(kernel: &Kernel, api: &DataApi, settings: &Settings) -> Result<()> {
    let tx = SystemTx::begin(kernel.db(), "schema cache").await?;
    tx.batch(BEFORE_QUERY).await?;
    let Raw(json) = tx
        .query_one(QUERY, &[&settings.schemas, &settings.extra_search_path])
        .await?
        .try_get(0)?;
    let catalogue = std::str::from_utf8(&json).map_err(tenon_sdk::Error::internal)?;
    let cache = SchemaCache::from_catalogue(catalogue).map_err(tenon_sdk::Error::internal)?;
    tx.rollback().await?;
    *api.cache.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(cache));
    Ok(())
}
