//! The data API as a module of the server: what it knows of the database, and when it looks again.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use quick_cache::sync::Cache;
use tenon_sdk::db::OrgSelector;
use tenon_sdk::{Kernel, Module, Result, SystemTx, UserId};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::error::Error;
use crate::respond::Raw;
use crate::routes;
use crate::schema_cache::{QUERY, QualifiedName, SchemaCache};
use crate::settings::Settings;

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
    organizations: Cache<(UserId, String), Uuid>,
}

impl DataApi {
    fn new() -> Self {
        Self {
            settings: OnceLock::new(),
            cache: RwLock::new(None),
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
    let settings = Settings {
        schemas: exposed(kernel.modules(), &kernel.config().rest.schemas)?,
        max_rows: Some(kernel.config().rest.max_rows),
        openapi_server_proxy_uri: Some(format!("{}/rest/v1", kernel.config().server.site_url)),
        aggregates: kernel.config().rest.aggregates,
        raise: Some(QualifiedName::new("kernel", "raise")),
        ..Settings::default()
    };
    let settings = api.settings.get_or_init(|| settings).clone();
    load(&kernel, &api, &settings).await?;
    tokio::spawn(async move {
        loop {
            reload.notified().await;
            tokio::time::sleep(DEBOUNCE).await;
            if let Err(error) = load(&kernel, &api, &settings).await {
                tracing::warn!(%error, "the schema could not be read; the old one stays in use");
            }
        }
    });
    Ok(())
}

/// The schemas that apps show, then the operator's own.
fn exposed(modules: &[Module], own: &[String]) -> Result<Vec<String>> {
    let mut schemas: Vec<String> = Vec::new();
    let shown = modules
        .iter()
        .flat_map(|module| module.api_schemas.iter().copied());
    let shown: Vec<&str> = shown.collect();
    for schema in shown.iter().copied().chain(own.iter().map(String::as_str)) {
        let is_tenons = schema == "kernel" || modules.iter().any(|module| module.schema == schema);
        let is_postgres = schema == "information_schema" || schema.starts_with("pg_");
        if schema.is_empty() || is_postgres || is_tenons && !shown.contains(&schema) {
            return Err(tenon_sdk::Error::invalid(
                "config.invalid",
                format!("The setting rest.schemas must not contain \"{schema}\"."),
            )
            .details("Tables of Tenon's kernel and of PostgreSQL are not shown to anybody.")
            .hint("Name schemas of your own, or leave the default, public."));
        }
        if !schemas.iter().any(|known| known == schema) {
            schemas.push(schema.to_owned());
        }
    }
    Ok(schemas)
}

async fn load(kernel: &Kernel, api: &DataApi, settings: &Settings) -> Result<()> {
    let tx = SystemTx::begin(kernel.db(), "schema cache").await?;
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
