//! The keys that sign access tokens, and those that are accepted.
//!
//! Without settings they are ES256 keys in the database, shared by all servers, the first made at the first start. A new one is
//! published before it signs, and an old one is accepted until the last token it signed has expired. `auth.signing_keys_file`
//! takes their place with keys from elsewhere; `auth.jwt_secret` is the shared secret of older installations of Supabase and
//! is accepted besides.

mod jwk;

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use p256::{
    SecretKey,
    elliptic_curve::sec1::ToEncodedPoint,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding},
};
use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx, config::Auth, db::Db, env::Env, secrets::Sealed};
use tokio::sync::Mutex;

use super::sealed::{SIGNING_KEYS, Seals};

/// How long a new key is published before it signs: servers and clients keep the list of keys for ten minutes.
const AHEAD: SignedDuration = SignedDuration::from_mins(15);
/// How often the keys in the database are looked at.
const FRESH: SignedDuration = SignedDuration::from_mins(1);
/// How soon after a look an unknown key id causes another.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// One key.
pub(super) struct Key {
    pub(super) kid: String,
    pub(super) algorithm: Algorithm,
    /// Absent where it only verifies.
    pub(super) signing: Option<EncodingKey>,
    pub(super) verifying: DecodingKey,
    /// Absent for a shared secret.
    pub(super) public_jwk: Option<Value>,
}

/// All keys of the installation.
#[derive(Clone)]
pub(super) struct Keys {
    db: Db,
    env: Env,
    seals: Seals,
    source: Source,
    legacy: Option<Arc<Key>>,
    /// Tokens that were signed before this moment may still be shown, if their key signed until then.
    lifetime: SignedDuration,
    loaded: Arc<RwLock<Loaded>>,
    /// Held while the keys are looked at: once for all who wait.
    looking: Arc<Mutex<()>>,
    /// Raised when a key is gone, so that tokens it signed are not remembered.
    generation: Arc<AtomicU64>,
}

/// A key that was just made.
struct New {
    kid: String,
    sealed: Sealed,
    jwk: Value,
}

#[derive(Clone)]
enum Source {
    Database,
    File(String),
}

#[derive(Default)]
struct Loaded {
    /// When they were looked at, or that was last tried.
    at: Option<Timestamp>,
    by_kid: HashMap<String, Arc<Key>>,
    /// Keys that sign, with the moment since when, the latest last.
    signing: Vec<(Timestamp, Arc<Key>)>,
}

impl Keys {
    pub(super) fn new(db: Db, env: Env, seals: Seals, auth: &Auth) -> Self {
        let source = match auth.signing_keys_file.as_str() {
            "" => Source::Database,
            path => Source::File(path.to_owned()),
        };
        let legacy = (!auth.jwt_secret.is_empty()).then(|| {
            let secret = auth.jwt_secret.expose().as_bytes();
            Arc::new(Key {
                kid: String::new(),
                algorithm: Algorithm::HS256,
                signing: Some(EncodingKey::from_secret(secret)),
                verifying: DecodingKey::from_secret(secret),
                public_jwk: None,
            })
        });
        Self {
            db,
            env,
            seals,
            source,
            legacy,
            lifetime: SignedDuration::from_secs(auth.access_token_seconds),
            loaded: Arc::default(),
            looking: Arc::default(),
            generation: Arc::default(),
        }
    }

    /// Makes the first key if there is none and loads all.
    ///
    /// Errors: `config.invalid` if the keys come from a file that cannot be read or in which none can sign.
    pub(super) async fn ensure(&self) -> Result<()> {
        if matches!(self.source, Source::Database) {
            let new = self.generate().await?;
            let tx = self.lock().await?;
            if tx
                .query("select 1 from auth.signing_keys limit 1", &[])
                .await?
                .is_empty()
            {
                self.insert(&tx, &new, self.env.now()).await?;
            }
            tx.commit().await?;
        }
        self.load().await?;
        self.signing().await.map(drop)
    }

    /// Errors: `config.invalid` for a secret that could be guessed.
    pub(super) fn check_settings(auth: &Auth) -> Result<()> {
        for (name, secret) in [("jwt_secret", &auth.jwt_secret), ("secret_key", &auth.secret_key)] {
            if !secret.is_empty() && secret.expose().len() < 32 {
                return Err(Error::invalid(
                    "config.invalid",
                    format!("auth.{name} is too short: whoever guesses it is the operator."),
                )
                .hint("Use at least 32 random characters."));
            }
        }
        Ok(())
    }

    async fn lock(&self) -> Result<SystemTx> {
        let tx = SystemTx::begin(&self.db, "signing keys").await?;
        tx.query("select pg_advisory_xact_lock(hashtext('auth.signing_keys'))", &[])
            .await?;
        Ok(tx)
    }

    async fn insert(&self, tx: &SystemTx, new: &New, signs_from: Timestamp) -> Result<()> {
        tx.execute(
            "insert into auth.signing_keys (kid, sealed, public_jwk, created_at, signs_from) \
             values ($1, $2, $3, $4, $5)",
            &[&new.kid, &new.sealed, &new.jwk, &self.env.now(), &signs_from],
        )
        .await?;
        Ok(())
    }

    /// Makes a new key and gives its id. It signs in a quarter of an hour, when everybody has seen it; the one before it is
    /// accepted until its last token has expired. `at_once` is for when a key has leaked: the new one signs now, all others
    /// are gone, and everybody whose token they signed has to refresh.
    ///
    /// Errors: `auth.keys_in_file` where the keys are not kept in the database.
    pub(super) async fn rotate(&self, at_once: bool) -> Result<String> {
        if matches!(self.source, Source::File(_)) {
            return Err(Error::conflict(
                "auth.keys_in_file",
                "The signing keys of this installation come from a file.",
            )
            .hint("Add a key to the file auth.signing_keys_file names, and start the servers anew."));
        }
        let new = self.generate().await?;
        let tx = self.lock().await?;
        let now = self.env.now();
        if at_once {
            tx.execute("delete from auth.signing_keys", &[]).await?;
            self.insert(&tx, &new, now).await?;
        } else {
            // One on its way is enough; and what signed last so long ago is not needed any more.
            tx.execute("delete from auth.signing_keys where signs_from > $1", &[&now])
                .await?;
            tx.execute(
                "delete from auth.signing_keys old where exists \
                 (select from auth.signing_keys next where next.signs_from > old.signs_from and next.signs_from < $1)",
                &[&(now - self.lifetime - AHEAD)],
            )
            .await?;
            self.insert(&tx, &new, now + AHEAD).await?;
        }
        super::audit::record(
            &tx,
            &self.env,
            None,
            "signing_key_rotated",
            json!({ "kid": new.kid, "at_once": at_once }),
        )
        .await?;
        tx.commit().await?;
        self.load().await?;
        Ok(new.kid)
    }

    async fn generate(&self) -> Result<New> {
        // A random scalar is a valid key but for one case in 2^32.
        let secret = loop {
            let mut bytes = [0; 32];
            self.env.fill_random(&mut bytes);
            if let Ok(secret) = SecretKey::from_slice(&bytes) {
                break secret;
            }
        };
        let kid = self.env.new_id().to_string();
        let point = secret.public_key().to_encoded_point(false);
        let part = |bytes: Option<&[u8]>| URL_SAFE_NO_PAD.encode(bytes.unwrap_or_default());
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "key_ops": ["verify"], "kid": kid,
            "x": part(point.x().map(AsRef::as_ref)), "y": part(point.y().map(AsRef::as_ref)),
        });
        let pem = secret.to_pkcs8_pem(LineEnding::LF).map_err(Error::internal)?;
        let sealed = self.seals.seal(SIGNING_KEYS, &kid, &pem).await?;
        Ok(New { kid, sealed, jwk })
    }

    async fn load(&self) -> Result<()> {
        let mut loaded = match &self.source {
            Source::Database => self.read_database().await?,
            Source::File(path) => read_file(path)?,
        };
        loaded.at = Some(self.env.now());
        loaded.signing.sort_by_key(|(from, _)| *from);
        let mut current = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        if current.by_kid.keys().any(|kid| !loaded.by_kid.contains_key(kid)) {
            self.generation.fetch_add(1, Ordering::Release);
        }
        *current = loaded;
        Ok(())
    }

    async fn read_database(&self) -> Result<Loaded> {
        let tx = SystemTx::begin(&self.db, "signing keys").await?;
        let rows = tx
            .query(
                "select kid, private_pem, public_jwk, signs_from, sealed from auth.signing_keys \
                 order by signs_from, kid",
                &[],
            )
            .await?;
        tx.commit().await?;
        let mut loaded = Loaded::default();
        for row in rows {
            let (kid, public_jwk): (String, Value) = (row.try_get(0)?, row.try_get(2)?);
            let sealed: Option<Sealed> = row.try_get(4)?;
            let pem = self
                .seals
                .open(SIGNING_KEYS, &kid, sealed.as_ref(), row.try_get(1)?)
                .await?
                .unwrap_or_default();
            let text = |name: &str| public_jwk[name].as_str().unwrap_or_default();
            let secret = SecretKey::from_pkcs8_pem(&pem).map_err(Error::internal)?;
            let key = Arc::new(Key {
                algorithm: Algorithm::ES256,
                signing: Some(jwk::ec_signing(&secret)?),
                verifying: DecodingKey::from_ec_components(text("x"), text("y")).map_err(Error::internal)?,
                public_jwk: Some(public_jwk.clone()),
                kid: kid.clone(),
            });
            loaded.by_kid.insert(kid, key.clone());
            loaded.signing.push((row.try_get(3)?, key));
        }
        Ok(loaded)
    }

    /// How long ago the keys were looked at.
    fn age(&self) -> Option<SignedDuration> {
        let at = self.loaded.read().unwrap_or_else(PoisonError::into_inner).at?;
        Some(self.env.now().duration_since(at))
    }

    /// Looks at the keys unless that was done lately: another server may have made one, or taken one away. Not to be called with a
    /// transaction open, since it takes a connection of its own.
    ///
    /// Where keys are known, nobody but the one who looks waits for it, and what is known goes on counting if it fails.
    async fn look(&self, lately: SignedDuration) -> Result<()> {
        let old = || self.age().is_none_or(|age| age > lately);
        if !old() {
            return Ok(());
        }
        let known = self.age().is_some();
        let _looking = match self.looking.try_lock() {
            Ok(looking) => looking,
            Err(_) if known => return Ok(()),
            Err(_) => self.looking.lock().await,
        };
        if !old() {
            return Ok(());
        }
        match self.load().await {
            Err(error) if known => {
                tracing::warn!(%error, "the signing keys cannot be looked at");
                let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
                loaded.at = Some(self.env.now());
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Makes sure that what is known of the keys is no older than a minute, as [`Keys::generation`] has it.
    pub(super) async fn keep_fresh(&self) -> Result<()> {
        self.look(FRESH).await
    }

    /// The key that signs now.
    pub(super) async fn signing(&self) -> Result<Arc<Key>> {
        self.look(FRESH).await?;
        let now = self.env.now();
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let current = loaded.signing.iter().rev().find(|(from, _)| *from <= now);
        current
            .map(|(_, key)| key.clone())
            .ok_or_else(|| Error::internal("no signing key"))
    }

    /// The key with an id. One that is not known here may have been made by another server.
    pub(super) async fn by_kid(&self, kid: &str) -> Result<Option<Arc<Key>>> {
        self.look(FRESH).await?;
        if let Some(key) = self.known(kid) {
            return Ok(Some(key));
        }
        self.look(PAUSE).await?;
        Ok(self.known(kid))
    }

    fn known(&self, kid: &str) -> Option<Arc<Key>> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.by_kid.get(kid).cloned()
    }

    /// The shared secret, for tokens that name no key.
    pub(super) fn legacy(&self) -> Option<&Arc<Key>> {
        self.legacy.as_ref()
    }

    /// Changes when a key is gone.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The public halves of all keys, as a JWK set.
    pub(super) async fn jwks(&self) -> Result<Value> {
        self.look(FRESH).await?;
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys: Vec<&Value> = loaded
            .by_kid
            .values()
            .filter_map(|key| key.public_jwk.as_ref())
            .collect();
        keys.sort_by_key(|key| key["kid"].as_str().unwrap_or_default().to_owned());
        Ok(json!({ "keys": keys }))
    }
}

fn read_file(path: &str) -> Result<Loaded> {
    let bad = |why: &dyn std::fmt::Display| {
        Error::invalid(
            "config.invalid",
            format!("The signing keys cannot be read from {path}: {why}"),
        )
        .hint(
            "auth.signing_keys_file names a JSON array of private JWKs, of which one has key_ops with sign.",
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| bad(&error))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| bad(&error))?;
    // Both an array, as GoTrue reads it, and a JWK set will do.
    let keys = value.get("keys").unwrap_or(&value);
    let keys = keys.as_array().ok_or_else(|| bad(&"it is no array"))?;
    let mut loaded = Loaded::default();
    for value in keys {
        let key = Arc::new(jwk::read(value)?);
        if key.signing.is_some() {
            loaded.signing.push((Timestamp::MIN, key.clone()));
        }
        if loaded.by_kid.insert(key.kid.clone(), key).is_some() {
            return Err(bad(&"two keys have the same kid"));
        }
    }
    if loaded.signing.len() != 1 {
        return Err(bad(&"exactly one key must be for signing"));
    }
    Ok(loaded)
}
