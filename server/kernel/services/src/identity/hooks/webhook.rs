//! Hooks over HTTP, signed as Standard Webhooks have it (HMAC-SHA256 over id, time and body).

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tenon_sdk::{
    Error, Result,
    env::Env,
    outbound::{Outbound, Request},
};

use super::{failed, refusal};
use crate::webhooks::signature;

/// All the time an answer has, repetitions included.
const TIME: Duration = Duration::from_secs(5);
/// Most bytes of an answer.
const MOST: usize = 200 * 1024;

/// Sends an event and gives the answer.
pub(super) async fn call(
    env: &Env,
    outbound: &Outbound,
    url: &str,
    secrets: &str,
    event: &Value,
) -> Result<Value> {
    check(url)?;
    let body = event.to_string();
    let (id, at) = (
        format!("msg_{}", env.new_id().simple()),
        env.now().as_second().to_string(),
    );
    let request = Request::post(url)
        .header("webhook-id", &id)
        .header("webhook-timestamp", &at)
        .header("webhook-signature", &sign(secrets, &id, &at, &body)?)
        .accept_json()
        .body("application/json", body)
        // The other side knows a repetition by its id.
        .repeatable()
        .within(TIME)
        .at_most(MOST);
    let answer = outbound
        .send(request)
        .await
        .map_err(|error| match error.code.as_ref() {
            "outbound.timeout" => Error::unprocessable(
                "hook_timeout",
                "Failed to reach hook within maximum time of 5 seconds",
            ),
            "outbound.unreachable" => Error::unprocessable(
                "hook_timeout_after_retry",
                "Failed to reach hook after maximum retries",
            ),
            "outbound.answer_too_large" => Error::unprocessable(
                "hook_payload_over_size_limit",
                format!("Payload size exceeded size limit of {MOST} bytes"),
            ),
            _ => {
                tracing::warn!(%error, "a hook cannot be called");
                failed("Error running hook")
            }
        })?;
    let said: Option<Value> = answer.json().ok();
    // A refusal counts under whatever status it comes.
    if let Some(refusal) = said.as_ref().and_then(refusal) {
        return Err(refusal);
    }
    match (answer.status, said) {
        (204, _) => Ok(json!({})),
        (200 | 202, _) if answer.body.is_empty() => Ok(json!({})),
        (200 | 202, Some(said)) => Ok(said),
        (200 | 202, None) => Err(Error::invalid(
            "hook_payload_invalid_content_type",
            "Invalid JSON response from hook",
        )),
        (400, _) => Err(failed("Invalid payload sent to hook")),
        (401, _) => Err(failed("Hook requires authorization token")),
        (429 | 503, _) => Err(failed("Service currently unavailable due to hook")),
        (status, _) => Err(failed(&format!(
            "Unexpected status code returned from hook: {status}"
        ))),
    }
}

/// HTTPS, or HTTP to this machine.
fn check(url: &str) -> Result<()> {
    let good = url::Url::parse(url).is_ok_and(|url| {
        url.scheme() == "https"
            || (url.scheme() == "http"
                && matches!(
                    url.host_str(),
                    Some("localhost" | "127.0.0.1" | "[::1]" | "host.docker.internal")
                ))
    });
    if good {
        return Ok(());
    }
    Err(Error::invalid(
        "config.invalid",
        "The address of a hook has to begin with https:// or pg-functions://.",
    ))
}

/// A signature by each secret, so that secrets can be changed one side after the other.
fn sign(secrets: &str, id: &str, at: &str, body: &str) -> Result<String> {
    let wrong = || {
        Error::invalid(
            "config.invalid",
            "The secret of a hook is not of the form v1,whsec_<base64>.",
        )
    };
    let signatures = secrets
        .split('|')
        .map(|secret| {
            let key = secret.trim().strip_prefix("v1,whsec_").ok_or_else(wrong)?;
            let key = STANDARD.decode(key).map_err(|_| wrong())?;
            signature(&key, id, at, body)
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(signatures.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_is_signed_as_it_says() {
        // https://github.com/standard-webhooks/standard-webhooks, the vector of the libraries' tests.
        let signature = sign(
            "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            "{\"test\": 2432232314}",
        )
        .unwrap();
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn two_secrets_give_two_signatures_and_a_wrong_one_none() {
        let both = sign("v1,whsec_AAAA|v1,whsec_BBBB", "a", "1", "{}").unwrap();
        assert_eq!(both.split(' ').count(), 2);
        for bad in ["", "whsec_AAAA", "v1,whsec_!", "v1,AAAA"] {
            assert!(sign(bad, "a", "1", "{}").is_err(), "{bad}");
        }
    }

    #[test]
    fn only_safe_addresses_are_called() {
        for good in [
            "https://hooks.example.com/x",
            "http://127.0.0.1:9000/x",
            "http://localhost/x",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "http://hooks.example.com",
            "ftp://x.example",
            "",
            "javascript:1",
            "http://localhost.evil.example",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
