use reqwest::Method;
use serde_json::json;
use tenon_testkit::{SERVICE_KEY, answer};

use crate::support::{bucket, by, server, sql, text};

#[tokio::test]
async fn who_leaves_is_named_by_nothing_and_what_they_made_stays() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    sql(
        &server,
        "create policy all_of_it on storage.objects for all to authenticated using (true) with check (true)",
    )
    .await;
    let user = server.user("ada").await;
    assert_eq!(
        answer(text(by(&user, Method::POST, "/object/b/a.txt"), "x"))
            .await
            .0,
        200
    );
    let admin = server.admin().await;
    let named = "select count(*) from storage.objects where owner_id = $1 or owner::text = $1";
    let id = user.id.to_string();
    assert_eq!(admin.query_one(named, &[&id]).await.unwrap().get::<_, i64>(0), 1);
    let (status, data) = user.get_json("/auth/v1/user/data").await;
    assert_eq!(status, 200, "{data}");
    assert_eq!(data.to_string().matches("a.txt").count(), 1, "{data}");
    let gone = server
        .anonymous(Method::DELETE, &format!("/auth/v1/admin/users/{id}"))
        .bearer_auth(SERVICE_KEY);
    assert_eq!(answer(gone.json(&json!({}))).await.0, 200);
    assert_eq!(admin.query_one(named, &[&id]).await.unwrap().get::<_, i64>(0), 0);
    let (status, _) = answer(crate::support::service(&server, Method::GET, "/object/b/a.txt")).await;
    assert_eq!(status, 200);
}
