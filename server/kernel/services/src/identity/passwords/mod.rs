//! Passwords: argon2id with the parameters the crate recommends (OWASP: 19 MiB, two passes, one lane), and what a new one has
//! to be like ([`policy`]). Hashes of bcrypt, which people bring along from other installations, are good, too,
//! and give way to ours when their owner signs in.

mod breached;
mod common;
mod policy;
mod threads;

pub(super) use breached::check_online;
pub(super) use policy::check;

use std::sync::{Arc, LazyLock, OnceLock};

use argon2::{
    Argon2, Params,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tenon_sdk::{Error, Result};
use threads::Threads;

/// Longest password in bytes; hashing an unbounded one would be a way to keep the server busy.
pub(super) const MAX_BYTES: usize = 1024;

/// Whether a hash is one that people can sign in with: our own, or one brought along from another installation.
pub(super) fn known_form(hash: &str) -> bool {
    if is_bcrypt(hash) {
        return hash.parse::<bcrypt::HashParts>().is_ok();
    }
    ["$argon2id$", "$argon2i$"]
        .iter()
        .any(|form| hash.starts_with(form))
        && PasswordHash::new(hash).is_ok()
}

fn is_bcrypt(hash: &str) -> bool {
    ["$2a$", "$2b$", "$2y$"].iter().any(|form| hash.starts_with(form))
}

/// Whether a hash is not as ours are made now: one that was brought along, or of other costs.
pub(super) fn outdated(hash: &str) -> bool {
    let ours = PasswordHash::new(hash)
        .ok()
        .filter(|_| hash.starts_with("$argon2id$"))
        .and_then(|parsed| Params::try_from(&parsed).ok());
    ours.is_none_or(|costs| {
        (costs.m_cost(), costs.t_cost(), costs.p_cost())
            != (
                Params::DEFAULT_M_COST,
                Params::DEFAULT_T_COST,
                Params::DEFAULT_P_COST,
            )
    })
}

fn fits(password: &[u8], hash: &str) -> bool {
    if is_bcrypt(hash) {
        return bcrypt::verify(password, hash).unwrap_or(false);
    }
    PasswordHash::new(hash).is_ok_and(|parsed| Argon2::default().verify_password(password, &parsed).is_ok())
}

/// Hashing, off the request threads and on all cores but one, since each takes 19 MiB.
#[derive(Clone, Default)]
pub(super) struct Passwords {
    threads: Arc<OnceLock<Threads>>,
}

impl Passwords {
    /// They start when the first password comes.
    fn threads(&self) -> Result<&Threads> {
        if let Some(threads) = self.threads.get() {
            return Ok(threads);
        }
        let started = Threads::start()?;
        Ok(self.threads.get_or_init(|| started))
    }

    pub(super) async fn hash(&self, password: String) -> Result<String> {
        self.threads()?
            .run(move || {
                Argon2::default()
                    .hash_password(password.as_bytes())
                    .map(|hash| hash.to_string())
                    .map_err(Error::internal)
            })
            .await?
    }

    /// Whether the password fits. Without a hash (no such person) the same work is done, so that time tells nothing.
    pub(super) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        static NOBODY: LazyLock<String> = LazyLock::new(|| {
            Argon2::default()
                .hash_password(b"nobody")
                .map(|hash| hash.to_string())
                .unwrap_or_default()
        });
        self.threads()?
            .run(move || {
                let known = hash.is_some();
                let text = hash.unwrap_or_else(|| NOBODY.clone());
                known && fits(password.as_bytes(), &text)
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_other_kinds_and_costs_are_outdated_and_ours_are_not() {
        let ours = Argon2::default().hash_password(b"secret").unwrap().to_string();
        assert!(!outdated(&ours));
        for other in [
            "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkY8jIucDrjc8deX1s.",
            "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHQ$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A",
            "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A",
            "",
        ] {
            assert!(outdated(other), "{other}");
        }
    }
}
