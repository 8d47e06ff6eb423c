//! The operator's own code: functions and signed HTTPS.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::post,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::config::{Config, Hook};
use tenon_testkit::{PASSWORD, SERVICE_KEY, TestServer, answer};

const ADA: &str = "ada@example.com";
const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

static SITE: OnceLock<String> = OnceLock::new();
static WHICH: Mutex<&str> = Mutex::new("");

type Heard = Arc<Mutex<Vec<Value>>>;

/// A site with hooks, on this machine: the path says what it answers.
async fn site() -> Heard {
    let heard = Heard::default();
    let log = heard.clone();
    let hook = move |Path(what): Path<String>, headers: HeaderMap, body: Bytes| {
        check_signature(&headers, &body);
        let event: Value = serde_json::from_slice(&body).unwrap();
        log.lock().unwrap().push(event.clone());
        std::future::ready(match what.as_str() {
            "fine" => Json(json!({})).into_response(),
            "refuse" => {
                let refusal = json!({ "error": { "http_code": 403, "message": "Not from your domain." } });
                (StatusCode::BAD_REQUEST, Json(refusal)).into_response()
            }
            "claims" => {
                let mut claims = event["claims"].clone();
                claims["plan"] = json!("gold");
                claims["sub"] = json!("00000000-0000-0000-0000-000000000000");
                claims["role"] = json!("service_role");
                Json(json!({ "claims": claims })).into_response()
            }
            "large" => "x".repeat(300_000).into_response(),
            "words" => "hello".into_response(),
            _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        })
    };
    let router = Router::new().route("/{what}", post(hook));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    SITE.set(url).expect("one site a process");
    tokio::spawn(async move { axum::serve(listener, router).await });
    heard
}

/// As a library for Standard Webhooks does it.
fn check_signature(headers: &HeaderMap, body: &[u8]) {
    let text = |name: &str| headers[name].to_str().unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&STANDARD.decode(SECRET).unwrap()).unwrap();
    mac.update(format!("{}.{}.", text("webhook-id"), text("webhook-timestamp")).as_bytes());
    mac.update(body);
    let wanted = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(text("webhook-signature"), wanted);
}

fn web(what: &str) -> Hook {
    Hook {
        uri: format!("{}/{what}", SITE.get().unwrap()).as_str().into(),
        secrets: format!("v1,whsec_{SECRET}").as_str().into(),
    }
}

fn function(name: &str) -> Hook {
    Hook {
        uri: format!("pg-functions://postgres/hooks/{name}").as_str().into(),
        secrets: "".into(),
    }
}

async fn server(config: fn(&mut Config)) -> TestServer {
    let server = TestServer::configured(vec![], config).await;
    server.admin().await.batch_execute(FUNCTIONS).await.unwrap();
    server
}

fn base(config: &mut Config) {
    config.mail.mailbox = true;
    config.outbound.allow_private = vec!["127.0.0.0/8".parse().unwrap()];
}

const FUNCTIONS: &str = "
    create schema hooks;
    grant usage on schema hooks to supabase_auth_admin;
    create function hooks.claims(event jsonb) returns jsonb language plpgsql as $$ begin
        return jsonb_build_object('claims', event -> 'claims' || jsonb_build_object('who', current_user));
    end $$;
    create function hooks.slow(event jsonb) returns jsonb language sql as
        $$ select '{}'::jsonb from pg_sleep(30) $$;
    create function hooks.nosy(event jsonb) returns jsonb language plpgsql as $$ begin
        return (select to_jsonb(count(*)) from auth.users);
    end $$;
    create function hooks.refuse(event jsonb) returns jsonb language sql as
        $$ select '{\"decision\": \"reject\", \"message\": \"Not now.\", \"should_logout_user\": true}'::jsonb $$;
    grant execute on all functions in schema hooks to supabase_auth_admin;
    create function hooks.secret(event jsonb) returns jsonb language sql as $$ select '{}'::jsonb $$;
    revoke execute on function hooks.secret(jsonb) from public;";

async fn call(server: &TestServer, path: &str, body: Value) -> (u16, Value) {
    let request = server
        .anonymous(Method::POST, &format!("/auth/v1/{path}"))
        .header("x-supabase-api-version", "2024-01-01");
    answer(request.json(&body)).await
}

async fn sign_up(server: &TestServer) -> (u16, Value) {
    let body = json!({ "email": ADA, "password": PASSWORD, "data": { "name": "Ada" } });
    call(server, "signup", body).await
}

async fn me(server: &TestServer, session: &Value) -> u16 {
    let token = session["access_token"].as_str().unwrap();
    answer(server.anonymous(Method::GET, "/auth/v1/user").bearer_auth(token))
        .await
        .0
}

fn claims(session: &Value) -> Value {
    let token = session["access_token"].as_str().expect("a token");
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn a_hook_refuses_new_people_in_its_own_words() {
    let heard = site().await;
    let server = server(|config| {
        base(config);
        config.auth.anonymous_users = true;
        config.auth.hooks.before_user_created = Some(web("refuse"));
    })
    .await;
    for (path, body) in [
        ("signup", json!({ "email": ADA, "password": PASSWORD })),
        ("signup", json!({})),
        ("otp", json!({ "email": ADA })),
    ] {
        let (status, told) = call(&server, path, body).await;
        assert_eq!(
            (status, &told["message"]),
            (403, &json!("Not from your domain.")),
            "{path} {told}"
        );
    }
    // The operator's own programs are asked about, too.
    for (path, body) in [
        ("invite", json!({ "email": ADA })),
        ("admin/users", json!({ "email": ADA })),
        ("admin/generate_link", json!({ "type": "invite", "email": ADA })),
        (
            "admin/generate_link",
            json!({ "type": "magiclink", "email": ADA }),
        ),
    ] {
        let request = server.anonymous(Method::POST, &format!("/auth/v1/{path}"));
        let (status, told) = answer(request.bearer_auth(SERVICE_KEY).json(&body)).await;
        assert_eq!(
            (status, &told["msg"]),
            (403, &json!("Not from your domain.")),
            "{path} {told}"
        );
    }
    let event = heard.lock().unwrap()[0].clone();
    assert_eq!(event["metadata"]["name"], "before-user-created");
    assert_eq!(event["metadata"]["ip_address"], "127.0.0.1");
    assert_eq!(event["user"]["email"], ADA);
    let admin = server.admin().await;
    let people: i64 = admin
        .query_one("select count(*) from auth.users", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(people, 0);
    // Where nobody new is let in it is not asked.
    let body = json!({ "email": "b@example.com", "create_user": false });
    assert_eq!(call(&server, "otp", body).await.0, 200);
}

#[tokio::test]
async fn a_hook_that_fails_refuses_and_says_no_more() {
    site().await;
    for (what, status, code) in [
        ("broken", 500, "unexpected_failure"),
        ("large", 422, "hook_payload_over_size_limit"),
        ("words", 400, "hook_payload_invalid_content_type"),
    ] {
        *WHICH.lock().unwrap() = what;
        let server = server(|config| {
            base(config);
            config.auth.hooks.before_user_created = Some(web(*WHICH.lock().unwrap()));
        })
        .await;
        let (got, told) = sign_up(&server).await;
        assert_eq!((got, &told["code"]), (status, &json!(code)), "{what} {told}");
    }
}

#[tokio::test]
async fn a_hook_gives_claims_but_not_another_person_or_role() {
    site().await;
    let server = server(|config| {
        base(config);
        config.auth.hooks.custom_access_token = Some(web("claims"));
    })
    .await;
    let (status, session) = sign_up(&server).await;
    assert_eq!(status, 200, "{session}");
    let claims = claims(&session);
    assert_eq!(
        (&claims["plan"], &claims["role"]),
        (&json!("gold"), &json!("authenticated"))
    );
    assert_eq!(claims["sub"], session["user"]["id"]);
    assert_eq!(me(&server, &session).await, 200);
}

#[tokio::test]
async fn mail_goes_by_the_hook_with_what_it_needs_and_is_forgotten() {
    let heard = site().await;
    let server = server(|config| {
        base(config);
        config.auth.hooks.send_email = Some(web("fine"));
        config.auth.hooks.after_user_created = Some(web("fine"));
    })
    .await;
    assert_eq!(sign_up(&server).await.0, 200);
    assert_eq!(call(&server, "recover", json!({ "email": ADA })).await.0, 200);
    let admin = server.admin().await;
    for _ in 0..200 {
        let events = heard.lock().unwrap().clone();
        let birth = events
            .iter()
            .find(|event| event["metadata"]["name"] == "after-user-created");
        let mail = events
            .iter()
            .find(|event| event["email_data"]["email_action_type"] == "recovery");
        let row = admin
            .query_one(
                "select state, hook is null, body_text from notifications.messages",
                &[],
            )
            .await
            .unwrap();
        if let (Some(birth), Some(mail), "sent") = (birth, mail, row.get::<_, &str>(0)) {
            assert_eq!(
                (&birth["user"]["email"], &mail["user"]["email"]),
                (&json!(ADA), &json!(ADA))
            );
            assert_eq!(mail["email_data"]["token"].as_str().map(str::len), Some(6));
            assert!(row.get::<_, bool>(1) && row.get::<_, String>(2).is_empty());
            let proof = json!({ "type": "recovery", "token_hash": mail["email_data"]["token_hash"] });
            assert_eq!(call(&server, "verify", proof).await.0, 200);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the hook was not told");
}

#[tokio::test]
async fn a_function_runs_as_a_role_of_its_own() {
    let server = server(|config| {
        base(config);
        config.auth.hooks.custom_access_token = Some(function("claims"));
    })
    .await;
    let (status, session) = sign_up(&server).await;
    assert_eq!(status, 200, "{session}");
    assert_eq!(claims(&session)["who"], "supabase_auth_admin");
}

#[tokio::test]
async fn a_function_that_fails_for_a_while_takes_nobodys_session_away() {
    let server = server(|config| {
        base(config);
        config.auth.hooks.custom_access_token = Some(function("claims"));
    })
    .await;
    let admin = server.admin().await;
    let (_, session) = sign_up(&server).await;
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    let away = "alter function hooks.claims(jsonb) rename to gone";
    admin.batch_execute(away).await.unwrap();
    let (status, told) = call(&server, "token?grant_type=refresh_token", refresh.clone()).await;
    assert_eq!(
        (status, &told["code"]),
        (500, &json!("unexpected_failure")),
        "{told}"
    );
    assert!(
        !told.to_string().contains("hooks."),
        "what failed stands in the log only"
    );
    let back = "alter function hooks.gone(jsonb) rename to claims";
    admin.batch_execute(back).await.unwrap();
    server.advance(SignedDuration::from_secs(60));
    let (status, session) = call(&server, "token?grant_type=refresh_token", refresh).await;
    assert_eq!(status, 200, "{session}");
    assert_eq!(claims(&session)["who"], "supabase_auth_admin");
}

#[tokio::test]
async fn a_function_has_two_seconds_and_no_way_to_the_servers_tables() {
    for (name, status, code) in [
        ("slow", 422, "hook_timeout"),
        ("nosy", 500, "unexpected_failure"),
        ("secret", 500, "unexpected_failure"),
        ("absent", 500, "unexpected_failure"),
    ] {
        *WHICH.lock().unwrap() = name;
        let server = server(|config| {
            base(config);
            config.auth.hooks.before_user_created = Some(function(*WHICH.lock().unwrap()));
        })
        .await;
        let (got, told) = sign_up(&server).await;
        assert_eq!((got, &told["code"]), (status, &json!(code)), "{name} {told}");
    }
}

#[tokio::test]
async fn a_hook_refuses_passwords_and_ends_sessions() {
    let server = server(|config| {
        base(config);
        config.auth.hooks.password_verification_attempt = Some(function("refuse"));
    })
    .await;
    let (_, session) = sign_up(&server).await;
    let credentials = json!({ "email": ADA, "password": PASSWORD });
    let (status, told) = call(&server, "token?grant_type=password", credentials).await;
    assert_eq!(
        (status, &told["code"], &told["message"]),
        (400, &json!("invalid_credentials"), &json!("Not now."))
    );
    assert_eq!(me(&server, &session).await, 403);
}
