//! People come in by them.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenon_sdk::env::Env;
use tenon_testkit::answer;

use super::{ALL, ONE, begin_custom, call, change, create, oauth2, oidc};
use crate::provider::{Signed, code_for, id_token, issuer};
use crate::providers::{
    ADA, Begun, Browser, VERIFIER, fragment, link, me, merge, person, post, providers_of, query, server,
    sign_up,
};

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
    let body = json!({ "auth_code": code, "code_verifier": VERIFIER });
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
