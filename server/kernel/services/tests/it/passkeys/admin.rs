//! Passkeys of people through a service key, and people who may not come in by theirs.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{PASSWORD, SERVICE_KEY, TestServer};

use super::{Key, code, person, register, send, sign_in};

async fn call(server: &TestServer, method: Method, path: &str, body: Value) -> (u16, Value) {
    send(server, method, path, SERVICE_KEY, body).await
}

async fn with_passkey(server: &TestServer) -> (String, Key, Value) {
    let token = person(server, "ada").await;
    let mut key = Key::new(server);
    let (status, made) = register(server, &token, &mut key).await;
    assert_eq!(status, 200, "{made}");
    let (_, user) = send(server, Method::GET, "user", &token, json!({})).await;
    (user["id"].as_str().expect("an id").to_owned(), key, made)
}

#[tokio::test]
async fn the_operator_sees_passkeys_and_takes_one_away() {
    let server = TestServer::start(vec![]).await;
    let (user, mut key, made) = with_passkey(&server).await;
    let path = format!("admin/users/{user}/passkeys");
    let (status, listed) = call(&server, Method::GET, &path, json!({})).await;
    assert_eq!((status, &listed[0]["id"]), (200, &made["id"]));
    assert!(!listed.to_string().contains("cred"));
    let one = format!("{path}/{}", made["id"].as_str().expect("an id"));
    assert_eq!(call(&server, Method::DELETE, &one, json!({})).await.0, 204);
    let gone = call(&server, Method::DELETE, &one, json!({})).await;
    assert_eq!(code(&gone), (404, "passkey_not_found"));
    assert_eq!(
        call(&server, Method::GET, &path, json!({})).await,
        (200, json!([]))
    );
    assert_eq!(
        code(&sign_in(&server, &mut key).await),
        (400, "webauthn_verification_failed")
    );
    let admin = server.admin().await;
    let sql = "select payload #>> '{traits,user_id}' from auth.audit_log_entries \
               where payload ->> 'action' = 'passkey_deleted' and payload -> 'actor_id' = 'null'";
    let rows = admin.query(sql, &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<_, String>(0), user);
}

#[tokio::test]
async fn a_passkey_opens_no_session_for_whoever_is_banned_or_was_erased() {
    let server = TestServer::start(vec![]).await;
    let (user, mut key, _) = with_passkey(&server).await;
    let path = format!("admin/users/{user}");
    let sessions = "select count(*) from auth.sessions";
    let admin = server.admin().await;
    let before: i64 = admin.query_one(sessions, &[]).await.unwrap().get(0);
    let ban = json!({ "ban_duration": "24h" });
    assert_eq!(call(&server, Method::PUT, &path, ban).await.0, 200);
    assert_eq!(code(&sign_in(&server, &mut key).await), (403, "user_banned"));
    let free = json!({ "ban_duration": "none", "password": PASSWORD });
    assert_eq!(call(&server, Method::PUT, &path, free).await.0, 200);
    assert_eq!(sign_in(&server, &mut key).await.0, 200);

    let erased = json!({ "should_soft_delete": true });
    assert_eq!(call(&server, Method::DELETE, &path, erased).await.0, 200);
    assert_eq!(
        code(&sign_in(&server, &mut key).await),
        (400, "webauthn_verification_failed")
    );
    let after: i64 = admin.query_one(sessions, &[]).await.unwrap().get(0);
    assert!(after <= before, "{after} {before}");
}
