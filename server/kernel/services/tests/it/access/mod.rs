//! Who can do what: members, custom roles, keys and tokens, suspensions, second factors; and that nobody gives themselves more.

use jiff::SignedDuration;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tenon_sdk::{
    Module, OrgId,
    db::{OrgSelector, RequestContext, Surroundings},
    permission::Role,
};
use tenon_testkit::{TestOrg, TestServer, TestServerOptions, TestUser, answer};
use uuid::Uuid;

mod keys;
mod resolving;
mod review;
mod roles;
mod spaces;
mod tokens;

mod yard {
    tenon_sdk::permissions! {
        pub CratesRead = "yard.crates.read", from Viewer, "See crates";
        pub CratesMove = "yard.crates.move", from Manager, "Move crates";
        pub CratesBurn = "yard.crates.burn", from Owner, "Burn crates";
    }
}

mod larger_yard {
    tenon_sdk::permissions! {
        pub CratesRead = "yard.crates.read", from Viewer, "See crates";
        pub CratesMove = "yard.crates.move", from Manager, "Move crates";
        pub CratesBurn = "yard.crates.burn", from Owner, "Burn crates";
        pub CratesSell = "yard.crates.sell", from Admin, "Sell crates";
        pub CratesGive = "yard.crates.give", from Owner, "Give crates away";
    }
}

pub(crate) fn app() -> Module {
    Module::app("yard", "Yard").permissions(yard::ALL)
}

pub(crate) async fn server() -> TestServer {
    TestServer::start(vec![app()]).await
}

/// One whose plan includes all that is tried here.
pub(crate) async fn organization(server: &TestServer, name: &str) -> TestOrg {
    let org = server.organization(name).await;
    execute(
        server,
        "update tenancy.organizations set plan = 'business' where id = $1",
        &org,
    )
    .await;
    org
}

pub(crate) const SESSION: &str = "/api/v1/tenancy/session";

pub(crate) async fn permissions(user: &TestUser) -> Vec<String> {
    let (status, session) = user.get_json(SESSION).await;
    assert_eq!(status, 200, "{session}");
    serde_json::from_value(session["permissions"].clone()).unwrap()
}

pub(crate) async fn can(user: &TestUser, permission: &str) -> bool {
    permissions(user).await.iter().any(|name| name == permission)
}

pub(crate) async fn put(user: &TestUser, path: &str, body: &Value) -> (u16, Value) {
    answer(user.request(Method::PUT, path).json(body)).await
}

pub(crate) async fn delete(user: &TestUser, path: &str) -> (u16, Value) {
    answer(user.request(Method::DELETE, path)).await
}

#[track_caller]
pub(crate) fn refused(answer: &(u16, Value), status: u16, code: &str) {
    assert_eq!(
        (answer.0, answer.1["code"].as_str().unwrap_or_default()),
        (status, code),
        "{}",
        answer.1
    );
}

pub(crate) async fn role(user: &TestUser, name: &str, includes: &[&str], excludes: &[&str]) -> (u16, Value) {
    let text = json!({ "name": name, "includes": includes, "excludes": excludes });
    user.post_json("/api/v1/access/roles", &text).await
}

pub(crate) async fn give(user: &TestUser, member: &TestUser, role: &Value, only: bool) -> (u16, Value) {
    let path = format!("/api/v1/access/members/{}/role", member.id.0);
    put(user, &path, &json!({ "role": role, "only": only })).await
}

/// A request with a key instead of a session.
pub(crate) fn with_key(server: &TestServer, key: &str, method: Method, path: &str) -> RequestBuilder {
    server.anonymous(method, path).bearer_auth(key)
}

pub(crate) async fn key(user: &TestUser, kind: &str, scopes: &[&str]) -> (String, String) {
    let new = json!({ "kind": kind, "name": "Scanner", "scopes": scopes });
    let (status, made) = user.post_json("/api/v1/access/keys", &new).await;
    assert_eq!(status, 201, "{made}");
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

pub(crate) async fn execute(server: &TestServer, sql: &str, org: &TestOrg) {
    server.admin().await.execute(sql, &[&org.id]).await.unwrap();
}

pub(crate) fn context(user: &TestUser, org: OrgId, aal: &str) -> RequestContext {
    RequestContext {
        role: "authenticated",
        user: Some(user.id),
        key: None,
        claims: json!({ "sub": user.id.0, "role": "authenticated", "aal": aal })
            .to_string()
            .into(),
        org: OrgSelector::Id(org.0),
        request: None,
        read_only: true,
        time_zone: None,
        surroundings: Surroundings::default(),
    }
}
