//! Ways in by telephone, against the mailbox of a development installation.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use axum::{Router, body::Bytes, http::Uri};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::config::{Config, SmsProvider};
use tenon_testkit::{PASSWORD, TestServer, answer};

const ADA: &str = "+49 30 1234567";
const STORED: &str = "49301234567";
const TEST: &str = "4152127777";

async fn server(config: fn(&mut Config)) -> TestServer {
    TestServer::configured(vec![], config).await
}

fn by_phone(config: &mut Config) {
    config.mail.mailbox = true;
    config.auth.sms.enabled = true;
    config.auth.sms.pause_seconds = 0;
    config.auth.sms.test_otp = [(TEST.to_owned(), "123456".to_owned())].into();
    config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
}

async fn post_from(server: &TestServer, from: &str, path: &str, body: Value) -> (u16, Value) {
    let request = server
        .anonymous(Method::POST, &format!("/auth/v1/{path}"))
        .header("x-forwarded-for", from)
        .header("x-supabase-api-version", "2024-01-01");
    answer(request.json(&body)).await
}

async fn post(server: &TestServer, path: &str, body: Value) -> (u16, Value) {
    post_from(server, "192.0.2.1", path, body).await
}

async fn change(server: &TestServer, session: &Value, body: Value) -> (u16, Value) {
    let token = session["access_token"].as_str().expect("a token");
    let request = server.anonymous(Method::PUT, "/auth/v1/user").bearer_auth(token);
    answer(request.json(&body)).await
}

fn show(phone: &str, code: &str) -> Value {
    json!({ "type": "sms", "phone": phone, "token": code })
}

async fn mailbox(server: &TestServer) -> Vec<Value> {
    let (_, all) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
    all.as_array().expect("a list").clone()
}

/// Messages to telephones, newest first.
async fn texts(server: &TestServer) -> Vec<Value> {
    let all = mailbox(server).await.into_iter();
    all.filter(|message| message["channel"] == "sms").collect()
}

async fn newest_code(server: &TestServer) -> String {
    let text = texts(server).await.remove(0)["text"].as_str().unwrap().to_owned();
    text.split_whitespace().last().expect("a code").to_owned()
}

fn wrong(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

#[tokio::test]
async fn a_person_signs_up_by_telephone_and_signs_in_with_password_or_code() {
    let server = server(by_phone).await;
    let new = json!({ "phone": ADA, "password": PASSWORD, "data": { "name": "Ada" } });
    let (status, waiting) = post(&server, "signup", new).await;
    assert_eq!((status, &waiting["phone"]), (200, &json!(STORED)), "{waiting}");
    assert!(waiting.get("access_token").is_none() && waiting.get("phone_confirmed_at").is_none());
    let credentials = json!({ "phone": ADA, "password": PASSWORD });
    let (status, told) = post(&server, "token?grant_type=password", credentials.clone()).await;
    assert_eq!((status, &told["code"]), (400, &json!("phone_not_confirmed")));

    let code = newest_code(&server).await;
    let (status, session) = post(&server, "verify", show("0049301234567", &code)).await;
    assert_eq!(status, 200, "{session}");
    let user = &session["user"];
    assert_eq!((&user["phone"], &user["email"]), (&json!(STORED), &json!("")));
    assert!(user["phone_confirmed_at"].is_string());
    assert_eq!(
        user["app_metadata"],
        json!({ "provider": "phone", "providers": ["phone"] })
    );
    assert_eq!(user["identities"][0]["provider"], "phone");
    assert_eq!(
        post(&server, "token?grant_type=password", credentials).await.0,
        200
    );

    // A code is good once, and signs in a known person without another account.
    assert_eq!(post(&server, "verify", show(ADA, &code)).await.0, 403);
    assert_eq!(post(&server, "otp", json!({ "phone": ADA })).await.0, 200);
    let (status, again) = post(&server, "verify", show(ADA, &newest_code(&server).await)).await;
    assert_eq!((status, &again["user"]["id"]), (200, &user["id"]), "{again}");
    for text in texts(&server).await {
        assert_eq!(text["recipient"], STORED);
        assert!(text["text"].as_str().unwrap().starts_with("Your code is "));
    }
}

#[tokio::test]
async fn a_number_for_tests_has_a_fixed_code_and_gets_no_message() {
    let server = server(by_phone).await;
    assert_eq!(post(&server, "otp", json!({ "phone": TEST })).await.0, 200);
    assert!(texts(&server).await.is_empty());
    assert_eq!(post(&server, "verify", show(TEST, "654321")).await.0, 403);
    let (status, session) = post(&server, "verify", show(TEST, "123456")).await;
    assert_eq!((status, &session["user"]["phone"]), (200, &json!(TEST)));
    // Only while one was asked for.
    assert_eq!(post(&server, "verify", show(TEST, "123456")).await.0, 403);
}

#[tokio::test]
async fn taken_and_unknown_numbers_look_alike() {
    let server = server(by_phone).await;
    post(&server, "otp", json!({ "phone": TEST })).await;
    assert_eq!(post(&server, "verify", show(TEST, "123456")).await.0, 200);
    let keys = |value: &Value| {
        value
            .as_object()
            .map(|map| map.keys().cloned().collect::<Vec<_>>())
    };
    let (taken, first) = post(&server, "signup", json!({ "phone": TEST, "password": PASSWORD })).await;
    let (free, second) = post(&server, "signup", json!({ "phone": ADA, "password": PASSWORD })).await;
    assert_eq!((taken, free), (200, 200), "{first} {second}");
    assert_eq!(keys(&first), keys(&second));
    assert_eq!(keys(&first["identities"][0]), keys(&second["identities"][0]));
    for phone in [TEST, "+49301111111"] {
        for (path, body) in [
            ("otp", json!({ "phone": phone, "create_user": false })),
            ("resend", json!({ "type": "sms", "phone": phone })),
            ("resend", json!({ "type": "phone_change", "phone": phone })),
        ] {
            let (status, told) = post(&server, path, body.clone()).await;
            assert_eq!(status, 200, "{body} {told}");
        }
        let body = json!({ "phone": phone, "password": "a wrong guess" });
        let (status, told) = post(&server, "token?grant_type=password", body).await;
        assert_eq!((status, &told["code"]), (400, &json!("invalid_credentials")));
    }
    // Where nobody is written to as much is written down.
    let admin = server.admin().await;
    let count = "select count(*) from notifications.messages where state = 'decoy' and body_text = ''";
    let decoys: i64 = admin.query_one(count, &[]).await.unwrap().get(0);
    assert!(decoys >= 4, "{decoys}");
}

#[tokio::test]
async fn a_stranger_who_signed_up_with_somebodys_number_does_not_come_in_with_them() {
    let server = server(by_phone).await;
    let stranger = json!({ "phone": ADA, "password": PASSWORD });
    post(&server, "signup", stranger.clone()).await;
    // Its owner asks for a code, which is no answer to the stranger's sign-up.
    post(&server, "otp", json!({ "phone": ADA })).await;
    assert_eq!(
        post(&server, "verify", show(ADA, &newest_code(&server).await))
            .await
            .0,
        200
    );
    assert_eq!(post(&server, "token?grant_type=password", stranger).await.0, 400);
}

#[tokio::test]
async fn guessing_codes_ends_and_the_owner_comes_in_from_where_they_have_been() {
    let server = server(by_phone).await;
    post(&server, "otp", json!({ "phone": ADA })).await;
    assert_eq!(
        post(&server, "verify", show(ADA, &newest_code(&server).await))
            .await
            .0,
        200
    );
    post(&server, "otp", json!({ "phone": ADA })).await;
    let code = newest_code(&server).await;
    for number in 0..5 {
        let from = format!("198.51.100.{number}");
        assert_eq!(
            post_from(&server, &from, "verify", show(ADA, wrong(&code)))
                .await
                .0,
            403
        );
    }
    // Now not even the right one is looked at there, nor after another message; at home it is.
    let road = "198.51.100.9";
    assert_eq!(post_from(&server, road, "verify", show(ADA, &code)).await.0, 403);
    post(&server, "otp", json!({ "phone": ADA })).await;
    let code = newest_code(&server).await;
    assert_eq!(post_from(&server, road, "verify", show(ADA, &code)).await.0, 403);
    assert_eq!(post(&server, "verify", show(ADA, &code)).await.0, 200);
    // One place that goes on has to wait.
    for _ in 0..10 {
        post_from(&server, "203.0.113.1", "verify", show(ADA, "000000")).await;
    }
    let (status, told) = post_from(&server, "203.0.113.1", "verify", show(ADA, "000000")).await;
    assert_eq!((status, &told["code"]), (429, &json!("over_request_rate_limit")));
}

#[tokio::test]
async fn a_number_sent_as_an_address_is_no_way_around_the_brake_on_guesses() {
    let server = server(by_phone).await;
    post(&server, "otp", json!({ "phone": ADA })).await;
    let code = newest_code(&server).await;
    let disguised = json!({ "type": "sms", "email": STORED, "token": code });
    let (status, told) = post(&server, "verify", disguised).await;
    assert_eq!(
        (status, &told["code"]),
        (400, &json!("validation_failed")),
        "{told}"
    );
    let both = json!({ "type": "sms", "email": STORED, "phone": ADA, "token": "000000" });
    let mut last = 0;
    for _ in 0..12 {
        last = post(&server, "verify", both.clone()).await.0;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn guessing_at_a_number_that_is_not_theirs_ends_for_its_guesser_at_home_too() {
    let server = server(by_phone).await;
    let new = json!({ "email": "ada@example.com", "password": PASSWORD });
    let (_, session) = post(&server, "signup", new).await;
    change(&server, &session, json!({ "phone": ADA })).await;
    let code = newest_code(&server).await;
    let show = |code: &str| json!({ "type": "phone_change", "phone": ADA, "token": code });
    for number in 0..5 {
        let from = format!("198.51.100.{number}");
        assert_eq!(
            post_from(&server, &from, "verify", show(wrong(&code))).await.0,
            403
        );
    }
    assert_eq!(post(&server, "verify", show(&code)).await.0, 403);
}

#[tokio::test]
async fn a_new_number_is_somebodys_once_they_showed_that_they_read_it() {
    let server = server(by_phone).await;
    let new = json!({ "email": "ada@example.com", "password": PASSWORD });
    let (_, session) = post(&server, "signup", new).await;
    let (status, user) = change(&server, &session, json!({ "phone": ADA })).await;
    assert_eq!(
        (status, &user["phone"], &user["new_phone"]),
        (200, &json!(""), &json!(STORED)),
        "{user}"
    );
    // The code serves its purpose only.
    let code = newest_code(&server).await;
    assert_eq!(post(&server, "verify", show(ADA, &code)).await.0, 403);
    // It is sent again to its owner alone.
    let again = json!({ "type": "phone_change", "phone": ADA });
    post(&server, "resend", again.clone()).await;
    assert_eq!(texts(&server).await.len(), 1);
    let token = session["access_token"].as_str().unwrap();
    let request = server
        .anonymous(Method::POST, "/auth/v1/resend")
        .bearer_auth(token);
    assert_eq!(answer(request.json(&again)).await.0, 200);
    assert_eq!(texts(&server).await.len(), 2);
    let proof = json!({ "type": "phone_change", "phone": ADA, "token": newest_code(&server).await });
    let (status, session) = post(&server, "verify", proof).await;
    let user = &session["user"];
    assert_eq!(
        (status, &user["phone"], &user["email"]),
        (200, &json!(STORED), &json!("ada@example.com"))
    );
    assert_eq!(
        user["app_metadata"],
        json!({ "provider": "email", "providers": ["email", "phone"] })
    );
    // A word of it goes to the address.
    let mail = mailbox(&server).await.remove(0);
    assert_eq!(
        (&mail["kind"], &mail["recipient"]),
        (&json!("identity.phone_changed"), &json!("ada@example.com"))
    );
    // Two people never have one number.
    let other = json!({ "email": "grace@example.com", "password": PASSWORD });
    let (_, other) = post(&server, "signup", other).await;
    let (status, told) = change(&server, &other, json!({ "phone": ADA })).await;
    assert_eq!((status, &told["error_code"]), (422, &json!("phone_exists")));
}

#[tokio::test]
async fn what_is_no_number_is_refused_and_so_are_numbers_the_operator_does_not_write_to() {
    let server = server(|config| {
        by_phone(config);
        config.auth.sms.allowed_prefixes = vec!["49".into()];
        config.auth.sms.pause_seconds = 60;
    })
    .await;
    for bad in [
        "",
        " ",
        "12",
        "call me",
        "+44 20 7946 0958",
        "' or 1=1 --",
        &"1".repeat(10_000),
        "\u{0}",
    ] {
        let (status, told) = post(&server, "otp", json!({ "phone": bad })).await;
        assert_eq!(status, 400, "{bad} {told}");
    }
    let both = json!({ "phone": ADA, "email": "a@example.com", "password": PASSWORD });
    let (status, told) = post(&server, "signup", both).await;
    assert_eq!((status, &told["code"]), (400, &json!("validation_failed")));
    assert_eq!(post(&server, "otp", json!({ "phone": ADA })).await.0, 200);
    let (status, told) = post(&server, "otp", json!({ "phone": ADA })).await;
    assert_eq!((status, &told["code"]), (429, &json!("over_sms_send_rate_limit")));
    server.advance(SignedDuration::from_secs(60));
    assert_eq!(post(&server, "otp", json!({ "phone": ADA })).await.0, 200);
    // A code is good for five minutes.
    let code = newest_code(&server).await;
    server.advance(SignedDuration::from_secs(301));
    assert_eq!(post(&server, "verify", show(ADA, &code)).await.0, 403);
}

#[tokio::test]
async fn where_nobody_signs_in_by_telephone_every_road_says_so() {
    let server = server(|config| config.mail.mailbox = true).await;
    let (_, settings) = answer(server.anonymous(Method::GET, "/auth/v1/settings")).await;
    assert_eq!(settings["external"]["phone"], false);
    let new = json!({ "email": "ada@example.com", "password": PASSWORD });
    let (_, session) = post(&server, "signup", new).await;
    for (path, body) in [
        ("signup", json!({ "phone": ADA, "password": PASSWORD })),
        ("otp", json!({ "phone": ADA })),
        ("resend", json!({ "type": "sms", "phone": ADA })),
        ("verify", show(ADA, "123456")),
        (
            "token?grant_type=password",
            json!({ "phone": ADA, "password": PASSWORD }),
        ),
    ] {
        let (status, told) = post(&server, path, body).await;
        assert_eq!(
            (status, &told["code"]),
            (400, &json!("phone_provider_disabled")),
            "{path}"
        );
    }
    assert_eq!(change(&server, &session, json!({ "phone": ADA })).await.0, 400);
    // Clients send an empty one along.
    let other = json!({ "phone": "", "data": { "x": 1 } });
    assert_eq!(change(&server, &session, other).await.0, 200);
}

#[tokio::test]
async fn numbers_that_need_no_confirmation_are_theirs_at_once() {
    let server = server(|config| {
        by_phone(config);
        config.auth.sms.confirm = false;
    })
    .await;
    let new = json!({ "phone": ADA, "password": PASSWORD });
    let (status, session) = post(&server, "signup", new.clone()).await;
    assert_eq!(
        (status, &session["user"]["phone"]),
        (200, &json!(STORED)),
        "{session}"
    );
    let (status, told) = post(&server, "signup", new).await;
    assert_eq!((status, &told["code"]), (422, &json!("user_already_exists")));
    let (status, user) = change(&server, &session, json!({ "phone": "+43 1 234567" })).await;
    assert_eq!((status, &user["phone"]), (200, &json!("431234567")));
}

static PROVIDER: OnceLock<String> = OnceLock::new();

/// Somebody who sends text messages, for the test: gives one answer, and remembers what was asked.
pub(crate) async fn provider(answer: Value) -> Arc<Mutex<Vec<String>>> {
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let log = heard.clone();
    let router = Router::new().fallback(move |uri: Uri, body: Bytes| {
        let asked = format!("{} {}", uri.path(), String::from_utf8_lossy(&body));
        log.lock().unwrap().push(asked);
        std::future::ready(axum::Json(answer.clone()))
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    PROVIDER.set(url).expect("one provider a process");
    tokio::spawn(async move { axum::serve(listener, router).await });
    heard
}

pub(crate) fn by_provider(config: &mut Config, provider: SmsProvider) {
    by_phone(config);
    config.mail.mailbox = false;
    config.outbound.allow_private = vec!["127.0.0.0/8".parse().unwrap()];
    config.auth.sms.provider = Some(provider);
    config.auth.sms.account = "AC1".into();
    config.auth.sms.secret = "hush".into();
    config.auth.sms.from = "VA1".into();
    config
        .auth
        .sms
        .base_url
        .clone_from(PROVIDER.get().expect("a provider"));
}

#[tokio::test]
async fn a_provider_gets_the_message_and_its_text_is_forgotten() {
    let heard = provider(json!({ "messages": [{ "status": "0" }] })).await;
    let server = server(|config| by_provider(config, SmsProvider::Vonage)).await;
    assert_eq!(post(&server, "otp", json!({ "phone": ADA })).await.0, 200);
    let admin = server.admin().await;
    for _ in 0..200 {
        let rows = "select state, body_text from notifications.messages where channel = 'sms'";
        let row = admin.query_one(rows, &[]).await.unwrap();
        if row.get::<_, String>(0) == "sent" {
            assert_eq!(row.get::<_, String>(1), "");
            let asked = heard.lock().unwrap()[0].clone();
            assert!(asked.starts_with("/sms/json "), "{asked}");
            for part in [
                "to=49301234567",
                "from=VA1",
                "text=Your+code+is+",
                "api_secret=hush",
            ] {
                assert!(asked.contains(part), "{asked}");
            }
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the message is not sent");
}

#[tokio::test]
async fn a_provider_that_makes_the_codes_is_asked_whether_one_is_good() {
    let heard = provider(json!({ "status": "approved", "valid": true })).await;
    let server = server(|config| by_provider(config, SmsProvider::TwilioVerify)).await;
    // Nothing was asked for: what the provider says of it counts for nothing.
    assert_eq!(post(&server, "verify", show(ADA, "987654")).await.0, 403);
    assert_eq!(post(&server, "otp", json!({ "phone": ADA })).await.0, 200);
    let (status, session) = post(&server, "verify", show(ADA, "987654")).await;
    assert_eq!(
        (status, &session["user"]["phone"]),
        (200, &json!(STORED)),
        "{session}"
    );
    let wanted = "/v2/Services/VA1/VerificationCheck To=%2B49301234567&Code=987654";
    assert!(
        heard.lock().unwrap().iter().any(|asked| asked == wanted),
        "{heard:?}"
    );
}
