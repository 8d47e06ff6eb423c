//! The root: what a schema holds, as the database tells it.

use serde_json::json;
use tenon_data_api::schema_cache::QualifiedName;
use tenon_data_api::settings::OpenApiMode;

use crate::shop::Shop;

#[tokio::test]
async fn the_root_describes_tables_views_and_functions() {
    let shop = Shop::open().await;
    let answer = shop.get("/").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        answer.header("content-type"),
        Some("application/openapi+json; charset=utf-8")
    );
    let document = &answer.body;
    let orders = &document["definitions"]["orders"];
    assert_eq!(orders["description"], "What was ordered.");
    assert_eq!(
        orders["properties"]["level"],
        json!({"default": "on_track", "enum": ["on_track", "warning", "critical"], "format": "shop.level", "type": "string"})
    );
    assert_eq!(
        orders["properties"]["supplier_id"]["description"],
        "Note:\nThis is a Foreign Key to `suppliers.id`.<fk table='suppliers' column='id'/>",
        "whose organisation it is goes without saying"
    );
    assert_eq!(
        orders["properties"]["id"],
        json!({"default": "gen_random_uuid()", "description": "Note:\nThis is a Primary Key.<pk/>", "format": "uuid", "type": "string"})
    );
    assert_eq!(orders["properties"]["tags"]["items"], json!({"type": "string"}));
    assert_eq!(
        document["definitions"]["notes"]["properties"]["body"]["default"],
        "empty"
    );
    assert_eq!(
        document["paths"]["/rpc/add"]["get"]["parameters"],
        json!([
            {"format": "int32", "in": "query", "name": "a", "required": true, "type": "integer"},
            {"format": "int32", "in": "query", "name": "b", "required": false, "type": "integer"},
        ])
    );
    assert_eq!(document["paths"]["/rpc/insert_note"].get("get"), None);
    let pair = &document["paths"]["/rpc/pair"]["post"]["parameters"][0]["schema"];
    assert_eq!(
        pair,
        &json!({"type": "object"}),
        "what is given back is not asked for"
    );
}

#[tokio::test]
async fn three_one_is_beside_it_and_other_media_are_refused() {
    let shop = Shop::open().await;
    let accept = |media| [("accept", media)];
    let three = shop
        .send(
            "GET",
            "/",
            &accept("application/vnd.oai.openapi+json;version=3.1"),
            "",
        )
        .await;
    assert_eq!(
        (three.status, &three.body["openapi"]),
        (200, &json!("3.1.0")),
        "{}",
        three.body
    );
    let new = &three.body["components"]["schemas"]["entries.new"];
    assert_eq!(new["required"], json!(["org_id", "order_id", "amount"]));
    let refused = shop.send("GET", "/", &accept("text/csv"), "").await;
    assert_eq!((refused.status, refused.code()), (406, "PGRST107"));
    let head = shop.send("HEAD", "/", &[], "").await;
    assert_eq!((head.status, head.body), (200, serde_json::Value::Null));
    assert_eq!(
        shop.send("GET", "/orders", &accept("application/openapi+json"), "")
            .await
            .status,
        406
    );
}

#[tokio::test]
async fn the_operator_may_hide_it_or_put_a_function_in_its_place() {
    let mut shop = Shop::open().await;
    shop.settings.openapi_mode = OpenApiMode::Disabled;
    let hidden = shop.get("/").await;
    assert_eq!((hidden.status, hidden.code()), (404, "PGRST126"));
    shop.settings.root_spec = Some(QualifiedName::new("", "teapot"));
    let answer = shop.get("/").await;
    assert_eq!((answer.status, answer.body), (418, json!("I am")));
}

#[tokio::test]
async fn it_shows_what_the_role_may_touch() {
    let mut shop = Shop::open().await;
    let visitor = "begin; create role data_api_visitor; grant usage on schema shop to data_api_visitor; \
        grant select on shop.notes to data_api_visitor; revoke execute on function shop.add(int, int) from public; \
        set local role data_api_visitor";
    shop.prelude = Some(visitor.to_owned());
    let seen = shop.get("/").await.body;
    assert_ne!(seen["paths"].get("/notes"), None, "{seen}");
    assert_eq!(seen["paths"].get("/orders"), None);
    assert_eq!(seen["paths"].get("/rpc/add"), None);
    assert_ne!(seen["paths"].get("/rpc/greet"), None);
    shop.settings.openapi_mode = OpenApiMode::IgnorePrivileges;
    let all = shop.get("/").await.body;
    assert_ne!(all["paths"].get("/orders"), None);
    assert_ne!(all["paths"].get("/rpc/add"), None);
}
