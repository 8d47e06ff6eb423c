//! Somebody is about to show a factor: the server remembers that it asked, and what.

use axum::{Json, body::Bytes, response::IntoResponse};
use serde_json::{Value, json};
use tenon_sdk::{
    Result, SystemTx,
    http::{Caller, ClientAddress},
};
use uuid::Uuid;

use super::{CHALLENGE, Factor, Id, Kind, person, phone};
use crate::identity::{
    Identity, audit,
    limits::Limit,
    routes::Service,
    users::User,
    webauthn::{self, RelyingParty},
};

/// `POST /factors/:id/challenge`.
pub(super) async fn challenge(
    service: Service,
    caller: Caller,
    client: ClientAddress,
    path: Id,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let (session, user) = person(&service, caller).await?;
    service.limit_person(Limit::Mfa, user.id)?;
    challenge_for(&service, session, &user, &path, client, &body)
        .await
        .map(Json)
}

async fn challenge_for(
    identity: &Identity,
    session: Uuid,
    user: &User,
    id: &str,
    client: ClientAddress,
    body: &Bytes,
) -> Result<Value> {
    let (env, now) = (&identity.0.env, identity.0.env.now());
    let tx = SystemTx::begin(&identity.0.db, "challenge of factor").await?;
    let factor = Factor::lock_to_show(identity, &tx, user.id, session, id).await?;
    let (id, expires) = (env.new_id(), now + CHALLENGE);
    let (mut asked, mut code) = (None, None);
    match factor.kind {
        Kind::Totp => {}
        Kind::Webauthn => asked = Some(ask_key(identity.relying_party()?, &tx, user, &factor).await?),
        Kind::Phone => {
            phone::may_be_shown(identity)?;
            let whatsapp = phone::by_whatsapp(identity, body)?;
            code = Some(phone::send(identity, &tx, user, &factor, id, client, whatsapp).await?);
        }
    }
    let (options, state) = asked.unzip();
    tx.execute(
        "delete from auth.mfa_challenges where factor_id = $1 and created_at <= $2",
        &[&factor.id, &(now - CHALLENGE)],
    )
    .await?;
    tx.execute(
        "insert into auth.mfa_challenges (id, factor_id, created_at, web_authn_session_data, otp_code) \
         values ($1, $2, $3, $4, $5)",
        &[&id, &factor.id, &now, &state, &code],
    )
    .await?;
    tx.execute(
        "update auth.mfa_factors set last_challenged_at = $2 where id = $1",
        &[&factor.id, &now],
    )
    .await?;
    let traits = json!({ "factor_id": factor.id });
    audit::record(&tx, env, Some(user.id), "challenge_created", traits).await?;
    tx.commit().await?;
    let mut answer = json!({
        "id": id, "type": factor.kind.name(), "expires_at": expires.as_second(),
    });
    if let Some(options) = options {
        answer["webauthn"] = options;
    }
    Ok(answer)
}

/// What a security key is asked, and what the server has to remember of it: to make a key pair where the factor is new, else to
/// sign with it.
async fn ask_key(
    relying_party: &RelyingParty,
    tx: &SystemTx,
    user: &User,
    factor: &Factor,
) -> Result<(Value, Value)> {
    if let Some(credential) = &factor.credential {
        let (options, state) = relying_party.ask_security_key(credential)?;
        return Ok((json!({ "type": "request", "credential_options": options }), state));
    }
    let known = webauthn::known_keys(tx, user.id).await?;
    let (options, state) = relying_party.register_security_key(user, known)?;
    Ok((json!({ "type": "create", "credential_options": options }), state))
}
