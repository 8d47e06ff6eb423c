//! A small provider of sign-in on this machine: OpenID Connect under several issuers, and the interfaces of others.

mod odd;

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, OnceLock},
};

use axum::{
    Json, Router,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::{
    SecretKey,
    elliptic_curve::sec1::ToEncodedPoint,
    pkcs8::{EncodePrivateKey, LineEnding},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenon_sdk::env::Env;

/// What has to be encoded in a header and in a form.
pub const SECRET: &str = "a secret: with & all=sorts%";

/// How an ID token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    Well,
    /// By a key that the provider does not publish, under the id of one that it does.
    ByAnother,
    /// With a key id that nobody knows.
    ByUnknown,
    /// With the public half as a shared secret.
    ByPublicHalf,
    /// `alg: none`.
    Not,
}

/// What a code gives.
#[derive(Clone, Debug)]
pub struct Grant {
    pub issuer: &'static str,
    pub challenge: Option<String>,
    pub redirect_uri: String,
    pub claims: Value,
    pub told: Value,
    pub signed: Signed,
}

static GRANTS: LazyLock<Mutex<HashMap<String, Grant>>> = LazyLock::new(Mutex::default);
static TOLD: LazyLock<Mutex<HashMap<String, Value>>> = LazyLock::new(Mutex::default);

/// The address of the provider, which runs as long as the process.
pub fn base() -> &'static str {
    static BASE: OnceLock<String> = OnceLock::new();
    BASE.get_or_init(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router()).await.unwrap();
            });
        });
        base
    })
}

pub fn issuer(name: &str) -> String {
    format!("{}/{name}", base())
}

fn router() -> Router {
    Router::new()
        .route("/{issuer}/.well-known/openid-configuration", get(document))
        .route("/{issuer}/keys", get(keys))
        .route("/{issuer}/token", post(token))
        .route("/{issuer}/me", get(me))
        .route(
            "/{issuer}/emails",
            get(async |headers: HeaderMap| told(&headers, "emails")),
        )
}

async fn keys(Path(name): Path<String>) -> Response {
    if let Some(part) = name.strip_suffix("-keys")
        && let Some(answer) = odd::answer(part).await
    {
        return answer;
    }
    Json(json!({ "keys": [{ "kty": "unheard of" }, public(1)] })).into_response()
}

async fn document(Path(name): Path<String>) -> Response {
    if let Some(answer) = odd::answer(&name).await {
        return answer;
    }
    let issuer = issuer(&name);
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/me"),
        "jwks_uri": format!("{issuer}/keys"),
        "authorization_response_iss_parameter_supported": name == "careful",
        "scopes_supported": ["openid", "email"],
        "response_types_supported": "not a list",
    });
    match name.as_str() {
        "inward" => document["jwks_uri"] = json!("http://10.255.0.1/keys"),
        "scheming" => document["authorization_endpoint"] = json!("javascript:alert(1)"),
        _ => (),
    }
    Json(document).into_response()
}

fn secret(number: u8) -> SecretKey {
    SecretKey::from_slice(&[number; 32]).unwrap()
}

fn public(number: u8) -> Value {
    let point = secret(number).public_key().to_encoded_point(false);
    json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": format!("key-{number}"),
        "x": URL_SAFE_NO_PAD.encode(point.x().unwrap()), "y": URL_SAFE_NO_PAD.encode(point.y().unwrap()),
    })
}

/// An ID token.
pub fn id_token(claims: &Value, signed: Signed) -> String {
    let number = if signed == Signed::ByAnother { 2 } else { 1 };
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(if signed == Signed::ByUnknown {
        "key-9".into()
    } else {
        "key-1".into()
    });
    let pem = secret(number).to_pkcs8_pem(LineEnding::LF).unwrap();
    let mut key = EncodingKey::from_ec_pem(pem.as_bytes()).unwrap();
    if signed == Signed::ByPublicHalf {
        header.alg = Algorithm::HS256;
        key = EncodingKey::from_secret(public(1)["x"].as_str().unwrap().as_bytes());
    }
    let token = jsonwebtoken::encode(&header, claims, &key).unwrap();
    if signed == Signed::Not {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT","kid":"key-1"}"#);
        let claims = token.split('.').nth(1).unwrap();
        return format!("{header}.{claims}.");
    }
    token
}

/// Makes a code that is good once.
pub fn code_for(grant: Grant) -> String {
    let mut grants = GRANTS.lock().unwrap();
    let code = format!("code-{}", Env::real().new_id());
    grants.insert(code.clone(), grant);
    code
}

async fn token(Path(name): Path<String>, headers: HeaderMap, body: String) -> Response {
    let form: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    let refuse = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = format!("Basic {}", STANDARD.encode(format!("tenon:{encoded}")));
    let in_header = headers
        .get("authorization")
        .is_some_and(|value| value == basic.as_str());
    let in_form = form.get("client_secret").is_some_and(|value| value == SECRET);
    // This one does not look into headers.
    let in_header = in_header && name != "formal";
    if !(in_header || in_form) {
        return refuse("invalid_client");
    }
    let code = form.get("code").cloned().unwrap_or_default();
    let Some(grant) = GRANTS.lock().unwrap().remove(&code) else {
        return refuse("invalid_grant");
    };
    let verifier = form.get("code_verifier").map(String::as_str).unwrap_or_default();
    let met = grant
        .challenge
        .is_none_or(|challenge| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge);
    if !met || grant.issuer != name || form.get("redirect_uri") != Some(&grant.redirect_uri) {
        return refuse("invalid_grant");
    }
    let access = format!("provider-token-{code}");
    TOLD.lock().unwrap().insert(access.clone(), grant.told);
    let mut answer = json!({
        "access_token": access, "token_type": "Bearer", "refresh_token": "provider-refresh-token", "expires_in": 60,
    });
    if !grant.claims.is_null() {
        answer["id_token"] = json!(id_token(&grant.claims, grant.signed));
    }
    Json(answer).into_response()
}

fn told(headers: &HeaderMap, what: &str) -> Response {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = token
        .and_then(|token| token.strip_prefix("Bearer "))
        .unwrap_or_default();
    match TOLD.lock().unwrap().get(token) {
        Some(told) => Json(told[what].clone()).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn me(headers: HeaderMap) -> Response {
    told(&headers, "me")
}
