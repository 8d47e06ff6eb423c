//! A second factor raises a session to `aal2`; a factor that is removed lowers those that rest on it.

use jiff::Timestamp;
use serde_json::{Value, json};
use tenon_sdk::{Result, SystemTx};
use uuid::Uuid;

use super::{Method, Session, agreed_claims, insert_token, signed, whose};
use crate::identity::{Identity, errors};

/// What the next token of a session says once a second factor is shown in it, agreed with the operator's hook before anything is
/// written: a hook that fails leaves everything as it was.
pub(in crate::identity) struct Rise {
    session: Uuid,
    method: Method,
    claims: Value,
}

impl Rise {
    /// Asks about a session that goes on; outside of any transaction, since the answer may take seconds. Errors as [`whose`].
    pub(in crate::identity) async fn agree(
        identity: &Identity,
        session: Uuid,
        method: Method,
    ) -> Result<Self> {
        let now = identity.0.env.now();
        let tx = SystemTx::begin(&identity.0.db, "session about to rise").await?;
        let user = whose(identity, &tx, session).await?;
        let raised = raised(&tx, session, method, now, "").await?;
        tx.commit().await?;
        Ok(Self {
            session,
            method,
            claims: agreed_claims(identity, &user, &raised, now).await?,
        })
    }
}

/// A session as it is with one more method. `lock` ends its row's query.
async fn raised(tx: &SystemTx, id: Uuid, method: Method, now: Timestamp, lock: &str) -> Result<Session> {
    let row = tx
        .query_opt(
            &format!("select amr from auth.sessions where id = $1 {lock}"),
            &[&id],
        )
        .await?
        .ok_or_else(errors::session_not_found)?;
    let shown: Value = row.try_get(0)?;
    let before = shown.as_array().into_iter().flatten();
    let mut amr = vec![json!({ "method": method.name(), "timestamp": now.as_second() })];
    amr.extend(before.filter(|claim| claim["method"] != method.name()).cloned());
    Ok(Session {
        id,
        aal: "aal2".into(),
        amr: Value::Array(amr),
    })
}

/// Raises a session to `aal2` in the transaction that proved a second factor, ends the person's sessions that stay below, and
/// commits. The session's refresh token is void: what was stolen before does not rise with it. Errors as [`whose`].
pub(in crate::identity) async fn raise(
    identity: &Identity,
    tx: SystemTx,
    rise: &Rise,
    factor: Option<Uuid>,
) -> Result<Value> {
    let env = &identity.0.env;
    let (refresh_token, now) = (env.new_secret::<24>(), env.now());
    // Tokens before their session, as a refresh locks them.
    tx.query(
        "select 1 from auth.refresh_tokens where session_id = $1 and used_at is null for update",
        &[&rise.session],
    )
    .await?;
    let session = raised(&tx, rise.session, rise.method, now, "for update").await?;
    let user = whose(identity, &tx, session.id).await?;
    tx.execute(
        "update auth.sessions set aal = $2::text::auth.aal_level, amr = $3, factor_id = $4, refreshed_at = $5, updated_at = $5 \
         where id = $1",
        &[&session.id, &session.aal, &session.amr, &factor, &now],
    )
    .await?;
    tx.execute(
        "delete from auth.refresh_tokens where session_id = $1 and used_at is null",
        &[&session.id],
    )
    .await?;
    tx.execute(
        "delete from auth.sessions where user_id = $1 and id <> $2 and aal = 'aal1'",
        &[&user.id, &session.id],
    )
    .await?;
    insert_token(&tx, &refresh_token, session.id, now).await?;
    // Signed before the commit, for the same reason.
    let answer = signed(identity, &user, &rise.claims, &refresh_token).await?;
    tx.commit().await?;
    Ok(answer)
}

/// Takes from the sessions that rest on a factor what it gave them: their next token is of `aal1`.
pub(in crate::identity) async fn lower(
    identity: &Identity,
    tx: &SystemTx,
    factor: Uuid,
    method: Method,
) -> Result<()> {
    tx.execute(
        "update auth.sessions set aal = 'aal1', factor_id = null, updated_at = $3, \
         amr = (select coalesce(jsonb_agg(claim order by at), '[]') \
             from jsonb_array_elements(amr) with ordinality as claims (claim, at) where claim ->> 'method' <> $2) \
         where factor_id = $1",
        &[&factor, &method.name(), &identity.0.env.now()],
    )
    .await
    .map(drop)
}
