//! A program that can keep a secret asks whether one of its tokens is good (RFC 7662).

use axum::{
    Json,
    body::Bytes,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tenon_sdk::SystemTx;

use super::{
    super::routes::Service,
    clients::{self, hash},
    fault::{Fault, not_kept},
    issuer,
    parameters::Parameters,
    revoke,
};

pub(super) async fn introspect(service: Service, headers: HeaderMap, body: Bytes) -> Response {
    let result = async {
        let parameters = Parameters::form(&headers, &body)?;
        let access = revoke::access(&service, &parameters).await;
        let tx = SystemTx::begin(&service.0.0.db, "introspection").await?;
        let client = clients::authenticate(&tx, &headers, &parameters).await?;
        if !client.confidential() {
            return Err(Fault::invalid_client());
        }
        let token = parameters.required("token")?;
        let inactive = json!({ "active": false });
        let Some((session, user)) = revoke::session(&tx, &client, token, access.as_ref()).await? else {
            return Ok(inactive);
        };
        let mut told = json!({
            "active": true,
            "client_id": client.id,
            "sub": user,
            "iss": issuer(&service),
        });
        if let Some(access) = access {
            let claims: Value = serde_json::from_str(&access.claims).unwrap_or_default();
            for name in ["scope", "aud", "exp", "iat"] {
                told[name] = claims[name].clone();
            }
            told["token_type"] = json!("bearer");
            return Ok(told);
        }
        let row = tx
            .query_one(
                "select t.created_at, t.used_at is not null or t.revoked, s.scopes from auth.refresh_tokens t join auth.sessions s \
                 on s.id = t.session_id where t.token_hash = $1 and s.id = $2",
                &[&hash(token), &session],
            )
            .await?;
        tx.commit().await?;
        let lifetime = SignedDuration::from_secs(service.0.0.config.auth.issuer.refresh_seconds);
        let made: Timestamp = row.try_get(0)?;
        if row.try_get(1)? || made + lifetime <= service.0.0.env.now() {
            return Ok(inactive);
        }
        told["scope"] = json!(row.try_get::<_, String>(2)?);
        told["iat"] = json!(made.as_second());
        told["exp"] = json!((made + lifetime).as_second());
        Ok(told)
    };
    match result.await {
        Ok(told) => not_kept(Json(told)),
        Err(fault) => fault.into_response(),
    }
}
