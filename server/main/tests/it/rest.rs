//! The data API through the whole server, over real tables and policies.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{TestUser, answer};

use crate::support::{REGISTER, import, server};

async fn get(user: &TestUser, path: &str) -> (u16, Value) {
    answer(
        user.get(&format!("/rest/v1/{path}"))
            .header("accept-profile", "purchasing"),
    )
    .await
}

#[tokio::test]
async fn members_read_filter_embed_and_count_what_is_theirs() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    import(&org.owner, "register.xlsx", REGISTER).await;
    let viewer = server.member(&org, Role::Viewer).await;

    let path =
        "orders?select=number,level,value:current_value::text,supplier:suppliers(name)&number=eq.PO-1700003";
    let (status, rows) = get(&viewer, path).await;
    let expected = json!([{
        "number": "PO-1700003", "level": "over_budget", "value": "582069.3800",
        "supplier": { "name": "Nordvik Steel AS" },
    }]);
    assert_eq!((status, rows), (200, expected));

    let counted = viewer
        .get("/rest/v1/orders?select=number&level=in.(critical,over_budget)&order=number.desc&limit=10&offset=5")
        .header("accept-profile", "purchasing")
        .header("prefer", "count=exact")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (counted.status().as_u16(), &counted.headers()["content-range"]),
        (206, &"5-14/34".parse().unwrap())
    );

    let (_, one) = get(
        &viewer,
        "orders?select=number,entries(amount)&number=eq.PO-1700002&entries.limit=3",
    )
    .await;
    assert_eq!(one[0]["entries"].as_array().unwrap().len(), 3);
    let (status, error) = get(&viewer, "orders?select=nothing").await;
    assert_eq!((status, error["code"].as_str().unwrap()), (400, "42703"));
}

#[tokio::test]
async fn nobody_reads_another_organisations_rows_on_any_road() {
    let server = server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    import(&ours.owner, "register.xlsx", REGISTER).await;
    for table in ["orders", "entries", "suppliers", "alerts"] {
        let (status, rows) = get(&theirs.owner, &format!("{table}?org_id=eq.{}", ours.id)).await;
        assert_eq!((status, rows), (200, json!([])), "{table}");
        let (status, error) = get(&theirs.owner.in_org(ours.id), table).await;
        assert_eq!(
            (status, error["code"].as_str().unwrap()),
            (404, "tenancy.org_not_found"),
            "{table}"
        );
        let anonymous = server.anonymous(Method::GET, &format!("/rest/v1/{table}"));
        let (status, error) = answer(anonymous.header("accept-profile", "purchasing")).await;
        assert_eq!(
            (status, error["code"].as_str().unwrap()),
            (401, "42501"),
            "{table}"
        );
    }
    // Without the header the organisation is the caller's own.
    let own = server
        .anonymous(Method::GET, "/rest/v1/orders?select=number")
        .bearer_auth(&theirs.owner.token);
    assert_eq!(
        answer(own.header("accept-profile", "purchasing")).await,
        (200, json!([]))
    );
    let own = server
        .anonymous(Method::GET, "/rest/v1/orders?select=number&limit=1")
        .bearer_auth(&ours.owner.token);
    let (_, rows) = answer(
        own.header("accept-profile", "purchasing")
            .header("x-org-id", &ours.slug),
    )
    .await;
    assert_eq!(rows.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn figures_that_the_server_keeps_cannot_be_written_through_the_data_api() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    import(&org.owner, "register.xlsx", REGISTER).await;
    for (method, path) in [
        (Method::PATCH, "/rest/v1/orders?number=eq.PO-1700003"),
        (Method::POST, "/rest/v1/orders"),
        (Method::DELETE, "/rest/v1/orders?number=eq.PO-1700003"),
        (Method::PATCH, "/rest/v1/alerts?level=eq.warning"),
    ] {
        let request = org
            .owner
            .request(method.clone(), path)
            .header("content-profile", "purchasing");
        let (status, error) = answer(request.json(&json!({ "level": "on_track" }))).await;
        assert_eq!(
            (status, error["code"].as_str().unwrap()),
            (403, "42501"),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn schemas_that_are_not_shown_and_hostile_values_get_nowhere() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    import(&org.owner, "register.xlsx", REGISTER).await;
    for schema in [
        "auth",
        "kernel",
        "tenancy",
        "jobs",
        "imports",
        "pg_catalog",
        "information_schema",
    ] {
        let request = org.owner.get("/rest/v1/users").header("accept-profile", schema);
        let (status, error) = answer(request).await;
        assert_eq!(
            (status, error["code"].as_str().unwrap()),
            (406, "PGRST106"),
            "{schema}"
        );
    }
    for hostile in [
        "'; drop table purchasing.orders; --",
        "x') or true --",
        "\\",
        "\"",
        "%00",
        "PO-1' or '1'='1",
    ] {
        let request = org
            .owner
            .get("/rest/v1/orders")
            .query(&[
                ("number", format!("eq.{hostile}")),
                ("select", "number".to_owned()),
            ])
            .header("accept-profile", "purchasing");
        let (status, rows) = answer(request).await;
        assert!(status == 200 && rows == json!([]), "{hostile}: {status} {rows}");
    }
    let (_, rows) = get(&org.owner, "orders?select=count").await;
    assert_eq!(rows[0]["count"], 92);
}
