//! What these tests share.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::{Ctx, TenantTx};
use tenon_testkit::{TestOrg, TestServer, TestServerOptions, TestUser, answer};
use tokio_postgres::Client;

/// A server that seals when a test says so.
pub async fn server() -> TestServer {
    TestServer::start_with(
        Vec::new(),
        TestServerOptions {
            no_workers: true,
            ..TestServerOptions::default()
        },
    )
    .await
}

/// A transaction of a job.
pub async fn job(server: &TestServer, org: &TestOrg) -> TenantTx {
    Ctx::for_job(server.kernel().clone(), org.id, Some(org.owner.id))
        .begin()
        .await
        .unwrap()
}

/// Entries of an organisation that come up, the newest first.
pub async fn found(user: &TestUser, query: &str) -> Vec<Value> {
    let (status, page) = user.get_json(&format!("/api/v1/audit/entries?{query}")).await;
    assert_eq!(status, 200, "{page}");
    page["entries"].as_array().unwrap().clone()
}

pub async fn rename(user: &TestUser, name: &str) {
    let request = user.request(Method::PATCH, "/api/v1/tenancy/organization");
    let request = request
        .header("user-agent", "Tests/1.0")
        .header("x-request-id", "rename-1");
    let (status, body) = answer(request.json(&json!({ "name": name }))).await;
    assert_eq!(status, 200, "{body}");
}

/// What a change of the trail by the database's owner would be.
pub async fn tamper(admin: &Client, sql: &str) -> u64 {
    admin.execute(sql, &[]).await.unwrap()
}

/// Seals until all that is committed has a seal: work in other databases of the cluster can hold it up.
pub async fn seal_all(server: &TestServer) -> i64 {
    let admin = server.admin().await;
    let waiting = "select exists (select from audit.entries e cross join audit.sealing s \
                   where e.tx >= s.horizon and e.at > s.since)";
    let mut sealed = 0;
    for _ in 0..600 {
        // Entries of tests may be older than any transaction.
        tamper(
            &admin,
            "update audit.sealing set moved_at = now() - interval '5 months'",
        )
        .await;
        sealed += tenon_audit::seal(server.kernel()).await.unwrap();
        if !admin.query_one(waiting, &[]).await.unwrap().get::<_, bool>(0) {
            return sealed;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("entries were not sealed within some seconds");
}
