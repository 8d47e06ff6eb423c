//! What only the owner of an account may do about its factors, and who learns of it.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::TestServer;

use super::{Somebody, claims, code, methods, send, text, totp};
use crate::passkeys::Key;

#[tokio::test]
async fn other_peoples_factors_are_not_there() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.with_totp().await;
    let challenge = ada.challenge(&factor).await;
    let eve = Somebody::new(&server, "eve").await;
    let code_now = totp(&server, &secret, 1);
    for id in [
        factor.as_str(),
        "no-id",
        "%00",
        "00000000-0000-0000-0000-000000000000",
    ] {
        let answers = [
            eve.post(&format!("factors/{id}/challenge"), json!({})).await,
            eve.verify(id, &challenge, &code_now).await,
            eve.delete(&format!("factors/{id}")).await,
            send(
                &server,
                Method::PATCH,
                &format!("factors/{id}"),
                &eve.token,
                json!({ "friendly_name": "Mine" }),
            )
            .await,
        ];
        for answer in answers {
            assert_eq!(code(&answer), (404, "mfa_factor_not_found"), "{id}");
        }
    }
    for (method, path) in [
        (Method::POST, "factors".to_owned()),
        (Method::POST, format!("factors/{factor}/challenge")),
        (Method::POST, format!("factors/{factor}/verify")),
        (Method::DELETE, format!("factors/{factor}")),
        (Method::GET, "factors/recovery-codes".to_owned()),
        (Method::POST, "factors/recovery-codes".to_owned()),
        (Method::POST, "factors/recovery-codes/verify".to_owned()),
        (Method::GET, "passkeys".to_owned()),
        (Method::POST, "passkeys/registration/options".to_owned()),
        (Method::DELETE, format!("passkeys/{factor}")),
        (Method::GET, "reauthenticate".to_owned()),
    ] {
        let answer = send(&server, method, &path, "", json!({})).await;
        assert_eq!(code(&answer), (401, "no_authorization"), "{path}");
    }
}

#[tokio::test]
async fn who_knows_the_password_alone_changes_nothing_that_guards_the_account() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, _) = ada.with_totp().await;
    let thief = ada.elsewhere().await;
    let refused = thief.delete(&format!("factors/{factor}")).await;
    assert_eq!(code(&refused), (422, "insufficient_aal"));
    let attempts = [
        thief
            .post(
                "factors",
                json!({ "factor_type": "totp", "friendly_name": "Mine" }),
            )
            .await,
        thief.post("factors/recovery-codes", json!({})).await,
        thief.post("factors/recovery-codes/regenerate", json!({})).await,
        thief.delete("factors/recovery-codes").await,
        thief.post("passkeys/registration/options", json!({})).await,
        thief
            .delete("passkeys/00000000-0000-0000-0000-000000000000")
            .await,
        send(
            &server,
            Method::PUT,
            "user",
            &thief.token,
            json!({ "password": "a password of mine" }),
        )
        .await,
        send(
            &server,
            Method::PUT,
            "user",
            &thief.token,
            json!({ "email": "thief@example.com" }),
        )
        .await,
    ];
    for answer in attempts {
        assert_eq!(code(&answer), (403, "insufficient_aal"), "{}", answer.1);
    }
    // What they say of themselves guards nothing.
    let body = json!({ "data": { "name": "Ada" } });
    assert_eq!(
        send(&server, Method::PUT, "user", &thief.token, body).await.0,
        200
    );
    let body = json!({ "password": "another good one" });
    assert_eq!(send(&server, Method::PUT, "user", &ada.token, body).await.0, 200);
}

#[tokio::test]
async fn a_session_falls_back_when_its_factor_is_removed() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, _) = ada.with_totp().await;
    ada.recovery_codes().await;
    let removed = ada.delete(&format!("factors/{factor}")).await;
    assert_eq!((removed.0, &removed.1["id"]), (200, &json!(factor)));
    assert_eq!(
        code(&ada.delete(&format!("factors/{factor}")).await),
        (404, "mfa_factor_not_found")
    );
    let (_, user) = ada.get("user").await;
    assert_eq!(user["factors"], Value::Null);
    // Codes that stand in for a factor go with the last one.
    assert_eq!(ada.get("factors/recovery-codes").await.0, 404);
    let body = json!({ "refresh_token": ada.refresh_token });
    let refreshed = ada.post("token?grant_type=refresh_token", body).await;
    ada.take(&refreshed);
    assert_eq!(claims(&ada.token)["aal"], "aal1");
    assert_eq!(methods(&ada.token), ["password"]);
}

#[tokio::test]
async fn policies_see_the_factors_of_whoever_asks_and_no_secret() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    ada.with_totp().await;
    let mut eve = Somebody::new(&server, "eve").await;
    eve.with_totp().await;
    let id = text(&ada.get("user").await.1["id"]).to_owned();
    let admin = server.admin().await;
    admin
        .batch_execute(&format!(
            "begin; select set_config('request.jwt.claim.sub', '{id}', true); set local role authenticated"
        ))
        .await
        .expect("a request's role");
    let rows = admin
        .query(
            "select user_id::text from auth.mfa_factors where status = 'verified'",
            &[],
        )
        .await
        .expect("own factors");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<_, String>(0), id);
    let refused = admin.query("select secret from auth.mfa_factors", &[]).await;
    assert_eq!(
        refused
            .unwrap_err()
            .code()
            .map(|code| code.code().to_owned())
            .as_deref(),
        Some("42501")
    );
}

#[tokio::test]
async fn what_is_done_about_factors_is_recorded_without_secrets() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.with_totp().await;
    let codes = ada.recovery_codes().await;
    ada.delete(&format!("factors/{factor}")).await;
    let admin = server.admin().await;
    let rows = admin
        .query(
            "select payload::text from auth.audit_log_entries order by created_at, id",
            &[],
        )
        .await
        .expect("entries");
    let all: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let all = all.join("\n");
    for action in [
        "factor_in_progress",
        "challenge_created",
        "verification_attempted",
        "recovery_codes_generated",
        "factor_deleted",
    ] {
        assert!(
            all.contains(&format!("\"action\": \"{action}\"")),
            "{action}\n{all}"
        );
    }
    assert!(!all.contains(&secret) && !all.contains(&codes[0]));
}

#[tokio::test]
async fn a_factor_that_was_begun_while_the_password_was_enough_opens_nothing_later() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let thief = ada.elsewhere().await;
    let webauthn = json!({ "factor_type": "webauthn", "friendly_name": "Mine" });
    let (_, made) = thief.post("factors", webauthn).await;
    let (key_factor, mut key) = (text(&made["id"]).to_owned(), Key::new(&server));
    let (app, _) = thief.enrol("Mine, too").await;
    ada.with_totp().await;
    let (_, user) = ada.get("user").await;
    assert_eq!(user["factors"].as_array().map(Vec::len), Some(1), "{user}");

    // With the first factor that is shown all others go, whatever their type.
    let thief = ada.elsewhere().await;
    for factor in [&key_factor, &app] {
        let asked = thief
            .post(&format!("factors/{factor}/challenge"), json!({}))
            .await;
        assert_eq!(code(&asked), (404, "mfa_factor_not_found"));
    }
    // Were one left, or begun in a session that has shown a factor, it would take such a session to show it.
    let (_, made) = ada
        .post(
            "factors",
            json!({ "factor_type": "webauthn", "friendly_name": "Key" }),
        )
        .await;
    let begun = text(&made["id"]);
    let asked = thief.post(&format!("factors/{begun}/challenge"), json!({})).await;
    assert_eq!(code(&asked), (403, "insufficient_aal"));
    let (_, asked) = ada.post(&format!("factors/{begun}/challenge"), json!({})).await;
    let shown = key.create(&asked["webauthn"]["credential_options"]["publicKey"]);
    let body = json!({
        "challenge_id": asked["id"], "webauthn": { "type": "create", "credential_response": shown },
    });
    let path = format!("factors/{begun}/verify");
    assert_eq!(
        code(&thief.post(&path, body.clone()).await),
        (403, "insufficient_aal")
    );
    let (second, second_secret) = ada.enrol("Second").await;
    let challenge = ada.challenge(&second).await;
    let shown = thief
        .verify(&second, &challenge, &totp(&server, &second_secret, 0))
        .await;
    assert_eq!(code(&shown), (403, "insufficient_aal"));
    assert_eq!(claims(&thief.token)["aal"], "aal1");
    let shown = ada.post(&path, body).await;
    ada.take(&shown);
}

#[tokio::test]
async fn a_factor_that_was_not_confirmed_in_time_is_not_there() {
    let server = TestServer::start(vec![]).await;
    let ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.enrol("App").await;
    server.advance(SignedDuration::from_mins(58));
    let again = ada.elsewhere().await;
    let challenge = again.challenge(&factor).await;
    server.advance(SignedDuration::from_mins(3));
    let late = again
        .verify(&factor, &challenge, &totp(&server, &secret, 0))
        .await;
    assert_eq!(code(&late), (404, "mfa_factor_not_found"));
    let late = again
        .post(&format!("factors/{factor}/challenge"), json!({}))
        .await;
    assert_eq!(code(&late), (404, "mfa_factor_not_found"));
}
