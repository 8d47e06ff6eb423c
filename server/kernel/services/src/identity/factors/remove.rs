//! A person takes a factor away; the sessions that rest on it fall back to `aal1`.

use axum::{Json, http::HeaderMap, response::Response};
use serde_json::json;
use tenon_sdk::{Error, Result, SystemTx, http::Caller};

use super::{Factor, Id, has_any, person};
use crate::identity::{
    audit, errors,
    mails::{self, Notice},
    routes::Service,
    sessions,
};

/// `DELETE /factors/:id`.
pub(super) async fn remove(
    service: Service,
    caller: Result<Caller>,
    path: Id,
    headers: HeaderMap,
) -> Response {
    let result = async {
        let (session, user) = person(&service, caller).await?;
        let env = &service.0.0.env;
        let tx = SystemTx::begin(&service.0.0.db, "factor removed").await?;
        let factor = Factor::lock(&tx, user.id, &path).await?;
        if factor.verified && !sessions::is_aal2(&tx, session).await? {
            return Err(Error::unprocessable(
                "insufficient_aal",
                "AAL2 required to unenroll verified factor",
            )
            .hint("Show a second factor in this session first."));
        }
        sessions::lower(&service, &tx, factor.id, factor.kind.method()).await?;
        tx.execute("delete from auth.mfa_factors where id = $1", &[&factor.id])
            .await?;
        if factor.verified && !has_any(&tx, user.id).await? {
            // Recovery codes stand in for a factor; alone they would be a list of passwords.
            tx.execute(
                "delete from auth.mfa_recovery_codes where user_id = $1",
                &[&user.id],
            )
            .await?;
        }
        let traits = json!({
            "factor_id": factor.id, "factor_type": factor.kind.name(), "session_id": session,
            "factor_status": if factor.verified { "verified" } else { "unverified" },
        });
        audit::record(&tx, env, Some(user.id), "factor_deleted", traits).await?;
        if factor.verified {
            let kind = factor.kind.name();
            mails::notify(&service, &tx, &user, Notice::FactorRemoved { kind }).await?;
        }
        tx.commit().await?;
        Ok(Json(json!({ "id": factor.id })))
    };
    errors::respond(&headers, result.await)
}
