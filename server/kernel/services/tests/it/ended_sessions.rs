//! A token whose session has ended is worth nothing where sessions are looked at, however long it would be good.

use jiff::SignedDuration;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tenon_testkit::{PASSWORD, SERVICE_KEY, TestServer, answer};

async fn sign_up(server: &TestServer, email: &str) -> Value {
    let body = json!({ "email": email, "password": PASSWORD });
    let (status, session) = answer(server.anonymous(Method::POST, "/auth/v1/signup").json(&body)).await;
    assert_eq!(status, 200, "{session}");
    session
}

async fn sign_in(server: &TestServer, email: &str) -> Value {
    let body = json!({ "email": email, "password": PASSWORD });
    let request = server.anonymous(Method::POST, "/auth/v1/token?grant_type=password");
    answer(request.json(&body)).await.1
}

async fn refresh(server: &TestServer, session: &Value) -> (u16, Value) {
    let body = json!({ "refresh_token": session["refresh_token"] });
    let request = server.anonymous(Method::POST, "/auth/v1/token?grant_type=refresh_token");
    answer(request.json(&body)).await
}

fn with(server: &TestServer, session: &Value, method: Method, path: &str) -> RequestBuilder {
    let token = session["access_token"].as_str().unwrap();
    server
        .anonymous(method, &format!("/auth/v1{path}"))
        .header("x-supabase-api-version", "2024-01-01")
        .bearer_auth(token)
        .json(&json!({}))
}

/// What is asked in a session, and asks for one that goes on.
fn asked(server: &TestServer, session: &Value, other: &str) -> Vec<RequestBuilder> {
    [
        (Method::GET, "/user".to_owned()),
        (Method::PUT, "/user".to_owned()),
        (Method::GET, "/user/data".to_owned()),
        (Method::DELETE, "/user/data".to_owned()),
        (Method::DELETE, format!("/user/identities/{other}")),
        (Method::GET, "/sessions".to_owned()),
        (Method::DELETE, format!("/sessions/{other}")),
        (Method::POST, "/logout?scope=global".to_owned()),
        (Method::POST, "/logout?scope=others".to_owned()),
        (Method::POST, "/factors".to_owned()),
        (Method::POST, "/factors/recovery-codes/verify".to_owned()),
        (Method::POST, "/passkeys/registration/options".to_owned()),
    ]
    .into_iter()
    .map(|(method, path)| with(server, session, method, &path))
    .collect()
}

async fn refused(server: &TestServer, session: &Value, other: &str, code: &str) {
    for request in asked(server, session, other) {
        let shown = format!("{request:?}");
        let (status, fault) = answer(request).await;
        assert_eq!((status, fault["code"].as_str()), (403, Some(code)), "{shown}");
    }
}

#[tokio::test]
async fn a_stolen_token_of_a_session_that_was_ended_signs_its_owner_out_nowhere() {
    let server = TestServer::start(vec![]).await;
    let stolen = sign_up(&server, "ada@example.com").await;
    let own = sign_in(&server, "ada@example.com").await;
    let (_, list) = answer(with(&server, &own, Method::GET, "/sessions")).await;
    let id = |current: bool| {
        let mut all = list["sessions"].as_array().unwrap().iter();
        let found = all.find(|session| session["current"] == current).unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    let ended = with(&server, &own, Method::DELETE, &format!("/sessions/{}", id(false)));
    assert_eq!(answer(ended).await.0, 204);
    refused(&server, &stolen, &id(true), "session_not_found").await;
    assert_eq!(refresh(&server, &own).await.0, 200);
}

#[tokio::test]
async fn somebody_banned_is_out_at_once_and_comes_to_no_new_token() {
    let server = TestServer::start(vec![]).await;
    let ada = sign_up(&server, "ada@example.com").await;
    let path = format!("/auth/v1/admin/users/{}", ada["user"]["id"].as_str().unwrap());
    let ban = async |length: &str| {
        let request = server.anonymous(Method::PUT, &path).bearer_auth(SERVICE_KEY);
        let (status, user) = answer(request.json(&json!({ "ban_duration": length }))).await;
        assert_eq!(status, 200, "{user}");
    };
    ban("24h").await;
    let nothing = "00000000-0000-0000-0000-000000000000";
    refused(&server, &ada, nothing, "user_banned").await;
    assert_eq!(refresh(&server, &ada).await.1["error_code"], "user_banned");
    ban("none").await;
    assert_eq!(
        answer(with(&server, &ada, Method::GET, "/user")).await.0,
        200,
        "a ban that is lifted leaves the session"
    );
}

#[tokio::test]
async fn a_token_is_good_no_longer_than_its_session() {
    let server = TestServer::configured(vec![], |config| {
        config.auth.session_hours = 24;
        config.auth.session_idle_hours = 8;
        config.auth.access_token_seconds = 48 * 3600;
    })
    .await;
    let mut session = sign_up(&server, "ada@example.com").await;
    let nothing = "00000000-0000-0000-0000-000000000000";
    for _ in 0..3 {
        server.advance(SignedDuration::from_hours(7));
        assert_eq!(answer(with(&server, &session, Method::GET, "/user")).await.0, 200);
        session = refresh(&server, &session).await.1;
    }
    server.advance(SignedDuration::from_hours(4));
    refused(&server, &session, nothing, "session_not_found").await;

    let silent = sign_in(&server, "ada@example.com").await;
    server.advance(SignedDuration::from_hours(9));
    refused(&server, &silent, nothing, "session_not_found").await;
}

#[tokio::test]
async fn nothing_lasting_is_made_with_a_token_whose_session_has_ended() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let invitation = json!({ "role": "viewer" });
    let (_, open) = org
        .owner
        .post_json("/api/v1/tenancy/invitations", &invitation)
        .await;
    let accept = format!(
        "/api/v1/tenancy/invitations/{}/accept",
        open["token"].as_str().unwrap()
    );
    let eve = server.user("eve").await;
    let sql = "delete from auth.sessions where user_id = $1";
    server.admin().await.execute(sql, &[&eve.id]).await.unwrap();
    for (path, body) in [
        ("/api/v1/access/tokens", json!({ "name": "Kept" })),
        ("/api/v1/tenancy/organizations", json!({ "name": "Kept" })),
        (accept.as_str(), json!({})),
    ] {
        let (status, fault) = eve.post_json(path, &body).await;
        assert_eq!(
            (status, &fault["code"]),
            (403, &json!("session_not_found")),
            "{path}"
        );
    }
    assert_eq!(eve.get_json("/api/v1/access/tokens").await.0, 403);
}

#[tokio::test]
async fn a_change_on_its_way_is_refused_when_its_session_ends_meanwhile() {
    let server = TestServer::start(vec![]).await;
    let ada = sign_up(&server, "ada@example.com").await;
    let id: uuid::Uuid = ada["user"]["id"].as_str().unwrap().parse().unwrap();
    let mut admin = server.admin().await;
    let looking = server.admin().await;
    let tx = admin.transaction().await.unwrap();
    tx.query("select from auth.users where id = $1 for update", &[&id])
        .await
        .unwrap();
    let change =
        with(&server, &ada, Method::PUT, "/user").json(&json!({ "password": "the thief's own words" }));
    let change = tokio::spawn(answer(change));
    let waits =
        "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    while looking.query(waits, &[]).await.unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    tx.execute("delete from auth.sessions where user_id = $1", &[&id])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let (status, fault) = change.await.unwrap();
    assert_eq!((status, &fault["code"]), (403, &json!("session_not_found")));
    assert!(sign_in(&server, "ada@example.com").await["access_token"].is_string());
}

#[tokio::test]
async fn a_token_names_the_person_s_number() {
    let server = TestServer::configured(vec![], |config| {
        config.auth.sms.enabled = true;
        config.auth.sms.confirm = false;
    })
    .await;
    let body = json!({ "phone": "+49301234567", "password": PASSWORD });
    let (status, session) = answer(server.anonymous(Method::POST, "/auth/v1/signup").json(&body)).await;
    assert_eq!(status, 200, "{session}");
    let token = session["access_token"].as_str().unwrap();
    let claims = claims(token);
    assert_eq!(
        (&claims["phone"], &claims["email"]),
        (&json!("49301234567"), &json!(""))
    );
}

fn claims(token: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
