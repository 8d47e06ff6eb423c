//! Factors of people through a service key.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{SERVICE_KEY, TestServer};

use super::{Somebody, claims, code, send, text, totp};

async fn call(server: &TestServer, method: Method, path: &str) -> (u16, Value) {
    send(server, method, path, SERVICE_KEY, json!({})).await
}

#[tokio::test]
async fn the_operator_sees_factors_and_takes_one_away_for_whoever_lost_it() {
    let server = TestServer::configured(vec![], |config| config.mail.mailbox = true).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let id = text(&ada.get("user").await.1["id"]).to_owned();
    let path = format!("admin/users/{id}/factors");
    assert_eq!(call(&server, Method::GET, &path).await, (200, json!([])));
    let (factor, secret) = ada.with_totp().await;
    let (second, _) = ada.enrol("Second").await;
    ada.recovery_codes().await;
    let (status, listed) = call(&server, Method::GET, &path).await;
    assert_eq!((status, &listed[0]["id"]), (200, &json!(factor)));
    assert_eq!(
        (&listed[0]["status"], &listed[1]["status"]),
        (&json!("verified"), &json!("unverified"))
    );
    assert!(!listed.to_string().contains(&secret));

    // What is not confirmed holds nothing up.
    assert_eq!(
        call(&server, Method::DELETE, &format!("{path}/{second}")).await.0,
        200
    );
    assert_eq!(ada.get("factors/recovery-codes").await.0, 200);
    let (status, removed) = call(&server, Method::DELETE, &format!("{path}/{factor}")).await;
    assert_eq!((status, &removed["id"]), (200, &json!(factor)));
    assert_eq!(ada.get("factors/recovery-codes").await.0, 404);
    let body = json!({ "refresh_token": ada.refresh_token });
    let refreshed = ada.post("token?grant_type=refresh_token", body).await;
    ada.take(&refreshed);
    assert_eq!(claims(&ada.token)["aal"], "aal1");

    let admin = server.admin().await;
    let sql = "select payload -> 'actor_id' = 'null' and payload #>> '{traits,user_id}' = $1 \
               from auth.audit_log_entries where payload ->> 'action' = 'factor_deleted'";
    let rows = admin.query(sql, &[&id]).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.get(0)));
    let sql = "select count(*) from notifications.messages where kind = 'identity.factor_removed'";
    assert_eq!(admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 1);
}

#[tokio::test]
async fn factors_of_others_take_the_service_key_and_ids_that_belong_together() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let eve = Somebody::new(&server, "eve").await;
    let (factor, secret) = ada.with_totp().await;
    let ada_id = text(&ada.get("user").await.1["id"]).to_owned();
    let eve_id = text(&eve.get("user").await.1["id"]).to_owned();
    for what in ["factors", "passkeys"] {
        let path = format!("admin/users/{ada_id}/{what}");
        for (method, path) in [
            (Method::GET, path.clone()),
            (Method::DELETE, format!("{path}/{factor}")),
        ] {
            let anonymous = send(&server, method.clone(), &path, "", json!({})).await;
            assert_eq!(code(&anonymous), (401, "no_authorization"));
            let person = send(&server, method, &path, &ada.token, json!({})).await;
            assert_eq!(code(&person), (403, "not_admin"));
        }
    }
    let absent = "00000000-0000-0000-0000-000000000000";
    for (path, refusal) in [
        (format!("{eve_id}/factors/{factor}"), "mfa_factor_not_found"),
        (format!("{ada_id}/factors/no-id"), "mfa_factor_not_found"),
        (format!("{absent}/factors/{factor}"), "user_not_found"),
        (format!("no-id/factors/{factor}"), "validation_failed"),
        (format!("{ada_id}/passkeys/{factor}"), "passkey_not_found"),
        (format!("{ada_id}/passkeys/no-id"), "passkey_not_found"),
        (format!("{absent}/passkeys/{factor}"), "user_not_found"),
    ] {
        let answer = call(&server, Method::DELETE, &format!("admin/users/{path}")).await;
        assert_eq!(code(&answer), (404, refusal), "{path}");
    }
    let answer = call(&server, Method::GET, &format!("admin/users/{absent}/factors")).await;
    assert_eq!(code(&answer), (404, "user_not_found"));
    let again = ada.elsewhere().await;
    assert_eq!(again.show(&factor, &totp(&server, &secret, 1)).await.0, 200);
}
