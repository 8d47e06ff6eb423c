//! What a program may do for a person.

use reqwest::Method;
use serde_json::json;
use tenon_testkit::answer;

use super::{VERIFIER, app, claims, details, server};

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
