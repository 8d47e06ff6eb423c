//! The keys that sign access tokens: ES256, made at the first start, shared by all servers through the database.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use p256::{
    SecretKey,
    elliptic_curve::sec1::ToEncodedPoint,
    pkcs8::{EncodePrivateKey, LineEnding},
};
use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx, db::Db, env::Env};

/// One key pair.
pub(super) struct Key {
    pub(super) kid: String,
    pub(super) signing: EncodingKey,
    pub(super) verifying: DecodingKey,
    pub(super) public_jwk: Value,
}

/// All keys of the installation; the newest signs.
#[derive(Clone)]
pub(super) struct Keys {
    db: Db,
    env: Env,
    loaded: Arc<RwLock<Loaded>>,
}

#[derive(Default)]
struct Loaded {
    by_kid: HashMap<String, Arc<Key>>,
    newest: Option<Arc<Key>>,
}

impl Keys {
    pub(super) fn new(db: Db, env: Env) -> Self {
        Self {
            db,
            env,
            loaded: Arc::default(),
        }
    }

    /// Makes the first key if there is none and loads all.
    pub(super) async fn ensure(&self) -> Result<()> {
        let tx = SystemTx::begin(&self.db, "signing keys").await?;
        tx.query("select pg_advisory_xact_lock(hashtext('auth.signing_keys'))", &[])
            .await?;
        if tx
            .query("select 1 from auth.signing_keys limit 1", &[])
            .await?
            .is_empty()
        {
            let (kid, pem, jwk) = self.generate()?;
            tx.execute(
                "insert into auth.signing_keys (kid, private_pem, public_jwk) values ($1, $2, $3)",
                &[&kid, &pem, &jwk],
            )
            .await?;
        }
        tx.commit().await?;
        self.load().await
    }

    fn generate(&self) -> Result<(String, String, Value)> {
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
        let pem = secret
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(Error::internal)?
            .to_string();
        Ok((kid, pem, jwk))
    }

    async fn load(&self) -> Result<()> {
        let tx = SystemTx::begin(&self.db, "signing keys").await?;
        let rows = tx
            .query(
                "select kid, private_pem, public_jwk from auth.signing_keys order by created_at, kid",
                &[],
            )
            .await?;
        tx.commit().await?;
        let mut loaded = Loaded::default();
        for row in rows {
            let (kid, pem, public_jwk): (String, String, Value) = (row.get(0), row.get(1), row.get(2));
            let text = |name: &str| public_jwk[name].as_str().unwrap_or_default();
            let key = Arc::new(Key {
                signing: EncodingKey::from_ec_pem(pem.as_bytes()).map_err(Error::internal)?,
                verifying: DecodingKey::from_ec_components(text("x"), text("y")).map_err(Error::internal)?,
                public_jwk: public_jwk.clone(),
                kid: kid.clone(),
            });
            loaded.by_kid.insert(kid, key.clone());
            loaded.newest = Some(key);
        }
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// The key that signs now.
    pub(super) async fn newest(&self) -> Result<Arc<Key>> {
        if let Some(key) = &self.loaded.read().unwrap_or_else(PoisonError::into_inner).newest {
            return Ok(key.clone());
        }
        self.load().await?;
        let newest = self
            .loaded
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .newest
            .clone();
        newest.ok_or_else(|| Error::internal("no signing key"))
    }

    /// The key with an id, if it is known here.
    pub(super) fn by_kid(&self, kid: &str) -> Option<Arc<Key>> {
        self.loaded
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_kid
            .get(kid)
            .cloned()
    }

    /// The public halves of all keys, as a JWK set.
    pub(super) fn jwks(&self) -> Value {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let keys: Vec<&Value> = loaded.by_kid.values().map(|key| &key.public_jwk).collect();
        json!({ "keys": keys })
    }
}
