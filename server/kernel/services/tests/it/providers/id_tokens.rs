//! ID tokens that a client got by itself.

use crate::provider::Signed;
use crate::provider::id_token;
use crate::provider::issuer;
use serde_json::Value;
use serde_json::json;
use sha2::{Digest, Sha256};
use tenon_sdk::env::Env;

use super::{ADA, merge, people, post, providers_of, server, sign_up};

#[tokio::test]
async fn an_id_token_that_a_client_got_by_itself_is_as_good_as_its_checks() {
    let server = server().await;
    let now = Env::real().now().as_second();
    let hashed = tenon_sdk::hex(&Sha256::digest("nonce"));
    let claims = |more: Value| {
        let mut claims = json!({
            "iss": issuer("google"), "aud": "tenon-ios", "sub": "7", "iat": now, "exp": now + 300, "email": ADA, "email_verified": true,
        });
        merge(&mut claims, more);
        id_token(&claims, Signed::Well)
    };
    let give = async |body: Value| post(&server, "token?grant_type=id_token", None, body).await;
    let plain = claims(json!({}));
    for (body, code) in [
        (json!({}), "validation_failed"),
        (json!({ "provider": "google" }), "validation_failed"),
        (json!({ "id_token": plain }), "validation_failed"),
        (
            json!({ "provider": "off", "id_token": plain }),
            "validation_failed",
        ),
        (
            json!({ "provider": "github", "id_token": plain }),
            "validation_failed",
        ),
        (json!({ "provider": "acme", "id_token": plain }), "bad_id_token"),
        (json!({ "provider": "google", "id_token": "x" }), "bad_id_token"),
        (
            json!({ "provider": "google", "id_token": "x".repeat(100_000) }),
            "bad_id_token",
        ),
        (
            json!({ "provider": "google", "id_token": plain, "nonce": "nonce" }),
            "bad_id_token",
        ),
        (
            json!({ "provider": "google", "id_token": claims(json!({ "nonce": hashed })) }),
            "bad_id_token",
        ),
        (
            json!({ "provider": "google", "id_token": claims(json!({ "nonce": hashed })), "nonce": "other" }),
            "bad_id_token",
        ),
        (
            json!({ "provider": "google", "id_token": claims(json!({ "nonce": "nonce" })), "nonce": "nonce" }),
            "bad_id_token",
        ),
        (
            json!({ "provider": "google", "id_token": claims(json!({ "aud": "other" })) }),
            "unexpected_audience",
        ),
        (
            json!({ "provider": "google", "id_token": claims(json!({ "exp": now - 1 })) }),
            "bad_id_token",
        ),
        (
            json!({ "provider": "google", "id_token": claims(json!({ "at_hash": "x" })), "access_token": "y" }),
            "bad_id_token",
        ),
    ] {
        let (status, answer) = give(body.clone()).await;
        assert_eq!((status, &answer["code"]), (400, &json!(code)), "{body} {answer}");
    }
    for signed in [
        Signed::ByAnother,
        Signed::ByUnknown,
        Signed::ByPublicHalf,
        Signed::Not,
    ] {
        let good = json!({ "iss": issuer("google"), "aud": "tenon", "sub": "7", "exp": now + 300, "email": ADA, "email_verified": true });
        let body = json!({ "provider": "google", "id_token": id_token(&good, signed) });
        assert_eq!(give(body).await.1["code"], "bad_id_token", "{signed:?}");
    }
    assert_eq!(people(&server).await, 0);

    let body =
        json!({ "provider": "google", "id_token": claims(json!({ "nonce": hashed })), "nonce": "nonce" });
    let (status, session) = give(body).await;
    assert_eq!(
        (status, &session["user"]["email"]),
        (200, &json!(ADA)),
        "{session}"
    );
    let body = json!({ "issuer": issuer("google"), "client_id": "tenon", "id_token": plain });
    let (status, again) = give(body).await;
    assert_eq!(
        (status, &again["user"]["id"]),
        (200, &session["user"]["id"]),
        "{again}"
    );
    let unchecked = id_token(
        &json!({ "iss": issuer("ours"), "aud": "tenon", "sub": "9", "exp": now + 300, "nonce": "x", "email": "o@example.com" }),
        Signed::Well,
    );
    assert_eq!(
        give(json!({ "provider": "ours", "id_token": unchecked })).await.0,
        200
    );

    // To an account one is signed in to.
    let other = sign_up(&server, "grace@example.com").await;
    let token = other["access_token"].as_str().unwrap();
    let body = |sub: &str| {
        let token = claims(json!({ "sub": sub, "email": "g@example.com" }));
        json!({ "provider": "google", "link_identity": true, "id_token": token })
    };
    assert_eq!(
        post(&server, "token?grant_type=id_token", None, body("8"))
            .await
            .0,
        401
    );
    let (_, refused) = post(&server, "token?grant_type=id_token", Some(token), body("7")).await;
    assert_eq!(refused["code"], "identity_already_exists");
    let (status, linked) = post(&server, "token?grant_type=id_token", Some(token), body("8")).await;
    assert_eq!((status, &linked["user"]["id"]), (200, &other["user"]["id"]));
    assert_eq!(providers_of(&linked["user"]), ["email", "google"]);
}
