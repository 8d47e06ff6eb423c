//! What the law lets people ask for: all that is kept of them, and that it goes.
//!
//! What other modules keep of people they say and let go of themselves ([`tenon_sdk::accounts`]).

use serde_json::Value;
use tenon_sdk::{Kernel, Result, SystemTx, UserId};
use uuid::Uuid;

use crate::identity::errors;

/// Locks a person's row and has all modules let go of them: nobody signs in or joins anything meanwhile.
async fn let_go(kernel: &Kernel, tx: &SystemTx, user: Uuid) -> Result<()> {
    tx.query_opt("select from auth.users where id = $1 for update", &[&user])
        .await?
        .ok_or_else(errors::user_not_found)?;
    for module in kernel.accounts() {
        module.end(kernel, tx, UserId(user)).await?;
    }
    // What was written to them, sent or not.
    tx.execute(
        "delete from notifications.messages n using auth.users u where u.id = $1 \
         and regexp_replace(n.recipient, '^whatsapp:', '') = any (array[u.email, u.phone, nullif(u.email_change, ''), \
             nullif(u.phone_change, '')] || array(select f.phone from auth.mfa_factors f where f.user_id = u.id))",
        &[&user],
    )
    .await
    .map(drop)
}

/// Deletes a person with all that is kept of them.
///
/// Errors: `user_not_found`; `auth.last_owner` while an organisation would be left without an owner.
pub(in crate::identity) async fn delete(kernel: &Kernel, tx: &SystemTx, user: Uuid) -> Result<()> {
    let_go(kernel, tx, user).await?;
    tx.execute("delete from auth.users where id = $1", &[&user])
        .await
        .map(drop)
}

/// Takes away whatever could name a person, and every way in, but leaves the row for what refers to it.
///
/// Errors: as [`delete`].
pub(in crate::identity) async fn erase(kernel: &Kernel, tx: &SystemTx, user: Uuid) -> Result<()> {
    let_go(kernel, tx, user).await?;
    let erased = tx
        .execute(
            "update auth.users set email = null, phone = null, encrypted_password = null, raw_app_meta_data = '{}', \
             raw_user_meta_data = '{}', email_confirmed_at = null, email_proven_at = null, phone_confirmed_at = null, \
             email_change = '', phone_change = '', reauthentication_token = '', is_super_admin = false, \
             updated_at = $2, deleted_at = $2 where id = $1 and deleted_at is null",
            &[&user, &kernel.env().now()],
        )
        .await?;
    if erased == 0 {
        return Err(errors::user_not_found());
    }
    for gone in [
        "delete from auth.sessions where user_id = $1",
        "delete from auth.identities where user_id = $1",
        "delete from auth.one_time_tokens where user_id = $1",
        "delete from auth.flow_states where user_id = $1",
        "delete from auth.flow_state where user_id = $1",
        "delete from auth.provider_flows where linking = $1",
        "delete from auth.webauthn_credentials where user_id = $1",
        "delete from auth.webauthn_challenges where user_id = $1",
        "delete from auth.mfa_factors where user_id = $1",
        "delete from auth.mfa_recovery_codes where user_id = $1",
        "delete from auth.mfa_failures where user_id = $1",
        "delete from auth.known_places where user_id = $1",
        "delete from auth.oauth_authorizations where user_id = $1",
        "delete from auth.oauth_consents where user_id = $1",
    ] {
        tx.execute(gone, &[&user]).await?;
    }
    Ok(())
}

/// All that is kept of a person, as JSON; no secret and no hash of one. What they did in an organisation belongs to
/// the organisation, and is exported with it.
///
/// Errors: `user_not_found`.
pub(in crate::identity) async fn export(kernel: &Kernel, user: Uuid) -> Result<Value> {
    let tx = SystemTx::begin(kernel.db(), "export of a person").await?;
    let row = tx
        .query_opt(include_str!("export.sql"), &[&user])
        .await?
        .ok_or_else(errors::user_not_found)?;
    tx.commit().await?;
    let mut export: Value = row.try_get(0)?;
    for module in kernel.accounts() {
        for (name, kept) in module.export(kernel, UserId(user)).await? {
            export[name] = kept;
        }
    }
    Ok(export)
}
