//! Passkeys as a way in.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::TestServer;

use super::{Key, PRESENT, VERIFIED, ask, code, person, register, send, show, sign_in};

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

#[tokio::test]
async fn an_installation_without_a_name_has_no_keys_and_says_so() {
    let server = TestServer::configured(vec![], |config| {
        config.server.site_url = "http://10.0.0.5:8000".into();
    })
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
