//! A factor is shown: what that opens, and what is too late, too often or somebody else's.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use tenon_testkit::TestServer;

use super::{Somebody, claims, code, methods, send, text, totp};

#[tokio::test]
async fn an_authenticator_app_raises_the_session_and_ends_those_that_stay_below() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let other = ada.elsewhere().await;
    let body = json!({ "factor_type": "totp", "friendly_name": "Phone", "issuer": "Example Works" });
    let (status, made) = ada.post("factors", body).await;
    assert_eq!(
        (status, &made["type"], &made["friendly_name"]),
        (200, &json!("totp"), &json!("Phone"))
    );
    assert!(text(&made["totp"]["qr_code"]).contains("<svg"));
    assert!(
        text(&made["totp"]["uri"]).starts_with("otpauth://totp/Example%20Works:ada%40example.com?secret=")
    );
    let (factor, secret) = (text(&made["id"]), text(&made["totp"]["secret"]));

    // Until it is confirmed nothing depends on it.
    let (_, user) = ada.get("user").await;
    assert_eq!(user["factors"][0]["status"], "unverified");
    assert!(!user.to_string().contains(secret));
    assert_eq!(claims(&ada.token)["aal"], "aal1");
    let before = ada.refresh_token.clone();
    let (status, challenge) = ada
        .post(
            &format!("factors/{factor}/challenge"),
            json!({ "factorId": factor }),
        )
        .await;
    let now = server.kernel().env().now().as_second();
    assert_eq!((status, &challenge["type"]), (200, &json!("totp")));
    assert!((now + 290..=now + 300).contains(&challenge["expires_at"].as_i64().expect("a time")));
    let shown = ada
        .verify(factor, text(&challenge["id"]), &totp(&server, secret, 0))
        .await;
    ada.take(&shown);
    assert_eq!(claims(&ada.token)["aal"], "aal2");
    assert_eq!(methods(&ada.token), ["totp", "password"]);
    assert_eq!(shown.1["user"]["factors"][0]["status"], "verified");

    // The other session is over, and so is the token that was good before the factor was shown.
    assert_eq!(code(&other.get("user").await), (403, "session_not_found"));
    let path = "token?grant_type=refresh_token";
    let stolen = ada.post(path, json!({ "refresh_token": before })).await;
    assert_eq!(code(&stolen), (400, "refresh_token_not_found"));
    let refreshed = ada
        .post(path, json!({ "refresh_token": ada.refresh_token }))
        .await;
    ada.take(&refreshed);
    assert_eq!(claims(&ada.token)["aal"], "aal2");

    // A new session begins below, and what policies read says so.
    let again = ada.elsewhere().await;
    assert_eq!(claims(&again.token)["aal"], "aal1");
    let admin = server.admin().await;
    let sql = "select authentication_method from auth.mfa_amr_claims c join auth.sessions s on s.id = c.session_id \
               where s.aal = 'aal2' order by 1";
    let rows = admin.query(sql, &[]).await.expect("claims");
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(names, ["password", "totp"]);
}

#[tokio::test]
async fn a_code_is_good_once_in_its_half_minute_and_in_the_next() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.with_totp().await;
    let again = ada.elsewhere().await;
    let used = again.show(&factor, &totp(&server, &secret, 0)).await;
    assert_eq!(code(&used), (422, "mfa_verification_failed"));
    // The one of the half minute before is older than the one that was used.
    let older = again.show(&factor, &totp(&server, &secret, -1)).await;
    assert_eq!(code(&older), (422, "mfa_verification_failed"));
    assert_eq!(again.show(&factor, &totp(&server, &secret, 2)).await.0, 422);
    let next = totp(&server, &secret, 1);
    assert_eq!(again.show(&factor, &next).await.0, 200);
    let late = ada.elsewhere().await;
    server.advance(SignedDuration::from_secs(30));
    assert_eq!(late.show(&factor, &next).await.0, 422);
}

#[tokio::test]
async fn of_many_who_show_one_code_at_once_one_gets_in() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.with_totp().await;
    let again = ada.elsewhere().await;
    let mut challenges = Vec::new();
    for _ in 0..4 {
        challenges.push(again.challenge(&factor).await);
    }
    let shown = totp(&server, &secret, 1);
    let (first, second, third, fourth) = tokio::join!(
        again.verify(&factor, &challenges[0], &shown),
        again.verify(&factor, &challenges[1], &shown),
        again.verify(&factor, &challenges[2], &shown),
        again.verify(&factor, &challenges[3], &shown),
    );
    let statuses = [first.0, second.0, third.0, fourth.0];
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 422).count(),
        3,
        "{statuses:?}"
    );
}

#[tokio::test]
async fn a_challenge_is_answered_once_within_five_minutes_and_for_its_own_factor() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.with_totp().await;
    let (second, _) = ada.enrol("Second").await;
    let challenge = ada.challenge(&factor).await;
    server.advance(SignedDuration::from_secs(301));
    let late = ada.verify(&factor, &challenge, &totp(&server, &secret, 0)).await;
    assert_eq!(code(&late), (422, "mfa_challenge_expired"));
    let challenge = ada.challenge(&factor).await;
    let elsewhere = ada.verify(&second, &challenge, &totp(&server, &secret, 0)).await;
    assert_eq!(code(&elsewhere), (422, "mfa_factor_not_found"));
    let shown = ada.verify(&factor, &challenge, &totp(&server, &secret, 0)).await;
    assert_eq!(shown.0, 200);
    let twice = ada.verify(&factor, &challenge, &totp(&server, &secret, 1)).await;
    assert_eq!(code(&twice), (422, "mfa_challenge_expired"));
    for hostile in ["", "x", "00000000-0000-0000-0000-000000000000", "' or 1=1 --"] {
        let answer = ada.verify(&factor, hostile, "000000").await;
        assert_eq!(code(&answer), (422, "mfa_factor_not_found"), "{hostile}");
    }
}

#[tokio::test]
async fn nobody_guesses_codes_by_trying_many_on_whatever_server() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.with_totp().await;
    let codes = ada.recovery_codes().await;
    let thief = ada.elsewhere().await;
    for number in 0..10 {
        let wrong = if number % 2 == 0 {
            thief.show(&factor, "12345").await
        } else {
            thief
                .post(
                    "factors/recovery-codes/verify",
                    json!({ "code": "aaaa-bbbb-cccc-dddd" }),
                )
                .await
        };
        assert_eq!(code(&wrong), (422, "mfa_verification_failed"), "{number}");
        // The limit of requests is another one.
        server.advance(SignedDuration::from_secs(20));
    }
    let beside = server
        .beside(vec![], tenon_testkit::TestServerOptions::default())
        .await;
    let path = format!("factors/{factor}/verify");
    let challenge = thief.challenge(&factor).await;
    let body = json!({ "challenge_id": challenge, "code": totp(&server, &secret, 1) });
    let right = send(&beside, Method::POST, &path, &thief.token, body).await;
    assert_eq!(code(&right), (429, "over_request_rate_limit"));
    let recovery = thief
        .post("factors/recovery-codes/verify", json!({ "code": codes[0] }))
        .await;
    assert_eq!(code(&recovery), (429, "over_request_rate_limit"));
    server.advance(SignedDuration::from_mins(16));
    let right = thief.show(&factor, &totp(&server, &secret, 0)).await;
    assert_eq!(right.0, 200, "{}", right.1);
}
