//! What was done about sign-in and by whom, for those who look into it later; in the form of `auth.audit_log_entries` that
//! programs written for GoTrue read.

use serde_json::{Value, json};
use tenon_sdk::{Result, SystemTx, env::Env};
use uuid::Uuid;

/// Records that somebody did something, as part of the transaction in which they do.
///
/// `actor` is the person, if it is known who; `action` one of GoTrue's words where it has one (`login`, `logout`,
/// `user_signedup`, `user_recovery_requested`, `token_revoked`, `factor_deleted` …); `traits` the particulars, with no secret.
pub(crate) async fn record(
    tx: &SystemTx,
    env: &Env,
    actor: Option<Uuid>,
    action: &str,
    traits: Value,
) -> Result<()> {
    let now = env.now();
    let payload = json!({
        "action": action,
        "actor_id": actor,
        "log_type": log_type(action),
        "timestamp": now,
        "traits": traits,
    });
    tx.execute(
        "insert into auth.audit_log_entries (id, payload, created_at) values ($1, $2, $3)",
        &[&env.new_id(), &payload, &now],
    )
    .await
    .map(drop)
}

/// The group of an action, as GoTrue names it.
fn log_type(action: &str) -> &'static str {
    match action {
        "login" | "logout" => "account",
        "token_revoked" | "token_refreshed" => "token",
        action if action.starts_with("factor_") || action.contains("recovery_codes") => "factor",
        action if action.starts_with("user_signedup") || action.starts_with("user_invited") => "team",
        _ => "user",
    }
}
