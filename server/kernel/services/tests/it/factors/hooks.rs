//! The operator's hook that looks at factors which were shown.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::config::{Config, Hook};
use tenon_testkit::TestServer;

use super::{Somebody, code, send, text, totp};
use crate::passkeys::{Key, step};

/// A function that notes what it hears, fails if anything of the person's is locked meanwhile, and refuses whom it is told to.
const FUNCTION: &str = "
    create schema hooks;
    grant usage on schema hooks to supabase_auth_admin;
    create table hooks.heard (at serial, event jsonb);
    create table hooks.refused (factor text);
    create function hooks.watch(event jsonb) returns jsonb language plpgsql security definer as $$ begin
        perform 1 from auth.users for update nowait;
        perform 1 from auth.mfa_factors for update nowait;
        perform 1 from auth.mfa_failures for update nowait;
        perform 1 from auth.mfa_challenges for update nowait;
        insert into hooks.heard (event) values (event);
        if exists (select from hooks.refused where factor = event ->> 'factor_id') then
            return '{\"decision\": \"reject\", \"message\": \"Not now.\"}';
        end if;
        return '{\"decision\": \"continue\"}';
    end $$;
    grant execute on function hooks.watch(jsonb) to supabase_auth_admin;";

fn watched(config: &mut Config) {
    config.auth.hooks.mfa_verification_attempt = Some(Hook {
        uri: "pg-functions://postgres/hooks/watch".into(),
        secrets: "".into(),
    });
}

async fn server() -> TestServer {
    let server = TestServer::configured(vec![], watched).await;
    server.admin().await.batch_execute(FUNCTION).await.unwrap();
    server
}

/// Types of factors that were shown, and whether they were right.
async fn heard(server: &TestServer) -> Vec<(String, bool)> {
    let sql = "select event ->> 'factor_type', (event -> 'valid')::bool from hooks.heard order by at";
    let rows = server.admin().await.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn a_hook_hears_of_every_factor_that_is_shown_while_nothing_is_locked() {
    let server = server().await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.enrol("App").await;
    assert_eq!(
        code(&ada.show(&factor, "000000").await),
        (422, "mfa_verification_failed")
    );
    let shown = ada.show(&factor, &totp(&server, &secret, 0)).await;
    ada.take(&shown);
    let body = json!({ "factor_type": "webauthn", "friendly_name": "Key" });
    let (_, made) = ada.post("factors", body).await;
    let (mut key, mut other) = (Key::new(&server), Key::new(&server));
    let id = text(&made["id"]);
    let shown = step(&server, &ada.token, id, &mut key, "create").await;
    ada.take(&shown);
    other.user.clone_from(&key.user);
    let wrong = step(&server, &ada.token, id, &mut other, "request").await;
    assert_eq!(code(&wrong), (422, "mfa_verification_failed"));
    let word = |kind: &str, right| (kind.to_owned(), right);
    assert_eq!(
        heard(&server).await,
        [
            word("totp", false),
            word("totp", true),
            word("webauthn", true),
            word("webauthn", false)
        ]
    );
}

#[tokio::test]
async fn a_refused_answer_is_spent_and_leaves_nothing_behind() {
    let server = server().await;
    let ada = Somebody::new(&server, "ada").await;
    let (_, made) = ada
        .post(
            "factors",
            json!({ "factor_type": "webauthn", "friendly_name": "Key" }),
        )
        .await;
    let key_factor = text(&made["id"]);
    let admin = server.admin().await;
    let refuse = async |factor: &str| {
        let sql = "insert into hooks.refused values ($1)";
        admin.execute(sql, &[&factor]).await.unwrap();
    };
    refuse(key_factor).await;
    let mut key = Key::new(&server);
    let refused = step(&server, &ada.token, key_factor, &mut key, "create").await;
    assert_eq!(code(&refused), (403, "mfa_verification_rejected"));
    assert_eq!(refused.1["message"], "Not now.");
    // All of the person's sessions are over.
    assert_eq!(code(&ada.get("user").await), (403, "session_not_found"));
    let mut ada = ada.elsewhere().await;
    let (_, user) = ada.get("user").await;
    assert_eq!(user["factors"][0]["status"], "unverified");
    // The next challenge asks for a new key once more.
    admin.execute("delete from hooks.refused", &[]).await.unwrap();
    let shown = step(&server, &ada.token, key_factor, &mut key, "create").await;
    ada.take(&shown);

    let (factor, secret) = ada.with_totp().await;
    let again = ada.elsewhere().await;
    refuse(&factor).await;
    let shown = totp(&server, &secret, 1);
    let refused = again.show(&factor, &shown).await;
    assert_eq!(code(&refused), (403, "mfa_verification_rejected"));
    admin.execute("delete from hooks.refused", &[]).await.unwrap();
    let again = again.elsewhere().await;
    let twice = again.show(&factor, &shown).await;
    assert_eq!(code(&twice), (422, "mfa_verification_failed"));
}

#[tokio::test]
async fn a_hook_that_refuses_a_factor_may_leave_the_sessions_alone() {
    let server = server().await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.with_totp().await;
    let sql = "create or replace function hooks.watch(event jsonb) returns jsonb language sql as \
               $$ select '{\"decision\": \"reject\", \"should_logout_user\": false}'::jsonb $$";
    server.admin().await.batch_execute(sql).await.unwrap();
    let again = ada.elsewhere().await;
    let refused = again.show(&factor, &totp(&server, &secret, 1)).await;
    assert_eq!(code(&refused), (403, "mfa_verification_rejected"));
    assert_eq!(
        refused.1["message"],
        "Further MFA verification attempts will be rejected."
    );
    assert_eq!(again.get("user").await.0, 200);
    assert_eq!(ada.get("user").await.0, 200);
}

/// A hook for tokens that fails from the moment it is told to.
const FRAIL: &str = "
    create schema hooks;
    grant usage on schema hooks to supabase_auth_admin;
    create table hooks.broken (aal text);
    create function hooks.claims(event jsonb) returns jsonb language plpgsql security definer as $$ begin
        if exists (select from hooks.broken where aal = event -> 'claims' ->> 'aal') then
            raise exception 'broken';
        end if;
        return event;
    end $$;
    grant execute on function hooks.claims(jsonb) to supabase_auth_admin;";

#[tokio::test]
async fn a_token_that_its_hook_spoils_raises_nothing_and_ends_nothing() {
    let server = TestServer::configured(vec![], |config| {
        config.auth.hooks.custom_access_token = Some(Hook {
            uri: "pg-functions://postgres/hooks/claims".into(),
            secrets: "".into(),
        });
    })
    .await;
    let admin = server.admin().await;
    admin.batch_execute(FRAIL).await.unwrap();
    let (break_it, mend) = (
        "insert into hooks.broken values ('aal2')",
        "delete from hooks.broken",
    );
    let levels = async || -> Vec<String> {
        let sql = "select aal::text || ' ' || (select count(*) from auth.refresh_tokens t where t.session_id = s.id) \
                   from auth.sessions s order by created_at, id";
        let rows = admin.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    let mut ada = Somebody::new(&server, "ada").await;
    let beside = ada.elsewhere().await;
    let (factor, secret) = ada.enrol("App").await;
    admin.execute(break_it, &[]).await.unwrap();
    let spoiled = ada.show(&factor, &totp(&server, &secret, 0)).await;
    assert_eq!(spoiled.0, 500, "{}", spoiled.1);
    // Not confirmed, nobody signed out, and the token that the client holds is good.
    let (_, user) = ada.get("user").await;
    assert_eq!(user["factors"][0]["status"], "unverified");
    assert_eq!(levels().await, ["aal1 1", "aal1 1"]);
    assert_eq!(beside.get("user").await.0, 200);
    let body = json!({ "refresh_token": ada.refresh_token });
    let refreshed = send(&server, Method::POST, "token?grant_type=refresh_token", "", body).await;
    ada.take(&refreshed);

    admin.execute(mend, &[]).await.unwrap();
    let shown = ada.show(&factor, &totp(&server, &secret, 1)).await;
    ada.take(&shown);
    let codes = ada.recovery_codes().await;
    let mut later = ada.elsewhere().await;
    admin.execute(break_it, &[]).await.unwrap();
    let body = json!({ "code": codes[0] });
    let spoiled = later.post("factors/recovery-codes/verify", body.clone()).await;
    assert_eq!(spoiled.0, 500, "{}", spoiled.1);
    admin.execute(mend, &[]).await.unwrap();
    // The code was not spent.
    let shown = later.post("factors/recovery-codes/verify", body).await;
    later.take(&shown);
    let (_, left) = later.get("factors/recovery-codes").await;
    assert_eq!(left["remaining"], 9);
}

#[tokio::test]
async fn wrong_answers_of_keys_count_as_wrong_codes_do() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let body = json!({ "factor_type": "webauthn", "friendly_name": "Key" });
    let (_, made) = ada.post("factors", body).await;
    let id = text(&made["id"]).to_owned();
    let mut key = Key::new(&server);
    let shown = step(&server, &ada.token, &id, &mut key, "create").await;
    ada.take(&shown);
    let thief = ada.elsewhere().await;
    let mut other = Key::new(&server);
    other.user.clone_from(&key.user);
    for number in 0..10 {
        let wrong = step(&server, &thief.token, &id, &mut other, "request").await;
        assert_eq!(code(&wrong), (422, "mfa_verification_failed"), "{number}");
        // The limit of requests is another one.
        server.advance(SignedDuration::from_secs(20));
    }
    let late = step(&server, &thief.token, &id, &mut key, "request").await;
    assert_eq!(code(&late), (429, "over_request_rate_limit"));
    let body: Value = json!({ "challenge_id": "", "webauthn": {} });
    let path = format!("factors/{id}/verify");
    assert_eq!(
        send(&server, Method::POST, &path, &thief.token, body).await.0,
        422
    );
}
