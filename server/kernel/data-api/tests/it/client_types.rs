//! Generated types, compared with committed copies that the compilers of both languages check: `generated/depot.rs` is
//! part of this test, `web/e2e/types/depot.ts` of the web app's type check.

use std::path::Path;

use serde_json::{Value, json};
use tenon_data_api::client_types::{self, Source};

use crate::shop::Shop;

#[rustfmt::skip]
#[path = "generated/depot.rs"]
mod generated;

use generated::depot::{BoxesInsert, BoxesRow, BoxesUpdate, HallsRow, NearbyReturns, Size, WeighArgs2};

fn check(path: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("TENON_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, now).expect("the snapshot can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == now,
        "\n{now}\n{} is not what is generated now. If that is meant, run this test with TENON_UPDATE_SNAPSHOTS=1 and \
         commit the file.\n",
        path.display()
    );
}

/// The shop's database with a depot in it until the connection ends.
async fn depot() -> Shop {
    let shop = Shop::open().await;
    let begin = format!("begin; {}", include_str!("depot.sql"));
    shop.client()
        .batch_execute(&begin)
        .await
        .expect("the schema is valid");
    shop
}

#[tokio::test]
async fn the_committed_types_are_those_of_the_schema() {
    let shop = depot().await;
    let (catalogues, cache) = client_types::read(shop.client(), &["depot".to_owned()])
        .await
        .expect("the schema can be read");
    let source = Source {
        catalogues: &catalogues,
        cache: &cache,
    };
    check("tests/it/generated/depot.rs", &client_types::rust(source));
    check(
        "../../../web/e2e/types/depot.ts",
        &client_types::typescript(source),
    );
    let missing = client_types::read(shop.client(), &["nowhere".to_owned()]).await;
    assert!(missing.is_err(), "a schema that is not there is no empty one");
}

#[tokio::test]
async fn answers_fit_the_structs_and_structs_are_good_bodies() {
    let shop = depot().await;
    let rows = async |relation: &str| -> Value {
        let query = format!("select json_agg(r) from {relation} r");
        let row = shop
            .client()
            .query_one(&query, &[])
            .await
            .expect("it can be read");
        row.get(0)
    };
    let boxes: Vec<BoxesRow> = serde_json::from_value(rows("depot.boxes").await).expect("they fit");
    assert_eq!((boxes[0].code.as_str(), boxes[0].size), ("x", Size::ExtraLarge));
    let halls: Vec<HallsRow> = serde_json::from_value(rows("depot.halls").await).expect("they fit");
    let street = halls[0]
        .address
        .as_ref()
        .and_then(|address| address.street.as_deref());
    assert_eq!(
        (halls[0].bays.as_slice(), street),
        ([1, 2].as_slice(), Some("High Street"))
    );
    let near: NearbyReturns = serde_json::from_value(rows("depot.nearby('1')").await).expect("they fit");
    assert_eq!(near[0].name.as_deref(), Some("Hall"));

    let new = json!({"code": "y", "hall_id": 1, "weight": 2});
    let insert: BoxesInsert = serde_json::from_value(new.clone()).expect("the rest has defaults");
    assert_eq!(
        serde_json::to_value(&insert).expect("it is JSON"),
        new,
        "nothing else is sent"
    );
    let cleared = BoxesUpdate {
        volume: Some(None),
        ..BoxesUpdate::default()
    };
    let text = serde_json::to_string(&cleared).expect("it is JSON");
    assert_eq!(text, r#"{"volume":null}"#);
    let read: BoxesUpdate = serde_json::from_str(&text).expect("it fits");
    assert_eq!(read, cleared, "null is not the same as nothing");
    let arguments = WeighArgs2 {
        code: "x".to_owned(),
        unit: "kg".to_owned(),
    };
    assert_eq!(
        serde_json::to_value(&arguments).expect("it is JSON"),
        json!({"code": "x", "unit": "kg"})
    );
}
