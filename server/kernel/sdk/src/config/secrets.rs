//! Master keys.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Secret;

/// Where the master keys are that protect every other secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// The keys themselves, `1:<32 bytes in base64>,2:…`; empty: they are in a file.
    pub master_keys: Secret,
    /// The file; empty: `master.keys` in the data directory.
    pub master_file: PathBuf,
    /// `HashiCorp` Vault.
    pub vault: SecretsVault,
}

impl Secrets {
    /// The file in which master keys are, or were before there was a Vault.
    pub fn path(&self, data_dir: &Path) -> PathBuf {
        if self.master_file.as_os_str().is_empty() {
            data_dir.join("master.keys")
        } else {
            self.master_file.clone()
        }
    }

    /// The file that holds the master keys in use; none if they are in the settings or in Vault.
    pub fn file(&self, data_dir: &Path) -> Option<PathBuf> {
        (self.master_keys.is_empty() && self.vault.address.is_empty()).then(|| self.path(data_dir))
    }
}

/// A Vault and a key of its `transit` engine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretsVault {
    /// Its address; empty: none is used.
    pub address: String,
    /// Where the engine is mounted.
    pub mount: String,
    /// The key's name; it must be derived.
    pub key: String,
    /// The namespace of Vault Enterprise; empty: none.
    pub namespace: String,
    /// The token.
    pub token: Secret,
    /// A file that holds the token, which an agent may renew.
    pub token_file: PathBuf,
}
