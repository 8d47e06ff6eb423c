//! Rights as they are when they are used: bodies that are long in coming, tokens that are worth less than their owner, invitations and keys whose
//! maker stands lower or is gone.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{TestOrg, TestServer, TestUser, answer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::access::{SESSION, delete, execute, give, key, organization, put, refused, role, with_key};

const INVITATIONS: &str = "/api/v1/tenancy/invitations";

/// A request of which all but the last byte of the body was sent.
struct Slow {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Slow {
    async fn begin(
        server: &TestServer,
        user: &TestUser,
        org: &TestOrg,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Self {
        let body = body.to_string();
        let address = server.url("").replace("http://", "");
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\nx-org-id: {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            user.token,
            org.id,
            body.len()
        );
        let (first, rest) = body.as_bytes().split_at(body.len() - 1);
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(first).await.unwrap();
        Self {
            stream,
            rest: rest.to_vec(),
        }
    }

    /// Sends what is missing; status and text of the answer.
    async fn end(mut self) -> (u16, String) {
        // The server may have given up already.
        let _ = self.stream.write_all(&self.rest).await;
        self.answer().await
    }

    async fn answer(mut self) -> (u16, String) {
        let mut text = String::new();
        let _ = self.stream.read_to_string(&mut text).await;
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.unwrap_or_default(), text)
    }
}

async fn business(server: &TestServer) -> TestOrg {
    organization(server, "Harbour").await
}

#[tokio::test]
async fn rights_that_are_taken_while_a_body_comes_are_gone() {
    let server = TestServer::start(vec![]).await;
    let org = business(&server).await;
    let colleague = server.member(&org, Role::Viewer).await;
    let (_, made) = role(&org.owner, "Reader", &["tenancy.members.read"], &[]).await;
    let reader = made["id"].as_str().unwrap().to_owned();
    let (_, department) = org
        .owner
        .post_json("/api/v1/tenancy/departments", &json!({ "name": "Yard" }))
        .await;
    let department = department["id"].as_str().unwrap().to_owned();
    let (_, space) = org
        .owner
        .post_json("/api/v1/access/spaces", &json!({ "name": "Tender" }))
        .await;
    let space = space["id"].as_str().unwrap().to_owned();
    let key = json!({ "kind": "secret", "name": "k", "scopes": ["tenancy.members.read"] });
    let text = json!({ "name": "Another", "includes": ["tenancy.members.read"] });
    for (method, path, body) in [
        ("POST", "/api/v1/access/keys".to_owned(), key),
        ("POST", "/api/v1/access/roles".to_owned(), text.clone()),
        ("PUT", format!("/api/v1/access/roles/{reader}"), text),
        (
            "PUT",
            format!("/api/v1/access/members/{}/role", colleague.id),
            json!({ "role": reader }),
        ),
        (
            "PUT",
            "/api/v1/tenancy/organization/apps".to_owned(),
            json!({ "disabled": [] }),
        ),
        (
            "PATCH",
            "/api/v1/tenancy/organization".to_owned(),
            json!({ "name": "Taken" }),
        ),
        (
            "POST",
            "/api/v1/tenancy/departments".to_owned(),
            json!({ "name": "Taken" }),
        ),
        (
            "PATCH",
            format!("/api/v1/tenancy/departments/{department}"),
            json!({ "name": "Taken" }),
        ),
        (
            "PUT",
            "/api/v1/tenancy/second-factor".to_owned(),
            json!({ "required": false }),
        ),
        ("POST", INVITATIONS.to_owned(), json!({ "role": "viewer" })),
        (
            "PATCH",
            format!("/api/v1/tenancy/members/{}", colleague.id),
            json!({ "role": "member" }),
        ),
        (
            "POST",
            "/api/v1/access/spaces".to_owned(),
            json!({ "name": "Taken" }),
        ),
        (
            "PUT",
            format!("/api/v1/access/spaces/{space}"),
            json!({ "name": "Taken" }),
        ),
        (
            "PUT",
            format!("/api/v1/access/spaces/{space}/archived"),
            json!({ "archived": true }),
        ),
        (
            "PUT",
            format!("/api/v1/access/spaces/{space}/members"),
            json!({ "members": [] }),
        ),
    ] {
        let admin = server.member(&org, Role::Admin).await;
        let slow = Slow::begin(&server, &admin, &org, method, &path, &body).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        let removed = answer(
            org.owner
                .request(Method::PATCH, &format!("/api/v1/tenancy/members/{}", admin.id))
                .json(&json!({ "role": "viewer" })),
        );
        assert_eq!(removed.await.0, 204);
        let (status, text) = slow.end().await;
        assert_eq!(status, 403, "{method} {path}: {text}");
    }
}

#[tokio::test]
async fn bodies_that_do_not_come_hold_no_connection_of_the_database_and_are_given_up() {
    let server = TestServer::configured(vec![], |config| config.server.body_idle_seconds = 3).await;
    let org = business(&server).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let body = json!({ "name": "Tender" });
        slow.push(Slow::begin(&server, &org.owner, &org, "POST", "/api/v1/access/spaces", &body).await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    // A command needs a connection of its own, and there are fewer than slow requests.
    let body = json!({ "name": "Others" });
    let made = org.owner.post_json("/api/v1/access/spaces", &body);
    let made = tokio::time::timeout(Duration::from_secs(2), made).await;
    assert_eq!(made.expect("an answer before the slow ones are given up").0, 201);
    for slow in slow {
        let (status, text) = slow.answer().await;
        assert!(status == 408 && text.contains("request.stalled"), "{text}");
    }
}

#[tokio::test]
async fn a_narrowed_token_makes_nobody_anything() {
    let server = TestServer::start(vec![]).await;
    let org = business(&server).await;
    let member = server.member(&org, Role::Member).await;
    // It can no longer be made …
    let body = json!({ "name": "t", "organization": org.id.0, "scopes": ["tenancy.members.update"] });
    let answered = org.owner.post_json("/api/v1/access/tokens", &body).await;
    refused(&answered, 422, "access.scope_not_for_keys");
    for scopes in [json!(["tenancy.*"]), json!(["access.*"]), json!(["*"])] {
        let body = json!({ "name": "t", "scopes": scopes });
        let answered = org.owner.post_json("/api/v1/access/tokens", &body).await;
        refused(&answered, 422, "access.scope_not_for_keys");
    }
    // … and those that were made before give no role.
    let body = json!({ "name": "old", "organization": org.id.0, "scopes": ["tenancy.members.read"] });
    let (_, made) = org.owner.post_json("/api/v1/access/tokens", &body).await;
    let token = made["secret"].as_str().unwrap();
    server
        .admin()
        .await
        .execute(
            "update tenancy.api_keys set scopes = '{tenancy.members.update,tenancy.members.invite,access.roles.manage,\
             tenancy.organization.transfer,tenancy.members.read}' where name = 'old'",
            &[],
        )
        .await
        .unwrap();
    let call = async |method: Method, path: &str, body: &Value| {
        answer(with_key(&server, token, method, path).json(body)).await
    };
    let path = format!("/api/v1/tenancy/members/{}", member.id);
    for role in ["viewer", "admin", "owner"] {
        let answered = call(Method::PATCH, &path, &json!({ "role": role })).await;
        refused(&answered, 403, "tenancy.role_above_own");
        let answered = call(Method::POST, INVITATIONS, &json!({ "role": role })).await;
        refused(&answered, 403, "tenancy.role_above_own");
    }
    let heir = json!({ "user_id": member.id });
    let answered = call(Method::POST, "/api/v1/tenancy/organization/transfer", &heir).await;
    refused(&answered, 403, "tenancy.role_above_own");
    // A role that it writes does not grow with new versions beyond it.
    let text = json!({ "name": "Seer", "includes": ["tenancy.members.read"] });
    assert_eq!(call(Method::POST, "/api/v1/access/roles", &text).await.0, 201);
    let ceiling: String = server
        .admin()
        .await
        .query_one("select ceiling from tenancy.roles where name = 'Seer'", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(ceiling, "viewer");
}

async fn invitation(by: &TestUser, role: &str) -> String {
    let (status, made) = by.post_json(INVITATIONS, &json!({ "role": role })).await;
    assert_eq!(status, 201, "{made}");
    made["token"].as_str().unwrap().to_owned()
}

async fn accept(user: &TestUser, token: &str) -> (u16, Value) {
    user.post_json(&format!("{INVITATIONS}/{token}/accept"), &json!({}))
        .await
}

#[tokio::test]
async fn an_invitation_is_worth_what_its_maker_could_still_promise() {
    let server = TestServer::start(vec![]).await;
    let org = business(&server).await;
    let admin = server.member(&org, Role::Admin).await;
    let bob = server.user("bob").await;
    let token = invitation(&admin, "admin").await;
    let look = format!("{INVITATIONS}/{token}");
    let lookup = async || answer(server.anonymous(Method::GET, &look)).await.0;
    assert_eq!(lookup().await, 200);
    let (_, made) = role(&org.owner, "Seer", &["tenancy.members.read"], &[]).await;
    for (worse, better) in [
        (
            "update tenancy.memberships set role = 'manager' where org_id = $1 and role = 'admin'",
            "update tenancy.memberships set role = 'admin' where org_id = $1 and role = 'manager'",
        ),
        (
            "update tenancy.memberships set suspended_at = now() where org_id = $1 and role = 'admin'",
            "update tenancy.memberships set suspended_at = null where org_id = $1",
        ),
        (
            "update auth.users set banned_until = now() + interval '1 day' where id in \
             (select user_id from tenancy.memberships where org_id = $1 and role = 'admin')",
            "update auth.users set banned_until = null where id in \
             (select user_id from tenancy.memberships where org_id = $1)",
        ),
        (
            "update tenancy.memberships m set custom_only = true, custom_role = r.id from tenancy.roles r \
             where m.org_id = $1 and r.org_id = $1 and m.role = 'admin'",
            "update tenancy.memberships set custom_only = false, custom_role = null where org_id = $1",
        ),
    ] {
        execute(&server, worse, &org).await;
        assert_eq!(lookup().await, 404, "{worse}");
        refused(&accept(&bob, &token).await, 404, "tenancy.invitation_not_found");
        execute(&server, better, &org).await;
        assert_eq!(lookup().await, 200, "{better}");
    }
    assert!(made["id"].is_string());
    assert_eq!(accept(&bob, &token).await.0, 200);
}

#[tokio::test]
async fn a_member_uses_up_no_link_and_joins_once() {
    let server = TestServer::start(vec![]).await;
    let org = business(&server).await;
    let member = server.member(&org, Role::Member).await;
    let token = invitation(&org.owner, "admin").await;
    let (status, answered) = accept(&member, &token).await;
    assert_eq!((status, &answered["role"]), (200, &json!("member")));
    let joined = async || -> i64 {
        let sql = "select count(*) from events.outbox where kind = 'tenancy.member_joined'";
        server.admin().await.query_one(sql, &[]).await.unwrap().get(0)
    };
    assert_eq!(joined().await, 0);
    let bob = server.user("bob").await;
    assert_eq!(accept(&bob, &token).await.0, 200);
    refused(&accept(&bob, &token).await, 404, "tenancy.invitation_not_found");
    assert_eq!(joined().await, 1);
}

#[tokio::test]
async fn keys_do_not_outlive_what_their_maker_may() {
    let server = TestServer::start(vec![crate::access::app()]).await;
    let org = business(&server).await;
    let maker = server.member(&org, Role::Admin).await;
    let keys = async || {
        let (_, reads) = key(&maker, "secret", &["yard.crates.read"]).await;
        let (_, moves) = key(&maker, "secret", &["yard.crates.move"]).await;
        let (_, shown) = key(&maker, "publishable", &["yard.crates.read"]).await;
        [reads, moves, shown]
    };
    let good = async |keys: &[String; 3]| {
        let mut good = Vec::new();
        for key in keys {
            let request = with_key(&server, key, Method::GET, SESSION).header("x-org-id", &org.slug);
            good.push(match answer(request).await {
                (401, _) => "gone",
                (403, body) if body["code"] == "access.key_paused" => "paused",
                _ => "good",
            });
        }
        good
    };
    let path = format!("/api/v1/tenancy/members/{}", maker.id);
    let first = keys().await;
    assert_eq!(good(&first).await, ["good"; 3]);
    // Suspended: nothing is lost, and nothing is open.
    org.owner.post(&format!("{path}/suspend")).send().await.unwrap();
    assert_eq!(good(&first).await, ["paused", "paused", "good"]);
    org.owner.post(&format!("{path}/reinstate")).send().await.unwrap();
    assert_eq!(good(&first).await, ["good"; 3]);
    // Set down: what they may themselves stays.
    let changed = answer(
        org.owner
            .request(Method::PATCH, &path)
            .json(&json!({ "role": "member" })),
    )
    .await;
    assert_eq!(changed.0, 204);
    assert_eq!(good(&first).await, ["good", "gone", "good"]);
    answer(
        org.owner
            .request(Method::PATCH, &path)
            .json(&json!({ "role": "admin" })),
    )
    .await;
    // Narrowed by a role of the organisation's own.
    let second = keys().await;
    let (_, made) = role(&org.owner, "Seer", &["yard.crates.read"], &[]).await;
    assert_eq!(give(&org.owner, &maker, &made["id"], true).await.0, 204);
    assert_eq!(good(&second).await, ["good", "gone", "good"]);
    assert_eq!(give(&org.owner, &maker, &Value::Null, false).await.0, 204);
    // Gone.
    let third = keys().await;
    assert_eq!(delete(&org.owner, &path).await.0, 204);
    assert_eq!(good(&third).await, ["gone", "gone", "good"]);
    let because: Vec<String> = server
        .admin()
        .await
        .query(
            "select distinct payload ->> 'because' from events.outbox where kind = 'access.key_revoked' order by 1",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(because, ["maker_left", "maker_set_down"]);
}

#[tokio::test]
async fn what_belongs_to_an_app_that_is_off_is_given_by_whoever_was_given_it() {
    let server = TestServer::start(vec![crate::access::app()]).await;
    let org = business(&server).await;
    let manager = server.member(&org, Role::Manager).await;
    let (_, made) = role(&org.owner, "Chief", &["access.*", "yard.crates.read"], &[]).await;
    assert_eq!(give(&org.owner, &manager, &made["id"], true).await.0, 204);
    let off = json!({ "disabled": ["yard"] });
    assert_eq!(
        put(&org.owner, "/api/v1/tenancy/organization/apps", &off).await.0,
        204
    );
    // A manager moves crates; this one was narrowed to reading about them.
    let answered = role(&manager, "Mover", &["yard.crates.move"], &[]).await;
    refused(&answered, 403, "access.more_than_own");
    assert_eq!(role(&manager, "Reader", &["yard.crates.read"], &[]).await.0, 201);
    // An owner gives what belongs to it as before.
    assert_eq!(role(&org.owner, "Burner", &["yard.*"], &[]).await.0, 201);
}

#[tokio::test]
async fn who_ceases_to_be_an_operator_while_a_body_comes_does_nothing_any_more() {
    let server = TestServer::start(vec![]).await;
    let org = business(&server).await;
    let operator = crate::operator::operator(&server).await;
    let plan = json!({ "title": "Gold", "features": [] });
    let change = json!({ "plan": "free" });
    let organization = format!("/api/v1/operator/organizations/{}", org.id);
    let mut slow = Vec::new();
    for (method, path, body) in [
        ("POST", "/api/v1/operator/plans", &plan),
        ("PUT", "/api/v1/operator/plans/team", &plan),
        ("PATCH", organization.as_str(), &change),
    ] {
        slow.push(Slow::begin(&server, &operator, &org, method, path, body).await);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    tenon_services::operator::set_operator(server.kernel(), operator.id, false)
        .await
        .unwrap();
    for slow in slow {
        let (status, text) = slow.end().await;
        assert_eq!(status, 404, "{text}");
    }
}
