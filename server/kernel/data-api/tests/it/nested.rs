//! POST of rows with rows inside them. Each request is rolled back.

use serde_json::{Value, json};

use crate::shop::{Answer, ORG_A, Shop};

const SHOW: (&str, &str) = ("prefer", "return=representation");

async fn post(shop: &Shop, target: &str, body: &Value) -> Answer {
    shop.send("POST", target, &[SHOW], &body.to_string()).await
}

#[tokio::test]
async fn an_order_comes_with_its_entries() {
    let shop = Shop::open().await;
    let answer = post(
        &shop,
        "/orders?columns=number,value,entries(amount)&select=org_id,number,value,entries(org_id,amount)&entries.order=amount",
        &json!({"number": "N1", "value": 12.5, "entries": [{"amount": 7}, {"amount": 5.5}]}),
    )
    .await;
    let org = ORG_A.to_string();
    assert_eq!(
        (answer.status, answer.body),
        (
            201,
            json!([{"org_id": org, "number": "N1", "value": 12.5,
                    "entries": [{"org_id": org, "amount": 5.5}, {"org_id": org, "amount": 7.0}]}])
        )
    );
}

#[tokio::test]
async fn every_row_gets_its_own_rows_whatever_makes_its_key() {
    let shop = Shop::open().await;
    let bins: Vec<Value> = (0..20)
        .map(|n| {
            json!({"room": "Hall", "slots": (0..n % 3).map(|slot| {
                json!({"item": format!("{n}/{slot}"), "slot_remarks": [{"remark": format!("{n}/{slot}")}]})
            }).collect::<Vec<_>>()})
        })
        .collect();
    let answer = post(
        &shop,
        "/bins?columns=room,slots(item,slot_remarks(remark))&select=code,room,filled,slots(item,slot_remarks(remark))&slots.order=item",
        &json!(bins),
    )
    .await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let shown = answer.body.as_array().expect("rows");
    assert_eq!(shown.len(), 20);
    for (n, bin) in shown.iter().enumerate() {
        assert_eq!(
            (&bin["room"], &bin["filled"]),
            (&json!("hall"), &json!(n % 3)),
            "{bin}"
        );
        let slots: Vec<Value> = (0..n % 3)
            .map(|slot| json!({"item": format!("{n}/{slot}"), "slot_remarks": [{"remark": format!("{n}/{slot}")}]}))
            .collect();
        assert_eq!(bin["slots"], json!(slots), "{bin}");
    }
}
