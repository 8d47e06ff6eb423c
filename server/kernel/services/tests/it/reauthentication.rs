//! Showing once more who one is before the password changes, where the operator asks for that.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::config::Config;
use tenon_testkit::{PASSWORD, TestServer, answer};

const NEW: &str = "words that are new here";

fn asking(config: &mut Config) {
    config.auth.reauthenticate_for_password = true;
    lasting(config);
}

fn lasting(config: &mut Config) {
    config.mail.mailbox = true;
    config.auth.mail_pause_seconds = 0;
    config.auth.sms.enabled = true;
    config.auth.sms.confirm = false;
    config.auth.sms.pause_seconds = 0;
    config.auth.anonymous_users = true;
    config.auth.sms.test_otp = [("4152127777".to_owned(), "123456".to_owned())].into();
    // Tokens outlast the day after which a session is no longer fresh.
    config.auth.access_token_seconds = 90 * 24 * 3600;
}

async fn server(config: fn(&mut Config)) -> TestServer {
    TestServer::configured(vec![], config).await
}

/// Somebody whose session is no longer fresh; gives their token.
async fn somebody(server: &TestServer, who: Value) -> String {
    let (status, session) = answer(server.anonymous(Method::POST, "/auth/v1/signup").json(&who)).await;
    assert_eq!(status, 200, "{session}");
    session["access_token"].as_str().unwrap().to_owned()
}

async fn ada(server: &TestServer) -> String {
    somebody(
        server,
        json!({ "email": "ada@example.com", "password": PASSWORD }),
    )
    .await
}

async fn send(server: &TestServer, method: Method, path: &str, token: &str, body: Value) -> (u16, Value) {
    let request = server
        .anonymous(method, &format!("/auth/v1/{path}"))
        .header("x-supabase-api-version", "2024-01-01")
        .bearer_auth(token);
    let (status, mut body) = answer(request.json(&body)).await;
    (status, body["code"].take())
}

async fn ask(server: &TestServer, token: &str) -> (u16, Value) {
    send(server, Method::GET, "reauthenticate", token, json!({})).await
}

async fn change(server: &TestServer, token: &str, password: &str, nonce: &str) -> (u16, Value) {
    let body = json!({ "password": password, "nonce": nonce });
    send(server, Method::PUT, "user", token, body).await
}

/// The code of the newest message to somebody.
async fn code(server: &TestServer, to: &str) -> String {
    let sql = "select body_text from notifications.messages where recipient = $1 order by created_at desc, id desc limit 1";
    let row = server.admin().await.query_one(sql, &[&to]).await.unwrap();
    let text: String = row.get(0);
    let mut words = text.split(|c: char| !c.is_ascii_digit());
    words.find(|word| word.len() == 6).unwrap().to_owned()
}

fn another(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

fn is(status: u16, code: &str) -> (u16, Value) {
    (status, json!(code))
}

const GOOD: (u16, Value) = (200, Value::Null);

#[tokio::test]
async fn a_new_password_takes_a_code_once_the_session_is_a_day_old() {
    let server = server(asking).await;
    let token = ada(&server).await;
    assert_eq!(change(&server, &token, NEW, "").await, GOOD, "a fresh session");
    server.advance(SignedDuration::from_hours(25));
    let needed = is(400, "reauthentication_needed");
    assert_eq!(change(&server, &token, PASSWORD, "").await, needed);
    assert_eq!(change(&server, &token, PASSWORD, "  ").await, needed);
    // Other things about oneself change as ever.
    let name = json!({ "data": { "name": "Ada" } });
    assert_eq!(send(&server, Method::PUT, "user", &token, name).await, GOOD);

    let wrong = is(422, "reauthentication_not_valid");
    assert_eq!(
        change(&server, &token, PASSWORD, "123456").await,
        wrong,
        "none was sent"
    );
    assert_eq!(ask(&server, &token).await, GOOD);
    let nonce = code(&server, "ada@example.com").await;
    for bad in [another(&nonce), "", "x", &"9".repeat(4000), "\u{0}", &nonce[..5]] {
        assert_ne!(change(&server, &token, PASSWORD, bad).await.0, 200, "{bad:.20}");
    }
    assert_eq!(
        change(&server, &token, PASSWORD, &format!(" {nonce} ")).await,
        GOOD
    );
    assert_eq!(change(&server, &token, NEW, &nonce).await, wrong, "good once");
}

#[tokio::test]
async fn a_code_is_its_person_s_and_good_for_an_hour_and_the_newest_alone() {
    let server = server(asking).await;
    let token = ada(&server).await;
    let eve = somebody(
        &server,
        json!({ "email": "eve@example.com", "password": PASSWORD }),
    )
    .await;
    server.advance(SignedDuration::from_hours(25));
    let wrong = is(422, "reauthentication_not_valid");
    ask(&server, &token).await;
    let first = code(&server, "ada@example.com").await;
    assert_eq!(change(&server, &eve, NEW, &first).await, wrong);
    ask(&server, &token).await;
    let second = code(&server, "ada@example.com").await;
    if first != second {
        assert_eq!(change(&server, &token, NEW, &first).await, wrong);
    }
    server.advance(SignedDuration::from_mins(61));
    assert_eq!(change(&server, &token, NEW, &second).await, wrong);
    // The password that was is good still.
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let request = server.anonymous(Method::POST, "/auth/v1/token?grant_type=password");
    assert_eq!(answer(request.json(&body)).await.0, 200);
}

#[tokio::test]
async fn codes_are_not_guessed() {
    let server = server(asking).await;
    let token = ada(&server).await;
    server.advance(SignedDuration::from_hours(25));
    ask(&server, &token).await;
    let nonce = code(&server, "ada@example.com").await;
    let mut answers = Vec::new();
    for _ in 0..11 {
        answers.push(change(&server, &token, NEW, another(&nonce)).await.0);
    }
    assert_eq!(answers[..10], [422; 10]);
    assert_eq!(answers[10], 429);
    assert_eq!(change(&server, &token, NEW, &nonce).await.0, 429);
}

#[tokio::test]
async fn where_it_is_not_asked_for_a_password_changes_without() {
    let server = server(lasting).await;
    let token = ada(&server).await;
    server.advance(SignedDuration::from_hours(25));
    assert_eq!(change(&server, &token, NEW, "").await, GOOD);
    // Asking for a code is no mistake.
    assert_eq!(ask(&server, &token).await, GOOD);
}

#[tokio::test]
async fn who_has_a_telephone_alone_gets_the_code_there() {
    let server = server(asking).await;
    let token = somebody(
        &server,
        json!({ "phone": "+49 30 1234567", "password": PASSWORD }),
    )
    .await;
    let test = somebody(&server, json!({ "phone": "4152127777", "password": PASSWORD })).await;
    server.advance(SignedDuration::from_hours(25));
    assert_eq!(ask(&server, &token).await, GOOD);
    let nonce = code(&server, "49301234567").await;
    assert_eq!(change(&server, &token, NEW, &nonce).await, GOOD);
    // A number for tests has its code, and no message.
    assert_eq!(ask(&server, &test).await, GOOD);
    assert_eq!(change(&server, &test, NEW, "123456").await, GOOD);
}

#[tokio::test]
async fn a_visitor_and_a_stranger_get_no_code() {
    let server = server(asking).await;
    let visitor = somebody(&server, json!({})).await;
    assert_eq!(ask(&server, &visitor).await, is(422, "validation_failed"));
    let request = server.anonymous(Method::GET, "/auth/v1/reauthenticate");
    assert_eq!(answer(request).await.0, 401);
    let org = server.organization("Harbour").await;
    let stranger = server.user("eve").await.in_org(org.id);
    assert_eq!(answer(stranger.get("/auth/v1/reauthenticate")).await.0, 200);
}

#[tokio::test]
async fn who_has_no_password_erases_their_account_with_a_code() {
    let server = server(asking).await;
    let token = ada(&server).await;
    let sql = "update auth.users set encrypted_password = null";
    server.admin().await.execute(sql, &[]).await.unwrap();
    server.advance(SignedDuration::from_hours(25));
    let erase = async |nonce: &str| {
        let body = json!({ "nonce": nonce });
        send(&server, Method::DELETE, "user/data", &token, body).await
    };
    assert_eq!(erase("").await, is(400, "reauthentication_needed"));
    ask(&server, &token).await;
    let nonce = code(&server, "ada@example.com").await;
    assert_eq!(
        erase(another(&nonce)).await,
        is(422, "reauthentication_not_valid")
    );
    assert_eq!(erase(&nonce).await.0, 204);
}
