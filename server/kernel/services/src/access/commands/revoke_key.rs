//! Somebody makes a key or token good for nothing, at once and for good.

use serde_json::json;
use tenon_sdk::{Ctx, Error, Kernel, Result, SystemTx, UserId, events::Event};
use uuid::Uuid;

use super::super::permissions::KeysManage;
use crate::tenancy::Acting;

fn not_found() -> Error {
    Error::not_found("access.key_not_found", "There is no such key.")
}

/// Revokes a key of the organisation. One that is revoked already stays so.
pub async fn revoke_key(ctx: &Ctx, id: Uuid) -> Result<()> {
    let acting = Acting::begin::<KeysManage>(ctx, "revoke key").await?;
    let (env, org, tx) = (acting.env(), acting.org(), acting.tx());
    let row = tx
        .query_opt(
            "select name, revoked_at is null from tenancy.api_keys where org_id = $1 and id = $2 and kind <> 'personal' for update",
            &[&org, &id],
        )
        .await?
        .ok_or_else(not_found)?;
    let (name, live): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
    if live {
        tx.execute(
            "update tenancy.api_keys set revoked_at = $3, revoked_by = $4 where org_id = $1 and id = $2",
            &[&org, &id, &env.now(), &ctx.user_id()],
        )
        .await?;
        let revoked = Event::new("access.key_revoked", id, json!({ "name": name }));
        acting.emit(&revoked).await?;
    }
    acting.commit().await?;
    ctx.kernel().authenticator().forget_key(id);
    Ok(())
}

/// Revokes a person's own token.
pub async fn revoke_token(kernel: &Kernel, user: UserId, id: Uuid) -> Result<()> {
    let env = kernel.env();
    let tx = SystemTx::begin(kernel.db(), "revoke token").await?;
    tx.query_opt(
        "update tenancy.api_keys set revoked_at = coalesce(revoked_at, $3), revoked_by = $2 where user_id = $2 and id = $1 \
         returning id",
        &[&id, &user, &env.now()],
    )
    .await?
    .ok_or_else(not_found)?;
    let traits = json!({ "token_id": id });
    crate::identity::audit::record(&tx, env, Some(user.0), "personal_token_revoked", traits).await?;
    tx.commit().await?;
    kernel.authenticator().forget_key(id);
    Ok(())
}
