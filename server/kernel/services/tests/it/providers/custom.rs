//! Providers that programs of the operator's set up while the installation runs.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenon_sdk::env::Env;
use tenon_testkit::{SERVICE_KEY, TestServer, answer};

use super::{
    ADA, Begun, Browser, begin, fragment, link, me, merge, person, post, providers, providers_of, query,
    server, sign_up, start,
};
use crate::provider::{SECRET, Signed, code_for, id_token, issuer};

const ALL: &str = "/auth/v1/admin/custom-providers";
const ONE: &str = "/auth/v1/admin/custom-providers/custom:acme";

async fn call(server: &TestServer, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = server
        .anonymous(method, path)
        .header("x-supabase-api-version", "2024-01-01")
        .bearer_auth(SERVICE_KEY);
    answer(request.json(&body)).await
}

/// What is said of a provider of OpenID Connect.
fn oidc(name: &'static str, more: Value) -> Value {
    let mut asked = json!({
        "provider_type": "oidc", "identifier": format!("custom:{name}"), "name": "Acme Works", "client_id": "tenon",
        "client_secret": SECRET, "issuer": issuer(name), "scopes": ["email"],
    });
    merge(&mut asked, more);
    asked
}

/// What is said of a provider with an interface of its own.
fn oauth2(name: &'static str, more: Value) -> Value {
    let base = issuer(name);
    let mut asked = json!({
        "provider_type": "oauth2", "identifier": format!("custom:{name}"), "name": "Yard", "client_id": "tenon",
        "client_secret": SECRET, "authorization_url": format!("{base}/auth"), "token_url": format!("{base}/token"),
        "userinfo_url": format!("{base}/me"),
    });
    merge(&mut asked, more);
    asked
}

async fn create(server: &TestServer, asked: Value) -> Value {
    let (status, made) = call(server, Method::POST, ALL, asked).await;
    assert_eq!(status, 201, "{made}");
    made
}

async fn change(server: &TestServer, wish: Value) -> Value {
    let (status, changed) = call(server, Method::PUT, ONE, wish).await;
    assert_eq!(status, 200, "{changed}");
    changed
}

/// Begins with `custom:NAME`, whose issuer is NAME.
async fn begin_custom(server: &TestServer, browser: &mut Browser, name: &'static str, more: &str) -> Begun {
    let url = server.url(&format!("/auth/v1/authorize?provider=custom:{name}{more}"));
    let page = browser.led(&url).await;
    assert!(page.as_str().starts_with(&issuer(name)), "{page}");
    Begun { issuer: name, page }
}

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
        json!({ "changed": ["name", "client_secret", "scopes", "enabled"] }),
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
async fn people_sign_in_and_link_with_it_as_with_one_of_the_settings() {
    let server = server().await;
    let wishes = json!({ "authorization_params": { "prompt": "consent", "tenant": "7" } });
    create(&server, oidc("acme", wishes)).await;
    let (_, settings) = answer(server.anonymous(Method::GET, "/auth/v1/settings")).await;
    assert_eq!(
        (
            &settings["external"]["custom:acme"],
            &settings["external_labels"]["custom:acme"]
        ),
        (&json!(true), &json!("Acme Works"))
    );
    assert!(!settings.to_string().contains("sorts"));

    let mut browser = Browser::new();
    let begun = begin_custom(&server, &mut browser, "acme", "&prompt=none&scopes=files").await;
    for (name, value) in [
        ("scope", "openid email files"),
        ("code_challenge_method", "S256"),
        ("prompt", "consent"),
        ("tenant", "7"),
        ("client_id", "tenon"),
    ] {
        assert_eq!(query(&begun.page, name).as_deref(), Some(value), "{name}");
    }
    let code = code_for(begun.grant(begun.claims("7", Some(ADA))));
    let user = person(&server, &browser.led(&begun.back(&code)).await).await;
    assert_eq!(
        (&user["email"], providers_of(&user)),
        (&json!(ADA), vec!["custom:acme"])
    );
    let again = begin_custom(
        &server,
        &mut Browser::new(),
        "acme",
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=s256",
    )
    .await;
    let code = code_for(again.grant(again.claims("7", None)));
    let end = Browser::new().led(&again.back(&code)).await;
    let code = query(&end, "code").expect("a code for the client");
    let body = json!({ "auth_code": code, "code_verifier": super::VERIFIER });
    let (status, session) = post(&server, "token?grant_type=pkce", None, body).await;
    assert_eq!((status, &session["user"]["id"]), (200, &user["id"]), "{session}");

    // The account of the settings' provider of the same issuer is another way in.
    let session = sign_up(&server, "grace@example.com").await;
    let token = session["access_token"].as_str().unwrap();
    let url = server.url("/auth/v1/user/identities/authorize?provider=custom:acme&skip_http_redirect=true");
    let mut grace = Browser::new();
    let request = grace.http.get(url).bearer_auth(token);
    let response = grace.send(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = response.json().await.unwrap();
    let page = url::Url::parse(body["url"].as_str().unwrap()).unwrap();
    let begun = Begun { issuer: "acme", page };
    let code = code_for(begun.grant(begun.claims("8", Some("grace@work.example.com"))));
    grace.led(&begun.back(&code)).await;
    assert_eq!(providers_of(&me(&server, token).await), ["email", "custom:acme"]);
    let begun = link(&server, &mut grace, token, "acme").await;
    let code = code_for(begun.grant(begun.claims("8", None)));
    grace.led(&begun.back(&code)).await;
    assert_eq!(
        providers_of(&me(&server, token).await),
        ["email", "custom:acme", "acme"]
    );
}

#[tokio::test]
async fn what_is_changed_counts_at_once_and_ends_sign_ins_on_their_way() {
    let server = server().await;
    create(&server, oidc("acme", json!({}))).await;
    let mut browser = Browser::new();
    let ended = async |begun: Begun, code: &str| {
        let code_of = code_for(begun.grant(begun.claims("7", Some(ADA))));
        let mut browser = Browser::new();
        let end = browser.led(&begun.back(&code_of)).await;
        assert_eq!(query(&end, "error_code").as_deref(), Some(code), "{end}");
    };
    // Off: nobody begins, and nobody who began comes back.
    let challenged = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=s256";
    let begun = begin_custom(&server, &mut browser, "acme", challenged).await;
    change(&server, json!({ "enabled": false })).await;
    ended(begun, "provider_disabled").await;
    let refused = |name: &'static str| {
        let path = format!("/auth/v1/authorize?provider={name}");
        answer(server.anonymous(Method::GET, &path))
    };
    let (status, fault) = refused("custom:acme").await;
    assert_eq!((status, &fault["error_code"]), (400, &json!("provider_disabled")));
    let (_, settings) = answer(server.anonymous(Method::GET, "/auth/v1/settings")).await;
    assert_eq!(settings["external_labels"].get("custom:acme"), None);

    // Another secret: what was begun with the old one is over; a new label alone ends nothing.
    change(&server, json!({ "enabled": true })).await;
    let begun = begin_custom(&server, &mut browser, "acme", challenged).await;
    change(&server, json!({ "client_id": "tenon-2" })).await;
    ended(begun, "bad_oauth_state").await;
    let begun = begin_custom(&server, &mut browser, "acme", "").await;
    assert_eq!(query(&begun.page, "client_id").as_deref(), Some("tenon-2"));
    change(&server, json!({ "client_id": "tenon" })).await;
    let begun = begin_custom(&server, &mut browser, "acme", "").await;
    change(&server, json!({ "name": "Renamed" })).await;
    let code = code_for(begun.grant(begun.claims("7", Some(ADA))));
    person(&server, &browser.led(&begun.back(&code)).await).await;

    // Another issuer, whose document is read before it counts.
    let (status, fault) = call(
        &server,
        Method::PUT,
        ONE,
        json!({ "issuer": "http://127.0.0.1:9/none" }),
    )
    .await;
    assert_eq!((status, &fault["code"]), (400, &json!("validation_failed")));
    let moved = change(&server, json!({ "issuer": issuer("other") })).await;
    assert_eq!(moved["discovery_document"]["issuer"], issuer("other"));
    let page = browser
        .led(&server.url("/auth/v1/authorize?provider=custom:acme"))
        .await;
    assert!(page.as_str().starts_with(&issuer("other")), "{page}");
    let begun = Begun {
        issuer: "other",
        page,
    };
    assert_eq!(call(&server, Method::DELETE, ONE, json!({})).await.0, 204);
    ended(begun, "bad_oauth_state").await;
    for name in [
        "custom:acme",
        "custom:nobody",
        "custom:",
        "custom:%00",
        "custom:A%20b",
    ] {
        let (status, fault) = refused(name).await;
        assert_eq!(
            (status, &fault["error_code"]),
            (400, &json!("validation_failed")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_interface_of_its_own_is_read_through_the_mapping() {
    let server = server().await;
    let wishes = json!({
        "attribute_mapping": { "sub": "id", "email": "mail", "user_name": "login" },
        "custom_claims_allowlist": ["groups", "absent"], "scopes": ["profile"], "pkce_enabled": false,
    });
    // This one wants its secret in the form.
    create(&server, oauth2("formal", wishes)).await;
    let come = async |told: Value| {
        let mut browser = Browser::new();
        let begun = begin_custom(&server, &mut browser, "formal", "").await;
        assert_eq!(query(&begun.page, "scope").as_deref(), Some("profile"));
        for absent in ["nonce", "code_challenge"] {
            assert_eq!(query(&begun.page, absent), None);
        }
        let mut grant = begun.grant(Value::Null);
        grant.told = json!({ "me": told });
        browser.led(&begun.back(&code_for(grant))).await
    };
    let told = json!({
        "id": 4711, "mail": ADA, "email_verified": true, "login": "ada", "groups": ["crew"], "secret": "none of our business",
    });
    let user = person(&server, &come(told).await).await;
    assert_eq!(
        (&user["email"], &user["identities"][0]["id"]),
        (&json!(ADA), &json!("4711"))
    );
    let data = &user["identities"][0]["identity_data"];
    assert_eq!(
        (&data["custom_claims"], &data["user_name"]),
        (&json!({ "groups": ["crew"] }), &json!("ada"))
    );
    assert_eq!(
        user["user_metadata"]["custom_claims"],
        json!({ "groups": ["crew"] })
    );
    assert!(!user.to_string().contains("business"));

    for (told, code) in [
        // One address that is verified does not open the account of another.
        (
            json!({ "id": 2, "mail": ADA, "email": "own@example.com", "email_verified": true }),
            "provider_email_needs_verification",
        ),
        (
            json!({ "id": 3, "mail": "new@example.com" }),
            "provider_email_needs_verification",
        ),
        (
            json!({ "mail": ADA, "email_verified": true }),
            "outbound.bad_answer",
        ),
        (json!([]), "outbound.bad_answer"),
    ] {
        let end = come(told.clone()).await;
        assert_eq!(query(&end, "error_code").as_deref(), Some(code), "{told}: {end}");
        assert!(fragment(&end, "access_token").is_none(), "{told}");
    }
    let (status, changed) = call(
        &server,
        Method::PUT,
        &format!("{ALL}/custom:formal"),
        json!({ "email_optional": true }),
    )
    .await;
    assert_eq!((status, &changed["email_optional"]), (200, &json!(true)));
    let user = person(
        &server,
        &come(json!({ "id": 3, "mail": "new@example.com" })).await,
    )
    .await;
    assert_eq!(user["email"], "");
}

#[tokio::test]
async fn id_tokens_are_taken_for_the_clients_that_its_row_names() {
    let server = server().await;
    create(
        &server,
        oidc("works", json!({ "acceptable_client_ids": ["works-ios"] })),
    )
    .await;
    create(&server, oauth2("yard", json!({}))).await;
    let now = Env::real().now().as_second();
    let token = |more: Value| {
        let mut claims = json!({
            "iss": issuer("works"), "aud": "works-ios", "sub": "7", "exp": now + 300, "email": ADA, "email_verified": true,
        });
        merge(&mut claims, more);
        id_token(&claims, Signed::Well)
    };
    let give = async |body: Value| post(&server, "token?grant_type=id_token", None, body).await;
    let plain = token(json!({}));
    for (body, code) in [
        (
            json!({ "provider": "custom:nobody", "id_token": plain }),
            "validation_failed",
        ),
        (
            json!({ "provider": "custom:yard", "id_token": plain }),
            "validation_failed",
        ),
        (
            json!({ "provider": "custom:works", "id_token": token(json!({ "aud": "stranger" })) }),
            "unexpected_audience",
        ),
        (
            json!({ "provider": "custom:works", "id_token": token(json!({ "iss": issuer("acme") })) }),
            "bad_id_token",
        ),
        (
            json!({ "provider": "custom:works", "id_token": token(json!({ "nonce": "x" })) }),
            "bad_id_token",
        ),
        (
            json!({ "issuer": issuer("works"), "client_id": "stranger", "id_token": plain }),
            "validation_failed",
        ),
        (
            json!({ "issuer": issuer("works"), "client_id": "works-ios", "id_token": plain, "nonce": "x" }),
            "bad_id_token",
        ),
    ] {
        let (status, fault) = give(body.clone()).await;
        assert_eq!((status, &fault["code"]), (400, &json!(code)), "{body} {fault}");
    }
    let (status, session) = give(json!({ "provider": "custom:works", "id_token": plain })).await;
    assert_eq!(
        (status, &session["user"]["email"]),
        (200, &json!(ADA)),
        "{session}"
    );
    let body = json!({ "issuer": issuer("works"), "client_id": "works-ios", "id_token": plain });
    let (_, again) = give(body.clone()).await;
    assert_eq!(again["user"]["id"], session["user"]["id"]);
    // A page that signs in by itself may have got one for another of the clients.
    let mut browser = Browser::new();
    let begun = begin_custom(&server, &mut browser, "works", "").await;
    let mut claims = begun.claims("7", None);
    merge(&mut claims, json!({ "aud": "works-ios" }));
    person(
        &server,
        &browser.led(&begun.back(&code_for(begun.grant(claims)))).await,
    )
    .await;

    let one = format!("{ALL}/custom:works");
    call(&server, Method::PUT, &one, json!({ "skip_nonce_check": true })).await;
    let unchecked = json!({ "provider": "custom:works", "id_token": token(json!({ "nonce": "x" })) });
    assert_eq!(give(unchecked).await.0, 200);
    call(&server, Method::PUT, &one, json!({ "enabled": false })).await;
    let (status, fault) = give(json!({ "provider": "custom:works", "id_token": plain })).await;
    assert_eq!((status, &fault["code"]), (400, &json!("provider_disabled")));
    assert_eq!(give(body).await.1["code"], "validation_failed");
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
    let (status, fault) = call(&server, Method::POST, ALL, super::custom::oidc("acme", json!({}))).await;
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
    let (status, fault) = call(&server, Method::POST, ALL, oidc("acme", json!({}))).await;
    assert_eq!(
        (status, &fault["code"]),
        (400, &json!("over_custom_provider_quota"))
    );
    let (_, settings) = answer(server.anonymous(Method::GET, "/auth/v1/settings")).await;
    assert_eq!(settings["external_labels"]["custom:p100"], "P");
    let begun = begin(&server, &mut Browser::new(), "acme", "").await;
    assert!(query(&begun.page, "state").is_some());
}
