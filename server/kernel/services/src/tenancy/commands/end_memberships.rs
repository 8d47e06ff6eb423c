//! Somebody's account ends, and with it all that they belong to. Who is the last owner of an organisation stays.

use serde_json::json;
use tenon_sdk::{Error, OrgId, Result, SystemTx, UserId, env::Env, events::Event};

use super::{remove_member::end, standing};

/// Ends all memberships of a person, as part of `tx`, with the organisations locked one after the other.
///
/// Errors: `auth.last_owner` while an organisation would be left without an owner.
pub(in super::super) async fn end_memberships(env: &Env, tx: &SystemTx, user: UserId) -> Result<()> {
    let rows = tx
        .query(
            "select org_id from tenancy.memberships where user_id = $1 order by org_id",
            &[&user],
        )
        .await?;
    for row in rows {
        let org: OrgId = row.try_get(0)?;
        let locked = standing::lock(tx, org).await?;
        // They may have been removed before the lock was free.
        let Some(member) = standing::find(tx, org, user).await? else {
            continue;
        };
        let particulars = json!({ "role": member.role, "account_ended": true });
        let left = Event::new("tenancy.member_left", user.0, particulars);
        end(tx, env, org, &member, None, &left).await.map_err(|error| {
            if error.code != "tenancy.last_owner" {
                return error;
            }
            Error::conflict(
                "auth.last_owner",
                "This person is the only owner of an organisation.",
            )
            .details(locked.name)
            .hint("Make somebody else its owner first, or delete it.")
        })?;
    }
    // What they were asked in with names them.
    tx.execute(
        "update tenancy.invitations set email = null where accepted_by = $1",
        &[&user],
    )
    .await
    .map(drop)
}
