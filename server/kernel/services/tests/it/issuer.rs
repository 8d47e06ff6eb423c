//! Tenon as provider: programs sign people in, and every way in which that could go wrong.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};
use tenon_sdk::config::Config;
use tenon_testkit::{PASSWORD, SERVICE_KEY, TestServer, TestServerOptions, TestUser, answer};

const CALLBACK: &str = "https://app.example.com/callback";
/// Verifier and challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

async fn server_with(config: fn(&mut Config)) -> TestServer {
    let options = TestServerOptions {
        config: Some(config),
        no_workers: true,
        ..TestServerOptions::default()
    };
    TestServer::start_with(vec![], options).await
}

async fn server() -> TestServer {
    server_with(|config| config.auth.issuer.registration = true).await
}

/// A program and its browser.
struct App {
    id: String,
    secret: Option<String>,
    server: String,
    http: reqwest::Client,
}

async fn register(server: &TestServer, metadata: Value) -> (u16, Value) {
    answer(
        server
            .anonymous(Method::POST, "/auth/v1/oauth/clients/register")
            .json(&metadata),
    )
    .await
}

async fn app_with(server: &TestServer, metadata: Value) -> App {
    let (status, made) = register(server, metadata).await;
    assert_eq!(status, 201, "{made}");
    App {
        id: made["client_id"].as_str().expect("an id").to_owned(),
        secret: made["client_secret"].as_str().map(str::to_owned),
        server: server.url(""),
        http: reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client"),
    }
}

async fn app(server: &TestServer) -> App {
    app_with(
        server,
        json!({ "client_name": "Harbour", "redirect_uris": [CALLBACK] }),
    )
    .await
}

async fn public_app(server: &TestServer, redirect: &str) -> App {
    let metadata = json!({
        "client_name": "Editor",
        "redirect_uris": [redirect],
        "token_endpoint_auth_method": "none",
    });
    app_with(server, metadata).await
}

fn location(response: &Response) -> url::Url {
    let text = response.headers()[header::LOCATION].to_str().expect("text");
    url::Url::parse(text).expect("a URL")
}

fn value(url: &url::Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

impl App {
    /// A good request, with changes; a change to nothing leaves the parameter out.
    async fn authorize(&self, changes: &[(&str, &str)]) -> Response {
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", CALLBACK),
            ("scope", "openid email profile"),
            ("state", "a state & more"),
            ("nonce", "n-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        parameters.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        parameters.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        self.http
            .get(format!("{}/auth/v1/oauth/authorize", self.server))
            .query(&parameters)
            .send()
            .await
            .expect("an answer")
    }

    /// The id of a good request.
    async fn ask(&self, changes: &[(&str, &str)]) -> String {
        let response = self.authorize(changes).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let page = location(&response);
        assert_eq!(page.path(), "/oauth/consent", "{page}");
        value(&page, "authorization_id").unwrap_or_else(|| panic!("no request: {page}"))
    }

    /// The code that a person's yes gives.
    async fn code(&self, person: &TestUser, changes: &[(&str, &str)]) -> String {
        let id = self.ask(changes).await;
        let (status, body) = details(person, &id).await;
        assert_eq!(status, 200, "{body}");
        if body["redirect_url"].is_null() {
            let url = approve(person, &id).await;
            return value(&url, "code").expect("a code");
        }
        let url = url::Url::parse(body["redirect_url"].as_str().expect("text")).expect("a URL");
        value(&url, "code").expect("a code")
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let request = self.http.post(format!("{}/auth/v1/oauth/{path}", self.server));
        let request = if let Some(secret) = &self.secret {
            request.basic_auth(&self.id, Some(secret)).form(form)
        } else {
            let mut form = form.to_vec();
            form.push(("client_id", &self.id));
            request.form(&form)
        };
        answer(request).await
    }

    async fn exchange(&self, code: &str, verifier: &str) -> (u16, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", verifier),
            ("redirect_uri", CALLBACK),
        ];
        self.post("token", &form).await
    }

    async fn refresh(&self, tokens: &Value) -> (u16, Value) {
        let token = tokens["refresh_token"].as_str().expect("a refresh token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.post("token", &form).await
    }

    async fn tokens(&self, person: &TestUser, scope: &str) -> Value {
        let code = self.code(person, &[("scope", scope)]).await;
        let (status, tokens) = self.exchange(&code, VERIFIER).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    /// A request with the program's access token.
    async fn call(&self, method: Method, path: &str, tokens: &Value, body: Option<Value>) -> (u16, Value) {
        let token = tokens["access_token"].as_str().expect("a token");
        let request = self
            .http
            .request(method, format!("{}{path}", self.server))
            .bearer_auth(token);
        answer(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }
}

async fn details(person: &TestUser, id: &str) -> (u16, Value) {
    person
        .get_json(&format!("/auth/v1/oauth/authorizations/{id}"))
        .await
}

async fn decide(person: &TestUser, id: &str, action: &str) -> (u16, Value) {
    let path = format!("/auth/v1/oauth/authorizations/{id}/consent");
    person.post_json(&path, &json!({ "action": action })).await
}

async fn approve(person: &TestUser, id: &str) -> url::Url {
    let (status, body) = decide(person, id, "approve").await;
    assert_eq!(status, 200, "{body}");
    url::Url::parse(body["redirect_url"].as_str().expect("text")).expect("a URL")
}

fn claims(token: &Value) -> Value {
    let payload = token
        .as_str()
        .expect("a token")
        .split('.')
        .nth(1)
        .expect("claims");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

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
async fn a_code_is_good_once_for_its_program_with_its_verifier() {
    let server = server().await;
    let (app, ada) = (app(&server).await, server.user("ada").await);
    let other = self::app(&server).await;
    let refused = |(status, body): (u16, Value)| {
        assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "{body}");
    };

    let code = app.code(&ada, &[]).await;
    refused(other.exchange(&code, VERIFIER).await);
    // Whoever showed it may be a thief: it is spent.
    refused(app.exchange(&code, VERIFIER).await);

    let code = app.code(&ada, &[]).await;
    refused(app.exchange(&code, &VERIFIER.replace('d', "e")).await);
    refused(app.exchange(&code, VERIFIER).await);

    let code = app.code(&ada, &[]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", "https://app.example.com/other"),
    ];
    refused(app.post("token", &form).await);

    let code = app.code(&ada, &[]).await;
    server.advance(SignedDuration::from_secs(301));
    refused(app.exchange(&code, VERIFIER).await);

    let code = app.code(&ada, &[]).await;
    let without = [("grant_type", "authorization_code"), ("code", &*code)];
    assert_eq!(app.post("token", &without).await.1["error"], "invalid_request");
    // The challenge is no verifier.
    refused(app.exchange(&code, CHALLENGE).await);
    assert_eq!(app.exchange("", VERIFIER).await.1["error"], "invalid_request");
    refused(app.exchange(&"x".repeat(4000), VERIFIER).await);
    assert_eq!(
        app.exchange(&"x".repeat(5000), VERIFIER).await.1["error"],
        "invalid_request"
    );
}

#[tokio::test]
async fn a_code_that_comes_back_ends_what_it_was_exchanged_for() {
    let server = server().await;
    let (app, ada) = (app(&server).await, server.user("ada").await);
    let code = app.code(&ada, &[]).await;
    let (_, tokens) = app.exchange(&code, VERIFIER).await;
    assert_eq!(app.exchange(&code, VERIFIER).await.1["error"], "invalid_grant");
    assert_eq!(app.refresh(&tokens).await.1["error"], "invalid_grant");
    assert_eq!(
        app.call(Method::GET, "/auth/v1/oauth/userinfo", &tokens, None)
            .await
            .0,
        401
    );
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_return_ends_the_session() {
    let server = server().await;
    let (app, ada) = (app(&server).await, server.user("ada").await);
    let first = app.tokens(&ada, "openid email").await;
    let (status, second) = app.refresh(&first).await;
    assert_eq!(status, 200, "{second}");
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let (before, after) = (claims(&first["id_token"]), claims(&second["id_token"]));
    assert_eq!(
        (&before["sub"], &before["auth_time"]),
        (&after["sub"], &after["auth_time"])
    );
    assert!(after["nonce"].is_null());

    // Less may be asked for, more may not.
    let token = second["refresh_token"].as_str().expect("a token");
    let with = |scope: &'static str| {
        [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("scope", scope),
        ]
    };
    assert_eq!(
        app.post("token", &with("openid profile")).await.1["error"],
        "invalid_scope"
    );
    let (status, third) = app.post("token", &with("email")).await;
    assert_eq!((status, &third["scope"]), (200, &json!("email")));
    assert!(third["id_token"].is_null());

    assert_eq!(app.refresh(&first).await.1["error"], "invalid_grant");
    assert_eq!(app.refresh(&third).await.1["error"], "invalid_grant");
    assert_eq!(
        app.call(Method::GET, "/auth/v1/oauth/userinfo", &second, None)
            .await
            .0,
        401
    );
}

#[tokio::test]
async fn a_refresh_token_is_its_programs_alone_and_gets_old() {
    let server = server().await;
    let (app, ada) = (app(&server).await, server.user("ada").await);
    let other = self::app(&server).await;
    let tokens = app.tokens(&ada, "openid").await;
    assert_eq!(other.refresh(&tokens).await.1["error"], "invalid_grant");
    // Nor is it good where people refresh theirs, or theirs here.
    let body = json!({ "refresh_token": tokens["refresh_token"] });
    let path = "/auth/v1/token?grant_type=refresh_token";
    let (status, body) = answer(server.anonymous(Method::POST, path).json(&body)).await;
    assert_eq!(
        (status, &body["error_code"]),
        (400, &json!("refresh_token_not_found"))
    );
    let body = json!({ "email": ada.email, "password": PASSWORD });
    let path = "/auth/v1/token?grant_type=password";
    let (_, own) = answer(server.anonymous(Method::POST, path).json(&body)).await;
    assert_eq!(app.refresh(&own).await.1["error"], "invalid_grant");

    let (status, tokens) = app.refresh(&tokens).await;
    assert_eq!(status, 200);
    server.advance(SignedDuration::from_hours(24 * 30));
    assert_eq!(app.refresh(&tokens).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn a_program_shows_who_it_is_as_it_was_registered_to() {
    let server = server().await;
    let (app, ada) = (app(&server).await, server.user("ada").await);
    let secret = app.secret.clone().expect("a secret");
    let code = app.code(&ada, &[]).await;
    let url = server.url("/auth/v1/oauth/token");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ];
    let with = |more: &[(&'static str, &str)]| {
        let form: Vec<(String, String)> = form
            .iter()
            .chain(more)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        app.http.post(&url).form(&form)
    };
    for (request, error) in [
        (with(&[]), "invalid_client"),
        (with(&[("client_id", &app.id)]), "invalid_client"),
        (
            with(&[("client_id", &app.id), ("client_secret", &secret)]),
            "invalid_client",
        ),
        (
            with(&[("client_id", "nobody"), ("client_secret", &secret)]),
            "invalid_client",
        ),
        (with(&[]).basic_auth(&app.id, Some("wrong")), "invalid_client"),
        (with(&[]).basic_auth(&app.id, None::<&str>), "invalid_client"),
        (
            with(&[("client_secret", &secret)]).basic_auth(&app.id, Some(&secret)),
            "invalid_request",
        ),
        (
            with(&[("grant_type", "x")]).basic_auth(&app.id, Some(&secret)),
            "invalid_request",
        ),
        (
            app.http
                .post(&url)
                .json(&json!({}))
                .basic_auth(&app.id, Some(&secret)),
            "invalid_request",
        ),
        (
            app.http
                .post(&url)
                .form(&[("grant_type", "password")])
                .basic_auth(&app.id, Some(&secret)),
            "unsupported_grant_type",
        ),
        (
            app.http
                .post(&url)
                .form(&[("x", "y")])
                .basic_auth(&app.id, Some(&secret)),
            "invalid_request",
        ),
    ] {
        let response = request.send().await.expect("an answer");
        let (status, challenge) = (
            response.status(),
            response.headers().contains_key(header::WWW_AUTHENTICATE),
        );
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let body: Value = response.json().await.expect("JSON");
        assert_eq!(body["error"], error, "{body}");
        assert_eq!(status == StatusCode::UNAUTHORIZED, error == "invalid_client");
        assert_eq!(challenge, error == "invalid_client");
    }
    // All of that spent nothing.
    assert_eq!(app.exchange(&code, VERIFIER).await.0, 200);

    let post = app_with(
        &server,
        json!({ "client_name": "P", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_post" }),
    )
    .await;
    let code = post.code(&ada, &[]).await;
    assert_eq!(post.exchange(&code, VERIFIER).await.1["error"], "invalid_client");
    let mut form = form.to_vec();
    form[1] = ("code", &code);
    form.push(("client_id", &post.id));
    form.push(("client_secret", post.secret.as_deref().expect("a secret")));
    assert_eq!(answer(app.http.post(&url).form(&form)).await.0, 200);
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
async fn a_person_takes_a_grant_back() {
    let server = server().await;
    let (app, ada, eve) = (
        app(&server).await,
        server.user("ada").await,
        server.user("eve").await,
    );
    let tokens = app.tokens(&ada, "openid email").await;
    let others = app.tokens(&eve, "openid").await;
    let waiting = app.code(&ada, &[("scope", "openid")]).await;
    let (_, grants) = ada.get_json("/auth/v1/user/oauth/grants").await;
    assert_eq!(grants.as_array().map(Vec::len), Some(1));
    assert_eq!(grants[0]["client"]["name"], "Harbour");
    assert_eq!(grants[0]["scopes"], json!(["openid", "email"]));
    assert!(grants[0]["granted_at"].is_string());

    let revoke = |id: &str| {
        ada.request(
            Method::DELETE,
            &format!("/auth/v1/user/oauth/grants?client_id={id}"),
        )
    };
    for bad in ["", "nothing", "00000000-0000-0000-0000-000000000000"] {
        let (status, body) = answer(revoke(bad)).await;
        assert_eq!(
            (status, &body["error_code"]),
            (404, &json!("oauth_consent_not_found"))
        );
    }
    assert_eq!(answer(revoke(&app.id)).await.0, 204);
    assert_eq!(answer(revoke(&app.id)).await.0, 404);
    assert_eq!(app.refresh(&tokens).await.1["error"], "invalid_grant");
    assert_eq!(app.exchange(&waiting, VERIFIER).await.1["error"], "invalid_grant");
    assert_eq!(
        app.call(Method::GET, "/auth/v1/oauth/userinfo", &tokens, None)
            .await
            .0,
        401
    );
    assert_eq!(ada.get_json("/auth/v1/user/oauth/grants").await.1, json!([]));
    // The person's own session goes on, and so does everybody else's.
    assert_eq!(ada.get_json("/auth/v1/user").await.0, 200);
    assert_eq!(app.refresh(&others).await.0, 200);
    let id = app.ask(&[("scope", "openid")]).await;
    assert!(
        details(&ada, &id).await.1["redirect_url"].is_null(),
        "asked again"
    );
    // All of it is on record.
    let admin = server.admin().await;
    let row = admin
        .query_one(
            "select count(distinct payload ->> 'action') from auth.audit_log_entries where payload ->> 'action' in \
             ('oauth_client_registered', 'oauth_authorization_approved', 'oauth_token_issued', 'oauth_grant_revoked')",
            &[],
        )
        .await
        .expect("a count");
    assert_eq!(row.get::<_, i64>(0), 4);
}

#[tokio::test]
async fn a_program_gives_a_token_back_and_asks_whether_one_is_good() {
    let server = server().await;
    let (app, ada) = (app(&server).await, server.user("ada").await);
    let other = self::app(&server).await;
    let text = |tokens: &Value, name: &str| tokens[name].as_str().expect("a token").to_owned();
    for name in ["access_token", "refresh_token"] {
        let tokens = app.tokens(&ada, "openid").await;
        let token = text(&tokens, name);
        let (_, told) = app.post("introspect", &[("token", &token)]).await;
        assert_eq!(
            (&told["active"], &told["scope"], &told["sub"]),
            (&json!(true), &json!("openid"), &json!(ada.id))
        );
        let not = (200, json!({ "active": false }));
        assert_eq!(other.post("introspect", &[("token", &token)]).await, not);
        assert_eq!(other.post("revoke", &[("token", &token)]).await.0, 200);
        assert_eq!(
            app.post("introspect", &[("token", &token)]).await.1["active"],
            true
        );
        assert_eq!(app.post("revoke", &[("token", &token)]).await.0, 200);
        assert_eq!(app.post("introspect", &[("token", &token)]).await, not);
        assert_eq!(app.refresh(&tokens).await.1["error"], "invalid_grant");
    }
    assert_eq!(app.post("revoke", &[("token", "nothing")]).await.0, 200);
    assert_eq!(app.post("revoke", &[]).await.1["error"], "invalid_request");
    // A person's own token is none of a program's.
    assert_eq!(
        app.post("introspect", &[("token", &ada.token)]).await.1,
        json!({ "active": false })
    );
    assert_eq!(app.post("revoke", &[("token", &ada.token)]).await.0, 200);
    assert_eq!(ada.get_json("/auth/v1/user").await.0, 200);
}

#[tokio::test]
async fn a_program_learns_who_somebody_is_and_changes_nothing() {
    let server = server().await;
    let (app, ada) = (app(&server).await, server.user("ada").await);
    let tokens = app.tokens(&ada, "openid").await;
    let (status, told) = app
        .call(Method::GET, "/auth/v1/oauth/userinfo", &tokens, None)
        .await;
    assert_eq!((status, told), (200, json!({ "sub": ada.id })));
    let access = claims(&tokens["access_token"]);
    assert_eq!(
        (&access["email"], &access["user_metadata"]),
        (&json!(""), &json!({}))
    );

    let everything = app
        .tokens(&ada, "openid email profile phone offline_access api")
        .await;
    let pending = app.ask(&[]).await;
    let password = json!({ "password": "a password of the program" });
    for tokens in [&tokens, &everything] {
        for (method, path, body) in [
            (Method::PUT, "/auth/v1/user".to_owned(), password.clone()),
            (
                Method::PUT,
                "/auth/v1/user".to_owned(),
                json!({ "email": "eve@example.com" }),
            ),
            (
                Method::PUT,
                "/auth/v1/user".to_owned(),
                json!({ "data": { "name": "Eve" } }),
            ),
            (Method::POST, "/auth/v1/logout?scope=global".to_owned(), json!({})),
            (
                Method::POST,
                "/auth/v1/factors".to_owned(),
                json!({ "factor_type": "totp" }),
            ),
            (
                Method::GET,
                format!("/auth/v1/oauth/authorizations/{pending}"),
                json!({}),
            ),
            (
                Method::POST,
                format!("/auth/v1/oauth/authorizations/{pending}/consent"),
                json!({ "action": "approve" }),
            ),
            (Method::GET, "/auth/v1/user/oauth/grants".to_owned(), json!({})),
            (
                Method::DELETE,
                format!("/auth/v1/user/oauth/grants?client_id={}", app.id),
                json!({}),
            ),
            (Method::GET, "/auth/v1/admin/oauth/clients".to_owned(), json!({})),
            (
                Method::POST,
                "/api/v1/tenancy/organizations".to_owned(),
                json!({ "name": "Theirs" }),
            ),
        ] {
            let (status, body) = app.call(method.clone(), &path, tokens, Some(body)).await;
            let code = body.get("error_code").or_else(|| body.get("code"));
            assert_eq!(
                (status, code),
                (403, Some(&json!("insufficient_scope"))),
                "{method} {path}"
            );
        }
    }
    for (path, with_api) in [("/auth/v1/user", 200), ("/api/v1/tenancy/organizations", 200)] {
        assert_eq!(app.call(Method::GET, path, &tokens, None).await.0, 403, "{path}");
        assert_eq!(
            app.call(Method::GET, path, &everything, None).await.0,
            with_api,
            "{path}"
        );
    }
    let without = app.tokens(&ada, "email").await;
    let (status, body) = app
        .call(Method::GET, "/auth/v1/oauth/userinfo", &without, None)
        .await;
    assert_eq!((status, &body["error"]), (403, &json!("insufficient_scope")));
    assert_eq!(
        answer(server.anonymous(Method::GET, "/auth/v1/oauth/userinfo"))
            .await
            .0,
        401
    );
    // A person's own token tells all of it.
    let (_, told) = ada.get_json("/auth/v1/oauth/userinfo").await;
    assert_eq!(told["email"], ada.email.as_str());
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_of_programs_too() {
    let server = server().await;
    let (app, ada) = (app(&server).await, server.user("ada").await);
    let tokens = app.tokens(&ada, "openid").await;
    let request = ada.request(Method::PUT, "/auth/v1/user");
    let (status, _) = answer(request.json(&json!({ "password": "another good one" }))).await;
    assert_eq!(status, 200);
    assert_eq!(app.refresh(&tokens).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn who_is_shut_out_signs_in_to_no_program() {
    let server = server().await;
    let (app, ada) = (app(&server).await, server.user("ada").await);
    let tokens = app.tokens(&ada, "openid").await;
    let code = app.code(&ada, &[("scope", "openid")]).await;
    let id = app.ask(&[]).await;
    let ban = "update auth.users set banned_until = now() + interval '1 day' where email = $1";
    server
        .admin()
        .await
        .execute(ban, &[&ada.email])
        .await
        .expect("a ban");
    assert_eq!(app.refresh(&tokens).await.1["error"], "invalid_grant");
    assert_eq!(app.exchange(&code, VERIFIER).await.1["error"], "invalid_grant");
    assert_eq!(
        app.call(Method::GET, "/auth/v1/oauth/userinfo", &tokens, None)
            .await
            .0,
        401
    );
    assert_eq!(details(&ada, &id).await.0, 403);
}

#[tokio::test]
async fn programs_register_themselves_only_where_they_may() {
    let closed = server_with(|_| ()).await;
    let good = json!({ "client_name": "Harbour", "redirect_uris": [CALLBACK] });
    let (status, body) = register(&closed, good.clone()).await;
    assert_eq!(
        (status, &body["error_code"]),
        (403, &json!("oauth_dynamic_client_registration_disabled"))
    );
    let server = server_with(|config| {
        config.auth.issuer.registration = true;
        config.auth.issuer.registrations_per_hour = 2;
    })
    .await;
    for (metadata, error) in [
        (json!({}), "invalid_client_metadata"),
        (json!([]), "invalid_client_metadata"),
        (json!({ "client_name": 7 }), "invalid_client_metadata"),
        (json!({ "client_name": "H" }), "invalid_redirect_uri"),
        (
            json!({ "client_name": "H", "redirect_uris": ["javascript:alert(1)"] }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "client_name": "H", "redirect_uris": ["http://evil.example"] }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "client_name": "x".repeat(1000), "redirect_uris": [CALLBACK] }),
            "invalid_client_metadata",
        ),
    ] {
        let (status, body) = register(&server, metadata).await;
        assert_eq!((status, &body["error"]), (400, &json!(error)), "{body}");
    }
    let (status, made) = register(&server, good.clone()).await;
    assert_eq!(status, 201);
    assert_eq!(made["registration_type"], "dynamic");
    assert_eq!(made["client_type"], "confidential");
    assert_eq!(made["client_secret"].as_str().map(str::len), Some(43));
    assert_eq!(register(&server, good.clone()).await.0, 201);
    assert_eq!(register(&server, good.clone()).await.0, 429);
    server.advance(SignedDuration::from_mins(61));
    assert_eq!(register(&server, good.clone()).await.0, 201);
    // Programs that nobody connected are forgotten.
    server.advance(SignedDuration::from_hours(24 * 31));
    assert_eq!(register(&server, good).await.0, 201);
    let row = server
        .admin()
        .await
        .query_one(
            "select count(*), bool_and(octet_length(client_secret_hash) = 32) from auth.oauth_clients",
            &[],
        )
        .await
        .expect("a count");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, bool>(1)), (1, true));
}

#[tokio::test]
async fn programs_find_out_where_everything_is() {
    let server = server().await;
    let issuer = server.url("/auth/v1");
    for path in [
        "/auth/v1/.well-known/openid-configuration",
        "/auth/v1/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration/auth/v1",
        "/.well-known/oauth-authorization-server/auth/v1",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    ] {
        let (status, document) = answer(server.anonymous(Method::GET, path)).await;
        assert_eq!((status, &document["issuer"]), (200, &json!(issuer)), "{path}");
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(
            document["registration_endpoint"],
            format!("{issuer}/oauth/clients/register")
        );
        for name in [
            "authorization",
            "token",
            "userinfo",
            "revocation",
            "introspection",
        ] {
            let endpoint = document[format!("{name}_endpoint")].as_str().expect("an address");
            assert!(endpoint.starts_with(&issuer), "{name}");
        }
    }
    let off = server_with(|config| config.auth.issuer.enabled = false).await;
    for path in [
        "/.well-known/openid-configuration",
        "/auth/v1/oauth/authorize",
        "/auth/v1/oauth/userinfo",
    ] {
        let (status, body) = answer(off.anonymous(Method::GET, path)).await;
        assert_eq!(
            (status, &body["error_code"]),
            (404, &json!("feature_disabled")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_operator_looks_after_programs_with_the_service_key_alone() {
    let server = server().await;
    let ada = server.user("ada").await;
    let all = "/auth/v1/admin/oauth/clients";
    let call = |method: Method, path: &str, body: Value| {
        answer(
            server
                .anonymous(method, path)
                .bearer_auth(SERVICE_KEY)
                .header("x-supabase-api-version", "2024-01-01")
                .json(&body),
        )
    };
    let good = json!({ "client_name": "Harbour", "redirect_uris": [CALLBACK], "scope": "openid email" });
    let (status, made) = call(Method::POST, all, good.clone()).await;
    assert_eq!(
        (status, &made["registration_type"]),
        (201, &json!("manual")),
        "{made}"
    );
    let one = format!("{all}/{}", made["client_id"].as_str().expect("an id"));
    let regenerate = format!("{one}/regenerate_secret");

    for (method, path) in [
        (Method::GET, all),
        (Method::POST, all),
        (Method::GET, &one),
        (Method::PUT, &one),
        (Method::DELETE, &one),
        (Method::POST, &regenerate),
    ] {
        let body = json!({ "client_name": "Evil", "redirect_uris": ["https://evil.example"] });
        let nobody = server.anonymous(method.clone(), path).json(&body);
        assert_eq!(answer(nobody).await.0, 401, "{method} {path}");
        let person = ada.request(method.clone(), path).json(&body);
        assert_eq!(answer(person).await.0, 403, "{method} {path}");
    }

    // The secret is told once.
    let (_, told) = call(Method::GET, &one, json!({})).await;
    assert_eq!(
        (&told["client_name"], &told["client_secret"]),
        (&json!("Harbour"), &Value::Null)
    );
    let (_, listed) = call(Method::GET, all, json!({})).await;
    assert_eq!(listed["clients"].as_array().map(Vec::len), Some(1));
    for bad in [
        json!({ "client_name": "" }),
        json!({ "redirect_uris": [] }),
        json!({ "redirect_uris": ["http://evil.example"] }),
        json!({ "token_endpoint_auth_method": "none" }),
    ] {
        let (status, body) = call(Method::PUT, &one, bad).await;
        assert_eq!((status, &body["code"]), (400, &json!("validation_failed")));
    }
    let (status, changed) = call(Method::PUT, &one, json!({ "client_name": "Port" })).await;
    assert_eq!(
        (status, &changed["client_name"], &changed["redirect_uris"]),
        (200, &json!("Port"), &json!([CALLBACK]))
    );
    let (_, again) = call(Method::POST, &regenerate, json!({})).await;
    assert_ne!(again["client_secret"], made["client_secret"]);

    let mut app = App {
        id: made["client_id"].as_str().expect("an id").to_owned(),
        secret: made["client_secret"].as_str().map(str::to_owned),
        server: server.url(""),
        http: reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client"),
    };
    let scope = [("scope", "openid")];
    let code = app.code(&ada, &scope).await;
    assert_eq!(app.exchange(&code, VERIFIER).await.1["error"], "invalid_client");
    app.secret = again["client_secret"].as_str().map(str::to_owned);
    let (status, tokens) = app.exchange(&code, VERIFIER).await;
    assert_eq!(status, 200, "{tokens}");
    // It asks for no more than it was registered with.
    let back = location(&app.authorize(&[("scope", "openid profile")]).await);
    assert_eq!(value(&back, "error").as_deref(), Some("invalid_scope"));
    // An address that was struck off is none that an answer goes to.
    let id = app.ask(&[("scope", "openid"), ("prompt", "consent")]).await;
    let moved = json!({ "redirect_uris": ["https://app.example.com/moved"] });
    assert_eq!(call(Method::PUT, &one, moved).await.0, 200);
    assert_eq!(decide(&ada, &id, "approve").await.0, 404);

    assert_eq!(call(Method::DELETE, &one, json!({})).await.0, 204);
    for (method, path) in [
        (Method::GET, &one),
        (Method::PUT, &one),
        (Method::DELETE, &one),
        (Method::POST, &regenerate),
    ] {
        let (status, body) = call(method, path, json!({})).await;
        assert_eq!((status, &body["code"]), (404, &json!("oauth_client_not_found")));
    }
    assert_eq!(
        call(Method::GET, &format!("{all}/nothing"), json!({})).await.0,
        404
    );
    assert_eq!(app.refresh(&tokens).await.1["error"], "invalid_client");
    assert_eq!(
        app.call(Method::GET, "/auth/v1/oauth/userinfo", &tokens, None)
            .await
            .0,
        401
    );
}
