//! What a provider answers, and whether it is believed.

use crate::provider::Signed;
use crate::provider::code_for;
use crate::provider::issuer;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;
use tenon_sdk::env::Env;
use tenon_testkit::answer;
use url::Url;

use super::{ADA, Browser, begin, come, fragment, merge, people, person, query, server, sign_in_as};

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
