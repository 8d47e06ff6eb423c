//! Recovery codes, for whoever has lost their factor: ten, shown once, each good once, at the addresses and in the forms of GoTrue.
//!
//! A code has 80 random bits and is stored as its SHA-256: a slow hash guards what people choose, and would add nothing here.

use axum::{Json, body::Bytes, response::IntoResponse};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenon_sdk::{Error, Result, SystemTx, env::Env, http::Caller};
use totp_rs::Secret;
use uuid::Uuid;

use super::{Failures, has_any, lock_person, person};
use crate::identity::{
    Identity, audit, errors,
    limits::Limit,
    routes::{Service, read},
    sessions::{self, Method, Rise},
};

const CODES: usize = 10;

/// Sixteen letters and digits of Base32 in lower case.
fn make(env: &Env) -> String {
    let mut bytes = [0; 10];
    env.fill_random(&mut bytes);
    Secret::from(bytes.to_vec()).to_base32().to_lowercase()
}

/// A code as it was made, however it was typed: people add blanks and hyphens.
fn hash(code: &str) -> Vec<u8> {
    let code: String = code
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '-')
        .flat_map(char::to_lowercase)
        .collect();
    Sha256::digest(code.as_bytes()).to_vec()
}

/// How many codes somebody was given and how many of them are left.
async fn counts(tx: &SystemTx, user: Uuid) -> Result<(i64, i64)> {
    let row = tx
        .query_one(
            "select count(*), count(*) filter (where used_at is null) \
             from auth.mfa_recovery_codes where user_id = $1",
            &[&user],
        )
        .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

fn none() -> Error {
    Error::not_found("mfa_factor_not_found", "Recovery codes not found")
        .hint("POST /auth/v1/factors/recovery-codes makes them.")
}

/// `GET /factors/recovery-codes`: how many there are.
pub(super) async fn count(service: Service, caller: Caller) -> Result<impl IntoResponse> {
    let (_, user) = person(&service, caller).await?;
    let tx = SystemTx::begin(&service.0.0.db, "recovery codes").await?;
    let (total, remaining) = counts(&tx, user.id).await?;
    tx.commit().await?;
    if total == 0 {
        return Err(none());
    }
    Ok(Json(
        json!({ "type": "recovery_code", "total": total, "remaining": remaining }),
    ))
}

/// `POST /factors/recovery-codes`: the first ones.
pub(super) async fn generate(service: Service, caller: Caller) -> Result<impl IntoResponse> {
    replace(&service, caller, false).await.map(Json)
}

/// `POST /factors/recovery-codes/regenerate`: others, and those there were are void.
pub(super) async fn regenerate(service: Service, caller: Caller) -> Result<impl IntoResponse> {
    replace(&service, caller, true).await.map(Json)
}

async fn replace(identity: &Identity, caller: Caller, again: bool) -> Result<Value> {
    let (session, user) = person(identity, caller).await?;
    let (env, now) = (&identity.0.env, identity.0.env.now());
    let tx = SystemTx::begin(&identity.0.db, "new recovery codes").await?;
    lock_person(&tx, user.id).await?;
    require_aal2(&tx, session).await?;
    if !has_any(&tx, user.id).await? {
        return Err(Error::unprocessable(
            "mfa_recovery_codes_sole_factor",
            "Recovery codes cannot be the only verified factor.",
        )
        .hint("Add an authenticator app or a security key first."));
    }
    match (counts(&tx, user.id).await?.0 > 0, again) {
        (true, false) => {
            return Err(
                Error::unprocessable("mfa_verified_factor_exists", "Recovery codes already exist")
                    .hint("POST /auth/v1/factors/recovery-codes/regenerate replaces them."),
            );
        }
        (false, true) => return Err(none()),
        _ => {}
    }
    tx.execute(
        "delete from auth.mfa_recovery_codes where user_id = $1",
        &[&user.id],
    )
    .await?;
    let codes: Vec<String> = std::iter::repeat_with(|| make(env)).take(CODES).collect();
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| hash(code)).collect();
    tx.execute(
        "insert into auth.mfa_recovery_codes (user_id, code_hash, created_at) select $1, unnest($2::bytea[]), $3",
        &[&user.id, &hashes, &now],
    )
    .await?;
    let action = if again {
        "recovery_codes_regenerated"
    } else {
        "recovery_codes_generated"
    };
    audit::record(&tx, env, Some(user.id), action, json!({ "count": CODES })).await?;
    tx.commit().await?;
    Ok(json!({ "type": "recovery_code", "total": CODES, "codes": codes }))
}

async fn require_aal2(tx: &SystemTx, session: Uuid) -> Result<()> {
    if sessions::is_aal2(tx, session).await? {
        Ok(())
    } else {
        Err(errors::insufficient_aal())
    }
}

#[derive(Deserialize)]
struct Shown {
    #[serde(default)]
    code: String,
}

/// `POST /factors/recovery-codes/verify`: in place of a factor, once.
pub(super) async fn verify(service: Service, caller: Caller, body: Bytes) -> Result<impl IntoResponse> {
    let (session, user) = person(&service, caller).await?;
    service.limit_person(Limit::Mfa, user.id)?;
    let Shown { code } = read(&body)?;
    let (env, now) = (&service.0.0.env, service.0.0.env.now());
    let refused = || {
        Error::unprocessable("mfa_verification_failed", "Invalid recovery code entered")
            .hint("Each recovery code is good once.")
    };
    let tx = SystemTx::begin(&service.0.0.db, "recovery code").await?;
    let failures = Failures::lock(&service, &tx, user.id).await?;
    let good: bool = tx
        .query_one(
            "select exists (select from auth.mfa_recovery_codes \
             where user_id = $1 and code_hash = $2 and used_at is null)",
            &[&user.id, &hash(&code)],
        )
        .await?
        .try_get(0)?;
    if !good {
        failures.failed(tx).await?;
        return Err(refused());
    }
    tx.commit().await?;
    // A code that a hook spoils is as good as before.
    let rise = Rise::agree(&service, session, Method::RecoveryCode).await?;
    let tx = SystemTx::begin(&service.0.0.db, "recovery code shown").await?;
    let spent = tx
        .execute(
            "update auth.mfa_recovery_codes set used_at = $3 \
             where user_id = $1 and code_hash = $2 and used_at is null",
            &[&user.id, &hash(&code), &now],
        )
        .await?;
    if spent == 0 {
        return Err(refused());
    }
    Failures::forget(&tx, user.id).await?;
    audit::record(&tx, env, Some(user.id), "recovery_codes_used", json!({})).await?;
    sessions::raise(&service, tx, &rise, None).await.map(Json)
}

/// `DELETE /factors/recovery-codes`.
pub(super) async fn remove(service: Service, caller: Caller) -> Result<impl IntoResponse> {
    let (session, user) = person(&service, caller).await?;
    let tx = SystemTx::begin(&service.0.0.db, "recovery codes removed").await?;
    require_aal2(&tx, session).await?;
    let removed = tx
        .execute(
            "delete from auth.mfa_recovery_codes where user_id = $1",
            &[&user.id],
        )
        .await?;
    if removed == 0 {
        return Err(none());
    }
    audit::record(
        &tx,
        &service.0.0.env,
        Some(user.id),
        "recovery_codes_deleted",
        json!({}),
    )
    .await?;
    tx.commit().await?;
    Ok(Json(json!({})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        let code = make(&Env::real());
        assert_eq!(code.len(), 16);
        let (first, second) = code.split_at(8);
        let typed = format!(" {}-{} ", first.to_uppercase(), second);
        assert_eq!(hash(&typed), hash(&code));
        assert_ne!(hash(&make(&Env::real())), hash(&code));
    }
}
