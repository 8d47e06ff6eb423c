//! An account gets another address: once the new one, and where `auth.double_confirm_email` asks for it the old one, too, has agreed.

use tenon_sdk::{Result, SystemTx};
use uuid::Uuid;

use super::{User, confirm, find};
use crate::identity::{
    Identity, errors,
    mails::{self, Notice},
    one_time::{self, Purpose, Redeemed, Way},
};

/// The proofs that a change needs.
const KINDS: [&str; 2] = [Purpose::EmailChange.name(), Purpose::EmailChangeCurrent.name()];

/// How far a change is, in `email_change_confirm_status`.
mod state {
    /// Both addresses have to agree, and none has.
    pub(super) const BOTH: i16 = 0;
    /// The new one has to agree.
    pub(super) const NEW: i16 = 1;
    /// The new one has agreed, the old one has to.
    pub(super) const OLD: i16 = 2;
}

/// Notes that a person wants another address, as part of `tx`. Gives the old one if it has to agree.
pub(in crate::identity) async fn begin<'a>(
    identity: &Identity,
    tx: &SystemTx,
    user: &'a User,
    email: &str,
) -> Result<Option<&'a str>> {
    let old = user.email.as_deref().filter(|_| user.confirmed());
    let old = old.filter(|_| identity.0.config.auth.double_confirm_email);
    let state = if old.is_some() { state::BOTH } else { state::NEW };
    tx.execute(
        "update auth.users set email_change = $2, email_change_confirm_status = $3, email_change_sent_at = $4 where id = $1",
        &[&user.id, &email, &state, &identity.0.env.now()],
    )
    .await?;
    // What is left of an earlier change would agree to this one.
    one_time::void(tx, user.id, &KINDS).await?;
    Ok(old)
}

/// The address that a person is about to get; empty if none.
pub(in crate::identity) async fn pending(tx: &SystemTx, user: Uuid) -> Result<String> {
    let row = tx
        .query_one("select email_change from auth.users where id = $1", &[&user])
        .await?;
    row.try_get(0).map_err(Into::into)
}

/// Asks for what a new address needs, as part of `tx`.
pub(in crate::identity) async fn ask(
    identity: &Identity,
    tx: &SystemTx,
    user: &User,
    email: &str,
    way: &Way,
) -> Result<()> {
    let old = begin(identity, tx, user, email).await?;
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
             and kind = any($3) and expires_at > $2",
            &[&user.id, &identity.0.env.now(), &KINDS.as_slice()],
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
///
/// Errors: `otp_expired` if the address that was proven is none of the two that the change is between.
pub(in crate::identity) async fn agree(
    identity: &Identity,
    tx: &SystemTx,
    redeemed: &Redeemed,
) -> Result<Option<User>> {
    let row = tx
        .query_opt(
            "select email, email_change, email_change_confirm_status from auth.users where id = $1 for update",
            &[&redeemed.user],
        )
        .await?
        .ok_or_else(errors::otp_expired)?;
    let (old, new, waits_for): (Option<String>, String, i16) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let by_new = redeemed.kind == Purpose::EmailChange.name();
    let party = if by_new { Some(&new) } else { old.as_ref() };
    if new.is_empty() || party != Some(&redeemed.address) {
        return Err(errors::otp_expired());
    }
    let next = match (by_new, waits_for) {
        (true, state::NEW) | (false, state::OLD) => {
            return give(identity, tx, redeemed.user, &new).await.map(Some);
        }
        (true, _) => state::OLD,
        (false, _) => state::NEW,
    };
    tx.execute(
        "update auth.users set email_change_confirm_status = $2 where id = $1",
        &[&redeemed.user, &next],
    )
    .await?;
    Ok(None)
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
