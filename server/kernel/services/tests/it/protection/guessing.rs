//! Passwords that somebody tries, those that are too easy, and the proof of a person (CAPTCHA).

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use tenon_testkit::{PASSWORD, answer};

use super::{ADA, ELSEWHERE, HOME, behind_proxy, mailbox, post, server, sign_in, sign_up};

#[tokio::test]
async fn guessing_at_one_place_waits_longer_each_time_and_keeps_nobody_out_elsewhere() {
    let server = server(behind_proxy).await;
    sign_up(&server).await;
    for _ in 0..10 {
        assert_eq!(sign_in(&server, ELSEWHERE, "a wrong guess").await, 400);
    }
    // Not even the right password passes there now; at home it does.
    assert_eq!(sign_in(&server, ELSEWHERE, PASSWORD).await, 429);
    assert_eq!(sign_in(&server, HOME, PASSWORD).await, 200);
    server.advance(SignedDuration::from_secs(61));
    assert_eq!(sign_in(&server, ELSEWHERE, "a wrong guess").await, 400);
    server.advance(SignedDuration::from_secs(61));
    assert_eq!(sign_in(&server, ELSEWHERE, PASSWORD).await, 429);
    server.advance(SignedDuration::from_secs(60));
    assert_eq!(sign_in(&server, ELSEWHERE, PASSWORD).await, 200);
    // Who knew it in the end starts anew.
    assert_eq!(sign_in(&server, ELSEWHERE, "a wrong guess").await, 400);
    assert_eq!(sign_in(&server, ELSEWHERE, PASSWORD).await, 200);
}

#[tokio::test]
async fn guessing_from_many_places_is_slowed_down_and_the_owner_signs_in_from_where_they_were() {
    let server = server(behind_proxy).await;
    sign_up(&server).await;
    assert_eq!(sign_in(&server, HOME, PASSWORD).await, 200);
    let mut refused = 0;
    for number in 0..60 {
        let from = format!("198.51.100.{number}");
        match sign_in(&server, &from, "a wrong guess").await {
            400 => assert_eq!(refused, 0),
            429 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!(refused, 30);
    // The right password does not tell itself from a wrong one there.
    assert_eq!(sign_in(&server, "203.0.113.77", PASSWORD).await, 429);
    assert_eq!(sign_in(&server, HOME, PASSWORD).await, 200);
    // On the road, a code in a mail makes the new place known.
    let road = "203.0.113.8";
    assert_eq!(sign_in(&server, road, PASSWORD).await, 429);
    assert_eq!(post(&server, road, "otp", json!({ "email": ADA })).await.0, 200);
    let mails = mailbox(&server).await;
    let text = mails[0]["text"].as_str().unwrap();
    let code = text
        .split_whitespace()
        .find(|word| word.len() == 6 && word.parse::<u32>().is_ok())
        .unwrap();
    let proof = json!({ "type": "email", "email": ADA, "token": code });
    assert_eq!(post(&server, road, "verify", proof).await.0, 200);
    assert_eq!(sign_in(&server, road, PASSWORD).await, 200);
}

#[tokio::test]
async fn an_account_that_does_not_exist_is_guarded_like_one_that_does() {
    let server = server(behind_proxy).await;
    sign_up(&server).await;
    let mut told = Vec::new();
    for email in [ADA, "nobody@example.com"] {
        let mut answers = Vec::new();
        for number in 0..45 {
            let from = if number < 12 {
                ELSEWHERE.to_owned()
            } else {
                format!("203.0.113.{number}")
            };
            let body = json!({ "email": email, "password": "a wrong guess" });
            answers.push(post(&server, &from, "token?grant_type=password", body).await.0);
        }
        told.push(answers);
    }
    assert_eq!(told[0], told[1]);
    assert!(told[0].contains(&429));
}

#[tokio::test]
async fn a_weak_password_is_refused_with_every_reason_and_nowhere_else() {
    let server = server(|config| {
        behind_proxy(config);
        config.auth.password_characters = vec![
            tenon_sdk::config::CharacterClass::Letter,
            tenon_sdk::config::CharacterClass::Digit,
        ];
    })
    .await;
    for (password, reasons) in [
        ("", json!(["length", "characters"])),
        ("short", json!(["length", "characters"])),
        ("long enough", json!(["characters"])),
        ("sh0rt", json!(["length"])),
        ("Password123", json!(["pwned"])),
        (&"a1".repeat(1000), json!(["length"])),
    ] {
        let (status, told) = post(
            &server,
            HOME,
            "signup",
            json!({ "email": ADA, "password": password }),
        )
        .await;
        assert_eq!(
            (status, &told["code"], &told["weak_password"]["reasons"]),
            (422, &json!("weak_password"), &reasons),
            "{password}"
        );
    }
    let good = json!({ "email": ADA, "password": "a quiet harbour 7" });
    let (status, session) = post(&server, HOME, "signup", good).await;
    assert_eq!(status, 200, "{session}");
    // The older form of errors has the reasons, too.
    let change = server
        .anonymous(Method::PUT, "/auth/v1/user")
        .bearer_auth(session["access_token"].as_str().unwrap());
    let (status, told) = answer(change.json(&json!({ "password": "iloveyou1" }))).await;
    assert_eq!((status, &told["error_code"]), (422, &json!("weak_password")));
    assert_eq!(told["weak_password"], json!({ "reasons": ["pwned"] }));
}

#[tokio::test]
async fn a_request_without_the_proof_of_a_person_is_refused_where_one_is_asked_for() {
    use axum::{Json, Router, routing::post as on_post};
    static SITE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let check = |body: String| async move {
        assert!(
            body.contains("secret=hush") && body.contains("remoteip=192.0.2.1"),
            "{body}"
        );
        Json(json!({ "success": body.contains("response=good"), "error-codes": ["invalid-input-response"] }))
    };
    let router = Router::new().route("/siteverify", on_post(check));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    SITE.set(format!("http://{}/siteverify", listener.local_addr().unwrap()))
        .unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let server = server(|config| {
        behind_proxy(config);
        config.outbound.allow_private = vec!["127.0.0.0/8".parse().unwrap()];
        config.auth.captcha.provider = Some(tenon_sdk::config::CaptchaProvider::Turnstile);
        config.auth.captcha.secret = "hush".into();
        config.auth.captcha.url.clone_from(SITE.get().unwrap());
    })
    .await;
    let with = |token: Option<&str>| {
        let mut body = json!({ "email": ADA, "password": PASSWORD, "type": "signup" });
        if let Some(token) = token {
            body["gotrue_meta_security"] = json!({ "captcha_token": token });
        }
        body
    };
    for path in [
        "signup",
        "token?grant_type=password",
        "otp",
        "magiclink",
        "recover",
        "resend",
    ] {
        for token in [None, Some(""), Some("bad")] {
            let (status, told) = post(&server, HOME, path, with(token)).await;
            assert_eq!(
                (status, &told["code"]),
                (400, &json!("captcha_failed")),
                "{path} {told}"
            );
        }
    }
    assert_eq!(post(&server, HOME, "signup", with(Some("good"))).await.0, 200);
    assert_eq!(
        post(&server, HOME, "token?grant_type=password", with(Some("good")))
            .await
            .0,
        200
    );
}
