//! Somebody shows a factor: the session goes up to `aal2`, the person's sessions that stayed at `aal1` end.

use axum::{Json, body::Bytes, response::IntoResponse};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx, http::Caller};
use uuid::Uuid;

use super::{CHALLENGE, Factor, Failures, Id, Kind, person, phone, totp};
use crate::identity::{
    Identity, audit,
    limits::Limit,
    mails::{self, Notice},
    routes::{Service, read},
    sessions::{self, Rise},
    users,
};

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    challenge_id: String,
    #[serde(default)]
    code: String,
    webauthn: Option<KeyAnswer>,
}

#[derive(Deserialize)]
struct KeyAnswer {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    credential_response: Value,
}

/// `POST /factors/:id/verify`.
pub(super) async fn verify(
    service: Service,
    caller: Caller,
    path: Id,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let (session, user) = person(&service, caller).await?;
    service.limit_person(Limit::Mfa, user.id)?;
    verify_for(&service, session, user.id, &path, read(&body)?)
        .await
        .map(Json)
}

fn wrong(message: &str) -> Error {
    Error::unprocessable("mfa_verification_failed", message)
        .hint("Each code is good once; wait for the next.")
}

async fn verify_for(
    identity: &Identity,
    session: Uuid,
    user: Uuid,
    id: &str,
    answer: Answer,
) -> Result<Value> {
    let (env, now) = (&identity.0.env, identity.0.env.now());
    let said = phone::said_by_provider(identity, user, id, &answer.challenge_id, answer.code.trim()).await?;
    let tx = SystemTx::begin(&identity.0.db, "answer of factor").await?;
    let factor = Factor::lock_to_show(identity, &tx, user, session, id).await?;
    let kind = factor.kind.name();
    let challenge = find_challenge(identity, &tx, &factor, &answer.challenge_id).await?;
    let failures = Failures::lock(identity, &tx, user).await?;
    let kept = match check(identity, &factor, &challenge, answer, said).await? {
        Ok(kept) => kept,
        Err(refusal) => {
            failures.failed(tx).await?;
            identity.factor_was_shown(user, factor.id, kind, false).await?;
            return Err(refusal);
        }
    };
    // The answer is spent before the operator's hook hears of it, which may take seconds: no row is locked meanwhile, and nobody
    // shows the same answer again.
    tx.execute(
        "update auth.mfa_challenges set verified_at = $2, otp_code = null where id = $1",
        &[&challenge.id, &now],
    )
    .await?;
    match &kept {
        Kept::Step(step) => {
            tx.execute(
                "update auth.mfa_factors set last_step = $2 where id = $1",
                &[&factor.id, step],
            )
            .await?;
        }
        Kept::Key(key) if factor.verified => keep_key(&tx, factor.id, key, now).await?,
        // What is not confirmed yet leaves no key behind if the hook refuses.
        Kept::Key(_) | Kept::Nothing => {}
    }
    tx.commit().await?;
    identity.factor_was_shown(user, factor.id, kind, true).await?;
    let rise = Rise::agree(identity, session, factor.kind.method()).await?;

    let tx = SystemTx::begin(&identity.0.db, "factor shown").await?;
    // Meanwhile it may have been taken away, or another may have come to guard the account.
    let factor = Factor::lock_to_show(identity, &tx, user, session, id).await?;
    if !factor.verified {
        if let Kept::Key(key) = &kept {
            keep_key(&tx, factor.id, key, now).await?;
        }
        confirm(identity, &tx, user, &factor).await?;
    }
    Failures::forget(&tx, user).await?;
    let traits = json!({
        "factor_id": factor.id, "factor_type": kind, "challenge_id": challenge.id,
        "enrolled": !factor.verified,
    });
    audit::record(&tx, env, Some(user), "verification_attempted", traits).await?;
    sessions::raise(identity, tx, &rise, Some(factor.id)).await
}

/// What a good answer leaves with its factor.
enum Kept {
    /// The half minute of a code.
    Step(i64),
    /// A security key with its counter.
    Key(Value),
    /// The challenge's code is spent with it.
    Nothing,
}

/// Looks at an answer: what it leaves, or the refusal of one that is wrong.
///
/// Errors: `validation_failed` for what is no answer.
async fn check(
    identity: &Identity,
    factor: &Factor,
    challenge: &Challenge,
    answer: Answer,
    said: Option<bool>,
) -> Result<Result<Kept>> {
    Ok(match factor.kind {
        Kind::Totp => {
            let (secret, now) = (factor.secret(identity).await?, identity.0.env.now().as_second());
            totp::check(&secret, answer.code.trim(), now, factor.last_step)?
                .map(Kept::Step)
                .ok_or_else(|| wrong("Invalid TOTP code entered"))
        }
        Kind::Webauthn => {
            let state = challenge.state.clone();
            let state =
                state.ok_or_else(|| Error::internal("a challenge of a security key without its state"))?;
            check_key(identity, factor, state, answer.webauthn)?
                .map(Kept::Key)
                .ok_or_else(unknown_key)
        }
        Kind::Phone => {
            phone::may_be_shown(identity)?;
            let fits = || phone::fits(challenge.id, challenge.code.as_deref(), answer.code.trim());
            if said.unwrap_or_else(fits) {
                Ok(Kept::Nothing)
            } else {
                Err(wrong("Invalid MFA Phone code entered"))
            }
        }
    })
}

/// A factor was shown for the first time, and counts from now on.
async fn confirm(identity: &Identity, tx: &SystemTx, user: Uuid, factor: &Factor) -> Result<()> {
    tx.execute(
        "update auth.mfa_factors set status = 'verified', updated_at = $2 where id = $1",
        &[&factor.id, &identity.0.env.now()],
    )
    .await?;
    // Whatever was begun beside it may be somebody else's, who knew the password while it was enough.
    tx.execute(
        "delete from auth.mfa_factors where user_id = $1 and status = 'unverified'",
        &[&user],
    )
    .await?;
    if let Some(person) = users::find(tx, user).await? {
        let kind = factor.kind.name();
        mails::notify(identity, tx, &person, Notice::FactorAdded { kind }).await?;
    }
    Ok(())
}

pub(super) struct Challenge {
    id: Uuid,
    /// Of a security key: what it was asked.
    state: Option<Value>,
    /// Of a telephone: what is kept of the code that went there.
    code: Option<String>,
}

/// The challenge that is answered.
///
/// Errors: `mfa_factor_not_found` if the factor has no such, `mfa_challenge_expired` if it is too old or was answered.
pub(super) async fn find_challenge(
    identity: &Identity,
    tx: &SystemTx,
    factor: &Factor,
    id: &str,
) -> Result<Challenge> {
    let unknown = || {
        Error::unprocessable(
            "mfa_factor_not_found",
            "MFA factor with the provided challenge ID not found",
        )
    };
    let id = id.parse::<Uuid>().map_err(|_| unknown())?;
    let row = tx
        .query_opt(
            "select created_at, verified_at is not null, web_authn_session_data, otp_code \
             from auth.mfa_challenges \
             where id = $1 and factor_id = $2",
            &[&id, &factor.id],
        )
        .await?
        .ok_or_else(unknown)?;
    let (created, answered): (Timestamp, bool) = (row.try_get(0)?, row.try_get(1)?);
    if answered || created + CHALLENGE <= identity.0.env.now() {
        return Err(Error::unprocessable(
            "mfa_challenge_expired",
            format!(
                "MFA challenge {id} has expired, verify against another challenge or create a new challenge."
            ),
        ));
    }
    Ok(Challenge {
        id,
        state: row.try_get(2)?,
        code: row.try_get(3)?,
    })
}

fn unknown_key() -> Error {
    wrong("The security key could not be verified")
}

/// The security key with its counter, new or known, if its answer is good.
fn check_key(
    identity: &Identity,
    factor: &Factor,
    state: Value,
    answer: Option<KeyAnswer>,
) -> Result<Option<Value>> {
    let relying_party = identity.relying_party()?;
    let answer = answer.ok_or_else(|| Error::invalid("validation_failed", "WebAuthn config required"))?;
    let wanted = if factor.credential.is_none() {
        "create"
    } else {
        "request"
    };
    if answer.r#type != wanted {
        return Err(Error::invalid(
            "validation_failed",
            format!("WebAuthn type must be {wanted}"),
        ));
    }
    Ok(match &factor.credential {
        None => relying_party.registered_security_key(state, answer.credential_response),
        Some(known) => relying_party.answered_security_key(state, answer.credential_response, known),
    })
}

async fn keep_key(tx: &SystemTx, factor: Uuid, key: &Value, now: Timestamp) -> Result<()> {
    tx.execute(
        "update auth.mfa_factors set web_authn_credential = $2, updated_at = $3 where id = $1",
        &[&factor, key, &now],
    )
    .await
    .map_err(|error| error.if_taken(unknown_key))
    .map(drop)
}
