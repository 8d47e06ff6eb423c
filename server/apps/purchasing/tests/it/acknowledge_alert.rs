use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use uuid::Uuid;

use crate::books::Books;

fn path(alert: Uuid) -> String {
    format!("/api/v1/purchasing/alerts/{alert}/acknowledge")
}

/// Books with an alert at `warning` (order A) and one at `critical` (order B).
async fn books() -> (Books, Uuid, Uuid) {
    let books = Books::open().await;
    books
        .import(
            &[("A", "100"), ("B", "100")],
            &[("1", "A", "80"), ("2", "B", "95")],
        )
        .await;
    let (warning, critical) = (
        books.alert("A", "warning").await,
        books.alert("B", "critical").await,
    );
    (books, warning, critical)
}

#[tokio::test]
async fn a_manager_acknowledges_an_alert() {
    let (books, _, critical) = books().await;
    let manager = books.server.member(&books.org, Role::Manager).await;
    let (status, alert) = manager
        .post_json(
            &path(critical),
            &json!({ "note": "  Variation 2 is on its way. " }),
        )
        .await;
    assert_eq!(status, 200, "{alert}");
    assert_eq!(
        (
            &alert["state"],
            &alert["level"],
            &alert["note"],
            &alert["acknowledged_by"],
            &alert["utilisation"]
        ),
        (
            &json!("acknowledged"),
            &json!("critical"),
            &json!("Variation 2 is on its way."),
            &json!(manager.id.0),
            &json!("95")
        )
    );
    assert!(alert["acknowledged_at"].is_string() && alert["resolved_at"].is_null());
    assert_eq!(
        books.events().await.last().unwrap(),
        "purchasing.alert_acknowledged"
    );
}

#[tokio::test]
async fn a_note_is_required_at_critical_but_not_at_warning() {
    let (books, warning, critical) = books().await;
    for note in [Value::Null, json!("  ")] {
        let (status, body) = books
            .org
            .owner
            .post_json(&path(critical), &json!({ "note": note }))
            .await;
        assert_eq!((status, &body["code"]), (422, &json!("purchasing.note_required")));
    }
    assert_eq!(books.org.owner.post_json(&path(warning), &json!({})).await.0, 200);
}

#[tokio::test]
async fn a_note_has_a_greatest_length() {
    let (books, warning, _) = books().await;
    let (status, body) = books
        .org
        .owner
        .post_json(&path(warning), &json!({ "note": "é".repeat(2001) }))
        .await;
    assert_eq!((status, &body["code"]), (422, &json!("purchasing.note_too_long")));
    assert_eq!(
        books
            .org
            .owner
            .post_json(&path(warning), &json!({ "note": "é".repeat(2000) }))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn an_alert_is_acknowledged_once() {
    let (books, warning, _) = books().await;
    assert_eq!(books.org.owner.post_json(&path(warning), &json!({})).await.0, 200);
    let (status, body) = books.org.owner.post_json(&path(warning), &json!({})).await;
    assert_eq!(
        (status, &body["code"]),
        (409, &json!("purchasing.alert_not_open"))
    );
}

#[tokio::test]
async fn an_acknowledged_alert_still_closes_when_the_order_falls_back() {
    let (books, warning, _) = books().await;
    books.org.owner.post_json(&path(warning), &json!({})).await;
    books.import(&[], &[("3", "A", "-10")]).await;
    assert_eq!(books.alerts().await, "A:warning:resolved B:critical:open");
}

#[tokio::test]
async fn who_is_not_signed_in_not_a_member_or_not_allowed_is_refused() {
    let (books, warning, _) = books().await;
    let anonymous = books
        .server
        .anonymous(Method::POST, &path(warning))
        .json(&json!({}));
    let (status, body) = tenon_testkit::answer(anonymous).await;
    assert_eq!((status, &body["code"]), (401, &json!("auth.required")));

    let other = books.server.organization("Other").await;
    let (status, body) = other
        .owner
        .in_org(books.org.id)
        .post_json(&path(warning), &json!({}))
        .await;
    assert_eq!((status, &body["code"]), (404, &json!("tenancy.org_not_found")));
    let (status, body) = other.owner.post_json(&path(warning), &json!({})).await;
    assert_eq!(
        (status, &body["code"]),
        (404, &json!("purchasing.alert_not_found"))
    );

    for role in [Role::Viewer, Role::Member, Role::Support] {
        let member = books.server.member(&books.org, role).await;
        let (status, body) = member.post_json(&path(warning), &json!({})).await;
        assert_eq!(
            (status, &body["code"]),
            (403, &json!("tenancy.permission_denied")),
            "{role:?}"
        );
    }
    assert_eq!(books.alerts().await, "A:warning:open B:critical:open");
}

#[tokio::test]
async fn an_id_that_is_none_names_no_alert() {
    let (books, ..) = books().await;
    let owner = &books.org.owner;
    assert_eq!(
        owner
            .post_json("/api/v1/purchasing/alerts/1' or 1=1/acknowledge", &json!({}))
            .await
            .0,
        404
    );
    assert_eq!(owner.post_json(&path(Uuid::nil()), &json!({})).await.0, 404);
}
