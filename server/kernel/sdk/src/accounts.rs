//! What a module does with people's accounts: it says what it keeps of somebody, and lets go of it.
//!
//! Accounts belong to the identity service, which knows no other module. It asks all of them.

use serde_json::{Map, Value};

use crate::{db::SystemTx, error::Result, ids::UserId, kernel::Kernel};

/// What a module keeps of people outside of what it does for organisations.
#[async_trait::async_trait]
pub trait Accounts: Send + Sync {
    /// Lets go of a person whose account ends, in the transaction that ends it and locks their row. An error keeps the account.
    async fn end(&self, kernel: &Kernel, tx: &SystemTx, user: UserId) -> Result<()>;

    /// What is kept of a person, by name, for the export they may ask for; no secret and no hash of one.
    async fn export(&self, kernel: &Kernel, user: UserId) -> Result<Map<String, Value>>;
}
