//! A sign-in goes to the provider and comes back.

use crate::provider::code_for;
use crate::provider::issuer;
use jiff::SignedDuration;
use reqwest::Method;
use reqwest::StatusCode;
use serde_json::json;
use tenon_testkit::answer;
use url::Url;

use super::{
    ADA, Browser, CHALLENGE, VERIFIER, begin, come, fragment, person, post, providers, providers_of, query,
    server, sign_in_as, start,
};

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
