//! An account gets another address: once the new one, and where `auth.double_confirm_email` asks for it the old one, too, has agreed.

use tenon_sdk::{Result, SystemTx};
use uuid::Uuid;

use super::{User, confirm, find};
use crate::identity::{
    Identity, errors,
    mails::{self, Notice},
    one_time::{self, Purpose, Redeemed, Way},
};

/// Asks for what a new address needs, as part of `tx`.
pub(in crate::identity) async fn ask(
    identity: &Identity,
    tx: &SystemTx,
    user: &User,
    email: &str,
    way: &Way,
) -> Result<()> {
    let old = user.email.as_deref().filter(|_| user.confirmed());
    let old = old.filter(|_| identity.0.config.auth.double_confirm_email);
    tx.execute(
        "update auth.users set email_change = $2, email_change_confirm_status = $3, email_change_sent_at = $4 where id = $1",
        &[&user.id, &email, &i16::from(old.is_none()), &identity.0.env.now()],
    )
    .await?;
    // What is left of an earlier change would agree to this one.
    tx.execute(
        "delete from auth.one_time_tokens where user_id = $1 and kind in ('email_change', 'email_change_current')",
        &[&user.id],
    )
    .await?;
    one_time::mail(identity, tx, user, Purpose::EmailChange, email, way).await?;
    if let Some(old) = old {
        one_time::mail(identity, tx, user, Purpose::EmailChangeCurrent, old, way).await?;
    }
    Ok(())
}

/// Sends the mails again that nobody has followed yet, for the person whose change it is.
pub(in crate::identity) async fn ask_again(
    identity: &Identity,
    tx: &SystemTx,
    user: &User,
    way: &Way,
) -> Result<()> {
    let rows = tx
        .query(
            "select kind, address from auth.one_time_tokens where user_id = $1 \
             and kind in ('email_change', 'email_change_current') and expires_at > $2",
            &[&user.id, &identity.0.env.now()],
        )
        .await?;
    for row in rows {
        let (kind, address): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let purpose = if kind == Purpose::EmailChange.name() {
            Purpose::EmailChange
        } else {
            Purpose::EmailChangeCurrent
        };
        one_time::mail(identity, tx, user, purpose, &address, way).await?;
    }
    Ok(())
}

/// Records that one of the addresses agreed. Gives the person with their new address, or none if the other has still to agree.
pub(in crate::identity) async fn agree(
    identity: &Identity,
    tx: &SystemTx,
    redeemed: &Redeemed,
) -> Result<Option<User>> {
    let row = tx
        .query_opt(
            "select email_change, email_change_confirm_status from auth.users where id = $1 for update",
            &[&redeemed.user],
        )
        .await?
        .ok_or_else(errors::otp_expired)?;
    let (new, agreed): (String, i16) = (row.try_get(0)?, row.try_get(1)?);
    if !new.is_empty() && agreed == 0 {
        tx.execute(
            "update auth.users set email_change_confirm_status = 1 where id = $1",
            &[&redeemed.user],
        )
        .await?;
        return Ok(None);
    }
    // A link that a program of the operator's asked for stands alone.
    let new = if new.is_empty() { &redeemed.address } else { &new };
    give(identity, tx, redeemed.user, new).await.map(Some)
}

/// Gives a person another address, and tells the old one.
pub(in crate::identity) async fn give(
    identity: &Identity,
    tx: &SystemTx,
    user: Uuid,
    email: &str,
) -> Result<User> {
    let before = find(tx, user).await?.ok_or_else(errors::otp_expired)?;
    let after = confirm(identity, tx, user, email, Purpose::EmailChange.name()).await?;
    tx.execute(
        "update auth.users set email_change = '', email_change_confirm_status = 0 where id = $1",
        &[&user],
    )
    .await?;
    if let Some(old) = before
        .email
        .as_deref()
        .filter(|old| *old != email && before.confirmed())
    {
        mails::notify(identity, tx, &before, Notice::EmailChanged { old, new: email }).await?;
    }
    Ok(after)
}
