//! Sign-in with outside providers, against one on this machine.

use jiff::SignedDuration;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenon_sdk::{config::Config, env::Env};
use tenon_testkit::{PASSWORD, TestServer, TestServerOptions, answer};
use url::Url;

use crate::provider::{self, Grant, SECRET, Signed, code_for, id_token, issuer};

const ADA: &str = "ada@example.com";
/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn providers(config: &mut Config) {
    config.mail.mailbox = true;
    config.auth.anonymous_users = true;
    config.outbound.allow_private = vec!["127.0.0.0/8".parse().unwrap()];
    let mut add = |name: &str, mut settings: Value| {
        settings["client_id"] = json!("tenon, tenon-ios");
        settings["secret"] = json!(SECRET);
        let settings = serde_json::from_value(settings).expect("settings");
        config.auth.external.insert(name.to_owned(), settings);
    };
    for name in ["acme", "careful", "google", "azure"] {
        add(
            name,
            json!({ "issuer": issuer(name), "label": if name == "acme" { "Acme" } else { "" } }),
        );
    }
    add(
        "ours",
        json!({ "issuer": issuer("ours"), "trust_email": true, "skip_nonce_check": true }),
    );
    add(
        "nameless",
        json!({ "issuer": issuer("nameless"), "email_optional": true }),
    );
    add("off", json!({ "issuer": issuer("off"), "enabled": false }));
    add("gone", json!({ "issuer": "http://127.0.0.1:9/none" }));
    add("inside", json!({ "issuer": "http://10.255.0.1/none" }));
    add(
        "lying",
        json!({ "issuer": format!("{}/acme/", provider::base()).replace("/acme/", "/./acme") }),
    );
    for name in ["github", "x"] {
        let base = issuer(name);
        add(
            name,
            json!({
                "authorize_url": format!("{base}/auth"), "token_url": format!("{base}/token"),
                "profile_url": format!("{base}/me"), "emails_url": if name == "github" { format!("{base}/emails") } else { String::new() },
            }),
        );
    }
}

async fn start(config: fn(&mut Config)) -> TestServer {
    TestServer::start_with(
        vec![],
        TestServerOptions {
            config: Some(config),
            ..TestServerOptions::default()
        },
    )
    .await
}

async fn server() -> TestServer {
    start(providers).await
}

/// A browser: it keeps cookies and shows where it is led.
struct Browser {
    http: reqwest::Client,
    cookie: Option<String>,
}

impl Browser {
    fn new() -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self {
            http: http.build().unwrap(),
            cookie: None,
        }
    }

    async fn send(&mut self, mut request: reqwest::RequestBuilder) -> reqwest::Response {
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("other=1; {cookie}"));
        }
        let response = request.send().await.unwrap();
        if let Some(cookie) = response.headers().get(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        response
    }

    async fn get(&mut self, url: &str) -> reqwest::Response {
        let request = self.http.get(url);
        self.send(request).await
    }

    /// Where an address redirects to.
    async fn led(&mut self, url: &str) -> Url {
        let response = self.get(url).await;
        assert_eq!(response.status(), StatusCode::FOUND, "{url}");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Url::parse(response.headers()["location"].to_str().unwrap()).unwrap()
    }
}

fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn fragment(url: &Url, name: &str) -> Option<String> {
    url::form_urlencoded::parse(url.fragment().unwrap_or_default().as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// A sign-in that has been sent to the provider.
struct Begun {
    issuer: &'static str,
    page: Url,
}

impl Begun {
    fn state(&self) -> String {
        query(&self.page, "state").expect("a state")
    }

    /// Claims as a good provider makes them.
    fn claims(&self, sub: &str, email: Option<&str>) -> Value {
        let now = Env::real().now().as_second();
        json!({
            "iss": issuer(self.issuer), "aud": "tenon", "sub": sub, "iat": now, "exp": now + 300,
            "nonce": query(&self.page, "nonce"), "email": email, "email_verified": true, "name": "Ada Lovelace",
        })
    }

    fn grant(&self, claims: Value) -> Grant {
        Grant {
            issuer: self.issuer,
            challenge: query(&self.page, "code_challenge"),
            redirect_uri: query(&self.page, "redirect_uri").expect("a redirect_uri"),
            claims,
            told: Value::Null,
            signed: Signed::Well,
        }
    }

    /// The address that the provider leads back to.
    fn back(&self, code: &str) -> String {
        let mut url = Url::parse(&query(&self.page, "redirect_uri").unwrap()).unwrap();
        url.query_pairs_mut()
            .append_pair("code", code)
            .append_pair("state", &self.state());
        if self.issuer == "careful" {
            url.query_pairs_mut().append_pair("iss", &issuer(self.issuer));
        }
        url.into()
    }
}

async fn begin(server: &TestServer, browser: &mut Browser, name: &'static str, more: &str) -> Begun {
    let url = server.url(&format!("/auth/v1/authorize?provider={name}{more}"));
    let page = browser.led(&url).await;
    assert!(page.as_str().starts_with(&issuer(name)), "{page}");
    Begun { issuer: name, page }
}

/// Signs in with what the provider says; gives where the browser ends.
async fn come(
    server: &TestServer,
    name: &'static str,
    more: &str,
    change: impl FnOnce(&Begun, &mut Grant),
) -> Url {
    let mut browser = Browser::new();
    let begun = begin(server, &mut browser, name, more).await;
    let mut grant = begun.grant(begun.claims("7", Some(ADA)));
    change(&begun, &mut grant);
    browser.led(&begun.back(&code_for(grant))).await
}

async fn sign_in_as(server: &TestServer, name: &'static str, sub: &str, email: Option<&str>) -> Url {
    come(server, name, "", |begun, grant| {
        grant.claims = begun.claims(sub, email);
    })
    .await
}

async fn me(server: &TestServer, token: &str) -> Value {
    let (status, user) = answer(server.anonymous(Method::GET, "/auth/v1/user").bearer_auth(token)).await;
    assert_eq!(status, 200, "{user}");
    user
}

/// The person of a session that stands behind the `#`.
async fn person(server: &TestServer, url: &Url) -> Value {
    let token = fragment(url, "access_token").unwrap_or_else(|| panic!("no session in {url}"));
    me(server, &token).await
}

async fn post(server: &TestServer, path: &str, token: Option<&str>, body: Value) -> (u16, Value) {
    let mut request = server
        .anonymous(Method::POST, &format!("/auth/v1/{path}"))
        .header("x-supabase-api-version", "2024-01-01");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    answer(request.json(&body)).await
}

async fn sign_up(server: &TestServer, email: &str) -> Value {
    let (status, session) = post(
        server,
        "signup",
        None,
        json!({ "email": email, "password": PASSWORD }),
    )
    .await;
    assert_eq!(status, 200, "{session}");
    session
}

async fn people(server: &TestServer) -> i64 {
    let admin = server.admin().await;
    let row = admin
        .query_one("select count(*) from auth.users", &[])
        .await
        .unwrap();
    row.get(0)
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

fn providers_of(user: &Value) -> Vec<&str> {
    let identities = user["identities"].as_array().expect("a list");
    let names: Vec<&str> = identities
        .iter()
        .filter_map(|one| one["provider"].as_str())
        .collect();
    assert_eq!(user["app_metadata"]["providers"], json!(names), "{user}");
    names
}

#[tokio::test]
async fn somebody_new_signs_in_with_a_provider_and_is_known_the_next_time() {
    let server = server().await;
    let mut browser = Browser::new();
    let back =
        url::form_urlencoded::byte_serialize(server.url("/o/harbour?x=1").as_bytes()).collect::<String>();
    let wishes =
        format!("&redirect_to={back}&scopes=calendar,groups email&prompt=login&state=mine&client_id=mine");
    let begun = begin(&server, &mut browser, "acme", &wishes).await;
    assert_eq!(
        query(&begun.page, "scope").as_deref(),
        Some("openid email profile calendar groups")
    );
    assert_eq!(query(&begun.page, "prompt").as_deref(), Some("login"));
    assert_eq!(query(&begun.page, "client_id").as_deref(), Some("tenon"));
    assert_eq!(query(&begun.page, "response_type").as_deref(), Some("code"));
    assert_eq!(
        query(&begun.page, "code_challenge_method").as_deref(),
        Some("S256")
    );
    assert_ne!(begun.state(), "mine");
    let code = code_for(begun.grant(begun.claims("7", Some("Ada@Example.com"))));
    let end = browser.led(&begun.back(&code)).await;
    assert_eq!(
        end.as_str().split('#').next().unwrap(),
        server.url("/o/harbour?x=1")
    );
    assert_eq!(
        fragment(&end, "provider_token").unwrap(),
        format!("provider-token-{code}")
    );
    assert_eq!(
        fragment(&end, "provider_refresh_token").as_deref(),
        Some("provider-refresh-token")
    );
    assert_eq!(fragment(&end, "token_type").as_deref(), Some("bearer"));

    let user = person(&server, &end).await;
    assert_eq!(
        (&user["email"], &user["app_metadata"]["provider"]),
        (&json!(ADA), &json!("acme"))
    );
    assert_eq!(providers_of(&user), ["acme"]);
    assert!(user["email_confirmed_at"].is_string() && user["is_anonymous"] == false);
    let data = &user["identities"][0]["identity_data"];
    assert_eq!(
        (&data["sub"], &data["email_verified"], &data["iss"]),
        (&json!("7"), &json!(true), &json!(issuer("acme")))
    );
    assert_eq!(user["user_metadata"]["full_name"], "Ada Lovelace");

    // Their id counts, whatever their address is by now.
    let again = sign_in_as(&server, "acme", "7", Some("countess@example.com")).await;
    let again = person(&server, &again).await;
    assert_eq!((&again["id"], &again["email"]), (&user["id"], &json!(ADA)));
    // The same id with another provider is somebody else.
    let other = sign_in_as(&server, "google", "7", Some("grace@example.com")).await;
    assert_ne!(person(&server, &other).await["id"], user["id"]);
}

#[tokio::test]
async fn a_client_with_a_challenge_gets_a_code_and_the_providers_tokens_with_the_session_only() {
    let server = server().await;
    let more = format!("&code_challenge={CHALLENGE}&code_challenge_method=s256");
    let end = come(&server, "acme", &more, |_, _| ()).await;
    assert_eq!(end.fragment(), None);
    let code = query(&end, "code").expect("a code");
    let admin = server.admin().await;
    let stored: Vec<u8> = admin
        .query_one("select sealed from auth.flow_states", &[])
        .await
        .unwrap()
        .get(0);
    assert!(!stored.windows(8).any(|part| part == b"provider"));
    let body = json!({ "auth_code": code, "code_verifier": VERIFIER });
    let (status, session) = post(&server, "token?grant_type=pkce", None, body.clone()).await;
    assert_eq!(status, 200, "{session}");
    assert_eq!(session["user"]["email"], ADA);
    assert!(
        session["provider_token"]
            .as_str()
            .unwrap()
            .starts_with("provider-token-")
    );
    assert_eq!(session["provider_refresh_token"], "provider-refresh-token");
    assert_eq!(post(&server, "token?grant_type=pkce", None, body).await.0, 404);
    let body = json!({ "refresh_token": session["refresh_token"] });
    let (_, refreshed) = post(&server, "token?grant_type=refresh_token", None, body).await;
    assert_eq!(refreshed["user"]["email"], ADA);
    let amr = admin
        .query_one("select amr -> 0 ->> 'method' from auth.sessions", &[])
        .await
        .unwrap();
    assert_eq!(amr.get::<_, String>(0), "oauth");
}

#[tokio::test]
async fn a_state_is_good_once_for_five_minutes_and_nobody_makes_one_up() {
    let server = server().await;
    let mut browser = Browser::new();
    let begun = begin(
        &server,
        &mut browser,
        "acme",
        "&redirect_to=https://evil.example/",
    )
    .await;
    let code = || code_for(begun.grant(begun.claims("7", Some(ADA))));
    let refused = |end: &Url, error: &str, case: &str| {
        assert!(end.as_str().starts_with(&server.url("/")), "{case}: {end}");
        assert_eq!(query(end, "error_code").as_deref(), Some(error), "{case}: {end}");
        assert_eq!(
            fragment(end, "error_code").as_deref(),
            Some(error),
            "{case}: {end}"
        );
        assert!(fragment(end, "access_token").is_none(), "{case}");
    };
    let callback = server.url("/auth/v1/callback");
    for (case, url, error) in [
        (
            "none",
            format!("{callback}?code={}", code()),
            "bad_oauth_callback",
        ),
        (
            "tampered",
            begun.back(&code()).replace("state=", "state=x"),
            "bad_oauth_state",
        ),
        (
            "empty",
            format!("{callback}?code={}&state=", code()),
            "bad_oauth_callback",
        ),
        ("nothing", callback.clone(), "bad_oauth_callback"),
        (
            "hostile",
            format!("{callback}?state=%00' or 1=1&code=%00"),
            "bad_oauth_state",
        ),
        (
            "huge",
            format!("{callback}?state={}", "x".repeat(5_000)),
            "bad_oauth_state",
        ),
    ] {
        refused(&browser.led(&url).await, error, case);
    }
    let good = begun.back(&code());
    let end = browser.led(&good).await;
    assert!(end.as_str().starts_with(&server.url("/#access_token=")), "{end}");
    refused(&browser.led(&good).await, "bad_oauth_state", "again");
    refused(
        &browser.led(&begun.back(&code())).await,
        "bad_oauth_state",
        "again with a new code",
    );

    let late = begin(&server, &mut browser, "acme", "").await;
    server.advance(SignedDuration::from_secs(301));
    let code = code_for(late.grant(late.claims("7", Some(ADA))));
    refused(&browser.led(&late.back(&code)).await, "bad_oauth_state", "late");
}

#[tokio::test]
async fn a_sign_in_comes_back_to_the_browser_it_began_in_or_to_the_client_that_knows_the_verifier() {
    let server = server().await;
    let mut attacker = Browser::new();
    let begun = begin(&server, &mut attacker, "acme", "").await;
    let code = code_for(begun.grant(begun.claims("7", Some(ADA))));
    // Somebody is led to the rest of a sign-in that they did not begin, with a cookie of their own or without one.
    for own in [false, true] {
        let mut victim = Browser::new();
        if own {
            begin(&server, &mut victim, "acme", "").await;
        }
        let begun = begin(&server, &mut attacker, "acme", "").await;
        let end = victim.led(&begun.back(&code)).await;
        assert_eq!(
            query(&end, "error_code").as_deref(),
            Some("bad_oauth_state"),
            "{end}"
        );
    }
    // Two windows do not hinder each other.
    let (one, two) = (
        begin(&server, &mut attacker, "acme", "").await,
        begin(&server, &mut attacker, "google", "").await,
    );
    for begun in [one, two] {
        let code = code_for(begun.grant(begun.claims("8", Some("grace@example.com"))));
        let end = attacker.led(&begun.back(&code)).await;
        assert!(
            fragment(&end, "access_token").is_some()
                || query(&end, "error_code").as_deref() == Some("email_exists"),
            "{end}"
        );
    }
    let more = format!("&code_challenge={CHALLENGE}&code_challenge_method=s256");
    let begun = begin(&server, &mut Browser::new(), "acme", &more).await;
    let code = code_for(begun.grant(begun.claims("7", Some(ADA))));
    assert!(query(&Browser::new().led(&begun.back(&code)).await, "code").is_some());

    let loose = start(|config| {
        providers(config);
        config.auth.bind_providers_to_browser = false;
    })
    .await;
    let begun = begin(&loose, &mut Browser::new(), "acme", "").await;
    let code = code_for(begun.grant(begun.claims("7", Some(ADA))));
    let end = Browser::new().led(&begun.back(&code)).await;
    assert!(fragment(&end, "access_token").is_some());
}

#[tokio::test]
async fn tokens_that_are_not_good_open_nothing() {
    let server = server().await;
    let now = Env::real().now().as_second();
    for (case, error, changed) in [
        ("nonce", "bad_id_token", json!({ "nonce": "another" })),
        ("no nonce", "bad_id_token", json!({ "nonce": null })),
        ("audience", "unexpected_audience", json!({ "aud": "somebody" })),
        (
            "another of ours",
            "unexpected_audience",
            json!({ "aud": "tenon-ios" }),
        ),
        (
            "audiences",
            "unexpected_audience",
            json!({ "aud": ["tenon", "somebody"] }),
        ),
        (
            "party",
            "unexpected_audience",
            json!({ "aud": ["tenon", "somebody"], "azp": "somebody" }),
        ),
        ("no audience", "unexpected_audience", json!({ "aud": null })),
        ("expired", "bad_id_token", json!({ "exp": now - 1 })),
        ("no end", "bad_id_token", json!({ "exp": null })),
        ("future", "bad_id_token", json!({ "iat": now + 3600 })),
        ("issuer", "bad_id_token", json!({ "iss": issuer("google") })),
        ("no issuer", "bad_id_token", json!({ "iss": null })),
        ("at_hash", "bad_id_token", json!({ "at_hash": "another" })),
        ("nobody", "outbound.bad_answer", json!({ "sub": "" })),
    ] {
        let end = come(&server, "acme", "", |_, grant| merge(&mut grant.claims, changed)).await;
        assert_eq!(query(&end, "error_code").as_deref(), Some(error), "{case}: {end}");
        assert!(fragment(&end, "access_token").is_none(), "{case}");
    }
    for signed in [
        Signed::ByAnother,
        Signed::ByUnknown,
        Signed::ByPublicHalf,
        Signed::Not,
    ] {
        let end = come(&server, "acme", "", |_, grant| grant.signed = signed).await;
        assert_eq!(
            query(&end, "error_code").as_deref(),
            Some("bad_id_token"),
            "{signed:?}: {end}"
        );
    }
    let end = come(&server, "acme", "", |_, grant| grant.claims = Value::Null).await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("bad_id_token"),
        "none: {end}"
    );
    // A code of somebody else's sign-in: its challenge is not met.
    let end = come(&server, "acme", "", |_, grant| {
        grant.challenge = Some("another".into());
    })
    .await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("bad_oauth_callback"),
        "{end}"
    );
    assert_eq!(people(&server).await, 0);
}

#[tokio::test]
async fn an_answer_of_another_provider_than_was_asked_is_refused() {
    let server = server().await;
    assert!(
        fragment(
            &sign_in_as(&server, "careful", "7", Some(ADA)).await,
            "access_token"
        )
        .is_some()
    );
    let mut browser = Browser::new();
    for (name, iss) in [
        ("acme", Some("careful")),
        ("careful", Some("acme")),
        ("careful", None),
    ] {
        let begun = begin(&server, &mut browser, name, "").await;
        let code = code_for(begun.grant(begun.claims("8", Some("grace@example.com"))));
        let mut url = Url::parse(&query(&begun.page, "redirect_uri").unwrap()).unwrap();
        url.query_pairs_mut()
            .append_pair("state", &begun.state())
            .append_pair("code", &code);
        if let Some(iss) = iss {
            url.query_pairs_mut().append_pair("iss", &issuer(iss));
        }
        let end = browser.led(url.as_str()).await;
        assert_eq!(
            query(&end, "error_code").as_deref(),
            Some("bad_oauth_callback"),
            "{name} {iss:?}: {end}"
        );
    }
}

#[tokio::test]
async fn what_a_provider_refuses_is_told_where_the_sign_in_began() {
    let server = server().await;
    let mut browser = Browser::new();
    let back = server.url("/sign-in?next=%2Fo%2Fharbour");
    let back = url::form_urlencoded::byte_serialize(back.as_bytes()).collect::<String>();
    let begun = begin(&server, &mut browser, "acme", &format!("&redirect_to={back}")).await;
    let callback = query(&begun.page, "redirect_uri").unwrap();
    let long = "x".repeat(2000);
    let url = format!(
        "{callback}?state={}&error=access_denied&error_description=No+way%0a{long}",
        begun.state()
    );
    let end = browser.led(&url).await;
    assert_eq!(
        (end.path(), query(&end, "next").as_deref()),
        ("/sign-in", Some("/o/harbour"))
    );
    assert_eq!(query(&end, "error").as_deref(), Some("access_denied"));
    assert_eq!(query(&end, "error_code").as_deref(), Some("provider_refused"));
    let words = query(&end, "error_description").unwrap();
    assert!(words.starts_with("No wayxxx") && words.len() == 300, "{words}");

    for (name, code) in [
        ("gone", "outbound.unreachable"),
        ("inside", "outbound.forbidden_address"),
    ] {
        let end = browser
            .led(&server.url(&format!("/auth/v1/authorize?provider={name}&redirect_to={back}")))
            .await;
        assert_eq!(
            (end.path(), query(&end, "error_code").as_deref()),
            ("/sign-in", Some(code))
        );
    }
    for name in ["", "off", "nobody", "github%00", "email"] {
        let request = server.anonymous(Method::GET, &format!("/auth/v1/authorize?provider={name}"));
        let (status, body) = answer(request).await;
        assert_eq!(
            (status, &body["error_code"]),
            (400, &json!("validation_failed")),
            "{name}"
        );
    }
    let request = server.anonymous(
        Method::GET,
        "/auth/v1/authorize?provider=acme&code_challenge=short",
    );
    assert_eq!(answer(request).await.0, 400);
}

#[tokio::test]
async fn a_provider_that_calls_itself_something_else_is_not_believed() {
    let server = server().await;
    let end = Browser::new()
        .led(&server.url("/auth/v1/authorize?provider=lying"))
        .await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("outbound.bad_answer"),
        "{end}"
    );
}

#[tokio::test]
async fn a_form_of_a_provider_is_taken_with_the_look_that_follows() {
    let server = server().await;
    let mut browser = Browser::new();
    let begun = begin(&server, &mut browser, "acme", "").await;
    let code = code_for(begun.grant(begun.claims("7", Some(ADA))));
    // From the provider's own site no cookie of ours comes along.
    let form = format!("state={}&code={code}&evil=1", begun.state());
    let request = browser.http.post(server.url("/auth/v1/callback")).body(form);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let location = response.headers()["location"].to_str().unwrap();
    assert!(
        location.starts_with("/auth/v1/callback?") && !location.contains("evil"),
        "{location}"
    );
    let end = browser.led(&server.url(location)).await;
    assert!(fragment(&end, "access_token").is_some(), "{end}");
}

#[tokio::test]
async fn an_address_that_the_provider_has_not_verified_makes_and_opens_no_account() {
    let server = server().await;
    for (name, claims) in [
        ("acme", json!({ "email": ADA, "email_verified": false })),
        ("acme", json!({ "email": ADA, "email_verified": null })),
        ("acme", json!({ "email": null, "email_verified": true })),
        ("acme", json!({ "email": "no address", "email_verified": true })),
        // Any tenant may write what it likes into this.
        ("azure", json!({ "email": ADA, "email_verified": true })),
        ("azure", json!({ "email": ADA, "xms_edov": false })),
    ] {
        let end = come(&server, name, "", |_, grant| {
            merge(&mut grant.claims, claims.clone());
        })
        .await;
        let code = query(&end, "error_code");
        assert_eq!(
            code.as_deref(),
            Some("provider_email_needs_verification"),
            "{claims}: {end}"
        );
        assert_eq!(query(&end, "error").as_deref(), Some("access_denied"));
    }
    assert_eq!(people(&server).await, 0);
    let end = come(&server, "azure", "", |_, grant| {
        grant.claims["xms_edov"] = json!(true);
    })
    .await;
    assert_eq!(person(&server, &end).await["email"], ADA);

    // Told apart from the token, and about the same person only.
    let tell = |sub: &'static str| {
        move |_: &Begun, grant: &mut Grant| {
            grant.claims["sub"] = json!("9");
            grant.claims["email"] = Value::Null;
            grant.told = json!({ "me": { "sub": sub, "email": "told@example.com", "email_verified": true } });
        }
    };
    let end = come(&server, "acme", "", tell("8")).await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("provider_email_needs_verification")
    );
    let end = come(&server, "acme", "", tell("9")).await;
    assert_eq!(person(&server, &end).await["email"], "told@example.com");

    // Where the settings say so, an account has no address, or the provider's word is enough.
    let unverified = |_: &Begun, grant: &mut Grant| {
        grant.claims["sub"] = json!("10");
        grant.claims["email_verified"] = json!(false);
    };
    let end = come(&server, "nameless", "", unverified).await;
    let user = person(&server, &end).await;
    assert_eq!(
        (&user["email"], user.get("email_confirmed_at")),
        (&json!(""), None)
    );
    assert_eq!(user["identities"][0]["identity_data"]["email_verified"], false);
    let end = come(&server, "ours", "", |_, grant| {
        grant.claims["sub"] = json!("11");
        grant.claims["email"] = json!("staff@example.com");
        grant.claims["email_verified"] = Value::Null;
        grant.claims["nonce"] = Value::Null;
    })
    .await;
    assert_eq!(person(&server, &end).await["email"], "staff@example.com");
}

#[tokio::test]
async fn a_verified_address_leads_to_whoever_has_proven_it_and_to_nobody_else() {
    let server = server().await;
    // Here addresses are taken as they are typed: a stranger may have typed this one.
    let stranger = sign_up(&server, ADA).await;
    let end = sign_in_as(&server, "acme", "7", Some(ADA)).await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("email_exists"),
        "{end}"
    );
    assert_eq!(people(&server).await, 1);
    // Whoever reads the mail has proven it.
    post(&server, "recover", None, json!({ "email": ADA })).await;
    let (_, mails) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
    let text = mails[0]["text"].as_str().unwrap();
    let link = text.lines().find(|line| line.starts_with("http")).unwrap();
    Browser::new().get(link).await;
    let user = person(
        &server,
        &sign_in_as(&server, "acme", "7", Some("ADA@example.com")).await,
    )
    .await;
    assert_eq!(user["id"], stranger["user"]["id"]);
    assert_eq!(providers_of(&user), ["email", "acme"]);
    assert_eq!(user["app_metadata"]["provider"], "email");

    let as_upstream = start(|config| {
        providers(config);
        config.auth.link_unproven_addresses = true;
    })
    .await;
    let session = sign_up(&as_upstream, ADA).await;
    let user = person(
        &as_upstream,
        &sign_in_as(&as_upstream, "acme", "7", Some(ADA)).await,
    )
    .await;
    assert_eq!(user["id"], session["user"]["id"]);
}

#[tokio::test]
async fn a_password_set_before_the_address_was_confirmed_does_not_outlive_its_owners_first_sign_in() {
    let server = start(|config| {
        providers(config);
        config.auth.confirm_email = true;
    })
    .await;
    let body = json!({ "email": ADA, "password": PASSWORD, "data": { "name": "Mallory" } });
    assert_eq!(post(&server, "signup", None, body.clone()).await.0, 200);
    let user = person(&server, &sign_in_as(&server, "acme", "7", Some(ADA)).await).await;
    assert_eq!(people(&server).await, 1);
    assert_eq!(user["user_metadata"]["name"], "Ada Lovelace");
    assert!(user["email_confirmed_at"].is_string());
    let (status, answer) = post(&server, "token?grant_type=password", None, body).await;
    assert_eq!((status, &answer["code"]), (400, &json!("invalid_credentials")));
}

#[tokio::test]
async fn closed_installations_and_banned_people_stay_closed_to_providers_too() {
    let server = start(|config| {
        providers(config);
        config.auth.sign_up = false;
        config.auth.confirm_email = true;
    })
    .await;
    let end = sign_in_as(&server, "acme", "7", Some(ADA)).await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("signup_disabled"),
        "{end}"
    );
    assert_eq!(people(&server).await, 0);
    // Somebody who was invited has an account already.
    let admin = server.admin().await;
    let invited = "insert into auth.users (id, email, invited_at) values (gen_random_uuid(), $1, now())";
    admin.execute(invited, &[&ADA]).await.unwrap();
    let end = sign_in_as(&server, "acme", "7", Some(ADA)).await;
    assert!(person(&server, &end).await["email_confirmed_at"].is_string());
    admin
        .execute(
            "update auth.users set banned_until = now() + interval '1 hour'",
            &[],
        )
        .await
        .unwrap();
    for sub in ["7", "8"] {
        let end = sign_in_as(&server, "acme", sub, Some(ADA)).await;
        assert_eq!(
            query(&end, "error_code").as_deref(),
            Some("user_banned"),
            "{sub}: {end}"
        );
    }
}

/// Begins to link a provider and gives where its page is.
async fn link(server: &TestServer, browser: &mut Browser, token: &str, name: &'static str) -> Begun {
    let url = server.url(&format!(
        "/auth/v1/user/identities/authorize?provider={name}&skip_http_redirect=true"
    ));
    let request = browser.http.get(url).bearer_auth(token);
    let response = browser.send(request).await;
    assert_eq!(response.status(), 200);
    let body: Value = response.json().await.unwrap();
    let page = Url::parse(body["url"].as_str().unwrap()).unwrap();
    Begun { issuer: name, page }
}

async fn delete(server: &TestServer, token: &str, id: &Value) -> (u16, Value) {
    let path = format!("/auth/v1/user/identities/{}", id.as_str().unwrap());
    let request = server.anonymous(Method::DELETE, &path).bearer_auth(token);
    answer(request.header("x-supabase-api-version", "2024-01-01")).await
}

#[tokio::test]
async fn somebody_links_a_provider_and_unlinks_what_they_do_not_need() {
    let server = server().await;
    let session = sign_up(&server, ADA).await;
    let token = session["access_token"].as_str().unwrap();
    let mut browser = Browser::new();
    let begun = link(&server, &mut browser, token, "acme").await;
    let code = code_for(begun.grant(begun.claims("7", Some("ada@work.example.com"))));
    // Not for somebody who is only led to the end of it, whatever the client is.
    let end = Browser::new().led(&begun.back(&code)).await;
    assert_eq!(query(&end, "error_code").as_deref(), Some("bad_oauth_state"));
    let begun = link(&server, &mut browser, token, "acme").await;
    let code = code_for(begun.grant(begun.claims("7", Some("ada@work.example.com"))));
    let user = person(&server, &browser.led(&begun.back(&code)).await).await;
    assert_eq!(
        (&user["id"], &user["email"]),
        (&session["user"]["id"], &json!(ADA))
    );
    assert_eq!(providers_of(&user), ["email", "acme"]);

    // Once is enough, and nobody else gets it.
    let again = link(&server, &mut browser, token, "acme").await;
    let code = code_for(again.grant(again.claims("7", None)));
    let end = browser.led(&again.back(&code)).await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("identity_already_exists")
    );
    let other = sign_up(&server, "grace@example.com").await;
    let other = other["access_token"].as_str().unwrap();
    let theirs = link(&server, &mut browser, other, "acme").await;
    let code = code_for(theirs.grant(theirs.claims("7", None)));
    let end = browser.led(&theirs.back(&code)).await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("identity_already_exists")
    );

    let ids: Vec<Value> = user["identities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["identity_id"].clone())
        .collect();
    for id in &ids {
        assert_eq!(delete(&server, other, id).await.1["code"], "identity_not_found");
    }
    assert_eq!(delete(&server, token, &json!("none")).await.0, 404);
    assert_eq!(delete(&server, token, &ids[0]).await, (200, json!({})));
    // The address went with it, and so did the password.
    let user = me(&server, token).await;
    assert_eq!(
        (providers_of(&user), &user["email"]),
        (vec!["acme"], &json!("ada@work.example.com"))
    );
    assert_eq!(user["app_metadata"]["provider"], "acme");
    for email in [ADA, "ada@work.example.com"] {
        let body = json!({ "email": email, "password": PASSWORD });
        assert_eq!(
            post(&server, "token?grant_type=password", None, body).await.0,
            400
        );
    }
    let (status, body) = delete(&server, token, &ids[1]).await;
    assert_eq!(
        (status, &body["code"]),
        (422, &json!("single_identity_not_deletable"))
    );

    // With a password there are two again, and the provider can go.
    let request = server.anonymous(Method::PUT, "/auth/v1/user").bearer_auth(token);
    let (status, user) = answer(request.json(&json!({ "password": PASSWORD }))).await;
    assert_eq!(status, 200, "{user}");
    assert_eq!(providers_of(&user), ["acme", "email"]);
    assert_eq!(delete(&server, token, &ids[1]).await.0, 200);
    let user = me(&server, token).await;
    assert_eq!(
        (providers_of(&user), &user["email"]),
        (vec!["email"], &json!("ada@work.example.com"))
    );
}

#[tokio::test]
async fn nobody_links_or_unlinks_who_is_not_signed_in_or_may_not() {
    let server = server().await;
    let path = "/auth/v1/user/identities/authorize?provider=acme&skip_http_redirect=true";
    assert_eq!(answer(server.anonymous(Method::GET, path)).await.0, 401);
    let id = "/auth/v1/user/identities/00000000-0000-0000-0000-000000000000";
    assert_eq!(answer(server.anonymous(Method::DELETE, id)).await.0, 401);
    let closed = start(|config| {
        providers(config);
        config.auth.manual_linking = false;
    })
    .await;
    let session = sign_up(&closed, ADA).await;
    let token = session["access_token"].as_str().unwrap();
    for (method, path) in [(Method::GET, path), (Method::DELETE, id)] {
        let (status, body) = answer(closed.anonymous(method, path).bearer_auth(token)).await;
        assert_eq!(
            (status, &body["error_code"]),
            (404, &json!("manual_linking_disabled"))
        );
    }
    // Who has a second factor shows it first: a password alone changes nothing that guards the account.
    let session = sign_up(&server, "grace@example.com").await;
    let token = session["access_token"].as_str().unwrap();
    let admin = server.admin().await;
    let factor = "insert into auth.mfa_factors (id, user_id, factor_type, status, secret, created_at, updated_at) \
                  select gen_random_uuid(), id, 'totp', 'verified', 'JBSWY3DPEHPK3PXP', now(), now() from auth.users";
    admin.execute(factor, &[]).await.unwrap();
    for (method, path) in [(Method::GET, path), (Method::DELETE, id)] {
        let (status, body) = answer(server.anonymous(method, path).bearer_auth(token)).await;
        assert_eq!((status, &body["error_code"]), (403, &json!("insufficient_aal")));
    }
    // Who leaves meanwhile links nothing.
    let mut browser = Browser::new();
    let session = sign_up(&server, ADA).await;
    let begun = link(
        &server,
        &mut browser,
        session["access_token"].as_str().unwrap(),
        "acme",
    )
    .await;
    let admin = server.admin().await;
    admin.execute("delete from auth.users", &[]).await.unwrap();
    let code = code_for(begun.grant(begun.claims("7", Some(ADA))));
    let end = browser.led(&begun.back(&code)).await;
    assert_eq!(query(&end, "error_code").as_deref(), Some("bad_oauth_state"));
}

#[tokio::test]
async fn a_visitors_account_becomes_a_persons_by_linking() {
    let server = server().await;
    let (_, visitor) = post(&server, "signup", None, json!({ "data": { "colour": "blue" } })).await;
    let token = visitor["access_token"].as_str().unwrap();
    sign_up(&server, "taken@example.com").await;
    let mut browser = Browser::new();
    for (sub, email, error) in [("6", "taken@example.com", Some("email_exists")), ("7", ADA, None)] {
        let begun = link(&server, &mut browser, token, "acme").await;
        let code = code_for(begun.grant(begun.claims(sub, Some(email))));
        let end = browser.led(&begun.back(&code)).await;
        assert_eq!(query(&end, "error_code").as_deref(), error, "{end}");
    }
    let user = me(&server, token).await;
    assert_eq!(
        (&user["is_anonymous"], &user["email"]),
        (&json!(false), &json!(ADA))
    );
    assert_eq!(
        (&user["user_metadata"]["colour"], &user["id"]),
        (&json!("blue"), &visitor["user"]["id"])
    );
    let again = person(&server, &sign_in_as(&server, "acme", "7", None).await).await;
    assert_eq!(again["id"], visitor["user"]["id"]);
}

#[tokio::test]
async fn an_id_token_that_a_client_got_by_itself_is_as_good_as_its_checks() {
    let server = server().await;
    let now = Env::real().now().as_second();
    let hashed = tenon_sdk::hex(&Sha256::digest("nonce"));
    let claims = |more: Value| {
        let mut claims = json!({
            "iss": issuer("google"), "aud": "tenon-ios", "sub": "7", "iat": now, "exp": now + 300, "email": ADA, "email_verified": true,
        });
        merge(&mut claims, more);
        id_token(&claims, Signed::Well)
    };
    let give = async |body: Value| post(&server, "token?grant_type=id_token", None, body).await;
    let plain = claims(json!({}));
    for (body, code) in [
        (json!({}), "validation_failed"),
        (json!({ "provider": "google" }), "validation_failed"),
        (json!({ "id_token": plain }), "validation_failed"),
        (
            json!({ "provider": "off", "id_token": plain }),
            "validation_failed",
        ),
        (
            json!({ "provider": "github", "id_token": plain }),
            "validation_failed",
        ),
        (json!({ "provider": "acme", "id_token": plain }), "bad_id_token"),
        (json!({ "provider": "google", "id_token": "x" }), "bad_id_token"),
        (
            json!({ "provider": "google", "id_token": "x".repeat(100_000) }),
            "bad_id_token",
        ),
        (
            json!({ "provider": "google", "id_token": plain, "nonce": "nonce" }),
            "bad_id_token",
        ),
        (
            json!({ "provider": "google", "id_token": claims(json!({ "nonce": hashed })) }),
            "bad_id_token",
        ),
        (
            json!({ "provider": "google", "id_token": claims(json!({ "nonce": hashed })), "nonce": "other" }),
            "bad_id_token",
        ),
        (
            json!({ "provider": "google", "id_token": claims(json!({ "nonce": "nonce" })), "nonce": "nonce" }),
            "bad_id_token",
        ),
        (
            json!({ "provider": "google", "id_token": claims(json!({ "aud": "other" })) }),
            "unexpected_audience",
        ),
        (
            json!({ "provider": "google", "id_token": claims(json!({ "exp": now - 1 })) }),
            "bad_id_token",
        ),
        (
            json!({ "provider": "google", "id_token": claims(json!({ "at_hash": "x" })), "access_token": "y" }),
            "bad_id_token",
        ),
    ] {
        let (status, answer) = give(body.clone()).await;
        assert_eq!((status, &answer["code"]), (400, &json!(code)), "{body} {answer}");
    }
    for signed in [
        Signed::ByAnother,
        Signed::ByUnknown,
        Signed::ByPublicHalf,
        Signed::Not,
    ] {
        let good = json!({ "iss": issuer("google"), "aud": "tenon", "sub": "7", "exp": now + 300, "email": ADA, "email_verified": true });
        let body = json!({ "provider": "google", "id_token": id_token(&good, signed) });
        assert_eq!(give(body).await.1["code"], "bad_id_token", "{signed:?}");
    }
    assert_eq!(people(&server).await, 0);

    let body =
        json!({ "provider": "google", "id_token": claims(json!({ "nonce": hashed })), "nonce": "nonce" });
    let (status, session) = give(body).await;
    assert_eq!(
        (status, &session["user"]["email"]),
        (200, &json!(ADA)),
        "{session}"
    );
    let body = json!({ "issuer": issuer("google"), "client_id": "tenon", "id_token": plain });
    let (status, again) = give(body).await;
    assert_eq!(
        (status, &again["user"]["id"]),
        (200, &session["user"]["id"]),
        "{again}"
    );
    let unchecked = id_token(
        &json!({ "iss": issuer("ours"), "aud": "tenon", "sub": "9", "exp": now + 300, "nonce": "x", "email": "o@example.com" }),
        Signed::Well,
    );
    assert_eq!(
        give(json!({ "provider": "ours", "id_token": unchecked })).await.0,
        200
    );

    // To an account one is signed in to.
    let other = sign_up(&server, "grace@example.com").await;
    let token = other["access_token"].as_str().unwrap();
    let body = |sub: &str| {
        let token = claims(json!({ "sub": sub, "email": "g@example.com" }));
        json!({ "provider": "google", "link_identity": true, "id_token": token })
    };
    assert_eq!(
        post(&server, "token?grant_type=id_token", None, body("8"))
            .await
            .0,
        401
    );
    let (_, refused) = post(&server, "token?grant_type=id_token", Some(token), body("7")).await;
    assert_eq!(refused["code"], "identity_already_exists");
    let (status, linked) = post(&server, "token?grant_type=id_token", Some(token), body("8")).await;
    assert_eq!((status, &linked["user"]["id"]), (200, &other["user"]["id"]));
    assert_eq!(providers_of(&linked["user"]), ["email", "google"]);
}

#[tokio::test]
async fn providers_with_an_interface_of_their_own_are_read_in_their_own_form() {
    let server = server().await;
    let mut browser = Browser::new();
    let begun = begin(&server, &mut browser, "github", "&scopes=repo").await;
    assert_eq!(query(&begun.page, "scope").as_deref(), Some("user:email repo"));
    assert_eq!(query(&begun.page, "nonce"), None);
    let mut grant = begun.grant(Value::Null);
    grant.told = json!({
        "me": { "id": 4711, "login": "ada", "email": "public@example.com" },
        "emails": [{ "email": "old@example.com", "verified": true, "primary": false },
                   { "email": ADA, "verified": true, "primary": true }],
    });
    let user = person(&server, &browser.led(&begun.back(&code_for(grant))).await).await;
    assert_eq!(
        (&user["email"], &user["identities"][0]["id"]),
        (&json!(ADA), &json!("4711"))
    );
    assert_eq!(user["user_metadata"]["user_name"], "ada");

    let begun = begin(&server, &mut browser, "x", "").await;
    let mut grant = begun.grant(Value::Null);
    grant.told = json!({ "me": { "data": { "id": "1", "username": "grace", "confirmed_email": "grace@example.com" } } });
    let user = person(&server, &browser.led(&begun.back(&code_for(grant))).await).await;
    assert_eq!(user["email"], "grace@example.com");
    let begun = begin(&server, &mut browser, "x", "").await;
    let end = browser
        .led(&begun.back(&code_for(begun.grant(Value::Null))))
        .await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("outbound.bad_answer"),
        "{end}"
    );
}

#[tokio::test]
async fn settings_say_which_providers_there_are_and_nothing_secret() {
    let server = server().await;
    let (_, settings) = answer(server.anonymous(Method::GET, "/auth/v1/settings")).await;
    let external = &settings["external"];
    for (name, there) in [
        ("acme", true),
        ("github", true),
        ("off", false),
        ("facebook", false),
        ("email", true),
    ] {
        assert_eq!(external[name], json!(there), "{name}");
    }
    assert_eq!(settings["external_labels"]["acme"], "Acme");
    assert_eq!(settings["external_labels"]["azure"], "Microsoft");
    assert_eq!(settings["external_labels"].get("off"), None);
    assert!(!settings.to_string().contains("secret"));
    assert!(!format!("{:?}", server.kernel().config()).contains("sorts"));
}
