//! Keys as a second factor.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{PASSWORD, TestServer};

use super::{Key, PRESENT, VERIFIED, code, person, send, sign_in, step};

#[tokio::test]
async fn a_security_key_is_a_second_factor_with_or_without_a_pin() {
    for flags in [PRESENT, PRESENT | VERIFIED] {
        let server = TestServer::start(vec![]).await;
        let token = person(&server, "ada").await;
        let body = json!({ "factor_type": "webauthn", "friendly_name": "Key" });
        let (status, made) = send(&server, Method::POST, "factors", &token, body).await;
        assert_eq!((status, &made["type"]), (200, &json!("webauthn")));
        let factor = made["id"].as_str().expect("an id");
        let mut key = Key::new(&server);
        key.flags = flags;
        let wrong = step(&server, &token, factor, &mut key, "request").await;
        assert_eq!(code(&wrong), (400, "validation_failed"));
        let (status, session) = step(&server, &token, factor, &mut key, "create").await;
        assert_eq!(status, 200, "{session}");
        assert_eq!(session["user"]["factors"][0]["status"], "verified");

        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let (_, session) = send(&server, Method::POST, "token?grant_type=password", "", body).await;
        let token = session["access_token"].as_str().expect("a token").to_owned();
        let mut other = Key::new(&server);
        other.flags = flags;
        let foreign = step(&server, &token, factor, &mut other, "request").await;
        assert_eq!(code(&foreign), (422, "mfa_verification_failed"));
        key.counter = 0;
        let copied = step(&server, &token, factor, &mut key, "request").await;
        assert_eq!(code(&copied), (422, "mfa_verification_failed"));
        key.counter = 10;
        let (status, session) = step(&server, &token, factor, &mut key, "request").await;
        assert_eq!(status, 200, "{session}");
        let claims = session["access_token"]
            .as_str()
            .and_then(|token| token.split('.').nth(1));
        let claims = URL_SAFE_NO_PAD.decode(claims.expect("claims")).expect("base64");
        let claims: Value = serde_json::from_slice(&claims).expect("JSON");
        assert_eq!(
            (&claims["aal"], &claims["amr"][0]["method"]),
            (&json!("aal2"), &json!("mfa/webauthn"))
        );
        // It is no passkey.
        let refused = sign_in(&server, &mut key).await;
        assert_eq!(code(&refused), (400, "webauthn_verification_failed"));
    }
}
