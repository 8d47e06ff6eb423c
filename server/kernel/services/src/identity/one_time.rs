//! Proofs that somebody reads an address: a link (192 random bits) and a code (six digits) in one mail. Either is good once, for
//! an hour unless set otherwise; asking again replaces both. Five wrong codes in an hour end the codes, not the links: else a
//! stranger could keep somebody out.

use jiff::SignedDuration;
use serde_json::json;
use sha2::{Digest, Sha256};
use tenon_sdk::{Error, Result, SystemTx, http::ClientAddress};
use uuid::Uuid;

use super::{
    Identity, Point, audit,
    mails::{self, Letter},
    pkce::Challenge,
    places,
    users::User,
};
use crate::notifications::{self, TextMessage, WHATSAPP};

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
    /// The address of an account that is to be given up for another.
    EmailChangeCurrent,
    /// Signing in by telephone.
    Sms,
    /// The number of a new account.
    SmsSignUp,
    /// The new number of an account.
    PhoneChange,
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
            Self::EmailChangeCurrent => "email_change_current",
            Self::Sms => "sms",
            Self::SmsSignUp => "sms_signup",
            Self::PhoneChange => "phone_change",
            Self::Invite => "invite",
        }
    }

    /// The purposes that a `type` of `/verify` admits: `email` is any that proves the address somebody signs in with.
    fn admitted(name: &str) -> Option<&'static [&'static str]> {
        Some(match name {
            "signup" => &["signup"],
            "magiclink" => &["magiclink"],
            "recovery" => &["recovery"],
            "email_change" | "email_change_current" | "email_change_new" => {
                &["email_change", "email_change_current"]
            }
            "sms" => &["sms", "sms_signup"],
            "phone_change" => &["phone_change"],
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
    /// A code that the provider of text messages made, and says is good or not.
    Checked {
        /// The number.
        address: &'a str,
        /// What it says.
        good: bool,
    },
}

fn link_hash(link: &str) -> Vec<u8> {
    Sha256::digest(link.as_bytes()).to_vec()
}

/// What is kept of a code: random ids keep equal codes apart.
pub(super) fn code_hash(id: Uuid, code: &str) -> Vec<u8> {
    Sha256::new()
        .chain_update(id.as_bytes())
        .chain_update(code.as_bytes())
        .finalize()
        .to_vec()
}

/// Six digits, each equally likely.
pub(super) fn code(identity: &Identity) -> String {
    digits(identity, 6)
}

/// So many digits (19 at most), each equally likely.
pub(super) fn digits(identity: &Identity, length: u32) -> String {
    let (all, width) = (10_u64.pow(length), length as usize);
    loop {
        let mut bytes = [0; 8];
        identity.0.env.fill_random(&mut bytes);
        let number = u64::from_le_bytes(bytes);
        // What lies above the last multiple would make small codes likelier.
        if number < u64::MAX - u64::MAX % all {
            return format!("{:0width$}", number % all);
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

impl Way {
    /// For a code alone, which leads nowhere.
    pub(super) const fn nowhere() -> Self {
        Self {
            redirect_to: String::new(),
            challenge: None,
        }
    }
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
    let by_phone = by_phone(purpose.name());
    let fixed = config.auth.sms.test_otp.get(address).filter(|_| by_phone);
    let (link, code) = (
        env.new_secret::<24>(),
        fixed.cloned().unwrap_or_else(|| code(identity)),
    );
    let (challenge, method) = Challenge::stored(way.challenge.as_ref());
    let lifetime = if by_phone {
        config.auth.sms.code_seconds
    } else {
        config.auth.link_seconds
    };
    let expires = now + SignedDuration::from_secs(lifetime);
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
    asked(identity, tx, user, purpose).await?;
    let url = format!(
        "{}/auth/v1/verify?token={link}&type={}&redirect_to={}",
        super::redirects::start_of(identity, &way.redirect_to),
        purpose.name(),
        super::redirects::encode_address(&way.redirect_to),
    );
    Ok(Made { link, code, url })
}

/// Notes that a person was sent a proof, where clients of GoTrue look for it.
async fn asked(identity: &Identity, tx: &SystemTx, user: Uuid, purpose: Purpose) -> Result<()> {
    let now = identity.0.env.now();
    let column = match purpose {
        Purpose::SignUp | Purpose::Invite | Purpose::Sms | Purpose::SmsSignUp => "confirmation_sent_at",
        Purpose::MagicLink | Purpose::Recovery => "recovery_sent_at",
        Purpose::EmailChange | Purpose::EmailChangeCurrent => "email_change_sent_at",
        Purpose::PhoneChange => "phone_change_sent_at",
    };
    tx.execute(
        &format!("update auth.users set {column} = $2 where id = $1"),
        &[&user, &now],
    )
    .await
    .map(drop)
}

/// Records that a message with a proof was asked for, of somebody or (`None`) of nobody.
async fn record(identity: &Identity, tx: &SystemTx, user: Option<Uuid>, purpose: Purpose) -> Result<()> {
    let action = match purpose {
        Purpose::MagicLink | Purpose::Recovery | Purpose::Sms => "user_recovery_requested",
        _ => "user_confirmation_requested",
    };
    let traits = json!({ "purpose": purpose.name(), "known": user.is_some() });
    audit::record(tx, &identity.0.env, user, action, traits).await
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
    record(identity, tx, Some(user.id), purpose).await?;
    let letter = Letter {
        purpose,
        address,
        made: &made,
        redirect_to: &way.redirect_to,
        new_email: if purpose == Purpose::EmailChange {
            address
        } else {
            ""
        },
    };
    mails::send(identity, tx, user, &letter).await
}

/// As [`make`], and queues the text message with the code; a number for tests gets none.
pub(super) async fn text(
    identity: &Identity,
    tx: &SystemTx,
    user: &User,
    purpose: Purpose,
    number: &str,
) -> Result<()> {
    let made = make(identity, tx, user.id, purpose, number, &Way::nowhere()).await?;
    record(identity, tx, Some(user.id), purpose).await?;
    let code = Code {
        digits: &made.code,
        template: &identity.0.config.auth.sms.template,
        whatsapp: false,
    };
    send_code(identity, tx, user, number, &code).await
}

/// A code on its way to a telephone.
pub(super) struct Code<'a> {
    /// The code.
    pub(super) digits: &'a str,
    /// The message, with `{{ .Code }}` in the code's place.
    pub(super) template: &'a str,
    /// Whether it goes by `WhatsApp`.
    pub(super) whatsapp: bool,
}

/// Queues a text message with a code, as part of `tx`; a number for tests gets none.
pub(super) async fn send_code(
    identity: &Identity,
    tx: &SystemTx,
    user: &User,
    number: &str,
    code: &Code<'_>,
) -> Result<()> {
    let config = &identity.0.config;
    if config.auth.sms.test_otp.contains_key(number) {
        return Ok(());
    }
    let template = code.template.replace("{{.Code}}", "{{ .Code }}");
    let message = TextMessage {
        kind: "identity.code",
        recipient: &if code.whatsapp {
            format!("{WHATSAPP}{number}")
        } else {
            number.to_owned()
        },
        text: template.replace("{{ .Code }}", code.digits),
    };
    let event = identity.0.hooks.has(Point::SendSms).then(|| {
        let mut shown = user.to_json();
        shown["phone"] = json!(number);
        json!({ "user": shown, "sms": { "otp": code.digits, "phone": number } })
    });
    notifications::queue_text(tx, &identity.0.env, config, &message, event.as_ref()).await
}

/// Does for nobody what [`mail`] and [`text`] do for somebody, as far as the clock can tell: the same statements, the same write.
pub(super) async fn pretend(identity: &Identity, tx: &SystemTx, purpose: Purpose) -> Result<()> {
    tx.execute(
        "insert into auth.one_time_tokens (id, user_id, kind, address, link_hash, code_hash, created_at, expires_at) \
         select $1, id, 'none', '', $2, $2, $3, $3 from auth.users where id = $1",
        &[&identity.0.env.new_id(), &link_hash(&identity.0.env.new_secret::<24>()), &identity.0.env.now()],
    )
    .await?;
    asked(identity, tx, identity.0.env.new_id(), purpose).await?;
    record(identity, tx, None, purpose).await?;
    notifications::decoy(tx, &identity.0.env).await
}

/// Whether a kind of proof goes to telephones.
pub(super) fn by_phone(kind: &str) -> bool {
    matches!(kind, "sms" | "sms_signup" | "phone_change")
}

/// Takes a proof and gives whose it is, what it was for and the address it proves. It is spent when `tx` commits; whether it
/// was good or not, `tx` has to, so that wrong codes count.
pub(super) async fn redeem(
    identity: &Identity,
    tx: &SystemTx,
    kind: &str,
    proof: Proof<'_>,
    client: ClientAddress,
) -> Result<Option<Redeemed>> {
    let Some(kinds) = Purpose::admitted(kind) else {
        return Err(
            Error::invalid("validation_failed", "Verify requires a verification type").hint(
                "type is signup, invite, magiclink, recovery, email_change, email, sms or phone_change.",
            ),
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
        Proof::Code { address, .. } | Proof::Checked { address, .. } => {
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
            Proof::Checked { good, .. } => good,
            Proof::Code { code, .. } => {
                let fits = row.try_get::<_, Vec<u8>>(4)? == code_hash(id, code.trim());
                if row.try_get::<_, i32>(5)? < WRONG_CODES {
                    fits
                } else {
                    // A text message has no link that still works: its reader comes in from a place they know.
                    // That of a new number is not known to be theirs, wherever they are.
                    matches!(row.try_get::<_, &str>(2)?, "sms" | "sms_signup")
                        && places::knows(identity, tx, Some(row.try_get(1)?), client).await?
                        && fits
                }
            }
        };
        if good {
            // Whoever changes what they sign in with may ask again and again: one code that was good is no leave to guess at another.
            let spent = if row.try_get::<_, &str>(2)?.contains("change") {
                "update auth.one_time_tokens set expires_at = created_at where id = $1"
            } else {
                "delete from auth.one_time_tokens where id = $1"
            };
            tx.execute(spent, &[&id]).await?;
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

/// Makes a person's proofs of some kinds void. What was guessed at them goes on counting: else whoever can make them void could guess
/// for ever.
pub(super) async fn void(tx: &SystemTx, user: Uuid, kinds: &[&str]) -> Result<()> {
    tx.execute(
        "update auth.one_time_tokens set expires_at = created_at where user_id = $1 and kind = any($2)",
        &[&user, &kinds],
    )
    .await
    .map(drop)
}

/// Makes all proofs of a person void, as whoever changes what they sign in with expects.
pub(super) async fn forget(tx: &SystemTx, user: Uuid) -> Result<()> {
    tx.execute(
        "update auth.one_time_tokens set expires_at = created_at where user_id = $1",
        &[&user],
    )
    .await?;
    tx.execute("delete from auth.flow_states where user_id = $1", &[&user])
        .await
        .map(drop)
}

/// Whether a person waits to show a code of a kind that went to an address or number.
pub(super) async fn waits(
    identity: &Identity,
    tx: &SystemTx,
    user: Uuid,
    purpose: Purpose,
    address: &str,
) -> Result<bool> {
    let row = tx
        .query_opt(
            "select 1 from auth.one_time_tokens where user_id = $1 and kind = $2 and address = $3 and expires_at > $4",
            &[&user, &purpose.name(), &address, &identity.0.env.now()],
        )
        .await?;
    Ok(row.is_some())
}
