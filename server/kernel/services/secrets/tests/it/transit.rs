//! A stand-in for `HashiCorp` Vault: the calls of its engine `transit` that the service makes, with a derived key that keeps its versions.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, aead::Aead};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hkdf::Hkdf;
use serde_json::{Value, json};
use sha2::Sha256;

pub(crate) const TOKEN: &str = "hvs.stand-in";

pub(crate) struct Held {
    /// Master secrets, the first is version 1.
    versions: Vec<[u8; 32]>,
    pub(crate) derived: bool,
    pub(crate) sealed: bool,
    /// Calls by what they asked for.
    pub(crate) asked: HashMap<&'static str, u32>,
    nonce: u64,
}

#[derive(Clone)]
pub(crate) struct Transit {
    pub(crate) address: SocketAddr,
    held: Arc<Mutex<Held>>,
}

impl Transit {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let transit = Self {
            address: listener.local_addr().unwrap(),
            held: Arc::new(Mutex::new(Held {
                versions: vec![[1; 32]],
                derived: true,
                sealed: false,
                asked: HashMap::new(),
                nonce: 0,
            })),
        };
        let router = Router::new()
            .route("/v1/transit/keys/tenon", get(about))
            .route("/v1/transit/keys/tenon/rotate", post(rotate))
            .route("/v1/transit/{what}/tenon", post(crypt))
            .with_state(transit.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        transit
    }

    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "errors": [why] }))).into_response()
}

impl Held {
    /// The refusal, if it is not let in.
    fn let_in(&mut self, headers: &HeaderMap, what: &'static str) -> Option<Response> {
        *self.asked.entry(what).or_default() += 1;
        if self.sealed {
            return Some(refused(StatusCode::SERVICE_UNAVAILABLE, "Vault is sealed"));
        }
        if headers.get("x-vault-token").is_none_or(|token| token != TOKEN) {
            return Some(refused(StatusCode::FORBIDDEN, "permission denied"));
        }
        None
    }

    fn cipher(&self, version: usize, body: &Value) -> Option<Aes256Gcm> {
        let context = STANDARD.decode(body["context"].as_str()?).ok()?;
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, self.versions.get(version.checked_sub(1)?)?)
            .expand(&context, &mut key)
            .ok()?;
        Some(Aes256Gcm::new((&key).into()))
    }
}

async fn about(State(transit): State<Transit>, headers: HeaderMap) -> Response {
    let mut held = transit.held();
    if let Some(refusal) = held.let_in(&headers, "about") {
        return refusal;
    }
    let data = json!({
        "type": "aes256-gcm96", "name": "tenon", "derived": held.derived, "latest_version": held.versions.len(),
        "min_decryption_version": 1, "keys": {}, "supports_derivation": true,
    });
    Json(json!({ "request_id": "1", "lease_id": "", "data": data })).into_response()
}

async fn rotate(State(transit): State<Transit>, headers: HeaderMap) -> Response {
    let mut held = transit.held();
    if let Some(refusal) = held.let_in(&headers, "rotate") {
        return refusal;
    }
    let number = u8::try_from(held.versions.len() + 1).unwrap();
    held.versions.push([number; 32]);
    StatusCode::NO_CONTENT.into_response()
}

async fn crypt(
    State(transit): State<Transit>,
    Path(what): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let mut held = transit.held();
    let what = if what == "encrypt" { "encrypt" } else { "decrypt" };
    if let Some(refusal) = held.let_in(&headers, what) {
        return refusal;
    }
    let data = if what == "encrypt" {
        encrypt(&mut held, &body)
    } else {
        decrypt(&held, &body)
    };
    match data {
        Some(data) => Json(json!({ "request_id": "1", "data": data })).into_response(),
        None => refused(StatusCode::BAD_REQUEST, "cipher: message authentication failed"),
    }
}

fn encrypt(held: &mut Held, body: &Value) -> Option<Value> {
    let plain = STANDARD.decode(body["plaintext"].as_str()?).ok()?;
    let version = held.versions.len();
    held.nonce += 1;
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&held.nonce.to_be_bytes());
    let cipher = held.cipher(version, body)?;
    let mut bytes = nonce.to_vec();
    bytes.extend(cipher.encrypt(&Nonce::from(nonce), &plain[..]).ok()?);
    Some(
        json!({ "ciphertext": format!("vault:v{version}:{}", STANDARD.encode(bytes)), "key_version": version }),
    )
}

fn decrypt(held: &Held, body: &Value) -> Option<Value> {
    let (version, bytes) = body["ciphertext"]
        .as_str()?
        .strip_prefix("vault:v")?
        .split_once(':')?;
    let bytes = STANDARD.decode(bytes).ok()?;
    let (nonce, sealed) = bytes.split_first_chunk::<12>()?;
    let plain = held
        .cipher(version.parse().ok()?, body)?
        .decrypt(&Nonce::from(*nonce), sealed)
        .ok()?;
    Some(json!({ "plaintext": STANDARD.encode(plain) }))
}
