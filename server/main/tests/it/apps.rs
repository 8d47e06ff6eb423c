//! Apps that an organisation switches off and on.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{TestUser, answer};

use crate::support::server;

async fn switch_off(user: &TestUser, apps: &Value) -> (u16, Value) {
    let path = "/api/v1/tenancy/organization/apps";
    answer(user.request(Method::PUT, path).json(&json!({ "disabled": apps }))).await
}

#[tokio::test]
async fn an_app_that_is_off_is_nobodys_and_in_no_other_organisation_missed() {
    let server = server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let board = "/api/v1/purchasing/board";
    let orders = "/rest/v1/orders?select=number";
    let manager = server.member(&ours, Role::Manager).await;
    assert_eq!(switch_off(&manager, &json!(["purchasing"])).await.0, 403);
    for odd in [
        json!(["nothing"]),
        json!(["tenancy"]),
        json!(["imports"]),
        json!([""]),
    ] {
        assert_eq!(
            switch_off(&ours.owner, &odd).await.1["code"],
            "tenancy.app_unknown",
            "{odd}"
        );
    }
    assert_eq!(
        switch_off(&ours.owner, &json!(["purchasing", "purchasing"]))
            .await
            .0,
        204
    );
    for user in [&ours.owner, &manager] {
        let (status, body) = user.get_json(board).await;
        assert_eq!(
            (status, &body["code"]),
            (403, &json!("tenancy.permission_denied"))
        );
        assert_eq!(user.get_json(orders).await.1, json!([]));
        let (_, session) = user.get_json("/api/v1/tenancy/session").await;
        assert_eq!(session["apps"], json!([]));
        let permissions = session["permissions"].as_array().unwrap();
        assert!(
            !permissions
                .iter()
                .any(|name| name.as_str().unwrap().starts_with("purchasing."))
        );
    }
    assert_eq!(theirs.owner.get_json(board).await.0, 200);
    assert_eq!(switch_off(&ours.owner, &json!([])).await.0, 204);
    assert_eq!(ours.owner.get_json(board).await.0, 200);
}
