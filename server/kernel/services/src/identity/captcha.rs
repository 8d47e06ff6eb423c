//! Proof that a person asks: a token from a widget in the page, shown to the service that made it.

use serde::Deserialize;
use serde_json::Value;
use tenon_sdk::{Error, Result, http::ClientAddress, outbound::Request};

use super::Identity;

#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    gotrue_meta_security: Security,
}

#[derive(Default, Deserialize)]
struct Security {
    #[serde(default)]
    captcha_token: String,
}

/// Checks the token of a request whose body this is; at once where no service is set.
///
/// Errors: `captcha_failed`; where the service does not answer `unexpected_failure`, since whoever can keep it from answering would
/// else be past it.
pub(super) async fn check(identity: &Identity, client: ClientAddress, body: &[u8]) -> Result<()> {
    let captcha = &identity.0.config.auth.captcha;
    let Some(provider) = captcha.provider else {
        return Ok(());
    };
    let asked: Asked = serde_json::from_slice(body).unwrap_or_default();
    let token = asked.gotrue_meta_security.captcha_token;
    let failed = |why: &str| {
        Error::invalid(
            "captcha_failed",
            format!("captcha protection: request disallowed ({why})"),
        )
    };
    if token.trim().is_empty() {
        return Err(failed("no captcha response (captcha_token) found in request"));
    }
    let url = if captcha.url.is_empty() {
        provider.url()
    } else {
        &captcha.url
    };
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("secret", captcha.secret.expose())
        .append_pair("response", token.trim())
        .append_pair("remoteip", &client.0.to_string())
        .finish();
    let request = Request::post(url)
        .accept_json()
        .body("application/x-www-form-urlencoded", form);
    let answer = identity
        .0
        .outbound
        .send(request)
        .await
        .and_then(|answer| answer.json::<Value>());
    let answer = answer.map_err(|error| {
        tracing::warn!(%error, "the captcha service could not be asked");
        Error::unavailable("unexpected_failure", "captcha verification process failed")
    })?;
    if answer["success"] == true {
        return Ok(());
    }
    let codes = answer["error-codes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    Err(failed(&codes.take(5).collect::<Vec<_>>().join(", ")))
}
