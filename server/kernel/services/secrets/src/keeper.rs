//! Data keys: made when a first value is sealed, read when they are needed, remembered for a while.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use tenon_sdk::{
    Error, OrgId, Result, SystemTx,
    config::Config,
    db::Db,
    env::Env,
    outbound::Outbound,
    secrets::{Place, Plain, Sealed, Secrets},
};
use zeroize::Zeroizing;

use crate::{
    master::{Masters, Wrapped},
    seal::{self, DataKey, KEY, Key},
};

/// Data keys in memory.
const REMEMBERED: usize = 10_000;
/// How long the newest version of a data key is believed to be that: a rotation elsewhere is noticed by then.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

type Scope = (Option<OrgId>, &'static str);

/// The service.
#[derive(Clone)]
pub struct Keeper(Arc<Inner>);

struct Inner {
    db: Db,
    pub(crate) env: Env,
    masters: Masters,
    keys: Cache<(Scope, i32), Arc<DataKey>>,
    newest: Cache<Scope, (Timestamp, Arc<DataKey>)>,
}

impl Keeper {
    /// A keeper with the master keys of the settings; nothing is asked of the database or of Vault yet.
    ///
    /// Errors: `config.invalid`.
    pub fn new(db: Db, env: Env, config: &Config) -> Result<Self> {
        let outbound = Outbound::new(env.clone(), &config.outbound);
        Ok(Self(Arc::new(Inner {
            masters: Masters::open(config, &env, &outbound)?,
            db,
            env,
            keys: Cache::new(REMEMBERED),
            newest: Cache::new(REMEMBERED),
        })))
    }

    pub(crate) fn masters(&self) -> &Masters {
        &self.0.masters
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn env(&self) -> &Env {
        &self.0.env
    }

    /// Notices master keys that cannot be used or are not those of this database, before anything is sealed with them.
    ///
    /// Errors: `secrets.wrong_master_key`, `secrets.vault_away`, `config.invalid`.
    pub async fn check(&self) -> Result<()> {
        let master = &self.0.masters.current;
        master.newest().await?;
        let found = master.fingerprints().await?;
        let tx = SystemTx::begin(&self.0.db, "master keys").await?;
        for (version, fingerprint) in found {
            let known = tx
                .query_one(
                    include_str!("sql/meet_master.sql"),
                    &[&master.keeper(), &version, &fingerprint, &self.0.env.now()],
                )
                .await?;
            let known: Vec<u8> = known.try_get(0)?;
            if known != fingerprint {
                return Err(Error::conflict(
                    "secrets.wrong_master_key",
                    "The master key is not the one that this database's secrets were sealed with.",
                )
                .details(format!("version {version}, {}", master.home()))
                .hint("Bring the right key back; a new one cannot open what is there."));
            }
        }
        tx.commit().await
    }

    /// The newest data key of a scope; a first one is made.
    pub async fn newest(&self, org: Option<OrgId>, purpose: &'static str) -> Result<Arc<DataKey>> {
        let now = self.0.env.now();
        if let Some((at, key)) = self.0.newest.get(&(org, purpose))
            && now.duration_since(at) < FRESH
        {
            return Ok(key);
        }
        let tx = SystemTx::begin(&self.0.db, "data key").await?;
        let rows = tx
            .query(include_str!("sql/newest_key.sql"), &[&org, &purpose])
            .await?;
        tx.commit().await?;
        let Some(row) = rows.first() else {
            return self.make((org, purpose), 1).await;
        };
        let key = self
            .unwrapped((org, purpose), row.try_get(0)?, &wrapped(row)?)
            .await?;
        self.0.newest.insert((org, purpose), (now, key.clone()));
        Ok(key)
    }

    /// Makes a version of a data key. Of several that make the same one at once, all use the one that was first.
    pub(crate) async fn make(&self, scope: Scope, version: i32) -> Result<Arc<DataKey>> {
        let mut key: Key = Zeroizing::new([0; KEY]);
        self.0.env.fill_random(key.as_mut_slice());
        // Vault is asked with no transaction open.
        let wrapped = self
            .0
            .masters
            .current
            .wrap(&seal::scope(scope.0, scope.1), &key)
            .await?;
        let tx = SystemTx::begin(&self.0.db, "data key").await?;
        tx.execute(
            include_str!("sql/add_key.sql"),
            &[
                &scope.0,
                &scope.1,
                &version,
                &wrapped.keeper,
                &wrapped.master,
                &wrapped.bytes,
                &self.0.env.now(),
            ],
        )
        .await?;
        tx.commit().await?;
        let key = self.version(scope, version).await?;
        self.0.newest.insert(scope, (self.0.env.now(), key.clone()));
        Ok(key)
    }

    /// One version of a data key.
    ///
    /// Errors: `secrets.unreadable` if there is none.
    async fn version(&self, scope: Scope, version: i32) -> Result<Arc<DataKey>> {
        if let Some(key) = self.0.keys.get(&(scope, version)) {
            return Ok(key);
        }
        let tx = SystemTx::begin(&self.0.db, "data key").await?;
        let row = tx
            .query_opt(include_str!("sql/one_key.sql"), &[&scope.0, &scope.1, &version])
            .await?;
        tx.commit().await?;
        let row = row.ok_or_else(|| tenon_sdk::secrets::unreadable("the key that sealed it is gone"))?;
        self.unwrapped(scope, version, &wrapped(&row)?).await
    }

    async fn unwrapped(&self, scope: Scope, version: i32, wrapped: &Wrapped) -> Result<Arc<DataKey>> {
        if let Some(key) = self.0.keys.get(&(scope, version)) {
            return Ok(key);
        }
        let key = self
            .0
            .masters
            .unwrap(&seal::scope(scope.0, scope.1), wrapped)
            .await?;
        let key = Arc::new(DataKey::new(version, &key));
        self.0.keys.insert((scope, version), key.clone());
        Ok(key)
    }
}

/// Of a row: version, keeper, master, wrapped.
pub(crate) fn wrapped(row: &tokio_postgres::Row) -> Result<Wrapped> {
    Ok(Wrapped {
        keeper: row.try_get(1)?,
        master: row.try_get(2)?,
        bytes: row.try_get(3)?,
    })
}

#[async_trait::async_trait]
impl Secrets for Keeper {
    async fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Sealed> {
        let key = self.newest(place.org, place.purpose).await?;
        key.seal(&self.0.env, place, plain)
    }

    async fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Plain> {
        let version = seal::version(sealed)?;
        let key = self.version((place.org, place.purpose), version).await?;
        key.open(place, sealed)
    }
}
