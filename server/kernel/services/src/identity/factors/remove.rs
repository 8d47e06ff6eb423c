//! A person takes a factor away; the sessions that rest on it fall back to `aal1`.

use axum::{Json, response::IntoResponse};
use serde_json::json;
use tenon_sdk::{Error, Result, SystemTx, http::Caller};
use uuid::Uuid;

use super::{Factor, Id, has_any, lock_person, person};
use crate::identity::{
    Identity, audit,
    mails::{self, Notice},
    routes::Service,
    sessions,
    users::User,
};

/// `DELETE /factors/:id`.
pub(super) async fn remove(service: Service, caller: Caller, path: Id) -> Result<impl IntoResponse> {
    let (session, user) = person(&service, caller).await?;
    let tx = SystemTx::begin(&service.0.0.db, "factor removed").await?;
    lock_person(&tx, user.id).await?;
    let factor = Factor::lock(&tx, user.id, &path).await?;
    if factor.verified && !sessions::is_aal2(&tx, session).await? {
        return Err(
            Error::unprocessable("insufficient_aal", "AAL2 required to unenroll verified factor")
                .hint("Show a second factor in this session first."),
        );
    }
    take_away(&service, &tx, &user, &factor, Some(session)).await?;
    tx.commit().await?;
    Ok(Json(json!({ "id": factor.id })))
}

/// Takes a factor away with what it gave; `session` is the person's own, none if the operator does it.
pub(super) async fn take_away(
    identity: &Identity,
    tx: &SystemTx,
    user: &User,
    factor: &Factor,
    session: Option<Uuid>,
) -> Result<()> {
    let kind = factor.kind.name();
    sessions::lower(identity, tx, factor.id, factor.kind.method()).await?;
    tx.execute("delete from auth.mfa_factors where id = $1", &[&factor.id])
        .await?;
    if factor.verified && !has_any(tx, user.id).await? {
        // Recovery codes stand in for a factor; alone they would be a list of passwords.
        tx.execute(
            "delete from auth.mfa_recovery_codes where user_id = $1",
            &[&user.id],
        )
        .await?;
    }
    let traits = json!({
        "factor_id": factor.id, "factor_type": kind, "session_id": session, "user_id": user.id,
        "factor_status": if factor.verified { "verified" } else { "unverified" },
    });
    let actor = session.map(|_| user.id);
    audit::record(tx, &identity.0.env, actor, "factor_deleted", traits).await?;
    if factor.verified {
        mails::notify(identity, tx, user, Notice::FactorRemoved { kind }).await?;
    }
    Ok(())
}
