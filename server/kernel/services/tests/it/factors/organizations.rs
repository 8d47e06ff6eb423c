//! An organisation's rule.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{TestServer, TestUser, answer};

use super::{Somebody, code};

#[tokio::test]
async fn an_organisation_asks_its_members_for_a_second_factor_but_nobody_locks_themselves_out() {
    const RULE: &str = "/api/v1/tenancy/second-factor";
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let viewer = server.member(&org, Role::Viewer).await;
    let put = async |user: &TestUser, required: Value| {
        let body = json!({ "required": required });
        answer(user.request(Method::PUT, RULE).json(&body)).await
    };
    assert_eq!(
        code(&put(&viewer, json!(true)).await),
        (403, "tenancy.permission_denied")
    );
    assert_eq!(
        code(&put(&org.owner, json!(true)).await),
        (422, "tenancy.second_factor_missing")
    );
    for hostile in [json!(null), json!("yes"), json!([])] {
        assert_eq!(put(&org.owner, hostile).await.0, 400);
    }

    let mut owner = Somebody {
        server: &server,
        email: org.owner.email.clone(),
        token: org.owner.token.clone(),
        refresh_token: String::new(),
    };
    owner.with_totp().await;
    let with_token = |user: &TestUser, token: &str| {
        let mut user = user.clone();
        token.clone_into(&mut user.token);
        user
    };
    let raised = with_token(&org.owner, &owner.token);
    let (status, rule) = put(&raised, json!(true)).await;
    assert_eq!(
        (status, &rule),
        (
            200,
            &json!({ "required": true, "members": 2, "members_without": 1 })
        )
    );
    assert_eq!(answer(raised.get(RULE)).await.1, rule);
    // From now on, whatever token they hold.
    let (status, refused) = viewer.get_json("/api/v1/tenancy/session").await;
    assert_eq!(
        (status, &refused["code"]),
        (403, &json!("tenancy.second_factor_required"))
    );
    let mut member = Somebody {
        server: &server,
        email: viewer.email.clone(),
        token: viewer.token.clone(),
        refresh_token: String::new(),
    };
    member.with_totp().await;
    let raised_member = with_token(&viewer, &member.token);
    assert_eq!(raised_member.get_json("/api/v1/tenancy/session").await.0, 200);
    // Who knows the owner's password alone does not take the rule away.
    let below = with_token(&org.owner, &owner.elsewhere().await.token);
    assert_eq!(
        code(&put(&below, json!(false)).await),
        (403, "tenancy.second_factor_required")
    );
    assert_eq!(put(&raised, json!(false)).await.0, 200);
    assert_eq!(put(&raised, json!(false)).await.0, 200);
    let admin = server.admin().await;
    let sql = "select payload ->> 'required' from events.outbox \
               where kind = 'tenancy.second_factor_rule_changed' order by seq";
    let rows = admin.query(sql, &[]).await.expect("events");
    let told: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(told, ["true", "false"]);
}
