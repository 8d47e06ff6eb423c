//! Further ways in of whoever is signed in.

use crate::provider::code_for;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;
use tenon_testkit::PASSWORD;
use tenon_testkit::answer;

use super::{
    ADA, Browser, delete, link, me, person, post, providers, providers_of, query, server, sign_in_as,
    sign_up, start,
};

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
async fn who_was_signed_out_or_needs_a_second_factor_meanwhile_links_nothing() {
    let server = server().await;
    let admin = server.admin().await;
    for (meanwhile, code) in [
        ("delete from auth.sessions", "bad_oauth_state"),
        (
            "insert into auth.mfa_factors (id, user_id, factor_type, status, secret, created_at, updated_at) \
             select gen_random_uuid(), id, 'totp', 'verified', 'JBSWY3DPEHPK3PXP', now(), now() from auth.users",
            "insufficient_aal",
        ),
    ] {
        let session = sign_up(&server, ADA).await;
        let mut browser = Browser::new();
        let token = session["access_token"].as_str().unwrap();
        let begun = link(&server, &mut browser, token, "acme").await;
        admin.execute(meanwhile, &[]).await.unwrap();
        let end = browser
            .led(&begun.back(&code_for(begun.grant(begun.claims("7", Some(ADA))))))
            .await;
        assert_eq!(query(&end, "error_code").as_deref(), Some(code), "{end}");
        let linked = "select count(*) from auth.identities where provider = 'acme'";
        let linked: i64 = admin.query_one(linked, &[]).await.unwrap().get(0);
        assert_eq!(linked, 0);
        admin.execute("delete from auth.users", &[]).await.unwrap();
    }
}
