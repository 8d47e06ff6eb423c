//! The verbs of tenancy, one a file.

mod accept_invitation;
mod create_organization;
mod invite;

pub use create_organization::{NewOrganization, Organization, add_member, create_organization};

pub(super) use accept_invitation::{Invited, accept_invitation, find_invitation};
pub(super) use invite::{Invitation, NewInvitation, invite};

use sha2::{Digest, Sha256};

fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
