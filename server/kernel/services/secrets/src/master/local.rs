//! Master keys in the memory of this process, from a file or from a setting.

use std::{
    path::PathBuf,
    sync::{PoisonError, RwLock},
};

use aes_gcm::{Aes256Gcm, KeyInit};
use hkdf::Hkdf;
use sha2::Sha256;
use tenon_sdk::{Error, Result, env::Env};
use zeroize::Zeroizing;

use super::{
    Master, Wrapped,
    file::{self, Keys, Put},
    missing,
};
use crate::seal::{KEY, Key, decrypt, encrypt};

pub(crate) struct Local {
    keys: RwLock<Keys>,
    /// None: given by a setting.
    path: Option<PathBuf>,
    env: Env,
}

impl Local {
    /// Those that stand in a text.
    pub(crate) fn given(text: &str, env: Env) -> Result<Self> {
        let keys = file::parse(text)?;
        if keys.is_empty() {
            return Err(super::wrong("there is no key in secrets.master_keys"));
        }
        Ok(Self {
            keys: RwLock::new(keys),
            path: None,
            env,
        })
    }

    /// Those in a file, which is made if it is not there. Of several processes that make it at once, all use the one that was first.
    pub(crate) fn file(path: PathBuf, env: Env) -> Result<Self> {
        let keys = if let Some(keys) = file::read(&path)? {
            keys
        } else {
            let mut first = Keys::new();
            first.insert(1, new_key(&env));
            if file::write(&path, &first, Put::New)? {
                tracing::warn!(
                    file = %path.display(),
                    "made a master key: keep a copy of it apart from the database's backups, which cannot be read without it"
                );
            }
            file::read(&path)?.ok_or_else(|| missing(1, &path.display().to_string()))?
        };
        Ok(Self {
            keys: RwLock::new(keys),
            path: Some(path),
            env,
        })
    }

    fn key(&self, version: i32) -> Option<Key> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(&version).cloned()
    }

    /// Another process may have added one.
    fn read_again(&self) -> Result<()> {
        if let Some(path) = &self.path
            && let Some(keys) = file::read(path)?
        {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        }
        Ok(())
    }

    fn known(&self, version: i32) -> Result<Key> {
        if let Some(key) = self.key(version) {
            return Ok(key);
        }
        self.read_again()?;
        self.key(version).ok_or_else(|| missing(version, &self.home()))
    }
}

fn new_key(env: &Env) -> Key {
    let mut key = Zeroizing::new([0; KEY]);
    env.fill_random(key.as_mut_slice());
    key
}

/// The key that wraps for one scope. RFC 5869: the master key is uniformly random, so that no salt is needed.
fn wrapping(master: &Key, scope: &[u8]) -> Result<Aes256Gcm> {
    let mut derived = Zeroizing::new([0; KEY]);
    Hkdf::<Sha256>::new(None, master.as_slice())
        .expand(scope, derived.as_mut_slice())
        .map_err(Error::internal)?;
    Ok(Aes256Gcm::new((&*derived).into()))
}

#[async_trait::async_trait]
impl Master for Local {
    async fn newest(&self) -> Result<i32> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        Ok(keys.last_key_value().map_or(0, |(version, _)| *version))
    }

    async fn wrap(&self, scope: &[u8], key: &Key) -> Result<Wrapped> {
        // Seldom done, so that a key of another process's rotation is used from then on.
        self.read_again()?;
        let master = self.newest().await?;
        let bytes = encrypt(
            &wrapping(&self.known(master)?, scope)?,
            &self.env,
            scope,
            key.as_slice(),
        )?;
        Ok(Wrapped {
            keeper: self.keeper().to_owned(),
            master,
            bytes,
        })
    }

    async fn unwrap(&self, scope: &[u8], wrapped: &Wrapped) -> Result<Key> {
        let master = self.known(wrapped.master)?;
        let plain = decrypt(&wrapping(&master, scope)?, scope, &wrapped.bytes)?;
        let key: [u8; KEY] = plain
            .expose()
            .try_into()
            .map_err(|_| tenon_sdk::secrets::unreadable("a data key has a wrong length"))?;
        Ok(Zeroizing::new(key))
    }

    async fn renew(&self) -> Result<i32> {
        let Some(path) = &self.path else {
            return Err(Error::conflict(
                "secrets.master_key_elsewhere",
                "The master keys stand in the settings.",
            )
            .hint("Add a key with the next version to secrets.master_keys on all servers, start them anew, and rotate then."));
        };
        self.read_again()?;
        let version = self.newest().await? + 1;
        {
            let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
            keys.insert(version, new_key(&self.env));
            file::write(path, &keys, Put::Over)?;
        }
        Ok(version)
    }

    async fn fingerprints(&self) -> Result<Vec<(i32, Vec<u8>)>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter()
            .map(|(version, key)| {
                let mut fingerprint = vec![0; 16];
                Hkdf::<Sha256>::new(None, key.as_slice())
                    .expand(b"tenon fingerprint 1", &mut fingerprint)
                    .map_err(Error::internal)?;
                Ok((*version, fingerprint))
            })
            .collect()
    }

    fn keeper(&self) -> &'static str {
        "local"
    }

    fn home(&self) -> String {
        self.path.as_ref().map_or_else(
            || "secrets.master_keys".to_owned(),
            |path| path.display().to_string(),
        )
    }
}
