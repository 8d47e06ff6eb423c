//! A program asks, and a person answers.

use jiff::SignedDuration;
use reqwest::Method;
use reqwest::StatusCode;
use reqwest::header;
use serde_json::Value;
use serde_json::json;
use tenon_testkit::answer;
use tenon_testkit::{TestServer, TestServerOptions};

use super::{
    CALLBACK, CHALLENGE, VERIFIER, app, approve, claims, decide, details, location, public_app, server, value,
};

#[tokio::test]
async fn a_program_signs_a_person_in() {
    let server = server().await;
    let (app, ada) = (app(&server).await, server.user("ada").await);
    let id = app.ask(&[]).await;
    let (status, asked) = details(&ada, &id).await;
    assert_eq!(status, 200);
    assert_eq!(asked["client"]["name"], "Harbour");
    assert_eq!(asked["client"]["id"], app.id.as_str());
    assert_eq!(asked["user"]["email"], ada.email.as_str());
    assert_eq!(asked["scope"], "openid email profile");
    assert_eq!(asked["redirect_uri"], CALLBACK);
    assert_eq!(asked["authorization_id"], id.as_str());
    let back = approve(&ada, &id).await;
    assert!(back.as_str().starts_with(CALLBACK));
    assert_eq!(value(&back, "state").as_deref(), Some("a state & more"));
    assert_eq!(value(&back, "iss"), Some(server.url("/auth/v1")));

    let code = value(&back, "code").expect("a code");
    let (status, tokens) = app.exchange(&code, VERIFIER).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(tokens["token_type"], "bearer");
    assert_eq!(tokens["scope"], "openid email profile");
    let access = claims(&tokens["access_token"]);
    assert_eq!(access["client_id"], app.id.as_str());
    assert_eq!(access["scope"], "openid email profile");
    assert_eq!(access["sub"], json!(ada.id));
    let id_token = claims(&tokens["id_token"]);
    assert_eq!(id_token["aud"], app.id.as_str());
    assert_eq!(id_token["iss"], server.url("/auth/v1"));
    assert_eq!(id_token["nonce"], "n-1");
    assert_eq!(id_token["email"], ada.email.as_str());
    assert_eq!(id_token["name"], "ada");
    assert!(id_token["auth_time"].is_i64() && id_token["at_hash"].is_string());

    let (status, told) = app
        .call(Method::GET, "/auth/v1/oauth/userinfo", &tokens, None)
        .await;
    assert_eq!(
        (status, &told["sub"], &told["email"]),
        (200, &json!(ada.id), &json!(ada.email))
    );
    assert!(told["phone_number"].is_null());

    // Nobody answers twice.
    assert_eq!(
        decide(&ada, &id, "approve").await.1["error_code"],
        "oauth_authorization_not_found"
    );
}

#[tokio::test]
async fn who_says_no_is_sent_back_without_a_code() {
    let server = server().await;
    let (app, ada) = (app(&server).await, server.user("ada").await);
    let id = app.ask(&[]).await;
    assert_eq!(decide(&ada, &id, "").await.0, 400);
    assert_eq!(decide(&ada, &id, "APPROVE").await.0, 400);
    let (status, body) = decide(&ada, &id, "deny").await;
    assert_eq!(status, 200);
    let back = url::Url::parse(body["redirect_url"].as_str().expect("text")).expect("a URL");
    assert_eq!(value(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(value(&back, "state").as_deref(), Some("a state & more"));
    assert_eq!(value(&back, "iss"), Some(server.url("/auth/v1")));
    assert!(value(&back, "code").is_none());
    assert_eq!(decide(&ada, &id, "approve").await.0, 404);
    assert_eq!(ada.get_json("/auth/v1/user/oauth/grants").await, (200, json!([])));
}

#[tokio::test]
async fn faults_go_to_the_program_only_where_its_address_is_known() {
    let server = server().await;
    let app = app(&server).await;
    for changes in [
        [("client_id", "")],
        [("client_id", "nobody")],
        [("client_id", "00000000-0000-0000-0000-000000000000")],
        [("redirect_uri", "https://evil.example/callback")],
        [("redirect_uri", "https://app.example.com/callback/../other")],
        [("redirect_uri", "https://app.example.com/callback#x")],
        [("redirect_uri", "https://app.example.com/callback?x=1")],
        [("redirect_uri", "https://app.example.com@evil.example/callback")],
        [("redirect_uri", "javascript:alert(1)")],
        [("redirect_uri", "//evil.example")],
    ] {
        let response = app.authorize(&changes).await;
        assert!(!response.headers().contains_key(header::LOCATION), "{changes:?}");
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{changes:?}");
        let body: Value = response.json().await.expect("JSON");
        assert!(body["error"].is_string(), "{body}");
    }
    // A browser is led to a page of this installation.
    let response = app
        .http
        .get(server.url("/auth/v1/oauth/authorize?client_id=x&redirect_uri=https://evil.example"))
        .header(header::ACCEPT, "text/html,*/*")
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        location(&response).as_str(),
        server.url("/oauth/consent?fault=client")
    );

    let long = "x".repeat(5000);
    for (changes, error) in [
        ([("response_type", "")], "invalid_request"),
        ([("response_type", "token")], "unsupported_response_type"),
        ([("response_type", "code id_token")], "unsupported_response_type"),
        ([("response_mode", "fragment")], "invalid_request"),
        ([("code_challenge", "")], "invalid_request"),
        ([("code_challenge", "short")], "invalid_request"),
        ([("code_challenge", &*"é".repeat(43))], "invalid_request"),
        ([("code_challenge_method", "")], "invalid_request"),
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("code_challenge_method", "s256")], "invalid_request"),
        ([("scope", "openid admin")], "invalid_scope"),
        ([("prompt", "none")], "login_required"),
        ([("max_age", "-1")], "invalid_request"),
        ([("request", "x.y.z")], "request_not_supported"),
        (
            [("request_uri", "https://evil.example")],
            "request_uri_not_supported",
        ),
        ([("resource", "https://evil.example/mcp")], "invalid_target"),
        ([("resource", "mcp")], "invalid_target"),
    ] {
        let response = app.authorize(&changes).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{changes:?}");
        let back = location(&response);
        assert!(back.as_str().starts_with(CALLBACK), "{changes:?}: {back}");
        assert_eq!(value(&back, "error").as_deref(), Some(error), "{changes:?}");
        assert_eq!(value(&back, "state").as_deref(), Some("a state & more"));
        assert_eq!(value(&back, "iss"), Some(server.url("/auth/v1")));
    }
    for query in [
        format!("client_id={id}&client_id={id}", id = app.id),
        format!("client_id={}&state={long}", app.id),
        format!("client_id={}&state=%00", app.id),
        String::new(),
    ] {
        let url = format!("{}/auth/v1/oauth/authorize?{query}", app.server);
        let response = app.http.get(url).send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query:.80}");
    }
    let resource = server.url("/mcp");
    app.ask(&[("resource", &resource)]).await;
    // The only registered address need not be named; the same request may come as a form.
    app.ask(&[("redirect_uri", "")]).await;
    let form = [
        ("response_type", "code"),
        ("client_id", &app.id),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let url = format!("{}/auth/v1/oauth/authorize", app.server);
    let response = app.http.post(url).form(&form).send().await.expect("an answer");
    assert!(value(&location(&response), "authorization_id").is_some());
}

#[tokio::test]
async fn a_request_is_answered_by_whoever_looked_at_it_first_and_in_ten_minutes() {
    let server = server().await;
    let (app, ada, eve) = (
        app(&server).await,
        server.user("ada").await,
        server.user("eve").await,
    );
    let id = app.ask(&[]).await;
    assert_eq!(details(&ada, &id).await.0, 200);
    for (status, body) in [
        details(&eve, &id).await,
        decide(&eve, &id, "approve").await,
        decide(&eve, &id, "deny").await,
    ] {
        assert_eq!(
            (status, &body["error_code"]),
            (404, &json!("oauth_authorization_not_found"))
        );
    }
    for path in [
        format!("/auth/v1/oauth/authorizations/{id}"),
        "/auth/v1/user/oauth/grants".into(),
    ] {
        assert_eq!(
            answer(server.anonymous(Method::GET, &path)).await.0,
            401,
            "{path}"
        );
    }
    assert_eq!(details(&ada, "nothing").await.0, 404);
    assert_eq!(details(&ada, &"x".repeat(3000)).await.0, 404);
    server.advance(SignedDuration::from_secs(601));
    assert_eq!(decide(&ada, &id, "approve").await.0, 404);
}

#[tokio::test]
async fn who_agreed_is_asked_again_for_more_or_where_the_program_wants_it() {
    let server = server().await;
    let (app, ada) = (app(&server).await, server.user("ada").await);
    app.tokens(&ada, "openid email").await;
    let asked = |body: &Value| body["redirect_url"].is_null();
    let id = app.ask(&[("scope", "openid")]).await;
    let (_, body) = details(&ada, &id).await;
    assert!(!asked(&body), "granted before: {body}");
    for changes in [[("scope", "openid profile")], [("prompt", "consent")]] {
        let id = app.ask(&changes).await;
        let (status, body) = details(&ada, &id).await;
        assert_eq!((status, asked(&body)), (200, true), "{changes:?}");
    }
    let eve = server.user("eve").await;
    let id = app.ask(&[("scope", "openid")]).await;
    assert!(
        asked(&details(&eve, &id).await.1),
        "somebody else's yes counts for nobody"
    );
    // What is granted adds up.
    app.tokens(&ada, "openid profile").await;
    let (_, grants) = ada.get_json("/auth/v1/user/oauth/grants").await;
    assert_eq!(grants[0]["scopes"], json!(["openid", "email", "profile"]));
}

#[tokio::test]
async fn a_program_may_want_people_to_sign_in_again() {
    let server = server().await;
    let (app, ada) = (app(&server).await, server.user("ada").await);
    server.advance(SignedDuration::from_secs(120));
    for changes in [[("prompt", "login")], [("max_age", "60")]] {
        let id = app.ask(&changes).await;
        let (status, body) = details(&ada, &id).await;
        assert_eq!(
            (status, &body["error_code"]),
            (403, &json!("reauthentication_needed")),
            "{changes:?}"
        );
        assert_eq!(decide(&ada, &id, "approve").await.0, 403);
    }
    let id = app.ask(&[("max_age", "3600")]).await;
    assert_eq!(details(&ada, &id).await.0, 200);
}

#[tokio::test]
async fn an_installed_program_listens_on_any_port_of_the_persons_machine() {
    let server = server().await;
    let (app, ada) = (
        public_app(&server, "http://127.0.0.1/callback").await,
        server.user("ada").await,
    );
    assert!(app.secret.is_none());
    let redirect = "http://127.0.0.1:51004/callback";
    let code = app.code(&ada, &[("redirect_uri", redirect)]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", redirect),
    ];
    let (status, tokens) = app.post("token", &form).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(app.refresh(&tokens).await.0, 200);
    for other in ["http://127.0.0.1:51004/other", "http://localhost:51004/callback"] {
        let response = app.authorize(&[("redirect_uri", other)]).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{other}");
    }
    // Another program could be listening there now: the person is asked each time.
    let id = app.ask(&[("redirect_uri", redirect)]).await;
    assert!(details(&ada, &id).await.1["redirect_url"].is_null());
    // Who has no secret learns nothing of tokens.
    let token = tokens["access_token"].as_str().expect("a token");
    assert_eq!(
        app.post("introspect", &[("token", token)]).await.1["error"],
        "invalid_client"
    );
}

#[tokio::test]
async fn requests_that_come_when_the_keys_are_looked_at_wait_for_no_second_connection() {
    let options = TestServerOptions {
        config: Some(|config| config.auth.issuer.registration = true),
        database: Some(|database| database.pool_size = 2),
        no_workers: true,
    };
    let server = TestServer::start_with(vec![], options).await;
    let app = app(&server).await;
    server.advance(SignedDuration::from_secs(61));
    let asked = std::iter::repeat_with(|| app.authorize(&[])).take(8);
    for response in futures_util::future::join_all(asked).await {
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(location(&response).path(), "/oauth/consent");
    }
}
