//! What the law lets people ask for: all that is kept of them, and that it goes.

use serde_json::Value;
use tenon_sdk::{Error, Result, SystemTx};
use uuid::Uuid;

use crate::identity::{Identity, errors};

/// An organisation without an owner could not be run any more.
async fn refuse_last_owner(tx: &SystemTx, user: Uuid) -> Result<()> {
    let row = tx
        .query_opt(
            "select o.name from tenancy.memberships m join tenancy.organizations o on o.id = m.org_id \
             where m.user_id = $1 and m.role = 'owner' and not exists (select from tenancy.memberships other \
             where other.org_id = m.org_id and other.role = 'owner' and other.user_id <> $1) \
             order by o.name limit 1",
            &[&user],
        )
        .await?;
    match row {
        None => Ok(()),
        Some(row) => Err(Error::conflict(
            "auth.last_owner",
            "This person is the only owner of an organisation.",
        )
        .details(row.try_get::<_, String>(0)?)
        .hint("Make somebody else its owner first, or delete it.")),
    }
}

/// Deletes a person with all that is kept of them.
///
/// Errors: `user_not_found`; `auth.last_owner` while an organisation would be left without an owner.
pub(in crate::identity) async fn delete(tx: &SystemTx, user: Uuid) -> Result<()> {
    refuse_last_owner(tx, user).await?;
    forget_mail(tx, user).await?;
    let deleted = tx
        .execute("delete from auth.users where id = $1", &[&user])
        .await?;
    if deleted == 0 {
        return Err(errors::user_not_found());
    }
    Ok(())
}

/// Takes away whatever could name a person, and every way in, but leaves the row for what refers to it.
///
/// Errors: as [`delete`].
pub(in crate::identity) async fn erase(identity: &Identity, tx: &SystemTx, user: Uuid) -> Result<()> {
    refuse_last_owner(tx, user).await?;
    forget_mail(tx, user).await?;
    let erased = tx
        .execute(
            "update auth.users set email = null, phone = null, encrypted_password = null, raw_app_meta_data = '{}', \
             raw_user_meta_data = '{}', email_confirmed_at = null, phone_confirmed_at = null, email_change = '', \
             phone_change = '', is_super_admin = false, updated_at = $2, deleted_at = $2 \
             where id = $1 and deleted_at is null",
            &[&user, &identity.0.env.now()],
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
        "delete from tenancy.memberships where user_id = $1",
    ] {
        tx.execute(gone, &[&user]).await?;
    }
    Ok(())
}

/// Mail that was written to them, sent or not.
async fn forget_mail(tx: &SystemTx, user: Uuid) -> Result<()> {
    tx.execute(
        "delete from notifications.messages where recipient = (select email from auth.users where id = $1)",
        &[&user],
    )
    .await
    .map(drop)
}

/// All that the kernel keeps of a person, as JSON; no secret and no hash of one. What they did in an organisation belongs to
/// the organisation, and is exported with it.
pub(in crate::identity) async fn export(tx: &SystemTx, user: Uuid) -> Result<Value> {
    let row = tx
        .query_opt(
            "select jsonb_build_object( \
                'user', to_jsonb(u) - array['encrypted_password', 'confirmation_token', 'recovery_token', \
                    'email_change_token_new', 'email_change_token_current', 'phone_change_token', \
                    'reauthentication_token', 'instance_id'], \
                'identities', (select coalesce(jsonb_agg(to_jsonb(i) - 'user_id' order by i.created_at), '[]') \
                    from auth.identities i where i.user_id = u.id), \
                'sessions', (select coalesce(jsonb_agg(to_jsonb(s) - 'user_id' order by s.created_at), '[]') \
                    from auth.sessions s where s.user_id = u.id), \
                'memberships', (select coalesce(jsonb_agg(jsonb_build_object('organization', o.name, 'role', m.role, \
                    'department', m.department, 'since', m.created_at) order by m.created_at), '[]') \
                    from tenancy.memberships m join tenancy.organizations o on o.id = m.org_id where m.user_id = u.id), \
                'messages', (select coalesce(jsonb_agg(jsonb_build_object('subject', n.subject, 'at', n.created_at) \
                    order by n.created_at), '[]') from notifications.messages n where n.recipient = u.email), \
                'log', (select coalesce(jsonb_agg(jsonb_build_object('at', a.created_at, 'ip', a.ip_address, \
                    'action', a.payload ->> 'action') order by a.created_at), '[]') from auth.audit_log_entries a \
                    where a.payload ->> 'actor_id' = u.id::text)) \
             from auth.users u where u.id = $1",
            &[&user],
        )
        .await?
        .ok_or_else(errors::user_not_found)?;
    Ok(row.try_get(0)?)
}
