//! Master keys: they wrap data keys and are in no database. Where they are is the operator's choice.

mod file;
mod local;
mod vault;

use tenon_sdk::{Error, Result, config, env::Env, outbound::Outbound};

pub(crate) use local::Local;

use crate::seal::Key;

/// A data key as it lies in the database, and the master key under which it was wrapped.
pub(crate) struct Wrapped {
    pub(crate) keeper: String,
    pub(crate) master: i32,
    pub(crate) bytes: Vec<u8>,
}

/// What wraps data keys. `scope` is bound into what comes of it, and the wrapping key is derived for it.
#[async_trait::async_trait]
pub(crate) trait Master: Send + Sync {
    /// The newest version, which wraps.
    async fn newest(&self) -> Result<i32>;
    async fn wrap(&self, scope: &[u8], key: &Key) -> Result<Wrapped>;
    /// Errors: `secrets.no_master_key` if that version is not here.
    async fn unwrap(&self, scope: &[u8], wrapped: &Wrapped) -> Result<Key>;
    /// Makes another version, which is the newest from then on.
    ///
    /// Errors: `secrets.master_key_elsewhere` where only the operator can.
    async fn renew(&self) -> Result<i32>;
    /// Versions with what may be known of them; none where keys are somewhere that vouches for them itself.
    async fn fingerprints(&self) -> Result<Vec<(i32, Vec<u8>)>>;
    /// `local` or `vault`: versions count for each on its own.
    fn keeper(&self) -> &'static str;
    /// Where they are, for people.
    fn home(&self) -> String;
}

/// All master keys that this installation has: those of the keeper that wraps now, and those of the one it had before.
pub(crate) struct Masters {
    pub(crate) current: Box<dyn Master>,
    /// Before Vault: until everything is wrapped anew, local keys still unwrap.
    before: Option<Local>,
}

impl Masters {
    /// Those of these settings. A file that is not there is made, with a first key.
    pub(crate) fn open(config: &config::Config, env: &Env, outbound: &Outbound) -> Result<Self> {
        let settings = &config.secrets;
        let path = settings.path(&config.database.data_dir);
        let given = || Local::given(settings.master_keys.expose(), env.clone());
        let has_given = !settings.master_keys.is_empty();
        if !settings.vault.address.is_empty() {
            let before = match has_given {
                true => Some(given()?),
                false if path.exists() => Some(Local::file(path, env.clone())?),
                false => None,
            };
            let vault = vault::Vault::new(settings.vault.clone(), outbound.clone())?;
            return Ok(Self {
                current: Box::new(vault),
                before,
            });
        }
        let local = if has_given {
            given()?
        } else {
            Local::file(path, env.clone())?
        };
        Ok(Self {
            current: Box::new(local),
            before: None,
        })
    }

    /// The data key that was wrapped, by whichever keeper.
    pub(crate) async fn unwrap(&self, scope: &[u8], wrapped: &Wrapped) -> Result<Key> {
        if wrapped.keeper == self.current.keeper() {
            return self.current.unwrap(scope, wrapped).await;
        }
        match &self.before {
            Some(before) if wrapped.keeper == before.keeper() => before.unwrap(scope, wrapped).await,
            _ => Err(missing(wrapped.master, &self.current.home()).details(format!(
                "version {} of the keeper `{}`",
                wrapped.master, wrapped.keeper
            ))),
        }
    }
}

/// A setting that cannot be.
fn wrong(details: impl Into<String>) -> Error {
    Error::invalid("config.invalid", "The settings of master keys are wrong.").details(details)
}

/// A version that is not here.
fn missing(version: i32, home: &str) -> Error {
    Error::new(
        tenon_sdk::error::Kind::Internal,
        "secrets.no_master_key",
        "The master key that protects a value is not here.",
    )
    .details(format!("version {version}, looked for in {home}"))
    .hint("Bring the key back from where it was kept; without it nothing that it protects can be read.")
}
