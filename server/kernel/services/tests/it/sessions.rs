//! Sessions over HTTP: how long they last, where they are open, and the web app's cookie.

use jiff::SignedDuration;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tenon_testkit::{PASSWORD, TestServer, answer};

async fn sign_up(server: &TestServer, email: &str) -> Value {
    let body = json!({ "email": email, "password": PASSWORD });
    let (status, session) = answer(server.anonymous(Method::POST, "/auth/v1/signup").json(&body)).await;
    assert_eq!(status, 200, "{session}");
    session
}

async fn sign_in(server: &TestServer, email: &str) -> Value {
    let body = json!({ "email": email, "password": PASSWORD });
    let request = server
        .anonymous(Method::POST, "/auth/v1/token?grant_type=password")
        .json(&body);
    answer(request).await.1
}

async fn refresh(server: &TestServer, session: &Value) -> (u16, Value) {
    let body = json!({ "refresh_token": session["refresh_token"] });
    answer(
        server
            .anonymous(Method::POST, "/auth/v1/token?grant_type=refresh_token")
            .json(&body),
    )
    .await
}

fn as_person(server: &TestServer, session: &Value, method: Method, path: &str) -> reqwest::RequestBuilder {
    server
        .anonymous(method, path)
        .bearer_auth(session["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn a_person_sees_their_sessions_and_ends_them_from_afar() {
    let server = TestServer::start(vec![]).await;
    let first = sign_up(&server, "ada@example.com").await;
    let second = sign_in(&server, "ada@example.com").await;
    let stranger = sign_up(&server, "eve@example.com").await;
    let (status, list) = answer(as_person(&server, &second, Method::GET, "/auth/v1/sessions")).await;
    let list = list["sessions"].as_array().unwrap().clone();
    assert_eq!((status, list.len()), (200, 2), "{list:?}");
    let other = list.iter().find(|session| session["current"] == false).unwrap();
    let path = format!("/auth/v1/sessions/{}", other["id"].as_str().unwrap());
    for (who, status) in [(&stranger, 403), (&second, 204), (&second, 403)] {
        assert_eq!(
            answer(as_person(&server, who, Method::DELETE, &path)).await.0,
            status
        );
    }
    assert_eq!(refresh(&server, &first).await.0, 400);
    assert_eq!(refresh(&server, &second).await.0, 200);
    assert_eq!(
        answer(as_person(&server, &first, Method::GET, "/auth/v1/sessions"))
            .await
            .0,
        403
    );
    for path in [
        "/auth/v1/sessions/nonsense",
        "/auth/v1/sessions/00000000-0000-0000-0000-000000000000",
    ] {
        assert_eq!(
            answer(as_person(&server, &second, Method::DELETE, path)).await.0,
            403
        );
    }
    assert_eq!(
        answer(server.anonymous(Method::GET, "/auth/v1/sessions")).await.0,
        401
    );
    assert_eq!(answer(server.anonymous(Method::DELETE, &path)).await.0, 401);
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_over_or_nobody_used_it() {
    let server = TestServer::configured(vec![], |config| {
        config.auth.session_hours = 24;
        config.auth.session_idle_hours = 8;
    })
    .await;
    let mut session = sign_up(&server, "ada@example.com").await;
    for _ in 0..3 {
        server.advance(SignedDuration::from_hours(7));
        let (status, next) = refresh(&server, &session).await;
        assert_eq!(status, 200, "{next}");
        session = next;
    }
    server.advance(SignedDuration::from_hours(4));
    let (status, fault) = refresh(&server, &session).await;
    assert_eq!((status, &fault["error_code"]), (400, &json!("session_expired")));

    let silent = sign_in(&server, "ada@example.com").await;
    server.advance(SignedDuration::from_hours(9));
    let (status, fault) = refresh(&server, &silent).await;
    assert_eq!((status, &fault["error_code"]), (400, &json!("session_expired")));
    assert_eq!(
        refresh(&server, &silent).await.1["error_code"],
        "refresh_token_not_found"
    );
}

#[tokio::test]
async fn where_one_session_is_allowed_signing_in_ends_the_others() {
    let server = TestServer::configured(vec![], |config| config.auth.single_session = true).await;
    let first = sign_up(&server, "ada@example.com").await;
    let second = sign_in(&server, "ada@example.com").await;
    assert_eq!(refresh(&server, &first).await.0, 400);
    assert_eq!(refresh(&server, &second).await.0, 200);
}

#[tokio::test]
async fn a_person_takes_their_data_along_and_erases_their_account() {
    let server = TestServer::start(vec![]).await;
    let ada = sign_up(&server, "ada@example.com").await;
    let (status, data) = answer(as_person(&server, &ada, Method::GET, "/auth/v1/user/data")).await;
    assert_eq!((status, &data["user"]["email"]), (200, &json!("ada@example.com")));
    assert_eq!(data["log"][0]["action"], "user_signedup");
    assert_eq!(data["log"][1]["action"], "login");
    let erase = |body: Value| as_person(&server, &ada, Method::DELETE, "/auth/v1/user/data").json(&body);
    assert_eq!(answer(erase(json!({}))).await.0, 400);
    assert_eq!(answer(erase(json!({ "password": "wrong" }))).await.0, 400);
    assert_eq!(answer(erase(json!({ "password": PASSWORD }))).await.0, 204);
    assert_eq!(
        answer(as_person(&server, &ada, Method::GET, "/auth/v1/user"))
            .await
            .0,
        403
    );
    // The address is free again.
    assert_ne!(
        sign_up(&server, "ada@example.com").await["user"]["id"],
        ada["user"]["id"]
    );
    assert_eq!(
        answer(server.anonymous(Method::GET, "/auth/v1/user/data"))
            .await
            .0,
        401
    );
    let org = server.organization("Harbour").await;
    let request = org
        .owner
        .request(Method::DELETE, "/auth/v1/user/data")
        .json(&json!({ "password": PASSWORD }));
    assert_eq!(answer(request).await.0, 409);
}

fn cookie_of(response: &Response) -> String {
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn with_cookie(server: &TestServer, path: &str, body: Value, cookie: &str) -> Response {
    server
        .anonymous(Method::POST, path)
        .header("x-tenon-session", "cookie")
        .header("cookie", cookie)
        .json(&body)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn the_web_app_s_refresh_token_is_in_a_cookie_and_nowhere_else() {
    let server = TestServer::start(vec![]).await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let response = with_cookie(&server, "/auth/v1/signup", body, "").await;
    let text = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        text.contains("HttpOnly") && text.contains("SameSite=Strict") && text.contains("Path=/auth/v1"),
        "{text}"
    );
    let cookie = cookie_of(&response);
    let session: Value = response.json().await.unwrap();
    assert_eq!(session["refresh_token"], "cookie");

    let word = json!({ "refresh_token": "cookie" });
    let path = "/auth/v1/token?grant_type=refresh_token";
    let response = with_cookie(&server, path, word.clone(), &cookie).await;
    let next = cookie_of(&response);
    assert_ne!(cookie, next);
    let session: Value = response.json().await.unwrap();
    assert_eq!(session["refresh_token"], "cookie");
    // Without the header, as another site's form would send it, the cookie is nothing.
    let request = server
        .anonymous(Method::POST, path)
        .header("cookie", &next)
        .json(&word);
    assert_eq!(answer(request).await.0, 400);
    // Nor may another site send the header.
    let preflight = server
        .http()
        .request(Method::OPTIONS, server.url(path))
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,x-tenon-session")
        .send()
        .await
        .unwrap();
    let granted = preflight.headers()["access-control-allow-headers"]
        .to_str()
        .unwrap();
    assert!(!granted.contains("x-tenon-session"), "{granted}");
    assert!(
        preflight
            .headers()
            .get("access-control-allow-credentials")
            .is_none()
    );

    let response = server
        .anonymous(Method::POST, "/auth/v1/logout?scope=local")
        .bearer_auth(session["access_token"].as_str().unwrap())
        .header("x-tenon-session", "cookie")
        .header("cookie", &next)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 204);
    assert_eq!(cookie_of(&response), "tenon_session=");
    let response = with_cookie(&server, path, word.clone(), &next).await;
    assert_eq!(
        (response.status().as_u16(), cookie_of(&response)),
        (400, "tenon_session=".to_owned())
    );
    let response = with_cookie(&server, path, word, "").await;
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn a_link_of_a_mail_leads_into_the_web_app_without_tokens_in_the_address() {
    let server = TestServer::configured(vec![], |config| config.mail.mailbox = true).await;
    sign_up(&server, "ada@example.com").await;
    let target = server.url("/new-password?session=cookie");
    let request = server
        .anonymous(Method::POST, "/auth/v1/recover")
        .query(&[("redirect_to", &target)])
        .json(&json!({ "email": "ada@example.com" }));
    assert_eq!(answer(request).await.0, 200);
    let (_, mails) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
    let text = mails[0]["text"].as_str().unwrap();
    let link = text
        .split_whitespace()
        .find(|word| word.starts_with("http"))
        .unwrap();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let response = client.get(link).send().await.unwrap();
    assert_eq!(response.status(), 303);
    assert_eq!(
        response.headers()["location"].to_str().unwrap(),
        server.url("/new-password#type=recovery&session=cookie")
    );
    let cookie = cookie_of(&response);
    let word = json!({ "refresh_token": "cookie" });
    let response = with_cookie(&server, "/auth/v1/token?grant_type=refresh_token", word, &cookie).await;
    assert_eq!(response.status(), 200);
}
