//! What providers publish about themselves, when it is too much, comes too late, or is something else.

use serde_json::{Value, json};
use tenon_sdk::{config::Config, env::Env};

use super::{ADA, Browser, begin, come, fragment, people, post, providers, query, start};
use crate::provider::{SECRET, Signed, id_token, issuer};

/// Providers whose documents, and whose keys, are not as they should be.
const NO_DOCUMENT: [&str; 7] = [
    "huge",
    "page",
    "list",
    "empty",
    "failing",
    "scheming",
    "redirecting",
];
const NO_KEYS: [&str; 6] = [
    "huge-keys",
    "page-keys",
    "list-keys",
    "failing-keys",
    "redirecting-keys",
    "inward",
];

fn odd(config: &mut Config, names: &[&str]) {
    providers(config);
    config.outbound.max_answer_bytes = 64 * 1024;
    for name in names {
        let settings = json!({ "issuer": issuer(name), "client_id": "tenon", "secret": SECRET });
        let settings = serde_json::from_value(settings).expect("settings");
        config.auth.external.insert((*name).to_owned(), settings);
    }
}

fn unavailable(code: &str) -> bool {
    code.starts_with("outbound.")
}

#[tokio::test]
async fn a_document_that_is_huge_something_else_or_elsewhere_is_not_read_and_hinders_no_other_provider() {
    let server = start(|config| odd(config, &NO_DOCUMENT)).await;
    for name in NO_DOCUMENT {
        let url = server.url(&format!("/auth/v1/authorize?provider={name}"));
        let end = Browser::new().led(&url).await;
        let code = query(&end, "error_code").unwrap_or_default();
        assert!(unavailable(&code), "{name}: {end}");
        assert!(!end.as_str().contains("127.0.0.1:9"), "{name}: {end}");
        let body =
            json!({ "provider": name, "id_token": id_token(&json!({ "iss": issuer(name) }), Signed::Well) });
        let (status, fault) = post(&server, "token?grant_type=id_token", None, body).await;
        assert_eq!(status, 503, "{name}: {fault}");
    }
    begin(&server, &mut Browser::new(), "acme", "").await;
    assert_eq!(people(&server).await, 0);
}

#[tokio::test]
async fn keys_that_are_huge_something_else_or_elsewhere_open_nothing() {
    let server = start(|config| odd(config, &NO_KEYS)).await;
    let now = Env::real().now().as_second();
    for name in NO_KEYS {
        let end = come(&server, name, "", |_, _| ()).await;
        let code = query(&end, "error_code").unwrap_or_default();
        assert!(unavailable(&code), "{name}: {end}");
        assert!(fragment(&end, "access_token").is_none(), "{name}");
        let claims =
            json!({ "iss": issuer(name), "aud": "tenon", "sub": "7", "exp": now + 300, "email": ADA });
        for signed in [Signed::Well, Signed::Not, Signed::ByPublicHalf] {
            let body = json!({ "provider": name, "id_token": id_token(&claims, signed) });
            let (status, fault) = post(&server, "token?grant_type=id_token", None, body).await;
            assert!([400, 422, 503].contains(&status), "{name} {signed:?}: {fault}");
        }
    }
    // A set without a key that fits is no fault of the provider's, but opens nothing either.
    let server = start(|config| odd(config, &["no-keys"])).await;
    let end = come(&server, "no-keys", "", |_, _| ()).await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("bad_id_token"),
        "{end}"
    );
    assert_eq!(people(&server).await, 0);
}

#[tokio::test]
async fn a_provider_that_never_answers_is_waited_for_no_longer_than_the_settings_say() {
    let server = start(|config| {
        odd(config, &["silent", "dribbling", "silent-keys"]);
        config.outbound.timeout_ms = 500;
    })
    .await;
    for name in ["silent", "dribbling"] {
        let url = server.url(&format!("/auth/v1/authorize?provider={name}"));
        let end = Browser::new().led(&url).await;
        assert_eq!(
            query(&end, "error_code").as_deref(),
            Some("outbound.timeout"),
            "{end}"
        );
    }
    let end = come(&server, "silent-keys", "", |_, _| ()).await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("outbound.timeout"),
        "{end}"
    );
    let body: Value = json!({ "provider": "silent", "id_token": id_token(&json!({}), Signed::Well) });
    let (status, fault) = post(&server, "token?grant_type=id_token", None, body).await;
    assert_eq!((status, &fault["code"]), (503, &json!("outbound.timeout")));
}
