//! Codes for whoever has lost their factor.

use serde_json::json;
use tenon_testkit::TestServer;

use super::{Somebody, claims, code, methods};

#[tokio::test]
async fn recovery_codes_are_shown_once_and_good_once() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    assert_eq!(
        code(&ada.post("factors/recovery-codes", json!({})).await),
        (403, "insufficient_aal")
    );
    assert_eq!(
        code(&ada.get("factors/recovery-codes").await),
        (404, "mfa_factor_not_found")
    );
    ada.with_totp().await;
    let codes = ada.recovery_codes().await;
    assert_eq!(codes.len(), 10);
    assert_eq!(
        code(&ada.post("factors/recovery-codes", json!({})).await),
        (422, "mfa_verified_factor_exists")
    );
    let admin = server.admin().await;
    let rows = admin
        .query(
            "select encode(code_hash, 'escape') from auth.mfa_recovery_codes",
            &[],
        )
        .await
        .expect("hashes");
    for row in rows {
        assert!(!codes.contains(&row.get::<_, String>(0)));
    }

    let mut lost = ada.elsewhere().await;
    let typed = format!(" {}-{} ", codes[3][..4].to_uppercase(), &codes[3][4..]);
    let used = lost
        .post("factors/recovery-codes/verify", json!({ "code": typed }))
        .await;
    lost.take(&used);
    assert_eq!(claims(&lost.token)["aal"], "aal2");
    assert_eq!(methods(&lost.token), ["recovery_code", "password"]);
    let again = ada.elsewhere().await;
    for wrong in [codes[3].as_str(), "", "\u{0}", &"a".repeat(100_000)] {
        let refused = again
            .post("factors/recovery-codes/verify", json!({ "code": wrong }))
            .await;
        assert_eq!(code(&refused), (422, "mfa_verification_failed"));
    }
    let left = lost.get("factors/recovery-codes").await;
    assert_eq!(
        (left.0, &left.1["total"], &left.1["remaining"]),
        (200, &json!(10), &json!(9))
    );
    assert!(left.1["codes"].is_null());

    // New ones make the old ones void; somebody else's were never good.
    let (status, made) = lost.post("factors/recovery-codes/regenerate", json!({})).await;
    assert_eq!((status, made["codes"].as_array().map(Vec::len)), (200, Some(10)));
    let old = again
        .post("factors/recovery-codes/verify", json!({ "code": codes[4] }))
        .await;
    assert_eq!(old.0, 422);
    let eve = Somebody::new(&server, "eve").await;
    let foreign = eve
        .post(
            "factors/recovery-codes/verify",
            json!({ "code": made["codes"][0] }),
        )
        .await;
    assert_eq!(foreign.0, 422);
}

#[tokio::test]
async fn of_many_who_use_one_recovery_code_at_once_one_gets_in() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    ada.with_totp().await;
    let codes = ada.recovery_codes().await;
    let (one, two) = (ada.elsewhere().await, ada.elsewhere().await);
    let body = json!({ "code": codes[0] });
    let (first, second) = tokio::join!(
        one.post("factors/recovery-codes/verify", body.clone()),
        two.post("factors/recovery-codes/verify", body.clone()),
    );
    let good = [&first, &second].iter().filter(|answer| answer.0 == 200).count();
    assert_eq!(good, 1, "{first:?} {second:?}");
}
