//! Keys of organisations and personal tokens as a way to say who is asking. Here they are only recognised; whether one is still
//! good in an organisation is asked of its row at the start of every request, in the same look-up that resolves the tenancy. What
//! is remembered here lasts a few seconds, for the routes that ask for no organisation.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use serde_json::json;
use sha2::{Digest, Sha256};
use tenon_sdk::{
    Error, OrgId, Result, SystemTx, UserId,
    config::Secret,
    ctx::{Identity, KeyRef},
    db::Db,
    env::Env,
    http::KEY_PREFIX,
    kernel::{Authenticator, Signer},
    secrets::{Sealed, Secrets},
};
use uuid::Uuid;

use super::sealed::S3_SECRETS;

/// Random bytes in a key.
const SECRET_BYTES: usize = 24;
/// What access keys for S3 begin with.
const ACCESS_KEY_PREFIX: &str = "TNN";
/// How many letters of a key are kept for people to know it by.
const SHOWN: usize = 12;
/// How long an answer of the database is believed.
const REMEMBERED_SECONDS: i64 = 5;
/// How often it is written down that a key is in use.
const USED_EVERY_SECONDS: i64 = 60;

/// What kinds there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of an organisation, may be seen by everybody.
    Publishable,
    /// Of an organisation, for servers.
    Secret,
    /// Of a person.
    Personal,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Publishable => "publishable",
            Self::Secret => "secret",
            Self::Personal => "personal",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Publishable => "tnn_pub_",
            Self::Secret => "tnn_sec_",
            Self::Personal => "tnn_pat_",
        }
    }
}

/// A new key: the text that is shown once, its first letters, its hash.
pub(super) struct NewSecret {
    pub(super) text: String,
    pub(super) shown: String,
    pub(super) hash: Vec<u8>,
}

impl NewSecret {
    pub(super) fn generate(env: &Env, kind: Kind) -> Self {
        let text = format!("{}{}", kind.prefix(), env.new_secret::<SECRET_BYTES>());
        Self {
            shown: text.chars().take(SHOWN).collect(),
            hash: hash(&text).to_vec(),
            text,
        }
    }
}

/// What S3 clients sign with: the secret cannot be kept as a hash, since a signature is checked by making it again.
pub(super) struct SigningSecret {
    pub(super) access_key: String,
    pub(super) secret: String,
}

impl SigningSecret {
    pub(super) fn generate(env: &Env, key: Uuid) -> Self {
        Self {
            access_key: access_key(key),
            secret: env.new_secret::<30>(),
        }
    }
}

/// The access key of a key: capital letters and digits, since some clients take nothing else.
pub(super) fn access_key(key: Uuid) -> String {
    format!(
        "{ACCESS_KEY_PREFIX}{}",
        key.simple().to_string().to_ascii_uppercase()
    )
}

fn key_of(access_key: &str) -> Option<Uuid> {
    let digits = access_key.strip_prefix(ACCESS_KEY_PREFIX)?;
    (digits.len() == 32)
        .then(|| Uuid::try_parse(digits).ok())
        .flatten()
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[derive(Clone)]
struct Known {
    identity: Identity,
    /// What it signs with, if it is one for S3.
    signs_with: Option<Secret>,
    expires_at: Option<Timestamp>,
    asked_at: Timestamp,
}

/// Recognises keys and personal tokens, and leaves everything else to the one behind it.
#[derive(Clone)]
pub struct KeyAuthenticator(Arc<Inner>);

struct Inner {
    db: Db,
    env: Env,
    secrets: Arc<dyn Secrets>,
    behind: Arc<dyn Authenticator>,
    known: Cache<[u8; 32], Known>,
    signers: Cache<Uuid, Known>,
    used: Cache<Uuid, i64>,
}

impl KeyAuthenticator {
    /// Before `behind`, which knows the tokens of sessions.
    pub fn new(db: Db, env: Env, secrets: Arc<dyn Secrets>, behind: Arc<dyn Authenticator>) -> Self {
        Self(Arc::new(Inner {
            db,
            env,
            secrets,
            behind,
            known: Cache::new(4096),
            signers: Cache::new(4096),
            used: Cache::new(4096),
        }))
    }

    /// Writes down that a key is in use, at most once a minute and beside the request.
    fn used(&self, key: Uuid, now: Timestamp) {
        let before = self.0.used.get(&key);
        if before.is_some_and(|before| now.as_second() - before < USED_EVERY_SECONDS) {
            return;
        }
        self.0.used.insert(key, now.as_second());
        let db = self.0.db.clone();
        tokio::spawn(async move {
            let write = async {
                let tx = SystemTx::begin(&db, "key used").await?;
                let since = now - SignedDuration::from_secs(USED_EVERY_SECONDS);
                tx.execute(
                    "update tenancy.api_keys set last_used_at = $2 \
                     where id = $1 and (last_used_at is null or last_used_at <= $3)",
                    &[&key, &now, &since],
                )
                .await?;
                tx.commit().await
            };
            if let Err(error) = write.await {
                tracing::warn!(%error, "that a key was used could not be written down");
            }
        });
    }
}

fn not_good() -> Error {
    Error::unauthenticated("auth.key_invalid", "The key is not good.")
        .details("It is unknown, was revoked, or has expired.")
        .hint("Make a new one, and use that.")
}

/// By what a key is looked up.
enum By<'a> {
    Hash(&'a [u8; 32]),
    Id(Uuid),
}

async fn look_up(db: &Db, secrets: &dyn Secrets, by: By<'_>, now: Timestamp) -> Result<Option<Known>> {
    let (hash, id) = match by {
        By::Hash(hash) => (Some(hash.as_slice()), None),
        By::Id(id) => (None, Some(id)),
    };
    let tx = SystemTx::begin(db, "key").await?;
    let row = tx
        .query_opt(
            "select k.id, k.kind, k.org_id, k.user_id, k.scopes is not null, k.aal, k.expires_at, u.email, s.sealed \
             from tenancy.api_keys k left join auth.users u on u.id = k.user_id left join tenancy.s3_secrets s on s.key_id = k.id \
             where (k.secret_hash = $1 or k.id = $3 and s.sealed is not null) and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2) \
             and (k.user_id is null or u.deleted_at is null and (u.banned_until is null or u.banned_until <= $2))",
            &[&hash, &now, &id],
        )
        .await?;
    tx.commit().await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let (id, kind): (Uuid, String) = (row.try_get(0)?, row.try_get(1)?);
    let (org, user): (Option<OrgId>, Option<UserId>) = (row.try_get(2)?, row.try_get(3)?);
    let (scoped, aal): (bool, String) = (row.try_get(4)?, row.try_get(5)?);
    let email: Option<String> = row.try_get(7)?;
    let claims = match user {
        Some(user) => json!({
            "sub": user.0, "role": "authenticated", "aud": "authenticated", "email": email.unwrap_or_default(), "aal": aal,
            "is_anonymous": false, "key_id": id, "key_kind": kind,
        }),
        None => json!({ "role": "authenticated", "aud": "authenticated", "key_id": id, "key_kind": kind }),
    };
    let signs_with = match row.try_get::<_, Option<Sealed>>(8)? {
        Some(sealed) => {
            let plain = S3_SECRETS.open(secrets, org, &id.to_string(), &sealed).await?;
            Some(Secret::from(plain.text()?))
        }
        None => None,
    };
    Ok(Some(Known {
        identity: Identity {
            role: "authenticated",
            user,
            session: None,
            key: Some(KeyRef {
                id,
                org,
                narrow: org.is_some() || scoped,
            }),
            claims: claims.to_string().into(),
        },
        signs_with,
        expires_at: row.try_get(6)?,
        asked_at: now,
    }))
}

/// Whether an answer of the database is still believed.
fn is_fresh(known: &Known, now: Timestamp) -> bool {
    now.duration_since(known.asked_at).as_secs() < REMEMBERED_SECONDS
}

#[async_trait::async_trait]
impl Authenticator for KeyAuthenticator {
    async fn authenticate(&self, bearer: &str) -> Result<Identity> {
        if !bearer.starts_with(KEY_PREFIX) {
            return self.0.behind.authenticate(bearer).await;
        }
        // Longer than any key: not worth a hash.
        if bearer.len() > 128 {
            return Err(not_good());
        }
        let (hash, now) = (hash(bearer), self.0.env.now());
        let remembered = self.0.known.get(&hash);
        let known = if let Some(known) = remembered.filter(|known| is_fresh(known, now)) {
            known
        } else {
            let found = look_up(&self.0.db, &*self.0.secrets, By::Hash(&hash), now).await;
            self.0.known.remove(&hash);
            let known = found?.ok_or_else(not_good)?;
            self.0.known.insert(hash, known.clone());
            known
        };
        if known.expires_at.is_some_and(|end| end <= now) {
            return Err(not_good());
        }
        if let Some(key) = known.identity.key {
            self.used(key.id, now);
        }
        Ok(known.identity)
    }

    fn refusal(&self, path: &str, error: Error) -> Error {
        self.0.behind.refusal(path, error)
    }

    fn forget_key(&self, key: Uuid) {
        self.0
            .known
            .retain(|_, known| known.identity.key.is_none_or(|held| held.id != key));
        self.0.signers.remove(&key);
    }

    async fn signer(&self, access_key: &str) -> Result<Option<Signer>> {
        let Some(key) = key_of(access_key) else {
            return Ok(None);
        };
        let now = self.0.env.now();
        let remembered = self.0.signers.get(&key);
        let known = if let Some(known) = remembered.filter(|known| is_fresh(known, now)) {
            Some(known)
        } else {
            let found = look_up(&self.0.db, &*self.0.secrets, By::Id(key), now).await;
            self.0.signers.remove(&key);
            let known = found?;
            if let Some(known) = &known {
                self.0.signers.insert(key, known.clone());
            }
            known
        };
        let known = known.filter(|known| known.expires_at.is_none_or(|end| end > now));
        let Some(Known {
            identity,
            signs_with: Some(secret),
            ..
        }) = known
        else {
            return Ok(None);
        };
        self.used(key, now);
        Ok(Some(Signer { secret, identity }))
    }
}

impl std::fmt::Debug for KeyAuthenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyAuthenticator")
    }
}
