//! Ways in by mail, against the mailbox of a development installation.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{PASSWORD, TestServer, answer};

const ADA: &str = "ada@example.com";

async fn server(config: fn(&mut tenon_sdk::config::Config)) -> TestServer {
    TestServer::configured(vec![], config).await
}

async fn with_mailbox() -> TestServer {
    server(|config| config.mail.mailbox = true).await
}

async fn with_confirmation() -> TestServer {
    server(|config| {
        config.mail.mailbox = true;
        config.auth.double_confirm_email = false;
        config.auth.confirm_email = true;
    })
    .await
}

async fn post(server: &TestServer, path: &str, body: Value) -> (u16, Value) {
    let request = server
        .anonymous(Method::POST, &format!("/auth/v1/{path}"))
        .header("x-supabase-api-version", "2024-01-01");
    answer(request.json(&body)).await
}

async fn sign_up(server: &TestServer) -> Value {
    let (status, body) = post(server, "signup", json!({ "email": ADA, "password": PASSWORD })).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn sign_in(server: &TestServer, email: &str) -> (u16, Value) {
    let body = json!({ "email": email, "password": PASSWORD });
    post(server, "token?grant_type=password", body).await
}

async fn mailbox(server: &TestServer) -> Vec<Value> {
    let (status, body) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
    assert_eq!(status, 200, "{body}");
    body.as_array().expect("a list").clone()
}

/// Link and code of the newest mail.
async fn newest(server: &TestServer) -> (String, String) {
    let mail = mailbox(server).await.remove(0);
    let text = mail["text"].as_str().expect("a text").to_owned();
    let link = text
        .lines()
        .find(|line| line.starts_with("http"))
        .expect("a link");
    let code = text
        .split_whitespace()
        .find(|word| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit()))
        .expect("a code");
    (link.to_owned(), code.to_owned())
}

/// Where a link leads: the address and what stands behind its `#`.
async fn follow(link: &str) -> (String, Vec<(String, String)>) {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client");
    let response = client.get(link).send().await.expect("an answer");
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let location = url::Url::parse(response.headers()["location"].to_str().expect("text")).expect("a URL");
    let values = url::form_urlencoded::parse(location.fragment().unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    let mut target = location;
    target.set_fragment(None);
    (target.to_string(), values)
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(key, _)| key == name)?;
    Some(&found.1)
}

#[tokio::test]
async fn who_forgot_the_password_gets_a_link_and_sets_another() {
    let server = with_mailbox().await;
    sign_up(&server).await;
    assert_eq!(
        post(&server, "recover", json!({ "email": "ADA@example.com " })).await,
        (200, json!({}))
    );
    let (link, _) = newest(&server).await;
    // Programs that look at links first spend nothing.
    let looked = server.http().head(&link).send().await.expect("an answer");
    assert_eq!(looked.status(), 200);
    let (target, pairs) = follow(&link).await;
    assert_eq!(target, server.url("/"));
    assert_eq!(value(&pairs, "type"), Some("recovery"));
    let token = value(&pairs, "access_token").expect("a token");
    let request = server.anonymous(Method::PUT, "/auth/v1/user").bearer_auth(token);
    let (status, _) = answer(request.json(&json!({ "password": "another good one" }))).await;
    assert_eq!(status, 200);
    assert_eq!(sign_in(&server, ADA).await.0, 400);

    // It is good once.
    let (_, pairs) = follow(&link).await;
    assert_eq!(value(&pairs, "error_code"), Some("otp_expired"));
    assert_eq!(value(&pairs, "access_token"), None);
}

#[tokio::test]
async fn an_address_nobody_has_gets_the_same_answers_and_no_mail() {
    let server = with_mailbox().await;
    sign_up(&server).await;
    let unknown = "nobody@example.com";
    for (path, extra) in [
        ("recover", json!({})),
        ("otp", json!({ "create_user": false })),
        ("resend", json!({ "type": "signup" })),
    ] {
        let mut answers = Vec::new();
        for email in [ADA, unknown] {
            let mut body = extra.clone();
            body["email"] = json!(email);
            answers.push(post(&server, path, body.clone()).await);
            // The pause between two mails is the same, too.
            answers.push(post(&server, path, body).await);
        }
        assert_eq!(answers[0], (200, json!({})), "{path}");
        assert_eq!(answers[1].0, 429, "{path}");
        assert_eq!((&answers[0], &answers[1]), (&answers[2], &answers[3]), "{path}");
        server.advance(SignedDuration::from_secs(61));
    }
    assert!(mailbox(&server).await.iter().all(|mail| mail["recipient"] == ADA));
    for bad in ["", "nowhere", "a@b@c.example", "x\r\nBcc: y@example.com"] {
        let (status, body) = post(&server, "recover", json!({ "email": bad })).await;
        assert_eq!(
            (status, &body["code"]),
            (400, &json!("email_address_invalid")),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_code_signs_in_once_and_five_wrong_ones_end_codes_for_an_hour_but_no_link() {
    let server = with_mailbox().await;
    sign_up(&server).await;
    post(&server, "otp", json!({ "email": ADA })).await;
    let (_, code) = newest(&server).await;
    let show = |code: &str| json!({ "type": "email", "email": "Ada@Example.com", "token": code });
    let (status, session) = post(&server, "verify", show(&code)).await;
    assert_eq!(
        (status, &session["user"]["email"]),
        (200, &json!(ADA)),
        "{session}"
    );
    let (status, body) = post(&server, "verify", show(&code)).await;
    assert_eq!((status, &body["code"]), (403, &json!("otp_expired")));

    server.advance(SignedDuration::from_secs(61));
    post(&server, "otp", json!({ "email": ADA })).await;
    let (link, code) = newest(&server).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(post(&server, "verify", show(wrong)).await.0, 403);
    }
    assert_eq!(post(&server, "verify", show(&code)).await.0, 403);
    // Asking for another mail is no way around it, and a stranger who guesses keeps nobody out.
    server.advance(SignedDuration::from_secs(61));
    post(&server, "otp", json!({ "email": ADA })).await;
    let (newer, code) = newest(&server).await;
    assert_eq!(post(&server, "verify", show(&code)).await.0, 403);
    assert_eq!(value(&follow(&link).await.1, "error_code"), Some("otp_expired"));
    assert!(value(&follow(&newer).await.1, "access_token").is_some());
}

#[tokio::test]
async fn a_proof_is_good_for_an_hour_and_a_newer_one_replaces_it() {
    let server = with_mailbox().await;
    sign_up(&server).await;
    post(&server, "otp", json!({ "email": ADA })).await;
    let (first, _) = newest(&server).await;
    server.advance(SignedDuration::from_secs(61));
    post(&server, "otp", json!({ "email": ADA })).await;
    let (second, _) = newest(&server).await;
    assert_eq!(value(&follow(&first).await.1, "error_code"), Some("otp_expired"));
    server.advance(SignedDuration::from_secs(3601));
    assert_eq!(value(&follow(&second).await.1, "error_code"), Some("otp_expired"));
}

#[tokio::test]
async fn a_proof_serves_its_purpose_only_and_a_forged_one_none() {
    let server = with_mailbox().await;
    sign_up(&server).await;
    post(&server, "otp", json!({ "email": ADA })).await;
    let (link, code) = newest(&server).await;
    let token = link
        .split_once("token=")
        .and_then(|(_, rest)| rest.split('&').next())
        .expect("a token");
    for body in [
        json!({ "type": "recovery", "token_hash": token }),
        json!({ "type": "email_change", "email": ADA, "token": code }),
        json!({ "type": "email", "token_hash": format!("{token}x") }),
        json!({ "type": "email", "email": "nobody@example.com", "token": code }),
        json!({ "type": "email", "email": "' or 1=1 --", "token": "' or 1=1 --" }),
        json!({ "type": "email", "token_hash": "\u{0}" }),
        json!({ "type": "email", "token_hash": "a".repeat(100_000) }),
    ] {
        let (status, answer) = post(&server, "verify", body.clone()).await;
        assert_eq!((status, &answer["code"]), (403, &json!("otp_expired")), "{body}");
    }
    for body in [
        json!({}),
        json!({ "type": "email" }),
        json!({ "type": "email", "token": "123456" }),
        json!({ "type": "no such", "token_hash": token }),
    ] {
        let (status, answer) = post(&server, "verify", body.clone()).await;
        assert_eq!(
            (status, &answer["code"]),
            (400, &json!("validation_failed")),
            "{body}"
        );
    }
    let (status, session) = post(
        &server,
        "verify",
        json!({ "type": "magiclink", "token_hash": token }),
    )
    .await;
    assert_eq!(status, 200, "{session}");
}

#[tokio::test]
async fn a_link_leads_to_addresses_of_the_installation_only() {
    let server = server(|config| {
        config.mail.mailbox = true;
        config.auth.mail_pause_seconds = 0;
        config.auth.redirect_urls = vec!["https://shop.example.com/app".into()];
    })
    .await;
    sign_up(&server).await;
    let own = server.url("/o/harbour?x=1");
    for (asked, leads_to) in [
        (own.as_str(), own.as_str()),
        (
            "https://shop.example.com/app/in",
            "https://shop.example.com/app/in",
        ),
        ("https://evil.example", server.url("/").as_str()),
        (
            "https://shop.example.com.evil.example/app",
            server.url("/").as_str(),
        ),
        ("javascript:alert(1)", server.url("/").as_str()),
        ("//evil.example", server.url("/").as_str()),
    ] {
        let query = url::form_urlencoded::byte_serialize(asked.as_bytes()).collect::<String>();
        let path = format!("recover?redirect_to={query}");
        assert_eq!(post(&server, &path, json!({ "email": ADA })).await.0, 200);
        let (link, _) = newest(&server).await;
        assert_eq!(follow(&link).await.0, leads_to, "{asked}");
        // The link itself may be tampered with as well.
        let (base, _) = link.split_once("&redirect_to=").expect("where it leads");
        let (target, _) = follow(&format!("{base}&redirect_to={query}")).await;
        assert_eq!(target, leads_to, "{asked}");
    }
}

#[tokio::test]
async fn where_addresses_are_confirmed_nobody_signs_in_before_and_taken_ones_look_free() {
    let server = with_confirmation().await;
    let user = sign_up(&server).await;
    assert!(user.get("access_token").is_none() && user["confirmation_sent_at"].is_string());
    let (status, body) = sign_in(&server, ADA).await;
    assert_eq!((status, &body["code"]), (400, &json!("email_not_confirmed")));
    let (link, _) = newest(&server).await;
    assert_eq!(value(&follow(&link).await.1, "type"), Some("signup"));
    assert_eq!(sign_in(&server, ADA).await.0, 200);

    server.advance(SignedDuration::from_secs(61));
    let again = sign_up(&server).await;
    let keys = |value: &Value| {
        value
            .as_object()
            .map(|map| map.keys().cloned().collect::<Vec<_>>())
    };
    assert_eq!(keys(&again), keys(&user));
    assert_eq!(keys(&again["identities"][0]), keys(&user["identities"][0]));
    assert_eq!(again["app_metadata"], user["app_metadata"]);
    for time in ["created_at", "confirmation_sent_at"] {
        let length = |value: &Value| value[time].as_str().map(str::len).unwrap_or_default();
        assert!(length(&again) <= 27 && length(&user) <= 27, "{again} {user}");
    }
    assert_ne!(again["id"], user["id"]);
    assert_eq!(mailbox(&server).await.len(), 1);
}

#[tokio::test]
async fn a_stranger_who_signed_up_with_somebodys_address_does_not_come_in_with_them() {
    let server = with_confirmation().await;
    sign_up(&server).await;
    server.advance(SignedDuration::from_secs(61));
    post(&server, "otp", json!({ "email": ADA })).await;
    let (link, _) = newest(&server).await;
    assert!(value(&follow(&link).await.1, "access_token").is_some());
    let (status, body) = sign_in(&server, ADA).await;
    assert_eq!((status, &body["code"]), (400, &json!("invalid_credentials")));
}

#[tokio::test]
async fn a_new_address_is_somebodys_once_they_showed_that_they_read_it() {
    let server = with_confirmation().await;
    sign_up(&server).await;
    let (link, _) = newest(&server).await;
    let (_, pairs) = follow(&link).await;
    let token = value(&pairs, "access_token").expect("a token");
    let request = server.anonymous(Method::PUT, "/auth/v1/user").bearer_auth(token);
    let (status, user) = answer(request.json(&json!({ "email": "grace@example.com" }))).await;
    assert_eq!(
        (status, &user["email"], &user["new_email"]),
        (200, &json!(ADA), &json!("grace@example.com"))
    );
    assert_eq!(sign_in(&server, "grace@example.com").await.0, 400);
    assert_eq!(mailbox(&server).await[0]["recipient"], "grace@example.com");
    server.advance(SignedDuration::from_secs(61));
    let body = json!({ "type": "email_change", "email": "grace@example.com" });
    let again = server
        .anonymous(Method::POST, "/auth/v1/resend")
        .bearer_auth(token);
    assert_eq!(answer(again.json(&body)).await.0, 200);
    let (link, _) = newest(&server).await;
    assert_eq!(value(&follow(&link).await.1, "type"), Some("email_change"));
    assert_eq!(sign_in(&server, "grace@example.com").await.0, 200);
    assert_eq!(sign_in(&server, ADA).await.0, 400);
}

#[tokio::test]
async fn an_installation_that_keeps_no_mail_shows_none_and_loses_no_request() {
    let server = TestServer::start(vec![]).await;
    sign_up(&server).await;
    assert_eq!(post(&server, "recover", json!({ "email": ADA })).await.0, 200);
    let (status, body) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
    assert_eq!((status, &body["code"]), (404, &json!("notifications.no_mailbox")));
    let admin = server.admin().await;
    let row = admin
        .query_one("select state, error, body_text from notifications.messages", &[])
        .await
        .expect("a row");
    assert_eq!(row.get::<_, String>(0), "failed");
    assert_eq!(row.get::<_, String>(1), "mail.smtp_url is not set");
    assert_eq!(row.get::<_, String>(2), "");
}

#[tokio::test]
async fn a_proof_of_an_address_somebody_gave_up_is_void() {
    let server = with_mailbox().await;
    let session = sign_up(&server).await;
    post(&server, "recover", json!({ "email": ADA })).await;
    let (link, _) = newest(&server).await;
    let token = session["access_token"].as_str().expect("a token");
    let request = server.anonymous(Method::PUT, "/auth/v1/user").bearer_auth(token);
    let (status, _) = answer(request.json(&json!({ "email": "grace@example.com" }))).await;
    assert_eq!(status, 200);
    assert_eq!(value(&follow(&link).await.1, "error_code"), Some("otp_expired"));
    assert_eq!(sign_in(&server, "grace@example.com").await.0, 200);
}

#[tokio::test]
async fn a_new_password_makes_a_pending_change_of_address_void() {
    let server = with_confirmation().await;
    sign_up(&server).await;
    let (_, pairs) = follow(&newest(&server).await.0).await;
    let token = value(&pairs, "access_token").expect("a token").to_owned();
    let put = async |body: Value| {
        let request = server.anonymous(Method::PUT, "/auth/v1/user").bearer_auth(&token);
        answer(request.json(&body)).await.0
    };
    assert_eq!(put(json!({ "email": "thief@example.com" })).await, 200);
    let (link, _) = newest(&server).await;
    assert_eq!(put(json!({ "password": "another good one" })).await, 200);
    assert_eq!(value(&follow(&link).await.1, "error_code"), Some("otp_expired"));
    server.advance(SignedDuration::from_secs(61));
    let before = mailbox(&server).await.len();
    let body = json!({ "type": "email_change", "email": "thief@example.com" });
    assert_eq!(post(&server, "resend", body).await.0, 200);
    assert_eq!(mailbox(&server).await.len(), before);
}

#[tokio::test]
async fn where_two_signed_up_with_one_address_neither_password_counts() {
    let server = with_confirmation().await;
    let stranger = json!({ "email": ADA, "password": "the stranger's one", "data": { "name": "Mallory" } });
    assert_eq!(post(&server, "signup", stranger).await.0, 200);
    server.advance(SignedDuration::from_secs(61));
    let own = sign_up(&server).await;
    assert!(!own.to_string().contains("Mallory"));
    let (link, _) = newest(&server).await;
    let (_, pairs) = follow(&link).await;
    let token = value(&pairs, "access_token").expect("a token");
    let request = server.anonymous(Method::GET, "/auth/v1/user").bearer_auth(token);
    assert_eq!(answer(request).await.1["user_metadata"], json!({}));
    for password in [PASSWORD, "the stranger's one"] {
        let body = json!({ "email": ADA, "password": password });
        assert_eq!(post(&server, "token?grant_type=password", body).await.0, 400);
    }
}

#[tokio::test]
async fn who_once_asked_for_a_code_can_still_sign_up_with_a_password() {
    let server = with_mailbox().await;
    assert_eq!(post(&server, "otp", json!({ "email": ADA })).await.0, 200);
    let (link, _) = newest(&server).await;
    sign_up(&server).await;
    assert_eq!(sign_in(&server, ADA).await.0, 200);
    assert_eq!(value(&follow(&link).await.1, "error_code"), Some("otp_expired"));
}

#[tokio::test]
async fn nothing_but_an_address_is_written_to() {
    let server = with_mailbox().await;
    for hostile in [
        "1<victim@example.com>",
        "\"victim\"@example.com",
        "a@example.com,b@example.com",
        "a;b@example.com",
        "a@[127.0.0.1].x",
    ] {
        let (status, body) = post(&server, "otp", json!({ "email": hostile })).await;
        assert_eq!(
            (status, &body["code"]),
            (400, &json!("email_address_invalid")),
            "{hostile}"
        );
    }
    for data in [json!("text"), json!({ "a": "x".repeat(5_000) })] {
        for email in ["free@example.com", ADA] {
            let body = json!({ "email": email, "data": data });
            assert_eq!(post(&server, "otp", body).await.0, 400, "{email}");
        }
    }
    assert_eq!(mailbox(&server).await.len(), 0);
}

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Asks for a mail with a challenge and gives the code that its link leads to.
async fn code_of_link(server: &TestServer, path: &str) -> String {
    let body = json!({ "email": ADA, "code_challenge": CHALLENGE, "code_challenge_method": "s256" });
    let (status, answer) = post(server, path, body).await;
    assert_eq!(status, 200, "{answer}");
    let (link, _) = newest(server).await;
    let (target, pairs) = follow(&link).await;
    assert!(pairs.is_empty(), "nothing stands behind the #");
    let target = url::Url::parse(&target).expect("a URL");
    let code = target
        .query_pairs()
        .find(|(name, _)| name == "code")
        .expect("a code")
        .1;
    code.into_owned()
}

async fn exchange(server: &TestServer, code: &str, verifier: &str) -> (u16, Value) {
    let body = json!({ "auth_code": code, "code_verifier": verifier });
    post(server, "token?grant_type=pkce", body).await
}

#[tokio::test]
async fn a_client_with_a_challenge_gets_a_code_that_is_worth_nothing_to_others() {
    let server = with_mailbox().await;
    sign_up(&server).await;
    let code = code_of_link(&server, "otp?redirect_to=").await;
    let (status, session) = exchange(&server, &code, VERIFIER).await;
    assert_eq!(
        (status, &session["user"]["email"]),
        (200, &json!(ADA)),
        "{session}"
    );
    let (status, body) = exchange(&server, &code, VERIFIER).await;
    assert_eq!((status, &body["code"]), (404, &json!("flow_state_not_found")));

    // One wrong verifier ends it, so that nobody tries many.
    server.advance(SignedDuration::from_secs(61));
    let code = code_of_link(&server, "recover").await;
    let (status, body) = exchange(&server, &code, CHALLENGE).await;
    assert_eq!((status, &body["code"]), (400, &json!("bad_code_verifier")));
    assert_eq!(exchange(&server, &code, VERIFIER).await.0, 404);

    server.advance(SignedDuration::from_secs(61));
    let code = code_of_link(&server, "recover").await;
    server.advance(SignedDuration::from_secs(301));
    let (status, body) = exchange(&server, &code, VERIFIER).await;
    assert_eq!((status, &body["code"]), (400, &json!("flow_state_expired")));
    for (code, verifier) in [("", ""), ("' or 1=1 --", VERIFIER), ("\u{0}", "\u{0}")] {
        assert_eq!(exchange(&server, code, verifier).await.0, 404, "{code}");
    }
    let body = json!({ "email": ADA, "code_challenge": "short", "code_challenge_method": "s256" });
    let (status, answer) = post(&server, "recover", body).await;
    assert_eq!((status, &answer["code"]), (400, &json!("validation_failed")));
}

#[tokio::test]
async fn a_challenge_holds_for_the_confirmation_of_a_sign_up_too() {
    let server = with_confirmation().await;
    let body = json!({
        "email": ADA, "password": PASSWORD, "code_challenge": VERIFIER, "code_challenge_method": "plain",
    });
    assert_eq!(post(&server, "signup", body).await.0, 200);
    let (target, _) = follow(&newest(&server).await.0).await;
    let code = target.split_once("?code=").expect("a code").1.to_owned();
    // The address is confirmed, whoever followed the link.
    assert_eq!(sign_in(&server, ADA).await.0, 200);
    assert_eq!(exchange(&server, &code, VERIFIER).await.0, 200);

    // A new password makes codes on their way void as well.
    let (_, session) = sign_in(&server, ADA).await;
    server.advance(SignedDuration::from_secs(61));
    let code = code_of_link(&server, "recover").await;
    let token = session["access_token"].as_str().expect("a token");
    let request = server.anonymous(Method::PUT, "/auth/v1/user").bearer_auth(token);
    assert_eq!(
        answer(request.json(&json!({ "password": "another good one" })))
            .await
            .0,
        200
    );
    assert_eq!(exchange(&server, &code, VERIFIER).await.0, 404);
}
