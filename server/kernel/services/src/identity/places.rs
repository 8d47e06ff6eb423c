//! Places that people have signed in from, as hashes of blocks of addresses.

use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use tenon_sdk::{Result, SystemTx, http::ClientAddress};
use uuid::Uuid;

use super::Identity;

/// After so long without a sign-in a place is forgotten.
pub(super) const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 180);
/// Most places remembered of one person.
const MOST: i64 = 20;

fn place(client: ClientAddress) -> Vec<u8> {
    Sha256::digest(client.block().to_string()).to_vec()
}

/// Whether a person has signed in from there lately. Asked for nobody, too, at the same cost.
pub(super) async fn knows(
    identity: &Identity,
    tx: &SystemTx,
    user: Option<Uuid>,
    client: ClientAddress,
) -> Result<bool> {
    let since = identity.0.env.now() - REMEMBERED;
    let row = tx
        .query_opt(
            "select 1 from auth.known_places where user_id = $1 and place = $2 and last_used_at > $3",
            &[&user, &place(client), &since],
        )
        .await?;
    Ok(row.is_some())
}

/// Remembers that a person proved who they are from there, as part of the transaction that takes the proof.
pub(super) async fn remember(
    identity: &Identity,
    tx: &SystemTx,
    user: Uuid,
    client: ClientAddress,
) -> Result<()> {
    tx.execute(
        "with kept as (insert into auth.known_places (user_id, place, last_used_at) values ($1, $2, $3) \
         on conflict (user_id, place) do update set last_used_at = excluded.last_used_at) \
         delete from auth.known_places where user_id = $1 and place <> $2 and place in ( \
         select place from auth.known_places where user_id = $1 order by last_used_at desc offset $4)",
        &[&user, &place(client), &identity.0.env.now(), &(MOST - 1)],
    )
    .await
    .map(drop)
}
