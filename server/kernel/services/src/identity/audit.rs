//! What was done about sign-in and by whom, for those who look into it later; in the form of `auth.audit_log_entries` that
//! programs written for GoTrue read.

use std::net::IpAddr;

use serde_json::{Value, json};
use tenon_sdk::{Result, SystemTx, env::Env, http::ClientAddress};
use uuid::Uuid;

tokio::task_local! {
    static CLIENT: ClientAddress;
}

/// Does what answers a request of a client, whose address is recorded with whatever is recorded meanwhile.
pub(super) async fn answering<F: Future>(client: ClientAddress, answer: F) -> F::Output {
    CLIENT.scope(client, answer).await
}

/// The address of the client whose request is being answered; none in a job, and where a request came over no connection.
pub(super) fn address() -> Option<IpAddr> {
    let client = CLIENT.try_with(|ClientAddress(address)| *address).ok();
    client.filter(|address| !address.is_unspecified())
}

/// Records that somebody did something, as part of the transaction in which they do, and from which address.
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
        "insert into auth.audit_log_entries (id, payload, created_at, ip_address) values ($1, $2, $3, $4)",
        &[
            &env.new_id(),
            &payload,
            &now,
            &address().map(|address| address.to_string()).unwrap_or_default(),
        ],
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
        "user_signedup" | "user_invited" | "invite_accepted" => "team",
        _ => "user",
    }
}
