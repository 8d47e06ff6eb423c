//! How often somebody may ask.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::PASSWORD;

use super::{ADA, ELSEWHERE, HOME, behind_proxy, post, request, server, sign_in, sign_up};

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
async fn roads_by_way_of_another_provider_are_counted_together() {
    let server = server(|config| {
        behind_proxy(config);
        config.auth.limits.sso = 4;
    })
    .await;
    let look = async |from: &str, path: &str| {
        let request = server
            .anonymous(Method::GET, &format!("/auth/v1/{path}"))
            .header("x-forwarded-for", from);
        request.send().await.unwrap()
    };
    let tokens = json!({ "provider": "google", "id_token": "x" });
    // Each of them is one, whatever comes of it.
    for path in [
        "authorize?provider=none",
        "callback?state=x",
        "user/identities/authorize?provider=none",
    ] {
        assert_ne!(look(HOME, path).await.status(), 429, "{path}");
    }
    let (status, _) = post(&server, HOME, "token?grant_type=id_token", tokens.clone()).await;
    assert_eq!(status, 400);
    for path in [
        "authorize?provider=none",
        "callback?state=x",
        "user/identities/authorize?provider=none",
    ] {
        let refused = look(HOME, path).await;
        assert_eq!(refused.status(), 429, "{path}");
        assert_eq!(refused.headers()["retry-after"], "75", "{path}");
        let told: Value = refused.json().await.unwrap();
        assert_eq!(told["error_code"], "over_request_rate_limit", "{path}");
    }
    let form = server
        .anonymous(Method::POST, "/auth/v1/callback")
        .header("x-forwarded-for", HOME)
        .body("state=x");
    assert_eq!(form.send().await.unwrap().status(), 429);
    let (status, told) = post(&server, HOME, "token?grant_type=id_token", tokens.clone()).await;
    assert_eq!((status, &told["code"]), (429, &json!("over_request_rate_limit")));
    // Others go on, and so does whoever signs in by another road.
    assert_ne!(look(ELSEWHERE, "authorize?provider=none").await.status(), 429);
    sign_up(&server).await;
    assert_eq!(sign_in(&server, HOME, PASSWORD).await, 200);
    server.advance(SignedDuration::from_secs(75));
    assert_ne!(look(HOME, "callback?state=x").await.status(), 429);
    assert_eq!(look(HOME, "callback?state=x").await.status(), 429);
}

#[tokio::test]
async fn an_office_that_looks_at_the_sign_in_page_uses_up_no_ceremonies() {
    let server = server(|config| {
        behind_proxy(config);
        config.auth.limits.passkey = 2;
        config.auth.limits.passkey_options = 40;
    })
    .await;
    let ask = async |path: &str| {
        let path = format!("passkeys/authentication/{path}");
        post(&server, HOME, &path, json!({})).await
    };
    for _ in 0..40 {
        let (status, told) = ask("options").await;
        assert_eq!(status, 200, "{told}");
    }
    let (status, told) = ask("options").await;
    assert_eq!((status, &told["code"]), (429, &json!("over_request_rate_limit")));
    // Answers are counted by themselves, and more strictly.
    for _ in 0..2 {
        assert_eq!(ask("verify").await.0, 400);
    }
    assert_eq!(ask("verify").await.0, 429);
}

#[tokio::test]
async fn a_header_from_nobody_we_trust_names_no_client() {
    let server = server(|config| config.auth.limits.otp = 1).await;
    let ask = |from: &'static str| post(&server, from, "recover", json!({ "email": ADA }));
    assert_eq!(ask(HOME).await.0, 200);
    assert_eq!(ask(ELSEWHERE).await.0, 429);
}
