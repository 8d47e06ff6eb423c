//! Proofs that somebody reads an address: a link (192 random bits) and a code (six digits) in one mail. Either is good once, for
//! an hour unless set otherwise; asking again replaces both. Five wrong codes in an hour end the codes, not the links: else a
//! stranger could keep somebody out.

use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use tenon_sdk::{Error, Result, SystemTx};
use uuid::Uuid;

use super::{
    Identity, mails,
    pkce::Challenge,
    users::{self, User},
};
use crate::notifications;

/// Wrong codes after which none is looked at any more: a guesser's chance stays at 1 in 200,000 for an hour.
const WRONG_CODES: i32 = 5;

/// What a proof is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The address of a new account.
    SignUp,
    /// Signing in without a password.
    MagicLink,
    /// Signing in to set a new password.
    Recovery,
    /// The new address of an account.
    EmailChange,
    /// The address of an account that somebody else made for them.
    Invite,
}

impl Purpose {
    /// The word on the wire and in the table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::SignUp => "signup",
            Self::MagicLink => "magiclink",
            Self::Recovery => "recovery",
            Self::EmailChange => "email_change",
            Self::Invite => "invite",
        }
    }

    /// The purposes that a `type` of `/verify` admits: `email` is any that proves the address somebody signs in with.
    fn admitted(name: &str) -> Option<&'static [&'static str]> {
        Some(match name {
            "signup" => &["signup"],
            "magiclink" => &["magiclink"],
            "recovery" => &["recovery"],
            "email_change" => &["email_change"],
            "invite" => &["invite"],
            "email" => &["signup", "magiclink", "invite"],
            _ => return None,
        })
    }
}

const FIND: &str = "select id, user_id, kind, address, code_hash, failures, code_challenge, \
                    code_challenge_method from auth.one_time_tokens \
                    where kind = any($1) and expires_at > $2";

/// What somebody shows as proof.
#[derive(Clone, Copy, Debug)]
pub(super) enum Proof<'a> {
    /// What the link carries.
    Link(&'a str),
    /// The digits, and the address they were sent to.
    Code {
        /// In its stored form.
        address: &'a str,
        /// As typed.
        code: &'a str,
    },
}

fn link_hash(link: &str) -> Vec<u8> {
    Sha256::digest(link.as_bytes()).to_vec()
}

fn code_hash(id: Uuid, code: &str) -> Vec<u8> {
    Sha256::new()
        .chain_update(id.as_bytes())
        .chain_update(code.as_bytes())
        .finalize()
        .to_vec()
}

/// Six digits, each equally likely.
pub(super) fn code(identity: &Identity) -> String {
    loop {
        let mut bytes = [0; 4];
        identity.0.env.fill_random(&mut bytes);
        let number = u32::from_le_bytes(bytes);
        // What lies above the last multiple would make small codes likelier.
        if number < u32::MAX - u32::MAX % 1_000_000 {
            return format!("{:06}", number % 1_000_000);
        }
    }
}

/// Where a link leads, and for which client only.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// An allowed address.
    pub(super) redirect_to: String,
    /// Of a client that exchanges a code.
    pub(super) challenge: Option<Challenge>,
}

/// A proof that was good.
#[derive(Debug)]
pub(super) struct Redeemed {
    /// Whose it is.
    pub(super) user: Uuid,
    /// What it was for, in the word on the wire.
    pub(super) kind: String,
    /// What it proves to be theirs.
    pub(super) address: String,
    /// Of a client that exchanges a code.
    pub(super) challenge: Option<Challenge>,
}

/// A proof as it goes out: nothing but its hashes is kept.
#[derive(Debug)]
pub(super) struct Made {
    /// What the link carries.
    pub(super) link: String,
    /// The digits.
    pub(super) code: String,
    /// The link.
    pub(super) url: String,
}

/// Makes a proof for `address`, as part of `tx`. An older proof for the same purpose is void.
pub(super) async fn make(
    identity: &Identity,
    tx: &SystemTx,
    user: Uuid,
    purpose: Purpose,
    address: &str,
    way: &Way,
) -> Result<Made> {
    let (env, config) = (&identity.0.env, &identity.0.config);
    let (id, now) = (env.new_id(), env.now());
    let (link, code) = (env.new_secret::<24>(), code(identity));
    let (challenge, method) = Challenge::stored(way.challenge.as_ref());
    let expires = now + SignedDuration::from_secs(config.auth.link_seconds);
    tx.execute(
        "insert into auth.one_time_tokens \
         (id, user_id, kind, address, link_hash, code_hash, created_at, expires_at, \
         code_challenge, code_challenge_method) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         on conflict (user_id, kind) do update set id = excluded.id, address = excluded.address, \
         link_hash = excluded.link_hash, code_hash = excluded.code_hash, \
         code_challenge = excluded.code_challenge, code_challenge_method = excluded.code_challenge_method, \
         failures = case when one_time_tokens.created_at > excluded.created_at - interval '1 hour' \
         then one_time_tokens.failures else 0 end, created_at = excluded.created_at, expires_at = excluded.expires_at",
        &[
            &id,
            &user,
            &purpose.name(),
            &address,
            &link_hash(&link),
            &code_hash(id, &code),
            &now,
            &expires,
            &challenge,
            &method,
        ],
    )
    .await?;
    let url = format!(
        "{}/auth/v1/verify?token={link}&type={}&redirect_to={}",
        config.server.site_url,
        purpose.name(),
        super::redirects::encode(&way.redirect_to),
    );
    Ok(Made { link, code, url })
}

/// As [`make`], and queues the mail with the proof.
pub(super) async fn mail(
    identity: &Identity,
    tx: &SystemTx,
    user: &User,
    purpose: Purpose,
    address: &str,
    way: &Way,
) -> Result<()> {
    let made = make(identity, tx, user.id, purpose, address, way).await?;
    let message = mails::write(purpose, user.language(), address, &made.url, &made.code);
    notifications::queue(tx, &identity.0.env, &identity.0.config.mail, &message).await
}

/// Takes a proof and gives whose it is, what it was for and the address it proves. It is spent when `tx` commits; whether it
/// was good or not, `tx` has to, so that wrong codes count.
pub(super) async fn redeem(
    identity: &Identity,
    tx: &SystemTx,
    kind: &str,
    proof: Proof<'_>,
) -> Result<Option<Redeemed>> {
    let Some(kinds) = Purpose::admitted(kind) else {
        return Err(
            Error::invalid("validation_failed", "Verify requires a verification type")
                .hint("type is signup, magiclink, recovery, email_change or email."),
        );
    };
    let now = identity.0.env.now();
    let rows = match proof {
        Proof::Link(link) => {
            tx.query(
                &format!("{FIND} and link_hash = $3 for update"),
                &[&kinds, &now, &link_hash(link)],
            )
            .await?
        }
        Proof::Code { address, .. } => {
            tx.query(
                &format!("{FIND} and address = $3 order by created_at desc for update"),
                &[&kinds, &now, &address],
            )
            .await?
        }
    };
    for row in rows {
        let id: Uuid = row.try_get(0)?;
        let good = match proof {
            Proof::Link(_) => true,
            Proof::Code { code, .. } => {
                row.try_get::<_, i32>(5)? < WRONG_CODES
                    && row.try_get::<_, Vec<u8>>(4)? == code_hash(id, code.trim())
            }
        };
        if good {
            tx.execute("delete from auth.one_time_tokens where id = $1", &[&id])
                .await?;
            return Ok(Some(Redeemed {
                user: row.try_get(1)?,
                kind: row.try_get(2)?,
                address: row.try_get(3)?,
                challenge: Challenge::read(row.try_get(6)?, row.try_get(7)?),
            }));
        }
        tx.execute(
            "update auth.one_time_tokens set failures = failures + 1 where id = $1",
            &[&id],
        )
        .await?;
    }
    Ok(None)
}

/// Makes all proofs of a person void, as whoever changes what they sign in with expects.
pub(super) async fn forget(tx: &SystemTx, user: Uuid) -> Result<()> {
    tx.execute("delete from auth.one_time_tokens where user_id = $1", &[&user])
        .await?;
    tx.execute("delete from auth.flow_states where user_id = $1", &[&user])
        .await
        .map(drop)
}

/// The person who is changing their address to this one.
pub(super) async fn changing_to(identity: &Identity, tx: &SystemTx, address: &str) -> Result<Option<User>> {
    let row = tx
        .query_opt(
            "select user_id from auth.one_time_tokens \
             where kind = 'email_change' and address = $1 and expires_at > $2 \
             order by created_at desc limit 1",
            &[&address, &identity.0.env.now()],
        )
        .await?;
    match row {
        Some(row) => users::find(tx, row.try_get(0)?).await,
        None => Ok(None),
    }
}
