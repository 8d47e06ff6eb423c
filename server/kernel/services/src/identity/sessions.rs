//! Sessions and their refresh tokens: each token is good once; one that comes back later ends the whole session.

mod rise;

pub(super) use rise::{Rise, lower, raise};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenon_sdk::{Error, Kernel, Result, SystemTx, config::Auth, http::Caller};
use uuid::Uuid;

use super::{
    Identity, audit, errors,
    tokens::{self, Claims},
    users::{self, User},
};

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// What a person proved who they are with, in the words of the claim `amr`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Method {
    /// Nothing: the account was made for a visitor just now.
    Anonymous,
    /// A provider's word.
    OAuth,
    /// A link or a code in a mail.
    Otp,
    /// Their password.
    Password,
    /// A passkey.
    Passkey,
    /// Second: a code of an authenticator app.
    Totp,
    /// Second: a code sent by text message.
    FactorPhone,
    /// Second: a security key.
    FactorWebauthn,
    /// In place of a second factor: one of the codes for whoever has lost theirs.
    RecoveryCode,
}

impl Method {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::OAuth => "oauth",
            Self::Otp => "otp",
            Self::Password => "password",
            Self::Passkey => "passkey",
            Self::Totp => "totp",
            Self::FactorPhone => "mfa/phone",
            Self::FactorWebauthn => "mfa/webauthn",
            Self::RecoveryCode => "recovery_code",
        }
    }
}

/// What every token of a session says of it.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: Uuid,
    /// `aal1` or `aal2`: how many factors were shown.
    pub(super) aal: String,
    /// Methods and moments.
    pub(super) amr: Value,
}

/// What a client says of itself, as far as it is kept.
fn bounded(user_agent: Option<&str>) -> Option<String> {
    user_agent.map(|text| text.chars().take(400).collect())
}

/// Opens a session for a person whose identity is proven, in the transaction that proved it, and commits that.
pub(super) async fn open(
    identity: &Identity,
    tx: SystemTx,
    user: Uuid,
    method: Method,
    user_agent: Option<&str>,
) -> Result<Value> {
    let env = &identity.0.env;
    let (refresh_token, now) = (env.new_secret::<24>(), env.now());
    let session = Session {
        id: env.new_id(),
        aal: "aal1".into(),
        amr: json!([{ "method": method.name(), "timestamp": now.as_second() }]),
    };
    let user_agent = bounded(user_agent);
    let auth = &identity.0.config.auth;
    let not_after =
        (auth.session_hours > 0).then(|| now.saturating_add(SignedDuration::from_hours(auth.session_hours)));
    let not_after = not_after.transpose().map_err(Error::internal)?;
    if auth.single_session {
        // Programs act beside the person: they are taken back one by one.
        tx.execute(
            "delete from auth.sessions where user_id = $1 and oauth_client_id is null",
            &[&user],
        )
        .await?;
    }
    tx.execute(
        "insert into auth.sessions (id, user_id, user_agent, aal, amr, created_at, refreshed_at, not_after, ip) \
         values ($1, $2, $3, $4::text::auth.aal_level, $5, $6, $6, $7, $8)",
        &[
            &session.id,
            &user,
            &user_agent,
            &session.aal,
            &session.amr,
            &now,
            &not_after,
            &audit::address(),
        ],
    )
    .await?;
    insert_token(&tx, &refresh_token, session.id, now).await?;
    if matches!(method, Method::Otp | Method::Password) {
        tx.execute(
            "update auth.identities set last_sign_in_at = $2 where user_id = $1 and provider = 'email'",
            &[&user, &now],
        )
        .await?;
    }
    let row = tx
        .query_opt(
            &format!(
                "update auth.users set last_sign_in_at = $2 where id = $1 and deleted_at is null returning {}",
                users::COLUMNS
            ),
            &[&user, &now],
        )
        .await?
        .ok_or_else(errors::user_not_found)?;
    let user = User::from_row(&row)?;
    if user.banned(now) {
        return Err(errors::user_banned());
    }
    audit::record(
        &tx,
        env,
        Some(user.id),
        "login",
        json!({ "method": method.name() }),
    )
    .await?;
    tx.commit().await?;
    let answered = answer(identity, &user, &session, &refresh_token, now).await;
    if answered.is_err() {
        // Nobody got its tokens.
        let tx = SystemTx::begin(&identity.0.db, "session undone").await?;
        tx.execute("delete from auth.sessions where id = $1", &[&session.id])
            .await?;
        tx.commit().await?;
    }
    answered
}

/// Whose session it is, if it goes on: it has not ended, its time is not over, it was used lately, and its person is not shut out.
///
/// Errors: `session_not_found`, `user_banned`.
pub(super) async fn whose(identity: &Identity, tx: &SystemTx, session: Uuid) -> Result<User> {
    owner(tx, &identity.0.config.auth, identity.0.env.now(), session).await
}

/// An error unless a caller's session goes on, for what leaves something lasting behind outside of organisations: a token outlives
/// its session by up to an hour. Programs' keys have none, and are looked up as such.
///
/// Errors as [`whose`].
pub(crate) async fn require_session(kernel: &Kernel, caller: &Caller) -> Result<()> {
    let Some(session) = caller.identity.session else {
        return Ok(());
    };
    let tx = SystemTx::begin(kernel.db(), "caller's session").await?;
    owner(&tx, &kernel.config().auth, kernel.env().now(), session).await?;
    tx.commit().await
}

async fn owner(tx: &SystemTx, auth: &Auth, now: Timestamp, session: Uuid) -> Result<User> {
    let row = tx
        .query_opt(
            &format!(
                // Programs answer for their own silence.
                "select {} from auth.users where deleted_at is null and id = (select s.user_id from auth.sessions s \
                 where s.id = $1 and (s.not_after is null or s.not_after > $2) \
                 and ($3::timestamptz is null or s.oauth_client_id is not null or s.refreshed_at >= $3))",
                users::COLUMNS
            ),
            &[&session, &now, &silent_since(auth, now)],
        )
        .await?
        .ok_or_else(errors::session_not_found)?;
    let user = User::from_row(&row)?;
    if user.banned(now) {
        return Err(errors::user_banned());
    }
    Ok(user)
}

/// The last use before this ends a session; none where silence ends none.
pub(super) fn silent_since(auth: &Auth, now: Timestamp) -> Option<Timestamp> {
    let idle = auth.session_idle_hours;
    (idle > 0).then(|| {
        now.saturating_sub(SignedDuration::from_hours(idle))
            .unwrap_or(now)
    })
}

/// Whether a second factor was shown in a session.
///
/// Errors: `session_not_found` if it has ended.
pub(super) async fn is_aal2(tx: &SystemTx, session: Uuid) -> Result<bool> {
    let row = tx
        .query_opt(
            "select aal = 'aal2' from auth.sessions where id = $1",
            &[&session],
        )
        .await?
        .ok_or_else(errors::session_not_found)?;
    Ok(row.try_get(0)?)
}

pub(super) async fn insert_token(tx: &SystemTx, token: &str, session: Uuid, now: Timestamp) -> Result<()> {
    tx.execute(
        "insert into auth.refresh_tokens (token_hash, session_id, user_id, created_at, updated_at) \
         select $1, id, user_id, $3, $3 from auth.sessions where id = $2",
        &[&hash(token), &session, &now],
    )
    .await
    .map(drop)
}

/// Exchanges a refresh token for new tokens. The session remembers where it was used last, and with what.
pub(super) async fn refresh(identity: &Identity, token: &str, user_agent: Option<&str>) -> Result<Value> {
    let not_found = || {
        Error::invalid(
            "refresh_token_not_found",
            "Invalid Refresh Token: Refresh Token Not Found",
        )
    };
    let (env, now) = (&identity.0.env, identity.0.env.now());
    // The person is read along: two round trips are all that a refresh takes.
    let (tx, row) = SystemTx::begin_query_opt(
        &identity.0.db,
        "refresh",
        &format!(
            "select person.*, t.session_id, t.used_at, t.revoked, s.aal::text as aal, s.amr, s.not_after, s.refreshed_at from auth.refresh_tokens t \
             join auth.sessions s on s.id = t.session_id \
             cross join lateral (select {} from auth.users where id = s.user_id) person \
             where t.token_hash = $1 and s.oauth_client_id is null for update of t, s",
            users::COLUMNS
        ),
        &[&hash(token)],
    )
    .await?;
    let row = row.ok_or_else(not_found)?;
    let user = User::from_row(&row)?;
    let session = Session {
        id: row.try_get("session_id")?,
        aal: row.try_get("aal")?,
        amr: row.try_get("amr")?,
    };
    let (used_at, revoked): (Option<Timestamp>, bool) = (row.try_get("used_at")?, row.try_get("revoked")?);
    // Revoked by SQL, it is as one that was spent long ago.
    if let Some(used_at) = used_at.or(revoked.then_some(Timestamp::UNIX_EPOCH)) {
        let tolerated = SignedDuration::from_secs(identity.0.config.auth.refresh_reuse_seconds);
        if now.duration_since(used_at) > tolerated {
            // Somebody kept a token that was already spent: it may have been stolen, so nobody goes on with it.
            tx.execute("delete from auth.sessions where id = $1", &[&session.id])
                .await?;
            audit::record(
                &tx,
                env,
                Some(user.id),
                "token_revoked",
                json!({ "session_id": session.id }),
            )
            .await?;
            tx.commit().await?;
            tracing::warn!(session = %session.id, "refresh token used twice; session ended");
            return Err(Error::invalid(
                "refresh_token_already_used",
                "Invalid Refresh Token: Already Used",
            )
            .hint("Sign in again."));
        }
    }
    let (end, last_used): (Option<Timestamp>, Timestamp) =
        (row.try_get("not_after")?, row.try_get("refreshed_at")?);
    let forgotten = silent_since(&identity.0.config.auth, now).is_some_and(|since| last_used < since);
    if forgotten || end.is_some_and(|end| end <= now) {
        tx.execute("delete from auth.sessions where id = $1", &[&session.id])
            .await?;
        tx.commit().await?;
        return Err(errors::session_expired());
    }
    if user.erased() {
        return Err(not_found());
    }
    if user.banned(now) {
        return Err(errors::user_banned());
    }
    let next = env.new_secret::<24>();
    tx.execute_and_commit(
        "with spent as (update auth.refresh_tokens set used_at = coalesce(used_at, $2), revoked = true, updated_at = $2 \
         where token_hash = $1), \
         next as (insert into auth.refresh_tokens (token_hash, session_id, user_id, created_at, updated_at) \
         values ($3, $4, $7::uuid, $2, $2)) \
         update auth.sessions set refreshed_at = $2, user_agent = coalesce($5, user_agent), ip = coalesce($6, ip) where id = $4",
        &[
            &hash(token),
            &now,
            &hash(&next),
            &session.id,
            &bounded(user_agent),
            &audit::address(),
            &user.id,
        ],
    )
    .await?;
    let answered = answer(identity, &user, &session, &next, now).await;
    if answered.is_err() {
        // Nobody got the new token, so the old one is as good as before: a hook that failed once ends no session.
        undo_refresh(identity, used_at.is_none().then_some(token), &next).await?;
    }
    answered
}

/// Takes back that a refresh token was exchanged for `next`, which nobody got. `token` was not used before, and is good again.
pub(super) async fn undo_refresh(identity: &Identity, token: Option<&str>, next: &str) -> Result<()> {
    let tx = SystemTx::begin(&identity.0.db, "refresh undone").await?;
    tx.execute(
        "delete from auth.refresh_tokens where token_hash = $1 and used_at is null",
        &[&hash(next)],
    )
    .await?;
    tx.execute(
        "update auth.refresh_tokens set used_at = null, revoked = false where token_hash = $1",
        &[&token.map(hash)],
    )
    .await?;
    tx.commit().await
}

/// The person of a session that goes on. Errors as [`whose`].
pub(super) async fn person(identity: &Identity, session: Uuid) -> Result<User> {
    let tx = SystemTx::begin(&identity.0.db, "current user").await?;
    let user = whose(identity, &tx, session).await?;
    tx.commit().await?;
    Ok(user)
}

/// Which sessions a sign-out ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Scope {
    /// All of the person's.
    #[default]
    Global,
    /// This one.
    Local,
    /// All but this one.
    Others,
}

/// Ends sessions of a person, who asks in one of them: one that has ended signs nobody out. Errors as [`whose`].
pub(super) async fn end(identity: &Identity, user: Uuid, session: Uuid, scope: Scope) -> Result<()> {
    let tx = SystemTx::begin(&identity.0.db, "sign-out").await?;
    whose(identity, &tx, session).await?;
    let (this, others) = match scope {
        Scope::Global => (true, true),
        Scope::Local => (true, false),
        Scope::Others => (false, true),
    };
    tx.execute(
        "delete from auth.sessions where user_id = $1 and ((id = $2 and $3) or (id <> $2 and $4))",
        &[&user, &session, &this, &others],
    )
    .await?;
    audit::record(
        &tx,
        &identity.0.env,
        Some(user),
        "logout",
        json!({ "session_id": session }),
    )
    .await?;
    tx.commit().await
}

async fn answer(
    identity: &Identity,
    user: &User,
    session: &Session,
    refresh_token: &str,
    now: Timestamp,
) -> Result<Value> {
    let claims = agreed_claims(identity, user, session, now).await?;
    signed(identity, user, &claims, refresh_token).await
}

/// What a token of a session says, as the operator's hook wants it.
async fn agreed_claims(identity: &Identity, user: &User, session: &Session, now: Timestamp) -> Result<Value> {
    let lifetime = identity.0.config.auth.access_token_seconds;
    let issuer = format!("{}/auth/v1", identity.0.config.server.site_url);
    let claims = Claims::new(user, session, &issuer, now.as_second(), lifetime);
    let method = session.amr[0]["method"].as_str().unwrap_or_default();
    identity.customised(user.id, method, &claims).await
}

async fn signed(identity: &Identity, user: &User, claims: &Value, refresh_token: &str) -> Result<Value> {
    Ok(json!({
        "access_token": tokens::sign(&identity.0.keys, claims).await?,
        "token_type": "bearer",
        "expires_in": identity.0.config.auth.access_token_seconds,
        "expires_at": claims["exp"],
        "refresh_token": refresh_token,
        "user": user.to_json(),
    }))
}
