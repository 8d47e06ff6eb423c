//! Signing in with an ID token that a client got from the provider by itself, such as an app by the telephone's own dialog.

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tenon_sdk::{
    Error, Result,
    http::{Caller, ClientAddress},
};

use super::openid;
use crate::identity::{
    Identity,
    limits::Limit,
    sessions::{self, Method},
};

/// The body of `grant_type=id_token`.
#[derive(Deserialize)]
pub(in crate::identity) struct IdTokenGrant {
    #[serde(default)]
    provider: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    issuer: String,
    #[serde(default)]
    id_token: String,
    access_token: Option<String>,
    nonce: Option<String>,
    #[serde(default)]
    link_identity: bool,
}

fn invalid(message: &str) -> Error {
    Error::invalid("validation_failed", message)
}

/// A session for whoever an ID token is about; with `link_identity`, whoever is signed in gets a further way in.
pub(in crate::identity) async fn sign_in_with_id_token(
    identity: &Identity,
    client: ClientAddress,
    caller: Result<Caller>,
    grant: IdTokenGrant,
    user_agent: Option<&str>,
) -> Result<Value> {
    // Besides the limit of all that gives tokens.
    identity.limit(Limit::Sso, client)?;
    if grant.id_token.is_empty() {
        return Err(invalid("id_token required"));
    }
    if grant.provider.is_empty() && (grant.client_id.is_empty() || grant.issuer.is_empty()) {
        return Err(invalid("provider or client_id and issuer required"));
    }
    let linking = if grant.link_identity {
        Some(super::routes::who_may_link(identity, caller?).await?)
    } else {
        None
    };
    let providers = &identity.0.providers;
    let provider = if grant.provider.is_empty() {
        providers.of_issuer(&grant.issuer, &grant.client_id).await?
    } else {
        providers.for_id_token(&grant.provider).await?
    };
    let openid = provider
        .openid
        .as_ref()
        .ok_or_else(|| invalid("This provider has no ID tokens"))?;
    let claims = openid.verify(&grant.id_token, &provider.clients).await?;
    if !provider.settings.skip_nonce_check {
        check_nonce(&claims, grant.nonce.as_deref())?;
    }
    if let Some(access_token) = &grant.access_token
        && openid::belongs(&grant.id_token, &claims, access_token) == Some(false)
    {
        return Err(openid::bad_token("It belongs to another access token."));
    }
    let profile = provider
        .read(&claims, &Value::Null)
        .ok_or_else(|| openid::bad_token("It names nobody."))?;
    let (tx, comer) = super::routes::admit(identity, client, &provider, &profile, linking).await?;
    let session = sessions::open(identity, tx, comer.user, Method::OAuth, user_agent).await?;
    comer.tell(identity, client);
    Ok(session)
}

/// The client tells the nonce, the token carries its hash: who only sees the token cannot show it.
fn check_nonce(claims: &Value, nonce: Option<&str>) -> Result<()> {
    let carried = claims["nonce"].as_str().filter(|nonce| !nonce.is_empty());
    match (carried, nonce.filter(|nonce| !nonce.is_empty())) {
        (None, None) => Ok(()),
        (Some(carried), Some(nonce)) if tenon_sdk::hex(&Sha256::digest(nonce)) == carried => Ok(()),
        (Some(_), Some(_)) => Err(Error::invalid("bad_id_token", "invalid nonce")
            .hint("The token carries the SHA-256 of the nonce in hexadecimal digits.")),
        _ => Err(Error::invalid(
            "bad_id_token",
            "Passed nonce and nonce in id_token should either both exist or not.",
        )),
    }
}
