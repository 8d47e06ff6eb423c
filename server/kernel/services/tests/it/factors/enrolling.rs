//! Factors are added and named.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use tenon_testkit::TestServer;

use super::{Somebody, code, send};

#[tokio::test]
async fn factors_are_few_and_named_apart() {
    let server = TestServer::start(vec![]).await;
    let ada = Somebody::new(&server, "ada").await;
    let new = |name: &str| json!({ "factor_type": "totp", "friendly_name": name });
    for number in 0..10 {
        let (status, made) = ada.post("factors", new(&format!("Factor {number}"))).await;
        assert_eq!(status, 200, "{made}");
    }
    assert_eq!(
        code(&ada.post("factors", new("Factor 3")).await),
        (422, "mfa_factor_name_conflict")
    );
    assert_eq!(
        code(&ada.post("factors", new("Factor 11")).await),
        (422, "too_many_enrolled_mfa_factors")
    );
    // What nobody confirmed is forgotten.
    server.advance(SignedDuration::from_mins(61));
    let ada = ada.elsewhere().await;
    let (factor, _) = ada.enrol("Factor 3").await;
    let (second, _) = ada.enrol("").await;
    let (_, user) = ada.get("user").await;
    assert_eq!(user["factors"].as_array().map(Vec::len), Some(2));
    let rename = async |id: &str, name: &str| {
        let path = format!("factors/{id}");
        send(
            &server,
            Method::PATCH,
            &path,
            &ada.token,
            json!({ "friendly_name": name }),
        )
        .await
    };
    assert_eq!(
        code(&rename(&second, "Factor 3").await),
        (422, "mfa_factor_name_conflict")
    );
    assert_eq!(rename(&factor, " Key ").await.1["friendly_name"], "Key");
    for (body, expected) in [
        (json!({}), (400, "validation_failed")),
        (
            json!({ "factor_type": "carrier pigeon" }),
            (400, "validation_failed"),
        ),
        (
            json!({ "factor_type": "totp", "friendly_name": "x".repeat(121) }),
            (400, "validation_failed"),
        ),
        (
            json!({ "factor_type": "totp", "friendly_name": "a\u{0}b" }),
            (400, "validation_failed"),
        ),
        (
            json!({ "factor_type": "totp", "issuer": "x".repeat(100_000) }),
            (400, "validation_failed"),
        ),
        (json!({ "factor_type": 1 }), (400, "bad_json")),
        (
            json!({ "factor_type": "phone", "phone": "+15550100" }),
            (422, "mfa_phone_enroll_not_enabled"),
        ),
    ] {
        assert_eq!(code(&ada.post("factors", body.clone()).await), expected, "{body}");
    }
}

#[tokio::test]
async fn a_visitor_has_no_factors() {
    let server = TestServer::configured(vec![], |config| config.auth.anonymous_users = true).await;
    let (_, session) = send(&server, Method::POST, "signup", "", json!({})).await;
    let visitor = Somebody::of(&server, String::new(), &session);
    for path in [
        "factors",
        "factors/recovery-codes",
        "passkeys/registration/options",
    ] {
        let answer = visitor.post(path, json!({ "factor_type": "totp" })).await;
        assert_eq!(code(&answer), (403, "no_authorization"), "{path}");
    }
}

#[tokio::test]
async fn what_is_too_long_for_a_picture_is_refused_in_words() {
    let server = TestServer::start(vec![]).await;
    let name = "\u{fc}".repeat(110);
    let ada = Somebody::new(&server, &name).await;
    let new = |letters: usize| json!({ "factor_type": "totp", "issuer": "\u{1f600}".repeat(letters) });
    let refused = ada.post("factors", new(120)).await;
    assert_eq!(code(&refused), (400, "validation_failed"), "{}", refused.1);
    assert_eq!(ada.post("factors", new(50)).await.0, 200);
}
