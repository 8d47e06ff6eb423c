//! What is recorded of sign-in, and from where.

use jiff::SignedDuration;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tenon_sdk::config::Config;
use tenon_services::identity::sweep;
use tenon_testkit::{PASSWORD, SERVICE_KEY, TestServer, answer};

fn recorded(config: &mut Config) {
    config.mail.mailbox = true;
    config.auth.mail_pause_seconds = 0;
    config.auth.sms.enabled = true;
    config.auth.sms.pause_seconds = 0;
    config.auth.anonymous_users = true;
    config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
}

async fn server(config: fn(&mut Config)) -> TestServer {
    TestServer::configured(vec![], config).await
}

fn from(server: &TestServer, address: &str, method: Method, path: &str) -> RequestBuilder {
    let request = server.anonymous(method, &format!("/auth/v1/{path}"));
    request.header("x-forwarded-for", address)
}

async fn post(server: &TestServer, path: &str, body: Value) -> Value {
    let (status, body) = answer(from(server, "192.0.2.7", Method::POST, path).json(&body)).await;
    assert!(status < 300, "{path}: {status} {body}");
    body
}

/// What was recorded since the last look, oldest first, with the address.
async fn log(server: &TestServer) -> Vec<(String, String, Value)> {
    let admin = server.admin().await;
    let sql = "select payload ->> 'action', ip_address, payload from auth.audit_log_entries order by created_at, id";
    let rows = admin.query(sql, &[]).await.unwrap();
    admin
        .execute("delete from auth.audit_log_entries", &[])
        .await
        .unwrap();
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

async fn actions(server: &TestServer) -> Vec<String> {
    let log = log(server).await;
    for (action, address, payload) in &log {
        assert_eq!(address, "192.0.2.7", "{action}");
        let text = payload.to_string();
        for secret in ["example.com", "4930", PASSWORD] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    log.into_iter().map(|(action, ..)| action).collect()
}

#[tokio::test]
async fn what_is_done_about_a_way_in_is_recorded_with_the_address_it_came_from() {
    let server = server(recorded).await;
    let ada = json!({ "email": "ada@example.com", "password": PASSWORD });
    let session = post(&server, "signup", ada.clone()).await;
    assert_eq!(actions(&server).await, ["user_signedup", "login"]);
    post(&server, "signup", json!({})).await;
    assert_eq!(actions(&server).await, ["user_signedup", "login"]);
    for (path, body) in [
        ("recover", json!({ "email": "ada@example.com" })),
        ("recover", json!({ "email": "nobody@example.com" })),
        ("otp", json!({ "email": "ada@example.com" })),
        ("otp", json!({ "phone": "+49 30 1234567", "create_user": false })),
    ] {
        post(&server, path, body).await;
        assert_eq!(actions(&server).await, ["user_recovery_requested"]);
    }
    for body in [
        json!({ "email": "new@example.com" }),
        json!({ "phone": "+49 30 7654321" }),
    ] {
        post(&server, "otp", body).await;
        assert_eq!(actions(&server).await, ["user_confirmation_requested"]);
    }
    let token = session["access_token"].as_str().unwrap();
    let own = async |method: Method, path: &str, body: Value| {
        let request = from(&server, "192.0.2.7", method, path).bearer_auth(token);
        let (status, body) = answer(request.json(&body)).await;
        assert!(status < 300, "{path}: {status} {body}");
    };
    for (body, expected) in [
        (
            json!({ "password": "words that are new" }),
            "user_updated_password",
        ),
        (json!({ "data": { "name": "Ada" } }), "user_modified"),
        (json!({ "email": "ada@example.com" }), ""),
        (
            json!({ "phone": "+49 30 1112223" }),
            "user_confirmation_requested",
        ),
    ] {
        own(Method::PUT, "user", body.clone()).await;
        let expected: Vec<&str> = Some(expected)
            .filter(|action| !action.is_empty())
            .into_iter()
            .collect();
        assert_eq!(actions(&server).await, expected, "{body}");
    }
    own(Method::GET, "reauthenticate", json!({})).await;
    own(Method::GET, "user/data", json!({})).await;
    assert_eq!(
        actions(&server).await,
        ["user_reauthenticate_requested", "user_data_exported"]
    );
}

#[tokio::test]
async fn an_address_that_is_confirmed_or_changed_is_recorded() {
    let server = server(|config| {
        recorded(config);
        config.auth.confirm_email = true;
    })
    .await;
    let code = async |to: &str| {
        let sql = "select body_text from notifications.messages where recipient = $1 order by created_at desc, id desc limit 1";
        let row = server.admin().await.query_one(sql, &[&to]).await.unwrap();
        let text: String = row.get(0);
        let mut words = text.split(|c: char| !c.is_ascii_digit());
        words.find(|word| word.len() == 6).unwrap().to_owned()
    };
    let ada = json!({ "email": "ada@example.com", "password": PASSWORD });
    post(&server, "signup", ada.clone()).await;
    assert_eq!(actions(&server).await, ["user_confirmation_requested"]);
    let proof =
        json!({ "type": "signup", "email": "ada@example.com", "token": code("ada@example.com").await });
    let session = post(&server, "verify", proof).await;
    assert_eq!(actions(&server).await, ["user_signedup", "login"]);
    // To whoever has the address already.
    post(&server, "signup", ada).await;
    assert_eq!(actions(&server).await, ["user_confirmation_requested"]);

    let token = session["access_token"].as_str().unwrap();
    let request = from(&server, "192.0.2.7", Method::PUT, "user").bearer_auth(token);
    let (_, user) = answer(request.json(&json!({ "email": "countess@example.com" }))).await;
    assert_eq!(user["new_email"], "countess@example.com");
    // Whoever asks later sees it, too.
    let request = from(&server, "192.0.2.7", Method::GET, "user").bearer_auth(token);
    let (_, user) = answer(request).await;
    assert_eq!(
        (
            &user["new_email"],
            user["email_change_sent_at"].is_string(),
            user["confirmation_sent_at"].is_string()
        ),
        (&json!("countess@example.com"), true, true)
    );
    log(&server).await;
    for address in ["ada@example.com", "countess@example.com"] {
        let proof = json!({ "type": "email_change", "email": address, "token": code(address).await });
        post(&server, "verify", proof).await;
    }
    assert!(actions(&server).await.contains(&"user_modified".to_owned()));
    let request = from(&server, "192.0.2.7", Method::GET, "user").bearer_auth(token);
    let (_, user) = answer(request).await;
    assert_eq!(
        (&user["email"], &user["new_email"]),
        (&json!("countess@example.com"), &Value::Null)
    );
}

#[tokio::test]
async fn what_a_program_of_the_operator_does_is_recorded() {
    let server = server(recorded).await;
    let ada = json!({ "email": "ada@example.com", "password": PASSWORD });
    let session = post(&server, "signup", ada).await;
    let id = session["user"]["id"].as_str().unwrap().to_owned();
    log(&server).await;
    let admin = async |method: Method, path: &str, body: Value| {
        let request = from(&server, "192.0.2.7", method, path).bearer_auth(SERVICE_KEY);
        let (status, body) = answer(request.json(&body)).await;
        assert!(status < 300, "{path}: {status} {body}");
        body
    };
    for (kind, email, sent) in [
        ("signup", "a@example.com", "confirmation_sent_at"),
        ("invite", "b@example.com", "confirmation_sent_at"),
        ("magiclink", "ada@example.com", "recovery_sent_at"),
        ("recovery", "ada@example.com", "recovery_sent_at"),
        ("email_change_current", "ada@example.com", "email_change_sent_at"),
        ("email_change_new", "ada@example.com", "email_change_sent_at"),
    ] {
        let body = json!({
            "type": kind, "email": email, "password": "words for a new one", "new_email": "countess@example.com"
        });
        let link = admin(Method::POST, "admin/generate_link", body).await;
        assert!(
            link[sent].is_string() && link["action_link"].is_string(),
            "{kind}: {link}"
        );
        assert!(
            actions(&server).await.contains(&"link_generated".to_owned()),
            "{kind}"
        );
    }
    admin(Method::GET, &format!("admin/users/{id}/export"), json!({})).await;
    assert_eq!(actions(&server).await, ["user_data_exported"]);
    admin(Method::POST, "admin/signing-keys/rotate", json!({})).await;
    assert_eq!(actions(&server).await, ["signing_key_rotated"]);
}

#[tokio::test]
async fn an_address_that_a_client_claims_by_itself_is_not_recorded() {
    let server = server(|config| {
        recorded(config);
        config.server.trusted_proxies.clear();
    })
    .await;
    post(&server, "signup", json!({})).await;
    assert_eq!(log(&server).await[0].1, "127.0.0.1");
}

#[tokio::test]
async fn a_session_knows_where_it_was_used_last_and_with_what() {
    let server = server(recorded).await;
    let ada = json!({ "email": "ada@example.com", "password": PASSWORD });
    let request = from(&server, "192.0.2.7", Method::POST, "signup").header("user-agent", "First/1.0");
    let (_, session) = answer(request.json(&ada)).await;
    let seen = async |session: &Value| {
        let token = session["access_token"].as_str().unwrap();
        let (_, list) = answer(from(&server, "192.0.2.7", Method::GET, "sessions").bearer_auth(token)).await;
        let one = &list["sessions"][0];
        (one["ip"].clone(), one["user_agent"].clone())
    };
    assert_eq!(seen(&session).await, (json!("192.0.2.7"), json!("First/1.0")));
    let body = json!({ "refresh_token": session["refresh_token"] });
    let path = "token?grant_type=refresh_token";
    let request = from(&server, "2001:db8::5", Method::POST, path).header("user-agent", "Next/2.0");
    let (status, session) = answer(request.json(&body)).await;
    assert_eq!(status, 200, "{session}");
    assert_eq!(seen(&session).await, (json!("2001:db8::5"), json!("Next/2.0")));
}

#[tokio::test]
async fn a_hook_that_ends_sessions_is_recorded() {
    let server = server(|config| {
        recorded(config);
        let hook = json!({ "uri": "pg-functions://postgres/public/look_at_password" });
        config.auth.hooks.password_verification_attempt = Some(serde_json::from_value(hook).unwrap());
    })
    .await;
    let sql = "create function public.look_at_password(event jsonb) returns jsonb language sql as $$ \
               select '{\"decision\": \"reject\", \"message\": \"No.\", \"should_logout_user\": true}'::jsonb $$; \
               grant usage on schema public to supabase_auth_admin; \
               grant execute on function public.look_at_password to supabase_auth_admin";
    server.admin().await.batch_execute(sql).await.unwrap();
    let ada = json!({ "email": "ada@example.com", "password": PASSWORD });
    post(&server, "signup", ada.clone()).await;
    log(&server).await;
    let request = from(&server, "192.0.2.7", Method::POST, "token?grant_type=password");
    assert_eq!(answer(request.json(&ada)).await.0, 400);
    assert_eq!(actions(&server).await, ["logout"]);
}

/// How many rows a table has.
async fn rows(server: &TestServer, table: &str) -> i64 {
    let sql = format!("select count(*) from {table}");
    server.admin().await.query_one(&sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn sessions_that_are_over_and_tokens_spent_long_ago_are_swept_and_no_others() {
    let server = server(|config| {
        recorded(config);
        config.auth.session_idle_hours = 24 * 20;
    })
    .await;
    let ada = json!({ "email": "ada@example.com", "password": PASSWORD });
    let first = post(&server, "signup", ada.clone()).await;
    let second = post(&server, "token?grant_type=password", ada.clone()).await;
    let refresh = json!({ "refresh_token": second["refresh_token"] });
    let third = post(&server, "token?grant_type=refresh_token", refresh.clone()).await;
    let admin = server.admin().await;
    let many = "insert into auth.refresh_tokens (token_hash, session_id, created_at, used_at) \
                select n::text::bytea, id, now() - interval '15 days', now() - interval '15 days' \
                from auth.sessions, generate_series(1, 2500) n where id = $1::text::uuid";
    let id = claims(&third)["session_id"].as_str().unwrap().to_owned();
    admin.execute(many, &[&id]).await.unwrap();
    sweep::sweep(server.kernel()).await.unwrap();
    assert_eq!(
        rows(&server, "auth.refresh_tokens").await,
        3,
        "one of them spent a moment ago"
    );

    // Whoever comes back with a spent one within days ends the session.
    server.advance(SignedDuration::from_hours(24 * 10));
    sweep::sweep(server.kernel()).await.unwrap();
    let request = from(
        &server,
        "192.0.2.7",
        Method::POST,
        "token?grant_type=refresh_token",
    );
    let (_, fault) = answer(request.json(&refresh)).await;
    assert_eq!(fault["error_code"], "refresh_token_already_used");
    assert_eq!(rows(&server, "auth.sessions").await, 1);
    server.advance(SignedDuration::from_hours(24 * 12));
    sweep::sweep(server.kernel()).await.unwrap();
    assert_eq!(rows(&server, "auth.sessions").await, 0, "{first}");
}

#[tokio::test]
async fn questions_that_waited_and_sessions_past_their_end_are_swept() {
    let server = server(recorded).await;
    let ada = json!({ "email": "ada@example.com", "password": PASSWORD });
    let session = post(&server, "signup", ada).await;
    let id = session["user"]["id"].as_str().unwrap();
    let sql = format!(
        "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
             values ('{id}', '{id}', 'totp', 'verified', now(), now());
         insert into auth.mfa_challenges (id, factor_id, created_at) values
             (gen_random_uuid(), '{id}', now() - interval '2 hours'), (gen_random_uuid(), '{id}', now());
         insert into auth.webauthn_challenges (id, challenge_type, session_data, created_at, expires_at) values
             (gen_random_uuid(), 'authentication', '{{}}', now(), now() - interval '2 hours'),
             (gen_random_uuid(), 'authentication', '{{}}', now(), now() + interval '5 minutes');
         insert into auth.sessions (id, user_id, aal, amr, not_after) values
             (gen_random_uuid(), '{id}', 'aal1', '[]', now() - interval '2 days'),
             (gen_random_uuid(), '{id}', 'aal1', '[]', now() + interval '2 days')"
    );
    server.admin().await.batch_execute(&sql).await.unwrap();
    sweep::sweep(server.kernel()).await.unwrap();
    for (table, left) in [
        ("auth.mfa_challenges", 1),
        ("auth.webauthn_challenges", 1),
        ("auth.sessions", 2),
    ] {
        assert_eq!(rows(&server, table).await, left, "{table}");
    }
}

fn claims(session: &Value) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = session["access_token"]
        .as_str()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
