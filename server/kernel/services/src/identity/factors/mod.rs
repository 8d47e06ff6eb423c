//! Second factors: authenticator apps (TOTP, RFC 6238), security keys (WebAuthn), codes by text message and recovery codes. Whoever
//! shows one raises their session to `aal2`.
//!
//! Codes of six digits are guarded thrice: a challenge waits five minutes and is answered once, requests are limited per person,
//! and after [`MOST_FAILURES`] wrong codes in [`WINDOW`] none of the person's is looked at. Only somebody who is signed in gets
//! that far, so this keeps nobody out whose password is still their own.

mod admin;
mod challenge;
mod enrol;
mod phone;
mod recovery_codes;
mod remove;
mod totp;
mod verify;

pub(super) use phone::settings as phone_settings;

use axum::{
    Router,
    extract::Path,
    routing::{delete, get, patch, post},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tenon_sdk::{Error, Kernel, Result, SystemTx, http::Caller, secrets::Sealed};
use uuid::Uuid;

use super::{
    Identity, errors, routes, sealed,
    sessions::{self, Method},
    users::User,
};

/// Most factors of one person, confirmed or not.
const MOST: i64 = 10;
/// How long a challenge waits for its answer.
const CHALLENGE: SignedDuration = SignedDuration::from_mins(5);
/// How long somebody may take to confirm a new factor before it is forgotten.
const ENROLMENT: SignedDuration = SignedDuration::from_hours(1);
/// Wrong codes of one person, within [`WINDOW`], after which none is looked at: a guesser's chance stays under 1 in 300 a day.
const MOST_FAILURES: i32 = 10;
const WINDOW: SignedDuration = SignedDuration::from_mins(15);

pub(super) fn routes() -> Router<Kernel> {
    Router::new()
        .route("/auth/v1/factors", post(enrol::enrol))
        .route(
            "/auth/v1/factors/recovery-codes",
            get(recovery_codes::count)
                .post(recovery_codes::generate)
                .delete(recovery_codes::remove),
        )
        .route(
            "/auth/v1/factors/recovery-codes/regenerate",
            post(recovery_codes::regenerate),
        )
        .route(
            "/auth/v1/factors/recovery-codes/verify",
            post(recovery_codes::verify),
        )
        .route(
            "/auth/v1/factors/{id}",
            patch(enrol::rename).delete(remove::remove),
        )
        .route("/auth/v1/factors/{id}/challenge", post(challenge::challenge))
        .route("/auth/v1/factors/{id}/verify", post(verify::verify))
        .route("/auth/v1/admin/users/{id}/factors", get(admin::list))
        .route(
            "/auth/v1/admin/users/{id}/factors/{factor}",
            delete(admin::remove),
        )
}

/// How a factor is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A code of an authenticator app.
    Totp,
    /// A security key.
    Webauthn,
    /// A code sent by text message.
    Phone,
}

impl Kind {
    /// The word on the wire and in the table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Webauthn => "webauthn",
            Self::Phone => "phone",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Totp, Self::Webauthn, Self::Phone]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// What a session that showed it says.
    const fn method(self) -> Method {
        match self {
            Self::Totp => Method::Totp,
            Self::Webauthn => Method::FactorWebauthn,
            Self::Phone => Method::FactorPhone,
        }
    }
}

/// A factor of a person.
#[derive(Debug)]
struct Factor {
    id: Uuid,
    kind: Kind,
    verified: bool,
    /// Of an authenticator app, as it was kept before it was sealed.
    secret: Option<String>,
    sealed: Option<Sealed>,
    last_step: Option<i64>,
    /// Of a security key that was confirmed.
    credential: Option<Value>,
    created: Timestamp,
    /// Of a telephone: its number.
    phone: Option<String>,
    last_challenged: Option<Timestamp>,
}

impl Factor {
    /// The factor named in a path, if it is the person's, locked for the rest of the transaction: what happens to one factor
    /// happens one after the other.
    ///
    /// Errors: `mfa_factor_not_found`, for other people's as for none.
    async fn lock(tx: &SystemTx, user: Uuid, id: &str) -> Result<Self> {
        let id = id.parse::<Uuid>().map_err(|_| not_found())?;
        let row = tx
            .query_opt(
                "select id, factor_type::text, status = 'verified', secret, last_step, web_authn_credential, \
                 created_at, phone, last_challenged_at, sealed from auth.mfa_factors where id = $1 and user_id = $2 for update",
                &[&id, &user],
            )
            .await?
            .ok_or_else(not_found)?;
        let kind: String = row.try_get(1)?;
        Ok(Self {
            id: row.try_get(0)?,
            kind: Kind::parse(&kind).ok_or_else(|| Error::internal("unknown type of factor"))?,
            verified: row.try_get(2)?,
            secret: row.try_get(3)?,
            sealed: row.try_get(9)?,
            last_step: row.try_get(4)?,
            credential: row.try_get(5)?,
            created: row.try_get(6)?,
            phone: row.try_get(7)?,
            last_challenged: row.try_get(8)?,
        })
    }

    /// What an authenticator app computes its codes from.
    async fn secret(&self, identity: &Identity) -> Result<String> {
        let seals = &identity.0.seals;
        let secret = seals
            .open(
                sealed::FACTORS,
                &self.id.to_string(),
                self.sealed.as_ref(),
                self.secret.clone(),
            )
            .await?;
        Ok(secret.unwrap_or_default())
    }

    /// A telephone's number in its stored form.
    fn number(&self) -> Result<&str> {
        let number = self.phone.as_deref();
        number.ok_or_else(|| Error::internal("a telephone without its number"))
    }

    /// The factor named in a path, locked with its person because it is about to be shown. One that is not confirmed may be shown
    /// by whoever could add it at this moment: else somebody who once knew the password alone would keep a way to `aal2` open.
    ///
    /// Errors: `mfa_factor_not_found`, also if it was begun too long ago; `insufficient_aal`.
    async fn lock_to_show(
        identity: &Identity,
        tx: &SystemTx,
        user: Uuid,
        session: Uuid,
        id: &str,
    ) -> Result<Self> {
        lock_person(tx, user).await?;
        let factor = Self::lock(tx, user, id).await?;
        if !factor.verified {
            if factor.created + ENROLMENT <= identity.0.env.now() {
                return Err(not_found());
            }
            require_level(tx, user, session).await?;
        }
        Ok(factor)
    }
}

/// Locks a person's row: what happens to their factors and passkeys happens one after the other, so that nothing is counted while
/// it changes. Before any factor, challenge or session of theirs.
pub(super) async fn lock_person(tx: &SystemTx, user: Uuid) -> Result<()> {
    tx.query(
        "select 1 from auth.users where id = $1 for no key update",
        &[&user],
    )
    .await
    .map(drop)
}

/// Longest name of a factor, a passkey or who they are for, in characters.
const LONGEST_NAME: usize = 120;

/// A text that people call something by.
///
/// Errors: `validation_failed`.
pub(super) fn checked_name(field: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > LONGEST_NAME || text.chars().any(char::is_control) {
        return Err(Error::invalid(
            "validation_failed",
            format!("{field} must be {LONGEST_NAME} characters or less"),
        ));
    }
    Ok(text.to_owned())
}

fn not_found() -> Error {
    Error::not_found("mfa_factor_not_found", "Factor not found")
        .hint("GET /auth/v1/user lists the factors there are.")
}

/// The id in a path, as text: what is no id names no factor.
type Id = Path<String>;

/// Who is signed in, with an account of their own.
///
/// Errors: `no_authorization` for a visitor's account, which nobody could sign in to again, with whatever factor.
pub(super) async fn person(service: &Identity, caller: Caller) -> Result<(Uuid, User)> {
    let (session, user) = routes::current(service, &caller).await?;
    if user.anonymous {
        return Err(Error::forbidden(
            "no_authorization",
            "A visitor's account has no factors and no passkeys.",
        )
        .hint("Add an e-mail address to the account first."));
    }
    Ok((session, user))
}

/// Whether a person has a factor that is confirmed.
pub(super) async fn has_any(tx: &SystemTx, user: Uuid) -> Result<bool> {
    tx.query_one(
        "select exists (select from auth.mfa_factors where user_id = $1 and status = 'verified')",
        &[&user],
    )
    .await?
    .try_get(0)
    .map_err(Error::from)
}

/// An error unless the session showed a second factor, or the person has none to show: what guards an account is changed by
/// nobody who knows the password alone.
pub(super) async fn require_level(tx: &SystemTx, user: Uuid, session: Uuid) -> Result<()> {
    if sessions::is_aal2(tx, session).await? || !has_any(tx, user).await? {
        return Ok(());
    }
    Err(errors::insufficient_aal())
}

/// Wrong codes of a person, counted in the database.
pub(super) struct Failures {
    user: Uuid,
    count: i32,
    since: Timestamp,
}

impl Failures {
    /// Locks the person's count, which lets their attempts in one at a time.
    ///
    /// Errors: `over_request_rate_limit` after too many wrong codes.
    pub(super) async fn lock(identity: &Identity, tx: &SystemTx, user: Uuid) -> Result<Self> {
        let now = identity.0.env.now();
        let row = tx
            .query_one(
                "insert into auth.mfa_failures as f (user_id, failures, since) values ($1, 0, $2) \
                 on conflict (user_id) do update \
                 set failures = case when f.since > $3 then f.failures else 0 end, \
                     since = case when f.since > $3 then f.since else $2 end \
                 returning failures, since",
                &[&user, &now, &(now - WINDOW)],
            )
            .await?;
        let failures = Self {
            user,
            count: row.try_get(0)?,
            since: row.try_get(1)?,
        };
        if failures.count >= MOST_FAILURES {
            let left = WINDOW - now.duration_since(failures.since);
            return Err(errors::too_many(left.as_secs().unsigned_abs().max(1)));
        }
        Ok(failures)
    }

    /// Counts a wrong code and commits.
    pub(super) async fn failed(self, tx: SystemTx) -> Result<()> {
        tx.execute(
            "update auth.mfa_failures set failures = $2 where user_id = $1",
            &[&self.user, &(self.count + 1)],
        )
        .await?;
        tx.commit().await
    }

    /// Forgets a person's after a good one.
    pub(super) async fn forget(tx: &SystemTx, user: Uuid) -> Result<()> {
        tx.execute("delete from auth.mfa_failures where user_id = $1", &[&user])
            .await
            .map(drop)
    }
}
