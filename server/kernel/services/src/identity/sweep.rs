//! What has had its time goes: proofs and codes that nobody showed, sessions that are over, places nobody came from lately, decoys,
//! and messages that were sent long ago. Any number of servers may sweep; each does its own share of nothing when another was
//! there before.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tenon_sdk::{Error, Kernel, Result, SystemTx};
use uuid::Uuid;

use super::{audit, places, sessions, users};

/// Between two rounds.
const PAUSE: Duration = Duration::from_mins(15);
/// Rows that go at once, so that no lock is held for long; and how many times of one kind in a round.
const BATCH: i64 = 1000;
const BATCHES: u32 = 200;
/// How long an expired proof is kept: its failures count for an hour.
const PROOFS: SignedDuration = SignedDuration::from_hours(2);
/// How long it can be seen that a message was sent, or why it was not.
const MESSAGES: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Decoys tell nothing; they are kept only as long as they are no burden.
const DECOYS: SignedDuration = SignedDuration::from_hours(1);
/// How long a refresh token that was spent is known, so that whoever comes back with it ends the session. After that it is
/// unknown, and of no more use.
const SPENT: SignedDuration = SignedDuration::from_hours(24 * 14);
/// How long the client of a session that is over is told so.
const OVER: SignedDuration = SignedDuration::from_hours(24);
/// Questions that wait for a factor or a passkey wait for minutes.
const CHALLENGES: SignedDuration = SignedDuration::from_hours(1);

/// Sweeps until it is dropped.
pub(crate) async fn work(kernel: Kernel) {
    loop {
        match sweep(&kernel).await {
            Ok(0) => {}
            Ok(gone) => tracing::debug!(gone, "swept"),
            Err(error) => tracing::warn!(%error, "sweep"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// One round; gives how many rows are gone.
pub async fn sweep(kernel: &Kernel) -> Result<u64> {
    let now = kernel.env().now();
    let auth = &kernel.config().auth;
    let programs = now.saturating_sub(SignedDuration::from_secs(auth.issuer.refresh_seconds));
    let silent = sessions::silent_since(auth, now).map(|since| since - OVER);
    let mut gone = 0;
    for (table, condition, before) in [
        ("auth.one_time_tokens", "expires_at < $1", Some(now - PROOFS)),
        ("auth.flow_states", "expires_at < $1", Some(now)),
        ("auth.provider_flows", "expires_at < $1", Some(now)),
        (
            "auth.known_places",
            "last_used_at < $1",
            Some(now - places::REMEMBERED),
        ),
        (
            "notifications.messages",
            "state = 'decoy' and created_at < $1",
            Some(now - DECOYS),
        ),
        // What is queued may still go out; what a mailbox keeps is for people to look at.
        (
            "notifications.messages",
            "state in ('sent', 'failed') and created_at < $1",
            Some(now - MESSAGES),
        ),
        (
            "auth.refresh_tokens",
            "created_at < $1 and used_at < $1",
            Some(now - SPENT),
        ),
        ("auth.sessions", "not_after < $1", Some(now - OVER)),
        (
            "auth.sessions",
            "oauth_client_id is null and refreshed_at < $1",
            silent,
        ),
        (
            "auth.sessions",
            "oauth_client_id is not null and refreshed_at < $1",
            programs.ok().map(|since| since - OVER),
        ),
        ("auth.mfa_challenges", "created_at < $1", Some(now - CHALLENGES)),
        (
            "auth.webauthn_challenges",
            "expires_at < $1",
            Some(now - CHALLENGES),
        ),
    ] {
        if let Some(before) = before {
            gone += in_batches(kernel, table, condition, before).await?;
        }
    }
    if auth.anonymous_days > 0 {
        let since = now.saturating_sub(SignedDuration::from_hours(24 * auth.anonymous_days));
        gone += visitors(kernel, since.map_err(Error::internal)?).await?;
    }
    Ok(gone)
}

const VISITORS: &str = "select u.id from auth.users u where u.is_anonymous and u.id > $2 \
     and u.created_at < $1 and coalesce(u.last_sign_in_at, u.created_at) < $1 \
     and not exists (select from auth.sessions s where s.user_id = u.id and s.refreshed_at >= $1)";

/// Deletes visitors' accounts that nobody has used since a moment, each in a transaction of its own: what of the installation's
/// own tables refers to one may stand in its way, and in no other's.
async fn visitors(kernel: &Kernel, since: Timestamp) -> Result<u64> {
    let (mut gone, mut last) = (0, Uuid::nil());
    for _ in 0..BATCHES {
        let tx = SystemTx::begin(kernel.db(), "visitors who left").await?;
        let sql = format!("{VISITORS} order by u.id limit {BATCH}");
        let rows = tx.query(&sql, &[&since, &last]).await?;
        tx.commit().await?;
        for row in &rows {
            last = row.try_get(0)?;
            match visitor(kernel, last, since).await {
                Ok(rows) => gone += rows,
                Err(error) => tracing::warn!(user = %last, %error, "a visitor's account cannot be swept"),
            }
        }
        if rows.len() < usize::try_from(BATCH).unwrap_or_default() {
            break;
        }
    }
    Ok(gone)
}

async fn visitor(kernel: &Kernel, user: Uuid, since: Timestamp) -> Result<u64> {
    let tx = SystemTx::begin(kernel.db(), "visitor who left").await?;
    // Meanwhile they may have come back, or said who they are.
    let sql = format!("{VISITORS} and u.id = $3 for update skip locked");
    if tx
        .query_opt(&sql, &[&since, &Uuid::nil(), &user])
        .await?
        .is_none()
    {
        return Ok(0);
    }
    users::delete(kernel, &tx, user).await?;
    let traits = json!({ "user_id": user, "anonymous": true });
    audit::record(&tx, kernel.env(), None, "user_deleted", traits).await?;
    tx.commit().await?;
    Ok(1)
}

/// Deletes the rows of a table that are older than a moment, some at a time. Rows that somebody holds wait for the next round.
async fn in_batches(kernel: &Kernel, table: &str, condition: &str, before: Timestamp) -> Result<u64> {
    let sql = format!(
        "delete from {table} where ctid = any (array(select ctid from {table} where {condition} limit {BATCH} \
         for update skip locked))"
    );
    let mut gone = 0;
    for _ in 0..BATCHES {
        let tx = SystemTx::begin(kernel.db(), "sweep").await?;
        let rows = tx.execute(&sql, &[&before]).await?;
        tx.commit().await?;
        gone += rows;
        if rows < BATCH.unsigned_abs() {
            break;
        }
    }
    Ok(gone)
}
