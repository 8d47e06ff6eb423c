//! Sign-in over HTTP, as `@supabase/supabase-js` does it.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{PASSWORD, TestServer, answer};

async fn sign_up(server: &TestServer, email: &str, password: &str) -> (u16, Value) {
    let body = json!({ "email": email, "password": password, "data": { "name": "Ada" } });
    answer(
        server
            .anonymous(Method::POST, "/auth/v1/signup")
            .header("x-supabase-api-version", "2024-01-01")
            .json(&body),
    )
    .await
}

async fn sign_in(server: &TestServer, email: &str, password: &str) -> (u16, Value) {
    let body = json!({ "email": email, "password": password });
    answer(
        server
            .anonymous(Method::POST, "/auth/v1/token?grant_type=password")
            .header("x-supabase-api-version", "2024-01-01")
            .json(&body),
    )
    .await
}

async fn refresh(server: &TestServer, token: &str) -> (u16, Value) {
    let request = server.anonymous(Method::POST, "/auth/v1/token?grant_type=refresh_token");
    answer(
        request
            .header("x-supabase-api-version", "2024-01-01")
            .json(&json!({ "refresh_token": token })),
    )
    .await
}

async fn me(server: &TestServer, token: &str) -> (u16, Value) {
    answer(server.anonymous(Method::GET, "/auth/v1/user").bearer_auth(token)).await
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[tokio::test]
async fn a_person_signs_up_signs_in_and_is_known_by_the_token() {
    let server = TestServer::start(vec![]).await;
    let (status, session) = sign_up(&server, "Ada@Example.com", PASSWORD).await;
    assert_eq!(status, 200, "{session}");
    assert_eq!(session["user"]["email"], "ada@example.com");
    assert_eq!(session["token_type"], "bearer");
    assert_eq!(session["expires_in"], 3600);

    let (status, session) = sign_in(&server, "ada@example.com", PASSWORD).await;
    assert_eq!(status, 200, "{session}");
    let (status, user) = me(&server, text(&session["access_token"])).await;
    assert_eq!((status, &user["user_metadata"]["name"]), (200, &json!("Ada")));
}

#[tokio::test]
async fn wrong_passwords_and_unknown_people_get_the_same_answer() {
    let server = TestServer::start(vec![]).await;
    sign_up(&server, "ada@example.com", PASSWORD).await;
    let (status, wrong) = sign_in(&server, "ada@example.com", "not the password").await;
    assert_eq!((status, text(&wrong["code"])), (400, "invalid_credentials"));
    let (status, unknown) = sign_in(&server, "nobody@example.com", PASSWORD).await;
    assert_eq!((status, unknown), (400, wrong));
    for hostile in [
        "' or 1=1 --",
        "ada@example.com' --",
        "\u{0}",
        &"a".repeat(100_000),
    ] {
        let (status, body) = sign_in(&server, hostile, hostile).await;
        assert_eq!((status, text(&body["code"])), (400, "invalid_credentials"));
    }
}

#[tokio::test]
async fn too_many_failures_pause_an_address_for_five_minutes() {
    let server = TestServer::start(vec![]).await;
    sign_up(&server, "ada@example.com", PASSWORD).await;
    for _ in 0..10 {
        assert_eq!(sign_in(&server, "ada@example.com", "wrong password").await.0, 400);
    }
    let (status, body) = sign_in(&server, "ada@example.com", PASSWORD).await;
    assert_eq!((status, text(&body["code"])), (429, "over_request_rate_limit"));
    server.advance(SignedDuration::from_mins(6));
    assert_eq!(sign_in(&server, "ada@example.com", PASSWORD).await.0, 200);
}

#[tokio::test]
async fn sign_up_refuses_what_is_no_address_weak_passwords_and_addresses_that_are_taken() {
    let server = TestServer::start(vec![]).await;
    for (email, password, status, code) in [
        ("ada", PASSWORD, 400, "email_address_invalid"),
        ("ada@example.com", "short", 422, "weak_password"),
        ("ada@example.com", &"x".repeat(2000), 422, "weak_password"),
        ("ada@example.com", PASSWORD, 200, ""),
        ("ADA@example.com", PASSWORD, 422, "user_already_exists"),
    ] {
        let (got, body) = sign_up(&server, email, password).await;
        assert_eq!(
            (got, body["code"].as_str().unwrap_or_default()),
            (status, code),
            "{email} {body}"
        );
    }
    let malformed = server
        .anonymous(Method::POST, "/auth/v1/signup")
        .body("{")
        .send()
        .await
        .unwrap();
    assert_eq!(malformed.status(), 400);
}

#[tokio::test]
async fn errors_have_the_form_the_client_knows() {
    let server = TestServer::start(vec![]).await;
    let body = json!({ "email": "x@example.com", "password": "wrong" });
    let request = server
        .anonymous(Method::POST, "/auth/v1/token?grant_type=password")
        .json(&body);
    let (_, old) = answer(request).await;
    assert_eq!(
        (&old["code"], &old["error_code"]),
        (&json!(400), &json!("invalid_credentials"))
    );
    let request = server
        .anonymous(Method::POST, "/auth/v1/token?grant_type=password")
        .header("x-supabase-api-version", "2024-01-01")
        .json(&body);
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["x-supabase-api-version"], "2024-01-01");
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_coming_back_late_ends_the_session() {
    let server = TestServer::start(vec![]).await;
    let (_, session) = sign_up(&server, "ada@example.com", PASSWORD).await;
    let first = text(&session["refresh_token"]).to_owned();
    let (status, second) = refresh(&server, &first).await;
    assert_eq!(status, 200, "{second}");
    // A client that lost the answer may ask again at once.
    assert_eq!(refresh(&server, &first).await.0, 200);
    server.advance(SignedDuration::from_secs(60));
    let (status, body) = refresh(&server, &first).await;
    assert_eq!((status, text(&body["code"])), (400, "refresh_token_already_used"));
    let (status, body) = refresh(&server, text(&second["refresh_token"])).await;
    assert_eq!((status, text(&body["code"])), (400, "refresh_token_not_found"));
}

#[tokio::test]
async fn expired_forged_and_foreign_tokens_are_refused() {
    let server = TestServer::start(vec![]).await;
    let (_, session) = sign_up(&server, "ada@example.com", PASSWORD).await;
    let token = text(&session["access_token"]).to_owned();
    let parts: Vec<&str> = token.split('.').collect();

    let flipped = format!(
        "{}.{}.{}",
        parts[0],
        parts[1],
        parts[2].chars().rev().collect::<String>()
    );
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let unsigned = format!("{none}.{}.", parts[1]);
    let (_, other) = sign_up(&server, "eve@example.com", PASSWORD).await;
    let other = text(&other["access_token"]).to_owned();
    let swapped = format!("{}.{}.{}", parts[0], other.split('.').nth(1).unwrap(), parts[2]);
    for forged in [&flipped, &unsigned, &swapped, "x", "a.b.c", &"a".repeat(20_000)] {
        let (status, body) = me(&server, forged).await;
        assert_eq!((status, text(&body["error_code"])), (403, "bad_jwt"), "{forged}");
    }
    assert_eq!(me(&server, &token).await.0, 200);
    server.advance(SignedDuration::from_secs(3600 + 31));
    let (status, body) = me(&server, &token).await;
    assert_eq!((status, text(&body["error_code"])), (403, "bad_jwt"));
    let words =
        "invalid JWT: unable to parse or verify signature, token has invalid claims: token is expired";
    assert_eq!(text(&body["msg"]), words);
    // Each API in its own words.
    for (path, code) in [
        ("/rest/v1/", "PGRST303"),
        ("/api/v1/tenancy/organizations", "auth.token_expired"),
        ("/auth/v1/oauth/userinfo", "auth.token_expired"),
    ] {
        let request = server
            .anonymous(Method::GET, path)
            .header("x-supabase-api-version", "2024-01-01")
            .bearer_auth(&token);
        let (status, body) = answer(request).await;
        assert_eq!((status, text(&body["code"])), (401, code), "{path}");
    }
    let newer = server
        .anonymous(Method::GET, "/auth/v1/user")
        .header("x-supabase-api-version", "2024-01-01");
    let (status, body) = answer(newer.bearer_auth("x.y")).await;
    assert_eq!((status, text(&body["code"])), (403, "bad_jwt"), "{body}");
    assert!(text(&body["message"]).starts_with("invalid JWT: "), "{body}");
    let (status, body) = me(&server, "tnn_pat_nothing").await;
    assert_eq!((status, text(&body["error_code"])), (403, "bad_jwt"));

    let stranger = TestServer::start(vec![]).await;
    let (_, session) = sign_up(&stranger, "ada@example.com", PASSWORD).await;
    assert_eq!(me(&server, text(&session["access_token"])).await.0, 403);
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let server = TestServer::start(vec![]).await;
    let (_, one) = sign_up(&server, "ada@example.com", PASSWORD).await;
    let (_, two) = sign_in(&server, "ada@example.com", PASSWORD).await;
    let local = server.anonymous(Method::POST, "/auth/v1/logout?scope=local");
    let response = local
        .bearer_auth(text(&one["access_token"]))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 204);
    assert_eq!(me(&server, text(&one["access_token"])).await.0, 403);
    assert_eq!(refresh(&server, text(&one["refresh_token"])).await.0, 400);
    assert_eq!(me(&server, text(&two["access_token"])).await.0, 200);
    let global = server.anonymous(Method::POST, "/auth/v1/logout");
    global
        .bearer_auth(text(&two["access_token"]))
        .send()
        .await
        .unwrap();
    assert_eq!(refresh(&server, text(&two["refresh_token"])).await.0, 400);
}

#[tokio::test]
async fn tokens_of_one_server_are_good_at_another_on_the_same_database() {
    let server = TestServer::start(vec![]).await;
    let (_, session) = sign_up(&server, "ada@example.com", PASSWORD).await;
    let other = server
        .beside(vec![], tenon_testkit::TestServerOptions::default())
        .await;
    assert_eq!(me(&other, text(&session["access_token"])).await.0, 200);
    let (status, jwks) = answer(server.anonymous(Method::GET, "/auth/v1/.well-known/jwks.json")).await;
    assert_eq!((status, &jwks["keys"][0]["alg"]), (200, &json!("ES256")));
    assert_eq!(jwks["keys"][0].get("d"), None);
}

#[tokio::test]
async fn no_password_or_token_is_stored_as_it_was_sent() {
    let server = TestServer::start(vec![]).await;
    let (_, session) = sign_up(&server, "ada@example.com", PASSWORD).await;
    let admin = server.admin().await;
    let hash: String = admin
        .query_one("select encrypted_password from auth.users", &[])
        .await
        .unwrap()
        .get(0);
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    let tokens = admin
        .query("select token_hash from auth.refresh_tokens", &[])
        .await
        .unwrap();
    let sent = text(&session["refresh_token"]).as_bytes();
    assert!(tokens.iter().all(|row| row.get::<_, Vec<u8>>(0) != sent));
}

async fn change(server: &TestServer, token: &str, body: &Value) -> (u16, Value) {
    answer(
        server
            .anonymous(Method::PUT, "/auth/v1/user")
            .header("x-supabase-api-version", "2024-01-01")
            .bearer_auth(token)
            .json(body),
    )
    .await
}

/// A server that gives accounts to visitors, and one of theirs.
async fn visitor() -> (TestServer, Value) {
    let server = TestServer::configured(vec![], |config| config.auth.anonymous_users = true).await;
    let request = server.anonymous(Method::POST, "/auth/v1/signup");
    let (status, session) = answer(request.json(&json!({ "data": { "colour": "blue" } }))).await;
    assert_eq!(status, 200, "{session}");
    (server, session)
}

fn claims(session: &Value) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = text(&session["access_token"])
        .split('.')
        .nth(1)
        .expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("claims")
}

#[tokio::test]
async fn a_visitor_gets_an_account_only_where_the_installation_gives_them() {
    let closed = TestServer::start(vec![]).await;
    let request = closed.anonymous(Method::POST, "/auth/v1/signup");
    let (status, body) = answer(request.json(&json!({}))).await;
    assert_eq!(
        (status, text(&body["error_code"])),
        (422, "anonymous_provider_disabled")
    );

    let (server, session) = visitor().await;
    let user = &session["user"];
    assert_eq!(
        (&user["is_anonymous"], &user["email"], &user["identities"]),
        (&json!(true), &json!(""), &json!([]))
    );
    assert_eq!(user["user_metadata"]["colour"], "blue");
    assert!(user.get("email_confirmed_at").is_none());
    let claims = claims(&session);
    assert_eq!(
        (
            &claims["is_anonymous"],
            &claims["role"],
            &claims["amr"][0]["method"]
        ),
        (&json!(true), &json!("authenticated"), &json!("anonymous"))
    );
    let (_, settings) = answer(server.anonymous(Method::GET, "/auth/v1/settings")).await;
    assert_eq!(settings["external"]["anonymous_users"], true);
    // An address alone is no visitor, and nobody signs in without a password.
    let (status, body) = sign_up(&server, "ada@example.com", "").await;
    assert_eq!((status, text(&body["code"])), (422, "weak_password"));
    let (status, _) = sign_in(&server, "", "").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_visitors_account_becomes_a_persons_with_an_address_and_keeps_its_data() {
    let (server, session) = visitor().await;
    let token = text(&session["access_token"]);
    let (status, body) = change(&server, token, &json!({ "password": PASSWORD })).await;
    assert_eq!(
        (status, text(&body["code"])),
        (422, "validation_failed"),
        "{body}"
    );

    sign_up(&server, "taken@example.com", PASSWORD).await;
    let (status, body) = change(&server, token, &json!({ "email": "Taken@example.com" })).await;
    assert_eq!((status, text(&body["code"])), (422, "email_exists"), "{body}");

    let (status, user) = change(
        &server,
        token,
        &json!({ "email": "Ada@Example.com", "password": PASSWORD }),
    )
    .await;
    assert_eq!(status, 200, "{user}");
    assert_eq!(
        (&user["is_anonymous"], &user["email"], &user["id"]),
        (&json!(false), &json!("ada@example.com"), &session["user"]["id"])
    );
    assert_eq!(user["identities"][0]["provider"], "email");
    assert_eq!(user["app_metadata"]["provider"], "email");

    let (status, again) = sign_in(&server, "ada@example.com", PASSWORD).await;
    assert_eq!((status, &again["user"]["id"]), (200, &session["user"]["id"]));
    assert_eq!(again["user"]["user_metadata"]["colour"], "blue");
    // Tokens of the first session say from the next refresh on that nobody is anonymous any more.
    let (_, refreshed) = refresh(&server, text(&session["refresh_token"])).await;
    let claims = claims(&refreshed);
    assert_eq!(
        (&claims["is_anonymous"], &claims["amr"][0]["method"]),
        (&json!(false), &json!("anonymous"))
    );
}

#[tokio::test]
async fn a_visitors_account_neither_founds_nor_joins_an_organisation() {
    let (server, session) = visitor().await;
    let org = server.organization("Harbour").await;
    let (_, invitation) = org
        .owner
        .post_json("/api/v1/tenancy/invitations", &json!({ "role": "viewer" }))
        .await;
    let link = text(&invitation["url"]);
    let token = link.rsplit('/').next().expect("a token");
    for (path, body) in [
        (
            "/api/v1/tenancy/organizations".to_owned(),
            json!({ "name": "Visitors" }),
        ),
        (format!("/api/v1/tenancy/invitations/{token}/accept"), json!({})),
    ] {
        let request = server
            .anonymous(Method::POST, &path)
            .bearer_auth(text(&session["access_token"]));
        let (status, body) = answer(request.json(&body)).await;
        assert_eq!(
            (status, text(&body["code"])),
            (403, "tenancy.address_needed"),
            "{path}: {body}"
        );
    }
}

#[tokio::test]
async fn a_new_password_differs_from_the_old_one_and_ends_the_other_sessions() {
    let server = TestServer::start(vec![]).await;
    let (_, other) = sign_up(&server, "ada@example.com", PASSWORD).await;
    let (_, session) = sign_in(&server, "ada@example.com", PASSWORD).await;
    let token = text(&session["access_token"]);
    let (status, body) = change(&server, token, &json!({ "password": PASSWORD })).await;
    assert_eq!((status, text(&body["code"])), (422, "same_password"));

    let (status, _) = change(&server, token, &json!({ "password": "another good one" })).await;
    assert_eq!(status, 200);
    let (status, body) = refresh(&server, text(&other["refresh_token"])).await;
    assert_eq!((status, text(&body["code"])), (400, "refresh_token_not_found"));
    assert_eq!(refresh(&server, text(&session["refresh_token"])).await.0, 200);
    assert_eq!(sign_in(&server, "ada@example.com", PASSWORD).await.0, 400);
    assert_eq!(
        sign_in(&server, "ada@example.com", "another good one").await.0,
        200
    );
}

#[tokio::test]
async fn a_person_changes_their_address_and_signs_in_with_the_new_one() {
    let server = TestServer::start(vec![]).await;
    let (_, session) = sign_up(&server, "ada@example.com", PASSWORD).await;
    let token = text(&session["access_token"]);
    for (email, code) in [
        ("nowhere", "email_address_invalid"),
        ("", "email_address_invalid"),
    ] {
        let (status, body) = change(&server, token, &json!({ "email": email })).await;
        assert_eq!((status, text(&body["code"])), (400, code), "{email}");
    }
    let (status, user) = change(&server, token, &json!({ "email": "grace@example.com" })).await;
    assert_eq!(
        (status, &user["identities"][0]["identity_data"]["email"]),
        (200, &json!("grace@example.com"))
    );
    assert_eq!(user["identities"].as_array().map(Vec::len), Some(1));
    assert_eq!(sign_in(&server, "ada@example.com", PASSWORD).await.0, 400);
    assert_eq!(sign_in(&server, "grace@example.com", PASSWORD).await.0, 200);
}

#[tokio::test]
async fn what_people_say_of_themselves_fits_into_their_tokens_and_a_null_takes_it_away() {
    let server = TestServer::start(vec![]).await;
    let (_, session) = sign_up(&server, "ada@example.com", PASSWORD).await;
    let token = text(&session["access_token"]);
    let data = |name: &str, value: Value| json!({ "data": { name: value } });
    // As much as there may be, of what is longest in a token.
    let (status, user) = change(&server, token, &data("a", json!("ü".repeat(1_900)))).await;
    assert_eq!(status, 200, "{user}");
    let (status, body) = change(&server, token, &data("b", json!("x".repeat(1_000)))).await;
    assert_eq!((status, text(&body["code"])), (400, "validation_failed"));
    let (_, session) = refresh(&server, text(&session["refresh_token"])).await;
    let token = text(&session["access_token"]);
    assert_eq!(me(&server, token).await.0, 200);
    let (status, user) = change(&server, token, &data("a", Value::Null)).await;
    assert_eq!((status, &user["user_metadata"]), (200, &json!({ "name": "Ada" })));
}

#[tokio::test]
async fn what_is_done_about_sign_in_is_recorded() {
    let server = TestServer::start(vec![]).await;
    let (_, session) = sign_up(&server, "ada@example.com", PASSWORD).await;
    let out = server
        .anonymous(Method::POST, "/auth/v1/logout")
        .bearer_auth(text(&session["access_token"]));
    assert_eq!(answer(out).await.0, 204);
    let rows = server
        .admin()
        .await
        .query(
            "select payload ->> 'action', payload ->> 'actor_id' from auth.audit_log_entries order by created_at, id",
            &[],
        )
        .await
        .unwrap();
    let rows: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let ada = text(&session["user"]["id"]).to_owned();
    let recorded = ["user_signedup", "login", "logout"].map(|action| (action.to_owned(), ada.clone()));
    assert_eq!(rows, recorded);
}

#[tokio::test]
async fn whoever_is_banned_neither_signs_in_nor_refreshes_until_the_ban_ends() {
    let server = TestServer::start(vec![]).await;
    let (_, session) = sign_up(&server, "ada@example.com", PASSWORD).await;
    server
        .admin()
        .await
        .execute(
            "update auth.users set banned_until = now() + interval '1 day'",
            &[],
        )
        .await
        .unwrap();
    let (status, fault) = sign_in(&server, "ada@example.com", PASSWORD).await;
    assert_eq!((status, &fault["code"]), (403, &json!("user_banned")));
    // Only those who know the password learn of it.
    let (status, fault) = sign_in(&server, "ada@example.com", "wrong password").await;
    assert_eq!((status, &fault["code"]), (400, &json!("invalid_credentials")));
    let (status, fault) = refresh(&server, text(&session["refresh_token"])).await;
    assert_eq!((status, &fault["code"]), (403, &json!("user_banned")));
    server
        .admin()
        .await
        .execute(
            "update auth.users set banned_until = now() - interval '1 day'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(refresh(&server, text(&session["refresh_token"])).await.0, 200);
}
