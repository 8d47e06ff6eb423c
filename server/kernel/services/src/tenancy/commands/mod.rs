//! The verbs of tenancy, one a file.

mod accept_invitation;
mod add_department;
mod change_member;
mod change_organization;
mod create_organization;
mod delete_organization;
mod departments;
mod end_memberships;
mod export;
mod invite;
mod leave;
mod limits;
mod names;
mod remove_department;
mod remove_member;
mod rename_department;
mod request_deletion;
mod require_second_factor;
mod resend_invitation;
mod revoke_invitation;
mod set_apps;
mod set_logo;
pub(super) mod standing;
mod suspend_member;
mod transfer_ownership;

pub use create_organization::{NewOrganization, Organization, add_member, create_organization};

pub(super) use accept_invitation::{Invited, accept_invitation, find_invitation};
pub(super) use add_department::{DepartmentName, add_department};
pub(super) use change_member::{MemberChanges, change_member};
pub(super) use change_organization::{OrganizationChanges, change_organization};
pub(super) use delete_organization::{DeleteOrganization, enqueue_due_deletions};
pub(super) use departments::Department;
pub(super) use end_memberships::end_memberships;
pub(super) use export::export;
pub(super) use invite::{Invitation, NewInvitation, invite};
pub(super) use leave::leave;
pub(crate) use limits::included;
pub(super) use remove_department::remove_department;
pub(super) use remove_member::remove_member;
pub(super) use rename_department::rename_department;
pub(super) use request_deletion::{DeletionWish, cancel_deletion, request_deletion};
pub(super) use require_second_factor::{
    SecondFactorRule, SecondFactorWish, require_second_factor, second_factor_rule,
};
pub(super) use resend_invitation::resend_invitation;
pub(super) use revoke_invitation::revoke_invitation;
pub(super) use set_apps::{DisabledApps, set_apps};
pub(super) use set_logo::set_logo;
pub(crate) use standing::{Locked, Standing, revoke_keys};
pub(super) use suspend_member::{reinstate_member, suspend_member};
pub(super) use transfer_ownership::{NewOwner, transfer_ownership};

use sha2::{Digest, Sha256};
use tenon_sdk::{Error, Result, SystemTx, UserId};

fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

fn invitation_not_found() -> Error {
    Error::not_found(
        "tenancy.invitation_not_found",
        "This invitation does not exist or is no longer good.",
    )
    .hint("Ask for a new link.")
}

/// An address, and whether it is known that its owner reads it.
struct Address {
    email: String,
    /// What the person calls themselves.
    name: Option<String>,
    confirmed: bool,
}

/// The address of somebody who founds or joins an organisation. A visitor's account has none: its colleagues would not know
/// who it is, and nobody could sign in to it again.
async fn address_of(tx: &SystemTx, user: UserId) -> Result<Address> {
    let row = tx
        .query_opt(
            "select email, email_confirmed_at is not null, nullif(trim(raw_user_meta_data ->> 'name'), '') \
             from auth.users where id = $1 and email is not null",
            &[&user],
        )
        .await?
        .ok_or_else(|| {
            Error::forbidden(
                "tenancy.address_needed",
                "A visitor's account belongs to no organisation.",
            )
            .hint("Add an e-mail address and a password to the account first.")
        })?;
    Ok(Address {
        email: row.try_get(0)?,
        confirmed: row.try_get(1)?,
        name: row.try_get(2)?,
    })
}
