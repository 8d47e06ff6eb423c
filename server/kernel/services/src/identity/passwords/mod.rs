//! Passwords: argon2id with the parameters the crate recommends (OWASP: 19 MiB, two passes, one lane), and what a new one has
//! to be like ([`policy`]). Hashes of bcrypt, which people bring along from other installations, are good, too.

mod breached;
mod common;
mod policy;

pub(super) use breached::check_online;
pub(super) use policy::check;

use std::sync::{Arc, LazyLock};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tenon_sdk::{Error, Result};
use tokio::sync::Semaphore;

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

fn fits(password: &[u8], hash: &str) -> bool {
    if is_bcrypt(hash) {
        return bcrypt::verify(password, hash).unwrap_or(false);
    }
    PasswordHash::new(hash).is_ok_and(|parsed| Argon2::default().verify_password(password, &parsed).is_ok())
}

/// Hashing, off the request threads and never more at once than there are cores, since each takes 19 MiB.
#[derive(Clone)]
pub(super) struct Passwords {
    permits: Arc<Semaphore>,
}

impl Passwords {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            permits: Arc::new(Semaphore::new(cores)),
        }
    }

    pub(super) async fn hash(&self, password: String) -> Result<String> {
        self.off_thread(move || {
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
        self.off_thread(move || {
            let known = hash.is_some();
            let text = hash.unwrap_or_else(|| NOBODY.clone());
            known && fits(password.as_bytes(), &text)
        })
        .await
    }

    /// The permit goes along with the work, which goes on when whoever asked for it has left.
    async fn off_thread<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let permit = self
            .permits
            .clone()
            .acquire_owned()
            .await
            .map_err(Error::internal)?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        })
        .await
        .map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn hashing_that_nobody_waits_for_any_more_keeps_its_place_until_it_is_done() {
        let passwords = Passwords {
            permits: Arc::new(Semaphore::new(1)),
        };
        let ((begun, begins), (finish, finishes)) = (mpsc::channel(), mpsc::channel::<()>());
        let asking = tokio::spawn({
            let passwords = passwords.clone();
            async move {
                passwords
                    .off_thread(move || {
                        begun.send(()).unwrap();
                        finishes.recv().unwrap();
                    })
                    .await
            }
        });
        tokio::task::spawn_blocking(move || begins.recv().unwrap())
            .await
            .unwrap();
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
        assert_eq!(passwords.permits.available_permits(), 0);
        finish.send(()).unwrap();
        drop(passwords.permits.acquire().await.unwrap());
    }
}
