//! Seeds and dumps written for Supabase, loaded as they are: `docs/supabase.toml`.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::stand_in::{ANON, SERVICE, Stack};

const PASSWORD: &str = "password123";

async fn sign_in(stack: &Stack, email: &str, password: &str) -> (u16, Value) {
    let body = json!({ "email": email, "password": password });
    stack
        .ask(Method::POST, "/auth/v1/token?grant_type=password", ANON, body)
        .await
}

async fn refresh(stack: &Stack, token: &Value) -> (u16, Value) {
    let body = json!({ "refresh_token": token });
    stack
        .ask(
            Method::POST,
            "/auth/v1/token?grant_type=refresh_token",
            ANON,
            body,
        )
        .await
}

#[tokio::test]
async fn people_of_a_seed_sign_in_with_the_passwords_it_gave_them() {
    let stack = Stack::start(&[]).await;
    let sql = stack.sql("postgres", "postgres").await.unwrap();
    sql.batch_execute(include_str!("seeds/people.sql")).await.unwrap();
    stack.known("/rest/v1/profiles").await;
    let hash = async |email: &str| -> String {
        let text = "select encrypted_password from auth.users where email = $1";
        sql.query_one(text, &[&email]).await.unwrap().get(0)
    };
    for email in [
        "user1@example.com",
        "user3@example.com",
        "everything@example.com",
        "block@example.com",
        "function@example.com",
    ] {
        assert!(hash(email).await.starts_with("$2a$"), "{email}");
        let (status, told) = sign_in(&stack, email, "password124").await;
        assert_eq!(
            (status, &told["error_code"]),
            (400, &json!("invalid_credentials"))
        );
        assert!(hash(email).await.starts_with("$2a$"), "{email}");
        let (status, session) = sign_in(&stack, email, PASSWORD).await;
        assert_eq!(status, 200, "{email}: {session}");
        let user = &session["user"];
        assert_eq!(
            (
                &user["email"],
                &user["identities"][0]["provider"],
                &user["identities"][0]["email"]
            ),
            (&json!(email), &json!("email"), &json!(email)),
            "{user}"
        );
        assert_eq!(user["identities"].as_array().unwrap().len(), 1);
        // From now on with a hash of ours, which is as good.
        assert!(hash(email).await.starts_with("$argon2id$"), "{email}");
        assert_eq!(sign_in(&stack, email, PASSWORD).await.0, 200, "{email}");
        assert_eq!(sign_in(&stack, email, "password124").await.0, 400, "{email}");
        // The refresh token is known by its person, and the profile was made by the trigger.
        let id = user["id"].as_str().unwrap();
        let tokens: i64 = sql
            .query_one(
                "select count(*) from auth.refresh_tokens where user_id = $1 and not revoked",
                &[&id],
            )
            .await
            .unwrap()
            .get(0);
        assert_eq!(tokens, 2);
        let token = session["access_token"].as_str().unwrap();
        let path = format!("/rest/v1/profiles?id=eq.{id}&select=id");
        assert_eq!(stack.get(&path, token).await, (200, json!([{ "id": id }])));
        assert_eq!(refresh(&stack, &session["refresh_token"]).await.0, 200);
    }
    let (_, users) = stack.get("/auth/v1/admin/users?per_page=100", SERVICE).await;
    assert_eq!(users["users"].as_array().unwrap().len(), 6, "{users}");

    // What people write to sign somebody out.
    let (_, session) = sign_in(&stack, "user1@example.com", PASSWORD).await;
    sql.execute(
        "update auth.refresh_tokens set revoked = true where user_id = $1",
        &[&session["user"]["id"].as_str().unwrap()],
    )
    .await
    .unwrap();
    let (status, told) = refresh(&stack, &session["refresh_token"]).await;
    assert_eq!(
        (status, &told["error_code"]),
        (400, &json!("refresh_token_already_used")),
        "{told}"
    );
    let (_, session) = sign_in(&stack, "user2@example.com", PASSWORD).await;
    sql.batch_execute(
        "delete from auth.refresh_tokens where user_id = (select id::text from auth.users where email = 'user2@example.com')",
    )
    .await
    .unwrap();
    let (status, told) = refresh(&stack, &session["refresh_token"]).await;
    assert_eq!(
        (status, &told["error_code"]),
        (400, &json!("refresh_token_not_found")),
        "{told}"
    );
    drop(sql);
    assert!(stack.server.terminate().await);
}

#[tokio::test]
async fn the_dump_of_a_project_is_loaded_and_its_people_come_in() {
    let stack = Stack::start(&[]).await;
    let sql = stack.sql("postgres", "postgres").await.unwrap();
    sql.batch_execute(include_str!("seeds/dump.sql")).await.unwrap();
    let (status, session) = sign_in(&stack, "dumped@example.com", PASSWORD).await;
    assert_eq!(status, 200, "{session}");
    assert_eq!(session["user"]["created_at"], "2026-05-21T18:22:21.3Z");
    // Sessions go on with the tokens that clients hold, and one that was spent ends its session.
    let (status, on) = refresh(&stack, &json!("jnisk6fjhfaf")).await;
    assert_eq!(
        (status, &on["user"]["email"]),
        (200, &json!("dumped@example.com")),
        "{on}"
    );
    let (status, told) = refresh(&stack, &json!("xby5iy2bmncy")).await;
    assert_eq!(
        (status, &told["error_code"]),
        (400, &json!("refresh_token_already_used"))
    );
    assert_eq!(refresh(&stack, &json!("qqnkux2j66b2")).await.0, 400);
    let kept: i64 = sql
        .query_one(
            "select count(*) from auth.refresh_tokens where token is not null or parent is not null",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(kept, 0, "tokens are kept as hashes");

    // Who has not confirmed their address follows the link they got.
    let (status, told) = sign_in(&stack, "waiting@example.com", PASSWORD).await;
    assert_eq!(
        (status, &told["error_code"]),
        (400, &json!("email_not_confirmed"))
    );
    let link = json!({ "type": "signup", "token_hash": "pkce_e0d4e760de552c914c0ab39386c46ef084c7aaff83ceb85b66fd184e" });
    let (status, session) = stack.ask(Method::POST, "/auth/v1/verify", ANON, link).await;
    assert_eq!(
        (status, &session["user"]["email"]),
        (200, &json!("waiting@example.com")),
        "{session}"
    );
    assert_eq!(sign_in(&stack, "waiting@example.com", PASSWORD).await.0, 200);

    // Beside a dump, a claim finds its session.
    sql.batch_execute(
        "insert into auth.sessions (id, user_id, created_at, updated_at, aal) select gen_random_uuid(), id, now(), now(), 'aal2' \
         from auth.users where email = 'waiting@example.com' and aud = 'authenticated'; \
         insert into auth.mfa_amr_claims (session_id, created_at, updated_at, authentication_method, id) \
         select id, now(), now(), 'totp', gen_random_uuid() from auth.sessions where aal = 'aal2'::auth.aal_level",
    )
    .await
    .unwrap();
    let text = "select authentication_method from auth.mfa_amr_claims c join auth.sessions s on s.id = c.session_id \
                where s.aal = 'aal2'";
    let method: String = sql.query_one(text, &[]).await.unwrap().get(0);
    assert_eq!(method, "totp");
    drop(sql);
    assert!(stack.server.terminate().await);
}

/// Tables and columns of GoTrue, by its migrations up to 20260625.
const UPSTREAM: &str = include_str!("seeds/upstream.txt");

#[tokio::test]
async fn every_column_of_upstreams_tables_is_there_with_its_type() {
    let database = crate::support::database().await;
    let rows = database
        .admin()
        .await
        .query(
            "select c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) from pg_attribute a \
             join pg_class c on c.oid = a.attrelid where c.relnamespace = 'auth'::regnamespace \
             and c.relkind in ('r', 'v') and a.attnum > 0 and not a.attisdropped",
            &[],
        )
        .await
        .unwrap();
    let ours: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let missing: Vec<&str> = UPSTREAM
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !ours.contains(*line))
        .collect();
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
}
