//! The verbs of tenancy, one a file.

mod accept_invitation;
mod create_organization;
mod invite;

pub use create_organization::{NewOrganization, Organization, add_member, create_organization};

pub(super) use accept_invitation::{Invited, accept_invitation, find_invitation};
pub(super) use invite::{Invitation, NewInvitation, invite};

use sha2::{Digest, Sha256};
use tenon_sdk::{Error, Result, SystemTx, UserId};

fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// The address of somebody who founds or joins an organisation. A visitor's account has none: its colleagues would not know
/// who it is, and nobody could sign in to it again.
async fn address_of(tx: &SystemTx, user: UserId) -> Result<String> {
    let address: Option<String> = tx
        .query_opt("select email from auth.users where id = $1", &[&user])
        .await?
        .map(|row| row.try_get(0))
        .transpose()?
        .flatten();
    address.ok_or_else(|| {
        Error::forbidden(
            "tenancy.address_needed",
            "A visitor's account belongs to no organisation.",
        )
        .hint("Add an e-mail address and a password to the account first.")
    })
}
