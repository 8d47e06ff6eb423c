use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{TestUser, answer};

use crate::books::Books;

const SETTINGS: &str = "/api/v1/purchasing/settings";

async fn put(user: &TestUser, warning: &str, critical: &str) -> (u16, Value) {
    answer(
        user.request(Method::PUT, SETTINGS)
            .json(&json!({ "warning": warning, "critical": critical })),
    )
    .await
}

#[tokio::test]
async fn thresholds_are_80_and_95_until_the_organisation_sets_others() {
    let books = Books::open().await;
    let viewer = books.server.member(&books.org, Role::Viewer).await;
    assert_eq!(
        viewer.get_json(SETTINGS).await,
        (200, json!({ "warning": "80", "critical": "95" }))
    );
    assert_eq!(put(&books.org.owner, "70.50", "100").await.0, 200);
    assert_eq!(
        viewer.get_json(SETTINGS).await.1,
        json!({ "warning": "70.5", "critical": "100" })
    );
}

#[tokio::test]
async fn every_order_is_judged_by_other_thresholds_at_once() {
    let books = Books::open().await;
    books
        .import(
            &[("A", "100"), ("B", "100"), ("C", "100")],
            &[("1", "A", "72"), ("2", "B", "96"), ("3", "C", "5")],
        )
        .await;
    put(&books.org.owner, "70", "97").await;
    assert_eq!(books.levels().await, "A:warning B:warning C:on_track");
    assert_eq!(books.alerts().await, "B:critical:resolved A:warning:open");
    assert_eq!(
        books
            .events()
            .await
            .iter()
            .filter(|kind| *kind == "purchasing.thresholds_changed")
            .count(),
        1
    );
}

#[tokio::test]
async fn setting_the_same_thresholds_changes_nothing() {
    let books = Books::open().await;
    put(&books.org.owner, "80.00", "95").await;
    assert!(books.events().await.is_empty());
}

#[tokio::test]
async fn later_imports_are_judged_by_the_organisations_thresholds() {
    let books = Books::open().await;
    put(&books.org.owner, "50", "60").await;
    books
        .import(
            &[("A", "100"), ("B", "100")],
            &[("1", "A", "50"), ("2", "B", "60")],
        )
        .await;
    assert_eq!(books.levels().await, "A:warning B:critical");
}

#[tokio::test]
async fn thresholds_out_of_order_are_refused() {
    let books = Books::open().await;
    for (warning, critical) in [
        ("0", "95"),
        ("95", "95"),
        ("80", "100.01"),
        ("80.001", "95"),
        ("-1", "5"),
    ] {
        let (status, body) = put(&books.org.owner, warning, critical).await;
        assert_eq!(
            (status, &body["code"]),
            (422, &json!("purchasing.thresholds_invalid")),
            "{warning} {critical}"
        );
    }
    assert_eq!(put(&books.org.owner, "many", "95").await.0, 400);
}

#[tokio::test]
async fn only_admins_and_owners_change_thresholds() {
    let books = Books::open().await;
    let manager = books.server.member(&books.org, Role::Manager).await;
    assert_eq!(put(&manager, "50", "60").await.0, 403);
    let admin = books.server.member(&books.org, Role::Admin).await;
    assert_eq!(put(&admin, "50", "60").await.0, 200);
    let other = books.server.organization("Other").await;
    assert_eq!(put(&other.owner.in_org(books.org.id), "50", "60").await.0, 404);
    let anonymous = books
        .server
        .anonymous(Method::PUT, SETTINGS)
        .json(&json!({ "warning": "1", "critical": "2" }));
    assert_eq!(answer(anonymous).await.0, 401);
    assert_eq!(other.owner.get_json(SETTINGS).await.1["warning"], "80");
}
