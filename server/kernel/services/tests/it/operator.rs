//! The console of those who run the installation, and that it is theirs alone.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_services::operator::set_operator;
use tenon_testkit::{TestOrg, TestServer, TestServerOptions, TestUser, answer};
use uuid::Uuid;

use crate::access::refused;

const MEMBERS: &str = "/api/v1/tenancy/members";

pub(crate) async fn operator(server: &TestServer) -> TestUser {
    let user = server.user("operator").await;
    set_operator(server.kernel(), user.id, true).await.unwrap();
    user
}

pub(crate) async fn send(user: &TestUser, method: Method, path: &str, body: &Value) -> (u16, Value) {
    answer(user.request(method, path).json(body)).await
}

pub(crate) async fn enter(operator: &TestUser, org: &TestOrg) -> String {
    let path = format!("/api/v1/operator/organizations/{}/visits", org.id.0);
    let body = json!({ "reason": "Ticket 4711", "minutes": 60 });
    let (status, made) = send(operator, Method::POST, &path, &body).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

async fn events(server: &TestServer, org: &TestOrg) -> Vec<String> {
    let sql = "select kind from events.outbox where org_id = $1 and (kind like 'operator.%' or kind like 'access.%') order by seq";
    let rows = server.admin().await.query(sql, &[&org.id]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn to_everybody_else_the_console_is_not_there() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let document = server.openapi();
    let somebody = Uuid::max().to_string();
    let mut seen = 0;
    let (_, token) = org
        .owner
        .post_json("/api/v1/access/tokens", &json!({ "name": "t" }))
        .await;
    let token = token["secret"].as_str().unwrap().to_owned();
    let former = operator(&server).await;
    let (_, of_operator) = former
        .post_json("/api/v1/access/tokens", &json!({ "name": "t" }))
        .await;
    let of_operator = of_operator["secret"].as_str().unwrap().to_owned();
    assert_eq!(former.get_json("/api/v1/operator/session").await.0, 200);
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/api/v1/operator/") {
            continue;
        }
        let path = path
            .replace("{id}", &somebody)
            .replace("{visit}", &somebody)
            .replace("{name}", "free");
        for method in item.as_object().unwrap().keys() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else {
                continue;
            };
            seen += 1;
            let body = json!({ "reason": "x", "minutes": 60 });
            let visitor = server.anonymous(method.clone(), &path).json(&body);
            refused(&answer(visitor).await, 401, "auth.required");
            let member = send(&org.owner, method.clone(), &path, &body).await;
            refused(&member, 404, "request.not_found");
            for token in [&token, &of_operator] {
                let program = server
                    .anonymous(method.clone(), &path)
                    .bearer_auth(token)
                    .json(&body);
                refused(&answer(program).await, 404, "request.not_found");
            }
        }
    }
    assert!(seen >= 10, "{seen}");
    // Who is no operator any more is out at once, and so is one who is banned or whose session has ended.
    let admin = server.admin().await;
    for (sql, undo) in [
        (
            "update auth.users set is_super_admin = false where id = $1",
            "update auth.users set is_super_admin = true where id = $1",
        ),
        (
            "update auth.users set banned_until = now() + interval '1 day' where id = $1",
            "update auth.users set banned_until = null where id = $1",
        ),
        ("delete from auth.sessions where user_id = $1", "select $1::uuid"),
    ] {
        admin.execute(sql, &[&former.id]).await.unwrap();
        let answered = former.get_json("/api/v1/operator/session").await;
        refused(&answered, 404, "request.not_found");
        admin.execute(undo, &[&former.id]).await.unwrap();
    }
}

#[tokio::test]
async fn an_operator_with_a_second_factor_shows_it() {
    let server = TestServer::start(vec![]).await;
    let operator = operator(&server).await;
    let sql = "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at) \
               values (gen_random_uuid(), $1, 'totp', 'verified', now(), now())";
    server.admin().await.execute(sql, &[&operator.id]).await.unwrap();
    let answered = operator.get_json("/api/v1/operator/organizations").await;
    refused(&answered, 403, "operator.second_factor_required");
}

#[tokio::test]
async fn organisations_and_people_are_found_and_nothing_else_of_them() {
    let server = TestServer::start(vec![]).await;
    let operator = operator(&server).await;
    let org = server.organization("Harbour 100%").await;
    server.organization("Railyard").await;
    let find = async |kind: &str, q: &str| {
        let path = format!("/api/v1/operator/{kind}?q={q}");
        let (status, body) = operator.get_json(&path).await;
        assert_eq!(status, 200, "{body}");
        body["total"].as_i64().unwrap()
    };
    assert_eq!(find("organizations", "").await, 2);
    assert_eq!(find("organizations", "100%25").await, 1);
    assert_eq!(find("organizations", "%25%25").await, 0);
    assert_eq!(find("organizations", &org.id.0.to_string()).await, 1);
    assert_eq!(find("organizations", "'%3B--%00").await, 0);
    assert_eq!(find("users", &org.owner.email).await, 1);
    assert_eq!(find("users", "").await, 3);
    for page in ["0", "-1", "99999999999"] {
        let path = format!("/api/v1/operator/users?page={page}");
        assert_eq!(operator.get_json(&path).await.0, 200, "{page}");
    }
    let (_, detail) = operator
        .get_json(&format!("/api/v1/operator/organizations/{}", org.id.0))
        .await;
    assert_eq!(detail["members"][0]["email"], json!(org.owner.email));
    let (_, users) = operator
        .get_json(&format!("/api/v1/operator/users?q={}", org.owner.id.0))
        .await;
    assert_eq!(users["users"][0]["organizations"][0]["role"], "owner");
    assert!(!users.to_string().contains("argon2"));
    let nowhere = format!("/api/v1/operator/organizations/{}", Uuid::max());
    let answered = operator.get_json(&nowhere).await;
    refused(&answered, 404, "operator.organization_not_found");
    // Being an operator is no right in an organisation.
    for path in [MEMBERS, "/api/v1/access/review"] {
        let answered = operator.in_org(org.id).get_json(path).await;
        refused(&answered, 404, "tenancy.org_not_found");
    }
}

#[tokio::test]
async fn a_plan_features_and_a_suspension_are_changed_and_told() {
    let server = TestServer::start(vec![]).await;
    let operator = operator(&server).await;
    let org = server.organization("Harbour").await;
    let path = format!("/api/v1/operator/organizations/{}", org.id.0);
    let change = async |body: Value| send(&operator, Method::PATCH, &path, &body).await;
    assert_eq!(
        change(json!({ "plan": "team", "flags": { "api_keys": false } }))
            .await
            .0,
        204
    );
    assert_eq!(change(json!({ "plan": "team" })).await.0, 204);
    let (_, seen) = operator.get_json(&path).await;
    assert_eq!(
        (&seen["organization"]["plan"], &seen["flags"]),
        (&json!("team"), &json!({ "api_keys": false }))
    );
    assert_eq!(change(json!({ "flags": { "api_keys": null } })).await.0, 204);
    assert_eq!(operator.get_json(&path).await.1["flags"], json!({}));
    refused(
        &change(json!({ "plan": "Gold; --" })).await,
        422,
        "operator.plan_unknown",
    );
    refused(
        &change(json!({ "flags": { "api_keys": 1 } })).await,
        422,
        "operator.flag_unknown",
    );
    refused(
        &change(json!({ "flags": { "A b": true } })).await,
        422,
        "operator.flag_unknown",
    );
    assert_eq!(change(json!({ "role": "owner" })).await.0, 400);

    for silent in [
        json!({ "suspended": true }),
        json!({ "suspended": true, "reason": " " }),
    ] {
        refused(&change(silent).await, 422, "operator.reason_required");
    }
    let suspend = json!({ "suspended": true, "reason": "Unpaid since May" });
    assert_eq!(change(suspend.clone()).await.0, 204);
    refused(
        &org.owner.get_json(MEMBERS).await,
        403,
        "tenancy.organization_suspended",
    );
    assert_eq!(change(suspend).await.0, 204);
    assert_eq!(change(json!({ "suspended": false })).await.0, 204);
    assert_eq!(org.owner.get_json(MEMBERS).await.0, 200);
    assert_eq!(
        events(&server, &org).await,
        [
            "operator.plan_changed",
            "operator.flags_changed",
            "operator.flags_changed",
            "operator.organization_suspended",
            "operator.organization_restored"
        ]
    );
    // The log of the installation says so, too, by whom and why.
    let sql = "select payload ->> 'action', payload #>> '{traits,change,reason}' from auth.audit_log_entries \
               where payload ->> 'actor_id' = $1 and payload ->> 'action' like 'operator%' order by created_at, id";
    let rows = server
        .admin()
        .await
        .query(sql, &[&operator.id.to_string()])
        .await
        .unwrap();
    let log: Vec<(String, Option<String>)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(log.len(), 5, "{log:?}");
    assert!(log.contains(&(
        "operator_organization_suspended".into(),
        Some("Unpaid since May".into())
    )));
}

#[tokio::test]
async fn whoever_is_shut_out_is_out_at_once_and_comes_back_when_let_in() {
    let server = TestServer::start(vec![]).await;
    let operator = operator(&server).await;
    let org = server.organization("Harbour").await;
    let member = server.member(&org, Role::Admin).await;
    let path = format!("/api/v1/operator/users/{}/ban", member.id.0);
    let ban = json!({ "days": 30, "reason": "Spam" });
    for (body, code) in [
        (json!({ "reason": " " }), "operator.reason_required"),
        (json!({ "reason": "x".repeat(501) }), "operator.reason_required"),
        (json!({ "reason": "x", "days": 0 }), "operator.time_invalid"),
    ] {
        refused(&send(&operator, Method::PUT, &path, &body).await, 422, code);
    }
    assert_eq!(send(&operator, Method::PUT, &path, &ban).await.0, 204);
    refused(&member.get_json(MEMBERS).await, 404, "tenancy.org_not_found");
    let again = server
        .anonymous(Method::POST, "/auth/v1/token?grant_type=password")
        .json(&json!({ "email": member.email, "password": tenon_testkit::PASSWORD }));
    assert!((400..500).contains(&answer(again).await.0));
    let (_, listed) = operator
        .get_json(&format!("/api/v1/operator/users?q={}", member.email))
        .await;
    assert!(listed["users"][0]["banned_until"].is_string());
    assert_eq!(send(&operator, Method::DELETE, &path, &json!({})).await.0, 204);
    assert_eq!(member.get_json(MEMBERS).await.0, 200);
    let oneself = format!("/api/v1/operator/users/{}/ban", operator.id.0);
    refused(
        &send(&operator, Method::PUT, &oneself, &ban).await,
        422,
        "operator.not_oneself",
    );
    let nobody = format!("/api/v1/operator/users/{}/ban", Uuid::max());
    for method in [Method::PUT, Method::DELETE] {
        refused(
            &send(&operator, method, &nobody, &ban).await,
            404,
            "operator.user_not_found",
        );
    }
    let sql = "select payload ->> 'action' from auth.audit_log_entries where payload ->> 'action' like 'user_%ban%' order by created_at";
    let rows = server.admin().await.query(sql, &[]).await.unwrap();
    let actions: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(actions, ["user_banned", "user_unbanned"]);
}

#[tokio::test]
async fn support_enters_with_a_reason_for_a_time_and_its_owners_see_and_end_it() {
    let server = TestServer::start_with(
        vec![],
        TestServerOptions {
            no_workers: true,
            ..TestServerOptions::default()
        },
    )
    .await;
    let operator = operator(&server).await;
    let (org, other) = (
        server.organization("Harbour").await,
        server.organization("Other").await,
    );
    let path = format!("/api/v1/operator/organizations/{}/visits", org.id.0);
    for (body, code) in [
        (json!({ "reason": "", "minutes": 60 }), "operator.reason_required"),
        (json!({ "reason": "x", "minutes": 4 }), "operator.time_invalid"),
        (json!({ "reason": "x", "minutes": 481 }), "operator.time_invalid"),
    ] {
        refused(&send(&operator, Method::POST, &path, &body).await, 422, code);
    }
    let inside = operator.in_org(org.id);
    refused(&inside.get_json(MEMBERS).await, 404, "tenancy.org_not_found");
    let visit = enter(&operator, &org).await;
    assert_eq!(inside.get_json(MEMBERS).await.0, 200);
    let by_slug = operator.get(MEMBERS).header("x-org-id", &org.slug);
    assert_eq!(answer(by_slug).await.0, 200);
    let (status, session) = inside.get_json("/api/v1/tenancy/session").await;
    assert_eq!((status, &session["role"]), (200, &json!("support")), "{session}");
    let (_, listed) = operator.get_json("/api/v1/tenancy/organizations").await;
    assert_eq!(
        (listed.as_array().unwrap().len(), &listed[0]["role"]),
        (1, &json!("support"))
    );
    // As support, not above, there and nowhere else, and never by default.
    let invite = inside
        .post_json("/api/v1/tenancy/invitations", &json!({ "role": "viewer" }))
        .await;
    refused(&invite, 403, "tenancy.permission_denied");
    refused(
        &inside.get_json("/api/v1/access/support").await,
        403,
        "tenancy.permission_denied",
    );
    refused(
        &operator.in_org(other.id).get_json(MEMBERS).await,
        404,
        "tenancy.org_not_found",
    );
    refused(&operator.get_json(MEMBERS).await, 404, "tenancy.org_not_found");
    // A personal token of the operator does not come along.
    let (_, token) = operator
        .post_json("/api/v1/access/tokens", &json!({ "name": "t" }))
        .await;
    let with_token = server
        .anonymous(Method::GET, MEMBERS)
        .bearer_auth(token["secret"].as_str().unwrap())
        .header("x-org-id", org.id.to_string());
    refused(&answer(with_token).await, 404, "tenancy.org_not_found");

    let (_, seen) = org.owner.get_json("/api/v1/access/support").await;
    assert_eq!(
        (&seen[0]["reason"], &seen[0]["active"]),
        (&json!("Ticket 4711"), &json!(true))
    );
    let (_, review) = org.owner.get_json("/api/v1/access/review").await;
    assert!(review.to_string().contains("\"operator\""));
    let end = format!("/api/v1/access/support/{visit}");
    refused(
        &send(&other.owner, Method::DELETE, &end, &json!({})).await,
        404,
        "access.support_not_found",
    );
    assert_eq!(send(&org.owner, Method::DELETE, &end, &json!({})).await.0, 204);
    refused(&inside.get_json(MEMBERS).await, 404, "tenancy.org_not_found");
    assert_eq!(send(&org.owner, Method::DELETE, &end, &json!({})).await.0, 204);

    // By leaving, by losing the office, by the end of the time.
    let visit = enter(&operator, &org).await;
    let (_, open) = operator.get_json("/api/v1/operator/visits").await;
    assert_eq!(open[0]["organization_slug"], json!(org.slug));
    let leave = format!("{path}/{visit}");
    assert_eq!(send(&operator, Method::DELETE, &leave, &json!({})).await.0, 204);
    refused(&inside.get_json(MEMBERS).await, 404, "tenancy.org_not_found");
    enter(&operator, &org).await;
    set_operator(server.kernel(), operator.id, false).await.unwrap();
    refused(&inside.get_json(MEMBERS).await, 404, "tenancy.org_not_found");
    set_operator(server.kernel(), operator.id, true).await.unwrap();
    assert_eq!(inside.get_json(MEMBERS).await.0, 200);
    let over = "update tenancy.support_access set started_at = now() - interval '2 hours', ends_at = now() - interval '1 second' \
                where org_id = $1 and ended_at is null";
    let admin = server.admin().await;
    admin.execute(over, &[&org.id]).await.unwrap();
    refused(&inside.get_json(MEMBERS).await, 404, "tenancy.org_not_found");
    assert_eq!(
        events(&server, &org).await,
        [
            "access.support_entered",
            "access.support_left",
            "access.support_entered",
            "access.support_left",
            "access.support_entered"
        ]
    );
    let leavers = "select count(*) from jobs.queue where name = 'operator.end_visit'";
    assert_eq!(admin.query_one(leavers, &[]).await.unwrap().get::<_, i64>(0), 3);
}

#[tokio::test]
async fn a_visit_that_nobody_ends_is_told_to_be_over_when_its_time_is() {
    let server = TestServer::start(vec![]).await;
    let operator = operator(&server).await;
    let org = server.organization("Harbour").await;
    enter(&operator, &org).await;
    let admin = server.admin().await;
    admin
        .execute("update jobs.queue set run_at = now()", &[])
        .await
        .unwrap();
    server.drain_jobs().await;
    assert_eq!(
        events(&server, &org).await,
        ["access.support_entered", "access.support_left"]
    );
    assert_eq!(operator.in_org(org.id).get_json(MEMBERS).await.0, 404);
}

#[tokio::test]
async fn a_visit_begun_with_two_factors_is_used_with_two() {
    let server = TestServer::start(vec![]).await;
    let operator = operator(&server).await;
    let org = server.organization("Harbour").await;
    enter(&operator, &org).await;
    let strong = "update tenancy.support_access set aal = 'aal2' where org_id = $1";
    server.admin().await.execute(strong, &[&org.id]).await.unwrap();
    let answered = operator.in_org(org.id).get_json(MEMBERS).await;
    refused(&answered, 403, "tenancy.second_factor_required");
}

#[tokio::test]
async fn whoever_belongs_to_an_organisation_does_not_enter_it_as_support() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    set_operator(server.kernel(), org.owner.id, true).await.unwrap();
    let path = format!("/api/v1/operator/organizations/{}/visits", org.id.0);
    let body = json!({ "reason": "x", "minutes": 60 });
    refused(
        &send(&org.owner, Method::POST, &path, &body).await,
        409,
        "operator.is_member",
    );
}
