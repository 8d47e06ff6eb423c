//! Codes and tokens: what they are good for, and when they end.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;
use tenon_testkit::PASSWORD;
use tenon_testkit::answer;

use super::{CHALLENGE, VERIFIER, app, claims, details, server, server_with};

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
async fn what_a_hook_of_the_operators_spoils_is_as_good_as_before() {
    const HOOKS: &str = "
        create schema hooks;
        grant usage on schema hooks to supabase_auth_admin;
        create table hooks.mood (good boolean);
        insert into hooks.mood values (true);
        create function hooks.claims(event jsonb) returns jsonb language plpgsql security definer as $$ begin
            if not (select good from hooks.mood) then raise exception 'no'; end if;
            return jsonb_build_object('claims', event -> 'claims');
        end $$;
        grant execute on function hooks.claims(jsonb) to supabase_auth_admin;";
    let server = server_with(|config| {
        config.auth.issuer.registration = true;
        config.auth.hooks.custom_access_token = Some(tenon_sdk::config::Hook {
            uri: "pg-functions://postgres/hooks/claims".into(),
            secrets: "".into(),
        });
    })
    .await;
    let admin = server.admin().await;
    admin.batch_execute(HOOKS).await.unwrap();
    let (app, ada) = (app(&server).await, server.user("ada").await);
    let code = app.code(&ada, &[]).await;
    let mood = async |good: bool| {
        let set = "update hooks.mood set good = $1";
        admin.execute(set, &[&good]).await.unwrap();
    };
    mood(false).await;
    assert_eq!(app.exchange(&code, VERIFIER).await.0, 500);
    let sessions = "select count(*) from auth.sessions where oauth_client_id is not null";
    let left: i64 = admin.query_one(sessions, &[]).await.unwrap().get(0);
    assert_eq!(left, 0);
    mood(true).await;
    let (status, tokens) = app.exchange(&code, VERIFIER).await;
    assert_eq!(status, 200, "{tokens}");
    mood(false).await;
    assert_eq!(app.refresh(&tokens).await.0, 500);
    mood(true).await;
    let (status, next) = app.refresh(&tokens).await;
    assert_eq!(status, 200, "{next}");
    // Once only, as ever.
    assert_eq!(app.refresh(&tokens).await.0, 400);
}
