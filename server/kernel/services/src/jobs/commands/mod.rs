//! What people do to jobs. Everything is within one organisation, or within all of them for those who run the installation.

mod cancel;
mod redrive;
mod retry;

pub use cancel::cancel;
pub use redrive::redrive;
pub use retry::retry;

use tenon_sdk::{Error, OrgId, Result, SystemTx, UserId, env::Env, events::Event};
use uuid::Uuid;

fn not_found() -> Error {
    Error::not_found("jobs.not_found", "There is no such job.")
}

async fn emit(
    tx: &SystemTx,
    env: &Env,
    org: OrgId,
    by: UserId,
    kind: &'static str,
    job: Uuid,
    name: &str,
) -> Result<()> {
    let event = Event::new(kind, job, serde_json::json!({ "name": name }));
    tx.emit(env, org, Some(by), &event).await
}
