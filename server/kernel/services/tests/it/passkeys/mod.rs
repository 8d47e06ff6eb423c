//! Passkeys and security keys over HTTP, by a key made of code.

mod admin;
mod key;
mod security_keys;
mod ways_in;

pub(crate) use key::{Key, PRESENT, VERIFIED};

use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{PASSWORD, TestServer};

use crate::factors::{code, send};

async fn person(server: &TestServer, name: &str) -> String {
    let body = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
    let (status, session) = send(server, Method::POST, "signup", "", body).await;
    assert_eq!(status, 200, "{session}");
    session["access_token"].as_str().expect("a token").to_owned()
}

async fn register(server: &TestServer, token: &str, key: &mut Key) -> (u16, Value) {
    let (status, asked) = send(
        server,
        Method::POST,
        "passkeys/registration/options",
        token,
        json!({}),
    )
    .await;
    assert_eq!(status, 200, "{asked}");
    let body = json!({ "challenge_id": asked["challenge_id"], "credential": key.create(&asked["options"]) });
    send(server, Method::POST, "passkeys/registration/verify", token, body).await
}

async fn ask(server: &TestServer) -> Value {
    let (status, asked) = send(
        server,
        Method::POST,
        "passkeys/authentication/options",
        "",
        json!({}),
    )
    .await;
    assert_eq!(status, 200, "{asked}");
    asked
}

async fn show(server: &TestServer, asked: &Value, credential: &Value) -> (u16, Value) {
    let body = json!({ "challenge_id": asked["challenge_id"], "credential": credential });
    send(server, Method::POST, "passkeys/authentication/verify", "", body).await
}

async fn sign_in(server: &TestServer, key: &mut Key) -> (u16, Value) {
    let asked = ask(server).await;
    let shown = key.get(&asked["options"]);
    show(server, &asked, &shown).await
}

/// Asks a factor and answers with a key; `kind` is what the client says it does.
pub(crate) async fn step(
    server: &TestServer,
    token: &str,
    factor: &str,
    key: &mut Key,
    kind: &str,
) -> (u16, Value) {
    let path = format!("factors/{factor}/challenge");
    let (status, asked) = send(server, Method::POST, &path, token, json!({})).await;
    assert_eq!((status, &asked["type"]), (200, &json!("webauthn")), "{asked}");
    let options = &asked["webauthn"]["credential_options"]["publicKey"];
    let shown = match asked["webauthn"]["type"].as_str() {
        Some("create") => key.create(options),
        _ => key.get(options),
    };
    let body = json!({
        "challenge_id": asked["id"],
        "webauthn": { "type": kind, "rpId": "localhost", "credential_response": shown },
    });
    send(
        server,
        Method::POST,
        &format!("factors/{factor}/verify"),
        token,
        body,
    )
    .await
}
