//! Who may set them up, and what is refused.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{SERVICE_KEY, answer};

use super::{ALL, ONE, call, change, create, oauth2, oidc};
use crate::provider::issuer;
use crate::providers::{Browser, begin, merge, providers, query, server, start};

#[tokio::test]
async fn only_a_service_key_sets_providers_up() {
    let server = server().await;
    create(&server, oidc("acme", json!({}))).await;
    let ada = server.user("ada").await;
    for (method, path) in [
        (Method::GET, ALL),
        (Method::POST, ALL),
        (Method::GET, ONE),
        (Method::PUT, ONE),
        (Method::DELETE, ONE),
    ] {
        let body = oidc("evil", json!({ "client_secret": "stolen" }));
        let nobody = server.anonymous(method.clone(), path).json(&body);
        let (status, fault) = answer(nobody).await;
        assert_eq!(
            (status, &fault["error_code"]),
            (401, &json!("no_authorization")),
            "{method} {path}"
        );
        let person = ada.request(method.clone(), path).json(&body);
        let (status, fault) = answer(person).await;
        assert_eq!(
            (status, &fault["error_code"]),
            (403, &json!("not_admin")),
            "{method} {path}"
        );
    }
    let (_, all) = call(&server, Method::GET, ALL, json!({})).await;
    assert_eq!(all["providers"].as_array().map(Vec::len), Some(1));
    assert_eq!(all["providers"][0]["name"], "Acme Works");
}

#[tokio::test]
async fn a_provider_is_made_shown_changed_and_deleted_and_its_secret_told_to_nobody() {
    let server = server().await;
    let made = create(
        &server,
        oidc("acme", json!({ "attribute_mapping": { "name": "display" } })),
    )
    .await;
    for (field, value) in [
        ("provider_type", json!("oidc")),
        ("identifier", json!("custom:acme")),
        ("scopes", json!(["openid", "email"])),
        ("pkce_enabled", json!(true)),
        ("enabled", json!(true)),
        ("email_optional", json!(false)),
        ("skip_nonce_check", json!(false)),
        ("acceptable_client_ids", json!([])),
        ("custom_claims_allowlist", json!([])),
        ("authorization_params", json!({})),
        ("attribute_mapping", json!({ "name": "display" })),
        ("issuer", json!(issuer("acme"))),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    let document = &made["discovery_document"];
    assert_eq!(
        (&document["issuer"], &document["jwks_uri"]),
        (&json!(issuer("acme")), &json!(format!("{}/keys", issuer("acme"))))
    );
    let plain = create(&server, oauth2("yard", json!({}))).await;
    assert_eq!(plain.get("issuer"), None);

    let (_, one) = call(&server, Method::GET, ONE, json!({})).await;
    assert_eq!(one, made);
    for (filter, names) in [
        ("", vec!["custom:yard", "custom:acme"]),
        ("?type=oidc", vec!["custom:acme"]),
        ("?type=oauth2", vec!["custom:yard"]),
    ] {
        let (_, all) = call(&server, Method::GET, &format!("{ALL}{filter}"), json!({})).await;
        let listed: Vec<&str> = all["providers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["identifier"].as_str().unwrap())
            .collect();
        assert_eq!(listed, names, "{filter}");
        assert!(!all.to_string().contains("sorts"), "{all}");
    }
    let (status, fault) = call(&server, Method::GET, &format!("{ALL}?type=saml"), json!({})).await;
    assert_eq!((status, &fault["code"]), (400, &json!("validation_failed")));

    // Its kind and its name stay; what is left out stays, too.
    let wish = json!({
        "provider_type": "oauth2", "identifier": "custom:other", "name": "New Works", "client_secret": "another",
        "scopes": ["groups"], "enabled": false, "client_id": "",
    });
    let changed = change(&server, wish).await;
    assert_eq!(
        (
            &changed["provider_type"],
            &changed["identifier"],
            &changed["name"]
        ),
        (&json!("oidc"), &json!("custom:acme"), &json!("New Works"))
    );
    assert_eq!(
        (&changed["scopes"], &changed["client_id"], &changed["enabled"]),
        (&json!(["openid", "groups"]), &json!("tenon"), &json!(false))
    );
    assert_eq!(changed["attribute_mapping"], json!({ "name": "display" }));
    assert!(!changed.to_string().contains("another"));

    assert_eq!(call(&server, Method::DELETE, ONE, json!({})).await.0, 204);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let (status, fault) = call(&server, method.clone(), ONE, json!({})).await;
        assert_eq!(
            (status, &fault["code"]),
            (404, &json!("custom_provider_not_found")),
            "{method}"
        );
    }
    let rows = server
        .admin()
        .await
        .query(
            "select payload ->> 'action', payload -> 'traits' from auth.audit_log_entries \
             where payload ->> 'action' like 'custom_provider%' order by created_at, id",
            &[],
        )
        .await
        .unwrap();
    let log: Vec<(String, Value)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let names = |kind: &str, name: &str| json!({ "identifier": name, "provider_type": kind });
    let mut update = names("oidc", "custom:acme");
    merge(
        &mut update,
        json!({ "changed": ["client_secret", "enabled", "name", "scopes"] }),
    );
    assert_eq!(
        log,
        [
            ("custom_provider_created".to_owned(), names("oidc", "custom:acme")),
            (
                "custom_provider_created".to_owned(),
                names("oauth2", "custom:yard")
            ),
            ("custom_provider_updated".to_owned(), update),
            ("custom_provider_deleted".to_owned(), names("oidc", "custom:acme")),
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_or_is_hostile_is_refused_and_nothing_is_kept_of_it() {
    let server = server().await;
    create(&server, oidc("acme", json!({}))).await;
    let long = |count: usize| "x".repeat(count);
    let many: Vec<String> = (0..51).map(|number| format!("s{number}")).collect();
    let oidc = |more: Value| oidc("new", more);
    let oauth2 = |more: Value| oauth2("new", more);
    for asked in [
        json!({}),
        json!({ "provider_type": "saml" }),
        oidc(json!({ "provider_type": "OIDC" })),
        oidc(json!({ "identifier": "" })),
        oidc(json!({ "identifier": "google" })),
        oidc(json!({ "identifier": "custom:" })),
        oidc(json!({ "identifier": "custom:A" })),
        oidc(json!({ "identifier": "custom:a b" })),
        oidc(json!({ "identifier": "custom:a/../b" })),
        oidc(json!({ "identifier": format!("custom:{}", long(44)) })),
        oidc(json!({ "name": " " })),
        oidc(json!({ "name": long(101) })),
        oidc(json!({ "name": "a\nb" })),
        oidc(json!({ "name": "a\u{202e}b" })),
        oidc(json!({ "name": "a\0b" })),
        oidc(json!({ "client_id": "" })),
        oidc(json!({ "client_id": long(513) })),
        oidc(json!({ "client_secret": "" })),
        oidc(json!({ "client_secret": long(100_000) })),
        oidc(json!({ "client_secret": "a\0b" })),
        oidc(json!({ "issuer": "" })),
        oidc(json!({ "issuer": "javascript:alert(1)" })),
        oidc(json!({ "issuer": "data:text/html,x" })),
        oidc(json!({ "issuer": "file:///etc/passwd" })),
        oidc(json!({ "issuer": "/relative" })),
        oidc(json!({ "issuer": "http://10.255.0.1/none" })),
        oidc(json!({ "issuer": "https://10.255.0.1/none" })),
        oidc(json!({ "issuer": "https://169.254.169.254" })),
        oidc(json!({ "issuer": "https://[::ffff:10.0.0.1]/" })),
        oidc(json!({ "issuer": "https://0xa9fea9fe/" })),
        oidc(json!({ "issuer": "http://example.com" })),
        oidc(json!({ "issuer": format!("{}?tenant=1", issuer("new")) })),
        oidc(json!({ "issuer": format!("{}#x", issuer("new")) })),
        oidc(json!({ "issuer": issuer("new").replace("http://", "http://user:secret@") })),
        oidc(json!({ "issuer": format!("https://example.com/{}", long(2048)) })),
        oidc(json!({ "issuer": issuer("new").replace("/new", "/./new") })),
        oidc(json!({ "discovery_url": "http://10.255.0.1/none" })),
        oidc(json!({ "discovery_url": format!("{}/keys", issuer("new")) })),
        oidc(json!({ "discovery_url": format!("{}/.well-known/openid-configuration", issuer("other")) })),
        oidc(json!({ "issuer": issuer("inward") })),
        oidc(json!({ "issuer": issuer("scheming") })),
        oidc(json!({ "scopes": ["a b"] })),
        oidc(json!({ "scopes": [""] })),
        oidc(json!({ "scopes": many })),
        oidc(json!({ "acceptable_client_ids": [long(513)] })),
        oidc(json!({ "custom_claims_allowlist": [" "] })),
        oidc(json!({ "custom_claims_allowlist": ["a\0"] })),
        oidc(json!({ "authorization_params": { "state": "mine" } })),
        oidc(json!({ "authorization_params": { "redirect_uri": "https://evil.example" } })),
        oidc(json!({ "authorization_params": { "nonce": "1" } })),
        oidc(json!({ "authorization_params": { "scope": "all" } })),
        oidc(json!({ "authorization_params": { "prompt": 7 } })),
        oidc(json!({ "authorization_params": { "a b": "c" } })),
        oidc(json!({ "authorization_params": { "prompt": long(1001) } })),
        oidc(json!({ "attribute_mapping": { "role": "role" } })),
        oidc(json!({ "attribute_mapping": { "app_metadata": "x" } })),
        oidc(json!({ "attribute_mapping": { "email_verified": "x" } })),
        oidc(json!({ "attribute_mapping": { "email_verified": true } })),
        oidc(json!({ "attribute_mapping": { "sub": "the same for all", "email": 7 } })),
        oidc(json!({ "attribute_mapping": { "sub": 7 } })),
        oidc(json!({ "attribute_mapping": { "name": long(5000) } })),
        oauth2(json!({ "authorization_url": "" })),
        oauth2(json!({ "authorization_url": "javascript:alert(1)" })),
        oauth2(json!({ "token_url": "" })),
        oauth2(json!({ "token_url": "https://192.168.1.1/token" })),
        oauth2(json!({ "userinfo_url": "" })),
        oauth2(json!({ "userinfo_url": "https://127.0.0.1:9@10.0.0.1/" })),
        oauth2(json!({ "jwks_uri": "https://[fd00::1]/" })),
    ] {
        let (status, fault) = call(&server, Method::POST, ALL, asked.clone()).await;
        assert_eq!(
            (status, &fault["code"]),
            (400, &json!("validation_failed")),
            "{asked} {fault}"
        );
        assert!(!fault.to_string().contains("sorts"), "{fault}");
    }
    for body in [
        "",
        "[]",
        "{",
        "{\"scopes\":\"openid\"}",
        "{\"enabled\":\"yes\"}",
        "7",
    ] {
        let request = server
            .anonymous(Method::POST, ALL)
            .bearer_auth(SERVICE_KEY)
            .body(body);
        assert_eq!(answer(request).await.0, 400, "{body}");
    }
    let (status, fault) = call(&server, Method::POST, ALL, super::oidc("acme", json!({}))).await;
    assert_eq!((status, &fault["code"]), (400, &json!("conflict")));
    for path in ["acme", "google", "custom:", "custom:A", "custom:%00", "%2e%2e"] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let (status, fault) = call(&server, method, &format!("{ALL}/{path}"), json!({})).await;
            assert!([400, 404].contains(&status), "{path}: {status} {fault}");
        }
    }
    for changes in [
        json!({ "issuer": "http://10.255.0.1/none" }),
        json!({ "issuer": issuer("scheming") }),
        json!({ "name": "a\nb" }),
        json!({ "attribute_mapping": { "aud": "x" } }),
        json!({ "authorization_params": { "client_id": "x" } }),
    ] {
        let (status, fault) = call(&server, Method::PUT, ONE, changes.clone()).await;
        assert_eq!(
            (status, &fault["code"]),
            (400, &json!("validation_failed")),
            "{changes} {fault}"
        );
    }
    let (_, all) = call(&server, Method::GET, ALL, json!({})).await;
    let kept = all["providers"].as_array().unwrap();
    assert_eq!((kept.len(), &kept[0]["name"]), (1, &json!("Acme Works")));
}

#[tokio::test]
async fn there_are_no_more_than_a_hundred_and_none_of_the_name_of_a_setting() {
    let server = start(|config| {
        providers(config);
        let acme = config.auth.external["acme"].clone();
        config.auth.external.insert("custom:fixed".to_owned(), acme);
    })
    .await;
    let asked = json!({ "identifier": "custom:fixed" });
    let (status, fault) = call(&server, Method::POST, ALL, oidc("acme", asked)).await;
    assert_eq!((status, &fault["code"]), (400, &json!("conflict")));
    server
        .admin()
        .await
        .execute(
            "insert into auth.custom_oauth_providers \
             (id, provider_type, identifier, name, client_id, client_secret, issuer, created_at, updated_at) \
             select gen_random_uuid(), 'oidc', 'custom:p' || n, 'P', 'c', 's', 'https://p.example', now(), now() \
             from generate_series(1, 100) n",
            &[],
        )
        .await
        .unwrap();
    let (status, fault) = call(&server, Method::POST, ALL, super::oidc("acme", json!({}))).await;
    assert_eq!(
        (status, &fault["code"]),
        (400, &json!("over_custom_provider_quota"))
    );
    let (_, settings) = answer(server.anonymous(Method::GET, "/auth/v1/settings")).await;
    assert_eq!(settings["external_labels"]["custom:p100"], "P");
    let begun = begin(&server, &mut Browser::new(), "acme", "").await;
    assert!(query(&begun.page, "state").is_some());
}
