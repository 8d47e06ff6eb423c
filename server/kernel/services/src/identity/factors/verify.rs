//! Somebody shows a factor: the session goes up to `aal2`, the person's sessions that stayed at `aal1` end.

use axum::{Json, body::Bytes, http::HeaderMap, response::Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx, http::Caller};
use uuid::Uuid;

use super::{CHALLENGE, Factor, Failures, Id, Kind, person, totp};
use crate::identity::{
    Identity, audit, errors,
    limits::Limit,
    mails::{self, Notice},
    routes::{Service, read},
    sessions, users,
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
    caller: Result<Caller>,
    path: Id,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let result = async {
        let (session, user) = person(&service, caller).await?;
        service.limit_person(Limit::Mfa, user.id)?;
        verify_for(&service, session, user.id, &path, read(&body)?)
            .await
            .map(Json)
    };
    errors::respond(&headers, result.await)
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
    let tx = SystemTx::begin(&identity.0.db, "answer of factor").await?;
    let factor = Factor::lock(&tx, user, id).await?;
    let challenge = find_challenge(identity, &tx, &factor, &answer.challenge_id).await?;
    let failures = Failures::lock(identity, &tx, user).await?;
    match factor.kind {
        Kind::Totp => {
            let secret = factor.secret.as_deref().unwrap_or_default();
            let step = totp::check(secret, answer.code.trim(), now.as_second(), factor.last_step)?;
            let Some(step) = step else {
                failures.failed(tx).await?;
                identity
                    .factor_was_shown(user, factor.id, factor.kind.name(), false)
                    .await?;
                return Err(wrong("Invalid TOTP code entered"));
            };
            tx.execute(
                "update auth.mfa_factors set last_step = $2 where id = $1",
                &[&factor.id, &step],
            )
            .await?;
        }
        Kind::Webauthn => {
            let Some(state) = challenge.state else {
                return Err(Error::internal("a challenge of a security key without its state"));
            };
            check_key(identity, &tx, &factor, state, answer.webauthn, now).await?;
        }
        Kind::Phone => {
            return Err(Error::unprocessable(
                "mfa_phone_verify_not_enabled",
                "MFA verification is disabled for Phone",
            ));
        }
    }
    identity
        .factor_was_shown(user, factor.id, factor.kind.name(), true)
        .await?;
    if let (false, Some(person)) = (factor.verified, users::find(&tx, user).await?) {
        let kind = factor.kind.name();
        mails::notify(identity, &tx, &person, Notice::FactorAdded { kind }).await?;
    }
    failures.forget(&tx).await?;
    tx.execute(
        "update auth.mfa_challenges set verified_at = $2 where id = $1",
        &[&challenge.id, &now],
    )
    .await?;
    tx.execute(
        "update auth.mfa_factors set status = 'verified', updated_at = $2 where id = $1 and status <> 'verified'",
        &[&factor.id, &now],
    )
    .await?;
    // What somebody began beside it and did not confirm.
    tx.execute(
        "delete from auth.mfa_factors where user_id = $1 and status = 'unverified' \
         and factor_type = $2::text::auth.factor_type",
        &[&user, &factor.kind.name()],
    )
    .await?;
    let traits = json!({
        "factor_id": factor.id, "factor_type": factor.kind.name(), "challenge_id": challenge.id,
        "enrolled": !factor.verified,
    });
    audit::record(&tx, env, Some(user), "verification_attempted", traits).await?;
    sessions::raise(identity, tx, session, factor.kind.method(), Some(factor.id)).await
}

struct Challenge {
    id: Uuid,
    /// Of a security key: what it was asked.
    state: Option<Value>,
}

/// The challenge that is answered.
///
/// Errors: `mfa_factor_not_found` if the factor has no such, `mfa_challenge_expired` if it is too old or was answered.
async fn find_challenge(identity: &Identity, tx: &SystemTx, factor: &Factor, id: &str) -> Result<Challenge> {
    let unknown = || {
        Error::unprocessable(
            "mfa_factor_not_found",
            "MFA factor with the provided challenge ID not found",
        )
    };
    let id = id.parse::<Uuid>().map_err(|_| unknown())?;
    let row = tx
        .query_opt(
            "select created_at, verified_at is not null, web_authn_session_data from auth.mfa_challenges \
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
    })
}

/// Checks what a security key answered, and keeps its public key or its counter.
async fn check_key(
    identity: &Identity,
    tx: &SystemTx,
    factor: &Factor,
    state: Value,
    answer: Option<KeyAnswer>,
    now: Timestamp,
) -> Result<()> {
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
    let failed = || wrong("The security key could not be verified");
    let credential = match &factor.credential {
        None => relying_party.registered_security_key(state, answer.credential_response),
        Some(known) => relying_party.answered_security_key(state, answer.credential_response, known),
    }
    .ok_or_else(failed)?;
    tx.execute(
        "update auth.mfa_factors set web_authn_credential = $2, updated_at = $3 where id = $1",
        &[&factor.id, &credential, &now],
    )
    .await
    .map_err(|error| if error.code == "23505" { failed() } else { error })
    .map(drop)
}
