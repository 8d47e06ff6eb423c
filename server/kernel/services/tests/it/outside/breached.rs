//! Passwords of published breaches, asked for at a range API.

use reqwest::Method;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use tenon_testkit::{TestServer, answer};

use super::{Reply, StandIn, log, reachable, server};

const PASSWORD: &str = "Zq8-unlikely-Xv2";

/// The SHA-1 of a password, in the two halves that the API knows.
fn halves(password: &str) -> (String, String) {
    let hash = tenon_sdk::hex(&Sha1::digest(password)).to_uppercase();
    let (range, rest) = hash.split_at(5);
    (range.to_owned(), rest.to_owned())
}

fn range(lines: &[(&str, u32)]) -> Reply {
    let lines: Vec<String> = lines
        .iter()
        .map(|(rest, count)| format!("{rest}:{count}"))
        .collect();
    Reply::With(200, lines.join("\r\n"))
}

async fn sign_up(server: &TestServer, name: &str) -> (u16, Value) {
    let body = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
    let request = server
        .anonymous(Method::POST, "/auth/v1/signup")
        .header("x-supabase-api-version", "2024-01-01");
    answer(request.json(&body)).await
}

#[tokio::test]
async fn five_digits_of_a_passwords_hash_go_out_and_what_comes_back_decides() {
    let (first, rest) = halves(PASSWORD);
    let other = "0018A45C4D1DEF81644B54AB7F969B88D65";
    let service = StandIn::start(vec![range(&[(other, 3), (&rest, 42)])]).await;
    let server = server(|config| config.auth.breached_passwords_url = reachable(config) + "/range/").await;
    let (status, told) = sign_up(&server, "ada").await;
    assert_eq!(
        (status, &told["code"], &told["weak_password"]["reasons"]),
        (422, &json!("weak_password"), &json!(["pwned"]))
    );
    let asked = service.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (&asked[0].method, asked[0].path.as_str(), asked[0].body.as_str()),
        (&Method::GET, format!("/range/{first}").as_str(), "")
    );
    assert_eq!(asked[0].header("add-padding"), "true");
    // Nothing that goes out has more of the hash, or the password.
    let sent = format!("{:?}", asked[0]).to_uppercase();
    for part in [&rest[..6], "UNLIKELY", "ADA@EXAMPLE.COM"] {
        assert!(!sent.contains(part), "{part} in {sent}");
    }
    // Padding is no hit, nor is another rest; a small answer in other letters is one.
    service.answer(range(&[(&rest, 0), (other, 9)]));
    assert_eq!(sign_up(&server, "ada").await.0, 200);
    service.answer(range(&[(&rest.to_lowercase(), 1)]));
    assert_eq!(sign_up(&server, "grace").await.0, 422);
    // Signing in asks for nothing.
    service.asked();
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let request = server.anonymous(Method::POST, "/auth/v1/token?grant_type=password");
    let (status, session) = answer(request.json(&body)).await;
    assert_eq!((status, service.asked().len()), (200, 0));
    // A new password of somebody known is looked at as well.
    service.answer(range(&[(&halves("Another-Xv2-one").1, 7)]));
    let request = server
        .anonymous(Method::PUT, "/auth/v1/user")
        .bearer_auth(session["access_token"].as_str().unwrap());
    let (status, told) = answer(request.json(&json!({ "password": "Another-Xv2-one" }))).await;
    assert_eq!((status, &told["error_code"]), (422, &json!("weak_password")));
}

#[tokio::test]
async fn a_service_that_fails_or_says_nothing_stops_nobody() {
    let service = StandIn::start(vec![Reply::With(500, "x".into())]).await;
    let server = server(|config| config.auth.breached_passwords_url = reachable(config)).await;
    for (name, reply) in [
        ("a", Reply::With(500, "broken".into())),
        ("b", Reply::With(404, String::new())),
        ("c", Reply::With(200, "<html>".into())),
        ("d", Reply::With(200, "x".repeat(20_000_000))),
        ("e", Reply::With(503, String::new())),
        ("f", Reply::Never),
    ] {
        service.answer(reply);
        let (status, told) = sign_up(&server, name).await;
        assert_eq!(status, 200, "{name}: {told}");
        assert!(!service.asked().is_empty(), "{name}");
    }
    let log = log();
    assert!(log.contains("breached passwords could not be asked for"), "{log}");
    let (first, rest) = halves(PASSWORD);
    for secret in [PASSWORD, &rest, &rest.to_lowercase(), &first] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn a_service_that_fails_stops_everybody_where_the_operator_wants_it_asked() {
    let service = StandIn::start(vec![Reply::Never]).await;
    let server = server(|config| {
        config.auth.breached_passwords_url = reachable(config);
        config.auth.breached_passwords_required = true;
    })
    .await;
    for reply in [Reply::Never, Reply::With(500, String::new())] {
        service.answer(reply);
        let (status, told) = sign_up(&server, "ada").await;
        assert_eq!(
            (status, &told["code"]),
            (503, &json!("breached_passwords_unavailable")),
            "{told}"
        );
    }
    service.answer(range(&[]));
    assert_eq!(sign_up(&server, "ada").await.0, 200);
}
