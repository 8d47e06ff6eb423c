//! Somebody has shown that they read an address.

use serde_json::json;
use tenon_sdk::{Result, SystemTx};
use uuid::Uuid;

use super::{User, keep_providers};
use crate::identity::{Identity, audit, errors, one_time, users};

/// Records that a person reads an address, which becomes theirs if it was not. Gives them as they are now.
///
/// A password that was set before anybody had shown that they read the address goes, unless the proof answers the sign-up that
/// set it: else a stranger could sign up with somebody's address and wait for them to come in by another road.
pub(in crate::identity) async fn confirm(
    identity: &Identity,
    tx: &SystemTx,
    user: Uuid,
    email: &str,
    proof: &str,
) -> Result<User> {
    let now = identity.0.env.now();
    let another_road = matches!(proof, "magiclink" | "recovery" | "invite");
    let changes = proof == "email_change";
    let before = users::find(tx, user).await?.ok_or_else(errors::otp_expired)?;
    // Where addresses are taken as they are typed, a change proves nothing.
    let proven = !changes || identity.0.config.auth.confirm_email;
    // What proves an address that is not the person's any more proves nothing.
    let found = tx
        .execute(
            "update auth.users set email = $2, is_anonymous = false, updated_at = $3, \
         email_confirmed_at = case when email = $2 then coalesce(email_confirmed_at, $3) else $3 end, \
         encrypted_password = case when email_confirmed_at is not null or phone_confirmed_at is not null \
             or is_anonymous or not $5 then encrypted_password end, \
         email_proven_at = case when $4 then $3 when email = $2 then email_proven_at end \
         where id = $1 and (email = $2 or $6)",
            &[&user, &email, &now, &proven, &another_road, &changes],
        )
        .await
        .map_err(|error| error.if_taken(errors::email_exists))?;
    if found == 0 {
        return Err(errors::otp_expired());
    }
    if changes || another_road {
        one_time::forget(tx, user).await?;
    }
    keep_own_identities(identity, tx, user, &["email"]).await?;
    keep_providers(tx, user, now).await?;
    let action = match proof {
        "invite" => Some("invite_accepted"),
        _ if changes => Some("user_modified"),
        _ => (!before.confirmed()).then_some("user_signedup"),
    };
    if let Some(action) = action {
        let traits = json!({ "fields": ["email"], "proof": proof });
        audit::record(tx, &identity.0.env, Some(user), action, traits).await?;
    }
    users::find(tx, user).await?.ok_or_else(errors::otp_expired)
}

/// Makes what a person has of `ways` (`email`, `phone`) a way in, or keeps it up with what it is now.
pub(in crate::identity) async fn keep_own_identities(
    identity: &Identity,
    tx: &SystemTx,
    user: Uuid,
    ways: &[&str],
) -> Result<()> {
    tx.execute(
        "insert into auth.identities (id, user_id, provider, provider_id, identity_data, created_at, updated_at) \
         select gen_random_uuid(), u.id, way.provider, u.id::text, way.data, $2, $2 from auth.users u, lateral (values \
            ('email', u.email, jsonb_build_object('sub', u.id, 'email', u.email, \
                'email_verified', u.email_confirmed_at is not null, 'phone_verified', false)), \
            ('phone', u.phone, jsonb_build_object('sub', u.id, 'phone', u.phone, \
                'email_verified', false, 'phone_verified', u.phone_confirmed_at is not null)) \
         ) way (provider, address, data) where u.id = $1 and way.address is not null and way.provider = any($3) \
         on conflict (provider, provider_id) do update \
         set identity_data = excluded.identity_data, updated_at = excluded.updated_at",
        &[&user, &identity.0.env.now(), &ways],
    )
    .await
    .map(drop)
}
