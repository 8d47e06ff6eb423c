//! Passkeys and security keys over HTTP, by a key made of code.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenon_testkit::{PASSWORD, TestServer, answer};

/// What a key says it checked (the flags of its data).
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key for one site, as a browser and an authenticator show it together.
struct Key {
    id: Vec<u8>,
    signing: SigningKey,
    user: String,
    counter: u32,
    flags: u8,
    origin: String,
}

impl Key {
    fn new(server: &TestServer) -> Self {
        let env = server.kernel().env();
        let mut id = vec![0; 32];
        env.fill_random(&mut id);
        let mut scalar = [0; 32];
        env.fill_random(&mut scalar);
        Self {
            id,
            signing: SigningKey::from_slice(&scalar).expect("a scalar"),
            user: String::new(),
            counter: 0,
            flags: PRESENT | VERIFIED,
            origin: server.url("").replace("127.0.0.1", "localhost"),
        }
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        json!({
            "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false,
        })
        .to_string()
        .into_bytes()
    }

    fn data(&mut self, flags: u8) -> Vec<u8> {
        self.counter += 1;
        let mut data = Sha256::digest(b"localhost").to_vec();
        data.push(self.flags | flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// The answer to `navigator.credentials.create`.
    fn create(&mut self, options: &Value) -> Value {
        options["user"]["id"]
            .as_str()
            .expect("a handle")
            .clone_into(&mut self.user);
        let mut data = self.data(ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).expect("a short id").to_be_bytes());
        data.extend(&self.id);
        // The public key in CBOR (RFC 9052): EC2, ES256, P-256, x, y.
        let point = self.signing.verifying_key().to_encoded_point(false);
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(point.x().expect("x"));
        data.extend([0x22, 0x58, 0x20]);
        data.extend(point.y().expect("y"));
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).expect("short data"));
        object.extend(&data);
        json!({
            "id": base64(&self.id), "rawId": base64(&self.id), "type": "public-key",
            "clientExtensionResults": {}, "authenticatorAttachment": "platform",
            "response": {
                "attestationObject": base64(&object), "transports": ["internal"],
                "clientDataJSON": base64(&self.client_data("webauthn.create", options)),
            },
        })
    }

    /// The answer to `navigator.credentials.get`.
    fn get(&mut self, options: &Value) -> Value {
        let data = self.data(0);
        let client_data = self.client_data("webauthn.get", options);
        let signed = [data.as_slice(), &Sha256::digest(&client_data)].concat();
        let signature: Signature = self.signing.sign(&signed);
        json!({
            "id": base64(&self.id), "rawId": base64(&self.id), "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "authenticatorData": base64(&data), "clientDataJSON": base64(&client_data),
                "signature": base64(signature.to_der().as_bytes()), "userHandle": self.user,
            },
        })
    }
}

async fn send(server: &TestServer, method: Method, path: &str, token: &str, body: Value) -> (u16, Value) {
    let request = server
        .anonymous(method, &format!("/auth/v1/{path}"))
        .header("x-supabase-api-version", "2024-01-01");
    let request = if token.is_empty() {
        request
    } else {
        request.bearer_auth(token)
    };
    answer(request.json(&body)).await
}

fn code((status, body): &(u16, Value)) -> (u16, &str) {
    (*status, body["code"].as_str().unwrap_or_default())
}

async fn person(server: &TestServer, name: &str) -> String {
    let body = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
    let (status, session) = send(server, Method::POST, "signup", "", body).await;
    assert_eq!(status, 200, "{session}");
    session["access_token"].as_str().expect("a token").to_owned()
}

async fn register(server: &TestServer, token: &str, key: &mut Key) -> (u16, Value) {
    let (status, asked) = send(
        server,
        Method::POST,
        "passkeys/registration/options",
        token,
        json!({}),
    )
    .await;
    assert_eq!(status, 200, "{asked}");
    let body = json!({ "challenge_id": asked["challenge_id"], "credential": key.create(&asked["options"]) });
    send(server, Method::POST, "passkeys/registration/verify", token, body).await
}

async fn ask(server: &TestServer) -> Value {
    let (status, asked) = send(
        server,
        Method::POST,
        "passkeys/authentication/options",
        "",
        json!({}),
    )
    .await;
    assert_eq!(status, 200, "{asked}");
    asked
}

async fn show(server: &TestServer, asked: &Value, credential: &Value) -> (u16, Value) {
    let body = json!({ "challenge_id": asked["challenge_id"], "credential": credential });
    send(server, Method::POST, "passkeys/authentication/verify", "", body).await
}

async fn sign_in(server: &TestServer, key: &mut Key) -> (u16, Value) {
    let asked = ask(server).await;
    let shown = key.get(&asked["options"]);
    show(server, &asked, &shown).await
}

#[tokio::test]
async fn a_passkey_signs_its_person_in_who_names_nobody() {
    let server = TestServer::start(vec![]).await;
    let token = person(&server, "ada").await;
    let mut key = Key::new(&server);
    let (status, made) = register(&server, &token, &mut key).await;
    assert_eq!(status, 200, "{made}");
    let asked = ask(&server).await;
    assert_eq!(asked["options"]["allowCredentials"], json!([]));
    assert_eq!(asked["options"]["userVerification"], "required");
    let shown = key.get(&asked["options"]);
    let (status, session) = show(&server, &asked, &shown).await;
    assert_eq!(
        (status, &session["user"]["email"]),
        (200, &json!("ada@example.com")),
        "{session}"
    );
    // An answer is good once, whoever heard it.
    let again = show(&server, &asked, &shown).await;
    assert_eq!(code(&again), (400, "webauthn_challenge_not_found"));

    let token = session["access_token"].as_str().expect("a token");
    let claims = token.split('.').nth(1).expect("claims");
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64")).expect("JSON");
    assert_eq!(
        (&claims["aal"], &claims["amr"][0]["method"]),
        (&json!("aal1"), &json!("passkey"))
    );
    let (_, listed) = send(&server, Method::GET, "passkeys", token, json!({})).await;
    assert_eq!(listed[0]["id"], made["id"]);
    assert!(listed[0]["last_used_at"].is_string());
    assert!(!listed.to_string().contains("cred"));
}

#[tokio::test]
async fn nobody_comes_in_by_a_key_that_is_not_good() {
    let server = TestServer::start(vec![]).await;
    let (ada, eve) = (person(&server, "ada").await, person(&server, "eve").await);
    let (mut key, mut evil) = (Key::new(&server), Key::new(&server));
    assert_eq!(register(&server, &ada, &mut key).await.0, 200);
    assert_eq!(register(&server, &eve, &mut evil).await.0, 200);
    let failed = (400, "webauthn_verification_failed");

    // Somebody else's name on an own key.
    let own = std::mem::replace(&mut evil.user, key.user.clone());
    assert_eq!(code(&sign_in(&server, &mut evil).await), failed);
    evil.user = own;
    // The id of another's key.
    let own = std::mem::replace(&mut evil.id, key.id.clone());
    evil.user.clone_from(&key.user);
    assert_eq!(code(&sign_in(&server, &mut evil).await), failed);
    evil.id = own;
    // A page of another site.
    let site = std::mem::replace(&mut key.origin, "https://evil.example".to_owned());
    assert_eq!(code(&sign_in(&server, &mut key).await), failed);
    key.origin = site;
    // A key that did not check its person, or nobody touched.
    for flags in [PRESENT, VERIFIED, 0] {
        key.flags = flags;
        assert_eq!(code(&sign_in(&server, &mut key).await), failed, "{flags}");
    }
    key.flags = PRESENT | VERIFIED;
    // Another question's answer.
    let (first, second) = (ask(&server).await, ask(&server).await);
    let shown = key.get(&first["options"]);
    assert_eq!(code(&show(&server, &second, &shown).await), failed);
    // A copy whose counter lags behind.
    assert_eq!(sign_in(&server, &mut key).await.0, 200);
    key.counter -= 1;
    assert_eq!(code(&sign_in(&server, &mut key).await), failed);
    // Too late.
    let asked = ask(&server).await;
    let shown = key.get(&asked["options"]);
    server.advance(SignedDuration::from_secs(301));
    let late = show(&server, &asked, &shown).await;
    assert_eq!(code(&late), (400, "webauthn_challenge_expired"));
    for hostile in [
        json!(null),
        json!({}),
        json!("x"),
        json!([1]),
        json!({ "id": "x".repeat(100_000) }),
    ] {
        let asked = ask(&server).await;
        assert_eq!(code(&show(&server, &asked, &hostile).await), failed);
    }
    for id in ["", "x", "00000000-0000-0000-0000-000000000000"] {
        let answer = show(&server, &json!({ "challenge_id": id }), &shown).await;
        assert_eq!(code(&answer), (400, "webauthn_challenge_not_found"), "{id}");
    }
    // Still the person's own.
    assert_eq!(sign_in(&server, &mut key).await.0, 200);
}

#[tokio::test]
async fn passkeys_are_their_persons_alone() {
    let server = TestServer::start(vec![]).await;
    let (ada, eve) = (person(&server, "ada").await, person(&server, "eve").await);
    let mut key = Key::new(&server);
    let (_, made) = register(&server, &ada, &mut key).await;
    let path = format!("passkeys/{}", made["id"].as_str().expect("an id"));
    let body = json!({ "friendly_name": "Mine" });
    for path in [path.as_str(), "passkeys/no-id"] {
        let rename = send(&server, Method::PATCH, path, &eve, body.clone()).await;
        assert_eq!(code(&rename), (404, "passkey_not_found"));
        let remove = send(&server, Method::DELETE, path, &eve, json!({})).await;
        assert_eq!(code(&remove), (404, "passkey_not_found"));
    }
    assert_eq!(
        send(&server, Method::GET, "passkeys", &eve, json!({})).await.1,
        json!([])
    );
    // Nobody takes up another's registration, nor registers another's key.
    let (_, asked) = send(
        &server,
        Method::POST,
        "passkeys/registration/options",
        &ada,
        json!({}),
    )
    .await;
    let body = json!({
        "challenge_id": asked["challenge_id"], "credential": Key::new(&server).create(&asked["options"]),
    });
    let foreign = send(&server, Method::POST, "passkeys/registration/verify", &eve, body).await;
    assert_eq!(code(&foreign), (400, "webauthn_challenge_not_found"));
    let known = register(&server, &eve, &mut key).await;
    assert_eq!(code(&known), (422, "webauthn_credential_exists"));

    let renamed = send(
        &server,
        Method::PATCH,
        &path,
        &ada,
        json!({ "friendly_name": " Laptop " }),
    )
    .await;
    assert_eq!((renamed.0, &renamed.1["friendly_name"]), (200, &json!("Laptop")));
    for name in ["", " ", &"x".repeat(121), "a\u{0}"] {
        let refused = send(
            &server,
            Method::PATCH,
            &path,
            &ada,
            json!({ "friendly_name": name }),
        )
        .await;
        assert_eq!(code(&refused), (400, "validation_failed"), "{name}");
    }
    assert_eq!(send(&server, Method::DELETE, &path, &ada, json!({})).await.0, 204);
    key.user = asked["options"]["user"]["id"]
        .as_str()
        .expect("a handle")
        .to_owned();
    assert_eq!(
        code(&sign_in(&server, &mut key).await),
        (400, "webauthn_verification_failed")
    );
}

#[tokio::test]
async fn nobody_has_more_than_ten_passkeys() {
    let server = TestServer::start(vec![]).await;
    let ada = person(&server, "ada").await;
    for _ in 0..10 {
        assert_eq!(register(&server, &ada, &mut Key::new(&server)).await.0, 200);
    }
    let eleventh = send(
        &server,
        Method::POST,
        "passkeys/registration/options",
        &ada,
        json!({}),
    )
    .await;
    assert_eq!(code(&eleventh), (422, "too_many_passkeys"));
}

/// Asks a factor and answers with a key; `kind` is what the client says it does.
async fn step(server: &TestServer, token: &str, factor: &str, key: &mut Key, kind: &str) -> (u16, Value) {
    let path = format!("factors/{factor}/challenge");
    let (status, asked) = send(server, Method::POST, &path, token, json!({})).await;
    assert_eq!((status, &asked["type"]), (200, &json!("webauthn")), "{asked}");
    let options = &asked["webauthn"]["credential_options"]["publicKey"];
    let shown = match asked["webauthn"]["type"].as_str() {
        Some("create") => key.create(options),
        _ => key.get(options),
    };
    let body = json!({
        "challenge_id": asked["id"],
        "webauthn": { "type": kind, "rpId": "localhost", "credential_response": shown },
    });
    send(
        server,
        Method::POST,
        &format!("factors/{factor}/verify"),
        token,
        body,
    )
    .await
}

#[tokio::test]
async fn a_security_key_is_a_second_factor_with_or_without_a_pin() {
    for flags in [PRESENT, PRESENT | VERIFIED] {
        let server = TestServer::start(vec![]).await;
        let token = person(&server, "ada").await;
        let body = json!({ "factor_type": "webauthn", "friendly_name": "Key" });
        let (status, made) = send(&server, Method::POST, "factors", &token, body).await;
        assert_eq!((status, &made["type"]), (200, &json!("webauthn")));
        let factor = made["id"].as_str().expect("an id");
        let mut key = Key::new(&server);
        key.flags = flags;
        let wrong = step(&server, &token, factor, &mut key, "request").await;
        assert_eq!(code(&wrong), (400, "validation_failed"));
        let (status, session) = step(&server, &token, factor, &mut key, "create").await;
        assert_eq!(status, 200, "{session}");
        assert_eq!(session["user"]["factors"][0]["status"], "verified");

        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let (_, session) = send(&server, Method::POST, "token?grant_type=password", "", body).await;
        let token = session["access_token"].as_str().expect("a token").to_owned();
        let mut other = Key::new(&server);
        other.flags = flags;
        let foreign = step(&server, &token, factor, &mut other, "request").await;
        assert_eq!(code(&foreign), (422, "mfa_verification_failed"));
        key.counter = 0;
        let copied = step(&server, &token, factor, &mut key, "request").await;
        assert_eq!(code(&copied), (422, "mfa_verification_failed"));
        key.counter = 10;
        let (status, session) = step(&server, &token, factor, &mut key, "request").await;
        assert_eq!(status, 200, "{session}");
        let claims = session["access_token"]
            .as_str()
            .and_then(|token| token.split('.').nth(1));
        let claims = URL_SAFE_NO_PAD.decode(claims.expect("claims")).expect("base64");
        let claims: Value = serde_json::from_slice(&claims).expect("JSON");
        assert_eq!(
            (&claims["aal"], &claims["amr"][0]["method"]),
            (&json!("aal2"), &json!("mfa/webauthn"))
        );
        // It is no passkey.
        let refused = sign_in(&server, &mut key).await;
        assert_eq!(code(&refused), (400, "webauthn_verification_failed"));
    }
}

#[tokio::test]
async fn an_installation_without_a_name_has_no_keys_and_says_so() {
    let server = TestServer::start_with(
        vec![],
        tenon_testkit::TestServerOptions {
            config: Some(|config| config.server.site_url = "http://10.0.0.5:8000".into()),
            ..tenon_testkit::TestServerOptions::default()
        },
    )
    .await;
    let token = person(&server, "ada").await;
    for path in ["passkeys/registration/options", "passkeys/authentication/options"] {
        let answer = send(&server, Method::POST, path, &token, json!({})).await;
        assert_eq!(code(&answer), (404, "passkey_disabled"), "{path}");
    }
    let body = json!({ "factor_type": "webauthn" });
    let answer = send(&server, Method::POST, "factors", &token, body).await;
    assert_eq!(code(&answer), (422, "mfa_webauthn_enroll_not_enabled"));
}
