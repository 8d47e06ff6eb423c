//! Which tokens are believed, and how the keys that sign them change.

use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{JWT_SECRET, PASSWORD, SERVICE_KEY, TestServer, TestServerOptions, answer};

fn shared(claims: &Value) -> String {
    let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

async fn users(server: &TestServer, token: &str) -> (u16, Value) {
    answer(
        server
            .anonymous(Method::GET, "/auth/v1/admin/users")
            .bearer_auth(token),
    )
    .await
}

async fn me(server: &TestServer, token: &str) -> (u16, Value) {
    answer(server.anonymous(Method::GET, "/auth/v1/user").bearer_auth(token)).await
}

async fn sign_in(server: &TestServer) -> String {
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let request = server
        .anonymous(Method::POST, "/auth/v1/token?grant_type=password")
        .json(&body);
    let (status, session) = answer(request).await;
    assert_eq!(status, 200, "{session}");
    session["access_token"].as_str().unwrap().to_owned()
}

fn header_of(token: &str) -> (String, Algorithm) {
    let header = jsonwebtoken::decode_header(token).unwrap();
    (header.kid.unwrap_or_default(), header.alg)
}

async fn rotate(server: &TestServer, at_once: bool) -> (u16, Value) {
    let request = server
        .anonymous(Method::POST, "/auth/v1/admin/signing-keys/rotate")
        .bearer_auth(SERVICE_KEY)
        .json(&json!({ "at_once": at_once }));
    answer(request).await
}

async fn published(server: &TestServer) -> usize {
    let (_, jwks) = answer(server.anonymous(Method::GET, "/auth/v1/.well-known/jwks.json")).await;
    jwks["keys"].as_array().unwrap().len()
}

#[tokio::test]
async fn keys_and_tokens_of_the_shared_secret_are_good_beside_our_own() {
    let server = TestServer::start(vec![]).await;
    let ada = server.user("ada").await;
    let anon = shared(&json!({ "iss": "supabase-demo", "role": "anon", "exp": 1_983_812_996 }));
    let service = shared(&json!({ "iss": "supabase-demo", "role": "service_role", "exp": 1_983_812_996 }));
    assert_eq!(users(&server, &service).await.0, 200);
    assert_eq!(users(&server, SERVICE_KEY).await.0, 200);
    for stranger in [&anon, &ada.token] {
        let (status, fault) = users(&server, stranger).await;
        assert_eq!((status, &fault["error_code"]), (403, &json!("not_admin")));
    }
    // The key may come as apikey alone, too.
    let request = server
        .http()
        .get(server.url("/auth/v1/admin/users"))
        .header("apikey", SERVICE_KEY);
    assert_eq!(answer(request).await.0, 200);
    let request = server
        .http()
        .get(server.url("/auth/v1/user"))
        .header("apikey", "nonsense");
    assert_eq!(answer(request).await.0, 403);
}

#[tokio::test]
async fn tokens_of_the_shared_secret_that_are_not_in_order_are_refused() {
    let server = TestServer::start(vec![]).await;
    let now = server.kernel().env().now().as_second();
    let somebody = "00000000-0000-4000-8000-000000000001";
    let good = json!({ "role": "authenticated", "sub": somebody, "aud": "authenticated", "exp": now + 60 });
    // Good, though its session is none: the refusal is another.
    assert_eq!(me(&server, &shared(&good)).await.0, 403);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        shared(&claims)
    };
    let none = {
        let parts: Vec<String> = shared(&good).split('.').map(str::to_owned).collect();
        format!("eyJhbGciOiJub25lIn0.{}.", parts[1])
    };
    for bad in [
        with("exp", json!(now - 3600)),
        with("exp", json!(null)),
        with("nbf", json!(now + 3600)),
        with("iat", json!(now + 3600)),
        with("aud", json!("somebody else")),
        with("aud", json!(["a", "b"])),
        with("role", json!("tenon_system")),
        with("role", json!("postgres")),
        with("role", json!(null)),
        with("sub", json!("nobody")),
        none,
    ] {
        let (status, fault) = me(&server, &bad).await;
        assert_eq!((status, &fault["error_code"]), (403, &json!("bad_jwt")), "{bad}");
    }
}

#[tokio::test]
async fn a_key_is_believed_for_its_own_algorithm_only() {
    let server = TestServer::start(vec![]).await;
    let (kid, _) = header_of(&sign_up(&server).await);
    let (_, jwks) = answer(server.anonymous(Method::GET, "/auth/v1/.well-known/jwks.json")).await;
    let claims = json!({ "role": "service_role" });
    let header = |alg, kid: &str| Header {
        kid: Some(kid.to_owned()),
        ..Header::new(alg)
    };
    // The public key as a shared secret, and the shared secret under the name of a key pair.
    for secret in [
        jwks["keys"][0].to_string().into_bytes(),
        JWT_SECRET.as_bytes().to_vec(),
    ] {
        let key = EncodingKey::from_secret(&secret);
        let token = jsonwebtoken::encode(&header(Algorithm::HS256, &kid), &claims, &key).unwrap();
        assert_eq!(users(&server, &token).await.0, 403);
    }
    let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
    let token = jsonwebtoken::encode(&header(Algorithm::HS256, "unknown"), &claims, &key).unwrap();
    assert_eq!(users(&server, &token).await.0, 403);
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS384), &claims, &key).unwrap();
    assert_eq!(users(&server, &token).await.0, 403);
}

#[tokio::test]
async fn a_new_key_is_published_before_it_signs_and_an_old_one_is_good_until_its_tokens_expire() {
    let server = TestServer::start(vec![]).await;
    let ada = sign_up(&server).await;
    let beside = server.beside(vec![], TestServerOptions::default()).await;
    let (old, _) = header_of(&ada);
    let (status, made) = rotate(&server, false).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(published(&server).await, 2);
    assert_eq!(header_of(&sign_in(&server).await).0, old, "it does not sign yet");
    server.advance(SignedDuration::from_mins(16));
    beside.advance(SignedDuration::from_mins(16));
    let token = sign_in(&server).await;
    assert_eq!(header_of(&token).0, made["kid"].as_str().unwrap());
    assert_eq!(me(&server, &ada).await.0, 200, "the old token");
    assert_eq!(me(&beside, &token).await.0, 200, "a server that was not told");
    // Long after, the next change takes the oldest away.
    server.advance(SignedDuration::from_hours(3));
    rotate(&server, false).await;
    let (_, jwks) = answer(server.anonymous(Method::GET, "/auth/v1/.well-known/jwks.json")).await;
    let kids: Vec<&Value> = jwks["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["kid"])
        .collect();
    assert!(kids.len() == 2 && !kids.contains(&&json!(old)), "{kids:?}");
}

async fn sign_up(server: &TestServer) -> String {
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let request = server.anonymous(Method::POST, "/auth/v1/signup").json(&body);
    answer(request).await.1["access_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn when_a_key_has_leaked_no_token_of_it_is_good_any_more() {
    let server = TestServer::start(vec![]).await;
    let ada = sign_up(&server).await;
    assert_eq!(me(&server, &ada).await.0, 200);
    assert_eq!(rotate(&server, true).await.0, 200);
    assert_eq!(me(&server, &ada).await.0, 403);
    assert_eq!(me(&server, &sign_in(&server).await).await.0, 200);
    assert_eq!(published(&server).await, 1);
}

#[tokio::test]
async fn keys_of_a_file_sign_and_verify_in_place_of_those_in_the_database() {
    let server = TestServer::configured(vec![], |config| {
        config.auth.signing_keys_file =
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/keys/signing-keys.json").to_owned();
    })
    .await;
    let token = sign_up(&server).await;
    assert_eq!(header_of(&token), ("rsa".to_owned(), Algorithm::RS256));
    assert_eq!(me(&server, &token).await.0, 200);
    let (_, jwks) = answer(server.anonymous(Method::GET, "/auth/v1/.well-known/jwks.json")).await;
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 3, "a shared secret is not published");
    assert!(
        keys.iter()
            .all(|key| key.get("d").is_none() && key.get("k").is_none()),
        "{keys:?}"
    );
    let (status, fault) = rotate(&server, false).await;
    assert_eq!((status, &fault["error_code"]), (409, &json!("auth.keys_in_file")));
}

#[tokio::test]
async fn nobody_but_the_operator_changes_keys() {
    let server = TestServer::start(vec![]).await;
    let ada = sign_up(&server).await;
    let request = server.anonymous(Method::POST, "/auth/v1/admin/signing-keys/rotate");
    assert_eq!(answer(request).await.0, 401);
    let request = server
        .anonymous(Method::POST, "/auth/v1/admin/signing-keys/rotate")
        .bearer_auth(ada);
    assert_eq!(answer(request).await.0, 403);
}

#[tokio::test]
async fn a_key_that_another_server_took_away_is_not_believed_for_more_than_a_minute() {
    let server = TestServer::start(vec![]).await;
    let ada = sign_up(&server).await;
    let beside = server.beside(vec![], TestServerOptions::default()).await;
    assert_eq!(me(&beside, &ada).await.0, 200, "verified, and remembered");
    assert_eq!(rotate(&server, true).await.0, 200);
    beside.advance(SignedDuration::from_secs(61));
    assert_eq!(me(&beside, &ada).await.0, 403);
    assert_eq!(published(&beside).await, 1);
    // One that was made elsewhere is published here, too.
    assert_eq!(rotate(&server, false).await.0, 200);
    beside.advance(SignedDuration::from_secs(61));
    assert_eq!(published(&beside).await, 2);
}
