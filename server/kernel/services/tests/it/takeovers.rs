//! Accounts that somebody else began: a stranger who was first keeps nothing, and takes nothing from whoever has an account.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::config::Config;
use tenon_testkit::{PASSWORD, SERVICE_KEY, TestServer, answer};

const ADA: &str = "ada@example.com";
const NUMBER: &str = "49301234567";
const ANOTHER: &str = "another good password";

async fn server(config: fn(&mut Config)) -> TestServer {
    TestServer::configured(vec![], config).await
}

fn confirmed(config: &mut Config) {
    config.mail.mailbox = true;
    config.auth.confirm_email = true;
    config.auth.mail_pause_seconds = 0;
    config.auth.sms.enabled = true;
    config.auth.sms.pause_seconds = 0;
}

async fn post(server: &TestServer, path: &str, body: Value) -> (u16, Value) {
    let request = server
        .anonymous(Method::POST, &format!("/auth/v1/{path}"))
        .header("x-supabase-api-version", "2024-01-01");
    answer(request.json(&body)).await
}

async fn operator(server: &TestServer, path: &str, body: Value) -> Value {
    let request = server
        .anonymous(Method::POST, &format!("/auth/v1/{path}"))
        .bearer_auth(SERVICE_KEY);
    let (status, told) = answer(request.json(&body)).await;
    assert_eq!(status, 200, "{body} {told}");
    told
}

async fn sign_in(server: &TestServer, name: &str, password: &str) -> u16 {
    let key = if name.contains('@') { "email" } else { "phone" };
    let body = json!({ key: name, "password": password });
    post(server, "token?grant_type=password", body).await.0
}

async fn messages(server: &TestServer) -> usize {
    let (_, all) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
    all.as_array().expect("a list").len()
}

/// Somebody signs up with an address that is not theirs.
async fn stranger_by(server: &TestServer, name: &str) -> (u16, Value) {
    let key = if name.contains('@') { "email" } else { "phone" };
    let body = json!({ key: name, "password": PASSWORD, "data": { "name": "Mallory", "locale": "de" } });
    post(server, "signup", body).await
}

#[tokio::test]
async fn a_stranger_who_signed_up_before_an_invitation_keeps_no_password_and_no_word() {
    let server = server(confirmed).await;
    assert_eq!(stranger_by(&server, ADA).await.0, 200);
    operator(
        &server,
        "invite",
        json!({ "email": ADA, "data": { "name": "Ada" } }),
    )
    .await;
    // Nor does one who signs up afterwards.
    assert_eq!(stranger_by(&server, ADA).await.0, 200);
    let (_, mails) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
    let invitation = &mails[0];
    assert_eq!(invitation["kind"], "identity.invite", "{mails}");
    let code = invitation["text"]
        .as_str()
        .unwrap()
        .split("code: ")
        .nth(1)
        .unwrap()[..6]
        .to_owned();
    let (status, session) = post(
        &server,
        "verify",
        json!({ "type": "invite", "email": ADA, "token": code }),
    )
    .await;
    assert_eq!(status, 200, "{session}");
    assert_eq!(session["user"]["user_metadata"], json!({ "name": "Ada" }));
    assert_eq!(sign_in(&server, ADA, PASSWORD).await, 400);
}

#[tokio::test]
async fn a_link_of_the_operators_brings_its_own_password() {
    let server = server(confirmed).await;
    for (kind, password) in [("signup", ANOTHER), ("invite", "")] {
        let email = format!("{kind}@example.com");
        assert_eq!(stranger_by(&server, &email).await.0, 200);
        let ask = json!({ "type": kind, "email": email, "password": password, "data": { "name": "Ada" } });
        let link = operator(&server, "admin/generate_link", ask).await;
        assert_eq!(link["user_metadata"], json!({ "name": "Ada" }));
        let proof = json!({ "type": kind, "token_hash": link["hashed_token"] });
        let (status, session) = post(&server, "verify", proof).await;
        assert_eq!(status, 200, "{session}");
        assert_eq!(sign_in(&server, &email, PASSWORD).await, 400, "{kind}");
        if !password.is_empty() {
            assert_eq!(sign_in(&server, &email, password).await, 200, "{kind}");
        }
    }
    // Who is invited a second time keeps what was said of them, as far as it is not said anew.
    for data in [
        json!({ "name": "Grace", "desk": 1 }),
        json!({ "desk": 2 }),
        Value::Null,
    ] {
        operator(
            &server,
            "invite",
            json!({ "email": "grace@example.com", "data": data }),
        )
        .await;
    }
    let (_, all) = answer(
        server
            .anonymous(Method::GET, "/auth/v1/admin/users")
            .bearer_auth(SERVICE_KEY),
    )
    .await;
    assert_eq!(
        all["users"][0]["user_metadata"],
        json!({ "name": "Grace", "desk": 2 })
    );
}

#[tokio::test]
async fn an_account_that_the_operator_made_is_nobodys_to_sign_up_for() {
    let people = [
        json!({ "email": ADA, "phone": NUMBER, "app_metadata": { "tier": "gold" } }),
        json!({ "email": ADA, "app_metadata": { "tier": "gold" } }),
        json!({ "email": ADA, "phone": NUMBER, "phone_confirm": true }),
        json!({ "email": ADA, "ban_duration": "24h" }),
    ];
    for mut person in people {
        person["password"] = json!(ANOTHER);
        // Where addresses are taken as they are typed.
        let open = server(|_| ()).await;
        operator(&open, "admin/users", person.clone()).await;
        let (status, told) = stranger_by(&open, ADA).await;
        assert_eq!(
            (status, &told["code"]),
            (422, &json!("user_already_exists")),
            "{person}"
        );
        // Where they are confirmed nothing tells, and nobody gets a message.
        let server = server(confirmed).await;
        let made = operator(&server, "admin/users", person.clone()).await;
        let (status, told) = stranger_by(&server, ADA).await;
        assert_eq!(status, 200, "{told}");
        assert_ne!(told["id"], made["id"], "{person}");
        assert_eq!(messages(&server).await, 0, "{person}");
        let kept = server.admin().await;
        let row = kept
            .query_one(
                "select encrypted_password is not null, raw_user_meta_data from auth.users",
                &[],
            )
            .await
            .unwrap();
        assert!(row.get::<_, bool>(0), "{person}");
        assert_eq!(row.get::<_, Value>(1), json!({}), "{person}");
    }
}

#[tokio::test]
async fn a_sign_up_by_telephone_takes_no_account_with_an_address() {
    let server = server(confirmed).await;
    let person = json!({ "email": ADA, "email_confirm": true, "phone": NUMBER, "password": ANOTHER });
    operator(&server, "admin/users", person).await;
    assert_eq!(stranger_by(&server, NUMBER).await.0, 200);
    assert_eq!(messages(&server).await, 0);
    assert_eq!(sign_in(&server, ADA, ANOTHER).await, 200);
}

#[tokio::test]
async fn an_invitation_leaves_the_password_of_whoever_has_been_in_the_account() {
    let server = server(confirmed).await;
    let person = json!({ "email": ADA, "phone": NUMBER, "phone_confirm": true, "password": ANOTHER });
    operator(&server, "admin/users", person).await;
    let link = operator(
        &server,
        "admin/generate_link",
        json!({ "type": "invite", "email": ADA }),
    )
    .await;
    let proof = json!({ "type": "invite", "token_hash": link["hashed_token"] });
    assert_eq!(post(&server, "verify", proof).await.0, 200);
    assert_eq!(sign_in(&server, NUMBER, ANOTHER).await, 200);
}
