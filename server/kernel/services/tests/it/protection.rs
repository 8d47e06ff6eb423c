//! Limits, guessing, weak passwords.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::config::Config;
use tenon_testkit::{PASSWORD, TestServer, TestServerOptions, answer};

const ADA: &str = "ada@example.com";
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.7";

/// A server behind a proxy on this machine, so that a test may speak from any address.
async fn server(config: fn(&mut Config)) -> TestServer {
    TestServer::start_with(
        vec![],
        TestServerOptions {
            config: Some(config),
            ..TestServerOptions::default()
        },
    )
    .await
}

fn behind_proxy(config: &mut Config) {
    config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    config.mail.mailbox = true;
}

fn request(server: &TestServer, from: &str, path: &str) -> reqwest::RequestBuilder {
    server
        .anonymous(Method::POST, &format!("/auth/v1/{path}"))
        .header("x-forwarded-for", from)
        .header("x-supabase-api-version", "2024-01-01")
}

async fn post(server: &TestServer, from: &str, path: &str, body: Value) -> (u16, Value) {
    answer(request(server, from, path).json(&body)).await
}

async fn sign_up(server: &TestServer) {
    let body = json!({ "email": ADA, "password": PASSWORD });
    assert_eq!(post(server, HOME, "signup", body).await.0, 200);
}

async fn sign_in(server: &TestServer, from: &str, password: &str) -> u16 {
    let body = json!({ "email": ADA, "password": password });
    post(server, from, "token?grant_type=password", body).await.0
}

#[tokio::test]
async fn an_address_that_asks_too_often_waits_and_others_do_not() {
    let server = server(|config| {
        behind_proxy(config);
        config.auth.limits.otp = 3;
        config.auth.limits.verify = 2;
        config.auth.mail_pause_seconds = 0;
    })
    .await;
    for number in 0..3 {
        let body = json!({ "email": format!("{number}@example.com") });
        assert_eq!(post(&server, HOME, "recover", body).await.0, 200);
    }
    // All ways that ask for a mail are counted together, whatever they bring.
    for (path, body) in [
        ("otp", json!({ "email": ADA })),
        ("signup", json!({})),
        ("resend", json!([])),
    ] {
        let refused = request(&server, HOME, path).json(&body).send().await.unwrap();
        assert_eq!(refused.status(), 429, "{path}");
        assert_eq!(refused.headers()["retry-after"], "100");
        let told: Value = refused.json().await.unwrap();
        assert_eq!(told["code"], "over_request_rate_limit");
    }
    assert_eq!(
        post(&server, ELSEWHERE, "recover", json!({ "email": ADA }))
            .await
            .0,
        200
    );
    // What a client writes into the header itself does not make it another.
    let forged = format!("203.0.113.5, {HOME}");
    assert_eq!(
        post(&server, &forged, "recover", json!({ "email": ADA })).await.0,
        429
    );
    // Of IPv6 a customer has 2^64 addresses.
    for (from, status) in [
        ("2001:db8::1", 403),
        ("2001:db8::2", 403),
        ("2001:db8::3", 429),
        ("2001:db8:0:1::", 403),
    ] {
        let body = json!({ "type": "email", "email": ADA, "token": "000000" });
        assert_eq!(post(&server, from, "verify", body).await.0, status, "{from}");
    }
    server.advance(SignedDuration::from_secs(100));
    assert_eq!(
        post(&server, HOME, "recover", json!({ "email": ADA })).await.0,
        200
    );
}

#[tokio::test]
async fn mails_and_visitors_are_counted_by_the_hour() {
    let server = server(|config| {
        behind_proxy(config);
        config.auth.anonymous_users = true;
        config.auth.limits.email = 2;
        config.auth.limits.anonymous = 1;
    })
    .await;
    for (number, status) in [(1, 200), (2, 200), (3, 429)] {
        let body = json!({ "email": format!("{number}@example.com") });
        let (got, told) = post(&server, HOME, "otp", body).await;
        assert_eq!(got, status, "{told}");
        if status == 429 {
            assert_eq!(told["code"], "over_email_send_rate_limit");
        }
    }
    assert_eq!(post(&server, HOME, "signup", json!({})).await.0, 200);
    assert_eq!(post(&server, HOME, "signup", json!({})).await.0, 429);
    assert_eq!(post(&server, ELSEWHERE, "signup", json!({})).await.0, 200);
}

#[tokio::test]
async fn a_header_from_nobody_we_trust_names_no_client() {
    let server = server(|config| config.auth.limits.otp = 1).await;
    let ask = |from: &'static str| post(&server, from, "recover", json!({ "email": ADA }));
    assert_eq!(ask(HOME).await.0, 200);
    assert_eq!(ask(ELSEWHERE).await.0, 429);
}

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
    let (_, mails) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
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
