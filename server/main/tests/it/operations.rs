//! Every operation of the API document answers callers who may not with 401, 404 and 403. The table below says what
//! each operation asks for; an operation that is not in it fails the test until somebody decides.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_services::tenancy;
use tenon_testkit::{TestOrg, TestServer, TestUser, answer};

use crate::support::{REGISTER, all_modules, import, server};

/// Who may call an operation.
enum Needs {
    /// Anybody; the document says `security: []`.
    Nobody,
    /// A signed-in person, whatever their organisations.
    SignIn,
    /// A member with this permission.
    Permission(&'static str),
    /// Somebody who runs the installation; for everybody else there is nothing.
    Operator,
}
use Needs::{Nobody, Operator as Console, Permission, SignIn};

/// Whose thing the path names.
#[derive(Clone, Copy, PartialEq)]
enum Names {
    Nothing,
    /// A thing of one organisation: another one's callers must get 404.
    Import,
    Alert,
    /// Somebody outside who is told what happens.
    Webhook,
    /// What they were told.
    Delivery,
    /// An event that a consumer could not handle.
    Aside,
    Colleague,
    Department,
    Entry,
    OpenInvitation,
    CustomRole,
    Key,
    Member,
    Space,
    Support,
    /// A thing of one person: everybody else gets 404.
    Token,
    /// A person or organisation as the console names them.
    Anything,
    /// Something that is the same for all organisations.
    Template,
    /// A secret that is meant for people outside.
    Invitation,
}

/// Method and path as in the document, what the path names, what the operation needs, a body that it would accept.
/// What belongs to a template asks for the template's permission, the strongest of those needed.
#[rustfmt::skip] // one operation a line
const OPERATIONS: &[(&str, Names, Needs, &str)] = &[
    ("get /api/v1/access/keys", Names::Nothing, Permission("access.keys.read"), ""),
    ("post /api/v1/access/keys", Names::Nothing, Permission("access.keys.manage"), r#"{"kind":"secret","name":"k","scopes":["purchasing.orders.read"]}"#),
    ("delete /api/v1/access/keys/{id}", Names::Key, Permission("access.keys.manage"), ""),
    ("get /api/v1/access/members", Names::Nothing, Permission("access.roles.read"), ""),
    ("put /api/v1/access/members/{id}/role", Names::Member, Permission("access.roles.manage"), r#"{"role":null}"#),
    ("get /api/v1/access/review", Names::Nothing, Permission("access.review.read"), ""),
    ("get /api/v1/access/review.csv", Names::Nothing, Permission("access.review.read"), ""),
    ("get /api/v1/access/roles", Names::Nothing, Permission("access.roles.read"), ""),
    ("post /api/v1/access/roles", Names::Nothing, Permission("access.roles.manage"), r#"{"name":"Another","includes":["purchasing.*"]}"#),
    ("post /api/v1/access/roles/preview", Names::Nothing, Permission("access.roles.read"), r#"{"includes":["purchasing.*"]}"#),
    ("put /api/v1/access/roles/{id}", Names::CustomRole, Permission("access.roles.manage"), r#"{"name":"Another","includes":["purchasing.*"]}"#),
    ("delete /api/v1/access/roles/{id}", Names::CustomRole, Permission("access.roles.manage"), ""),
    ("get /api/v1/access/spaces", Names::Nothing, Permission("access.spaces.read"), ""),
    ("post /api/v1/access/spaces", Names::Nothing, Permission("access.spaces.manage"), r#"{"name":"Another"}"#),
    ("put /api/v1/access/spaces/{id}", Names::Space, Permission("access.spaces.manage"), r#"{"name":"Another"}"#),
    ("put /api/v1/access/spaces/{id}/archived", Names::Space, Permission("access.spaces.manage"), r#"{"archived":true}"#),
    ("put /api/v1/access/spaces/{id}/members", Names::Space, Permission("access.spaces.manage"), r#"{"members":[]}"#),
    ("get /api/v1/access/support", Names::Nothing, Permission("access.support.read"), ""),
    ("delete /api/v1/access/support/{id}", Names::Support, Permission("access.support.end"), ""),
    ("get /api/v1/access/tokens", Names::Nothing, SignIn, ""),
    ("post /api/v1/access/tokens", Names::Nothing, SignIn, r#"{"name":"t"}"#),
    ("delete /api/v1/access/tokens/{id}", Names::Token, SignIn, ""),
    ("get /api/v1/audit/entries", Names::Nothing, Permission("audit.entries.read"), ""),
    ("get /api/v1/audit/entries/{id}", Names::Entry, Permission("audit.entries.read"), ""),
    ("get /api/v1/audit/entries.csv", Names::Nothing, Permission("audit.entries.export"), ""),
    ("get /api/v1/audit/entries.jsonl", Names::Nothing, Permission("audit.entries.export"), ""),
    ("get /api/v1/events/consumers", Names::Nothing, Permission("events.consumers.read"), ""),
    ("delete /api/v1/events/aside/{id}", Names::Aside, Permission("events.consumers.manage"), ""),
    ("post /api/v1/events/aside/{id}/retry", Names::Aside, Permission("events.consumers.manage"), ""),
    ("get /api/v1/imports", Names::Nothing, Permission("imports.runs.read"), ""),
    ("post /api/v1/imports", Names::Nothing, Permission("imports.runs.create"), "file"),
    ("get /api/v1/imports/templates", Names::Nothing, Permission("imports.runs.read"), ""),
    ("get /api/v1/imports/templates/{name}/workbook", Names::Template, Permission("purchasing.orders.import"), ""),
    ("get /api/v1/imports/{id}", Names::Import, Permission("imports.runs.read"), ""),
    ("post /api/v1/imports/{id}/cancel", Names::Import, Permission("imports.runs.create"), "{}"),
    ("post /api/v1/imports/{id}/confirm", Names::Import, Permission("imports.runs.create"), r#"{"validation_version":1}"#),
    ("get /api/v1/imports/{id}/error-workbook", Names::Import, Permission("purchasing.orders.import"), ""),
    ("put /api/v1/imports/{id}/mapping", Names::Import, Permission("imports.runs.create"), r#"{"sheets":[]}"#),
    ("get /api/v1/imports/{id}/rows", Names::Import, Permission("purchasing.orders.import"), ""),
    ("post /api/v1/imports/{id}/undo", Names::Import, Permission("imports.runs.undo"), "{}"),
    ("get /api/v1/notifications", Names::Nothing, Permission("tenancy.organization.read"), ""),
    ("get /api/v1/notifications/mailbox", Names::Nothing, Nobody, ""),
    ("get /api/v1/notifications/preferences", Names::Nothing, SignIn, ""),
    ("put /api/v1/notifications/preferences", Names::Nothing, SignIn, "{}"),
    ("post /api/v1/notifications/read", Names::Nothing, Permission("tenancy.organization.read"), "{}"),
    ("get /api/v1/operator/messages", Names::Nothing, Console, ""),
    ("post /api/v1/operator/messages/{id}/resolve", Names::Anything, Console, r#"{"decision":"give_up"}"#),
    ("get /api/v1/operator/organizations", Names::Nothing, Console, ""),
    ("get /api/v1/operator/organizations/{id}", Names::Anything, Console, ""),
    ("patch /api/v1/operator/organizations/{id}", Names::Anything, Console, r#"{"plan":"business"}"#),
    ("post /api/v1/operator/organizations/{id}/visits", Names::Anything, Console, r#"{"reason":"x","minutes":60}"#),
    ("delete /api/v1/operator/organizations/{id}/visits/{visit}", Names::Anything, Console, ""),
    ("get /api/v1/operator/plans", Names::Nothing, Console, ""),
    ("post /api/v1/operator/plans", Names::Nothing, Console, r#"{"title":"Another","features":[]}"#),
    ("put /api/v1/operator/plans", Names::Nothing, Console, r#"{"names":["business","free","team"]}"#),
    ("delete /api/v1/operator/plans/{name}", Names::Anything, Console, ""),
    ("put /api/v1/operator/plans/{name}", Names::Anything, Console, r#"{"title":"Another","features":[]}"#),
    ("get /api/v1/operator/programs", Names::Nothing, Console, ""),
    ("post /api/v1/operator/programs", Names::Nothing, Console, r#"{"name":"Another","redirect_uris":["https://app.example.com/back"],"confidential":true}"#),
    ("patch /api/v1/operator/programs/{id}", Names::Anything, Console, r#"{"name":"Another"}"#),
    ("delete /api/v1/operator/programs/{id}", Names::Anything, Console, ""),
    ("post /api/v1/operator/programs/{id}/secret", Names::Anything, Console, ""),
    ("get /api/v1/operator/session", Names::Nothing, Console, ""),
    ("get /api/v1/operator/users", Names::Nothing, Console, ""),
    ("put /api/v1/operator/users/{id}/ban", Names::Anything, Console, r#"{"reason":"x"}"#),
    ("delete /api/v1/operator/users/{id}/ban", Names::Anything, Console, ""),
    ("get /api/v1/operator/visits", Names::Nothing, Console, ""),
    ("post /api/v1/purchasing/alerts/{id}/acknowledge", Names::Alert, Permission("purchasing.alerts.acknowledge"), r#"{"note":"seen"}"#),
    ("get /api/v1/purchasing/board", Names::Nothing, Permission("purchasing.orders.read"), ""),
    ("get /api/v1/purchasing/settings", Names::Nothing, Permission("purchasing.orders.read"), ""),
    ("put /api/v1/purchasing/settings", Names::Nothing, Permission("purchasing.settings.update"), r#"{"warning":"80","critical":"95"}"#),
    ("get /api/v1/tenancy/departments", Names::Nothing, Permission("tenancy.members.read"), ""),
    ("post /api/v1/tenancy/departments", Names::Nothing, Permission("tenancy.departments.update"), r#"{"name":"Another"}"#),
    ("patch /api/v1/tenancy/departments/{id}", Names::Department, Permission("tenancy.departments.update"), r#"{"name":"Other"}"#),
    ("delete /api/v1/tenancy/departments/{id}", Names::Department, Permission("tenancy.departments.update"), ""),
    ("post /api/v1/tenancy/invitations", Names::Nothing, Permission("tenancy.members.invite"), r#"{"role":"viewer"}"#),
    ("get /api/v1/tenancy/invitations/{token}", Names::Invitation, Nobody, ""),
    ("post /api/v1/tenancy/invitations/{token}/accept", Names::Invitation, SignIn, "{}"),
    ("get /api/v1/tenancy/members", Names::Nothing, Permission("tenancy.members.read"), ""),
    ("patch /api/v1/tenancy/members/{user_id}", Names::Colleague, Permission("tenancy.members.update"), r#"{"role":"viewer"}"#),
    ("delete /api/v1/tenancy/members/{user_id}", Names::Colleague, Permission("tenancy.members.remove"), ""),
    ("post /api/v1/tenancy/members/{user_id}/reinstate", Names::Colleague, Permission("tenancy.members.suspend"), ""),
    ("post /api/v1/tenancy/members/{user_id}/suspend", Names::Colleague, Permission("tenancy.members.suspend"), ""),
    ("get /api/v1/tenancy/open-invitations", Names::Nothing, Permission("tenancy.members.invite"), ""),
    ("delete /api/v1/tenancy/open-invitations/{id}", Names::OpenInvitation, Permission("tenancy.members.invite"), ""),
    ("post /api/v1/tenancy/open-invitations/{id}/resend", Names::OpenInvitation, Permission("tenancy.members.invite"), ""),
    ("get /api/v1/tenancy/organization", Names::Nothing, Permission("tenancy.organization.read"), ""),
    ("patch /api/v1/tenancy/organization", Names::Nothing, Permission("tenancy.organization.update"), r#"{"name":"Another"}"#),
    ("put /api/v1/tenancy/organization/apps", Names::Nothing, Permission("tenancy.apps.update"), r#"{"disabled":[]}"#),
    ("post /api/v1/tenancy/organization/deletion", Names::Nothing, Permission("tenancy.organization.delete"), r#"{"name":"Ours"}"#),
    ("delete /api/v1/tenancy/organization/deletion", Names::Nothing, Permission("tenancy.organization.delete"), ""),
    ("get /api/v1/tenancy/organization/export", Names::Nothing, Permission("tenancy.organization.export"), ""),
    ("post /api/v1/tenancy/organization/leave", Names::Nothing, Permission("tenancy.organization.read"), ""),
    ("get /api/v1/tenancy/organization/logo", Names::Nothing, Permission("tenancy.organization.read"), ""),
    ("put /api/v1/tenancy/organization/logo", Names::Nothing, Permission("tenancy.organization.update"), "file"),
    ("delete /api/v1/tenancy/organization/logo", Names::Nothing, Permission("tenancy.organization.update"), ""),
    ("post /api/v1/tenancy/organization/transfer", Names::Nothing, Permission("tenancy.organization.transfer"), r#"{"user_id":"01890a5d-ac96-774b-bcce-b302099a8057"}"#),
    ("get /api/v1/tenancy/organizations", Names::Nothing, SignIn, ""),
    ("post /api/v1/tenancy/organizations", Names::Nothing, SignIn, r#"{"name":"Another"}"#),
    ("get /api/v1/tenancy/second-factor", Names::Nothing, Permission("tenancy.security.update"), ""),
    ("put /api/v1/tenancy/second-factor", Names::Nothing, Permission("tenancy.security.update"), r#"{"required":false}"#),
    ("get /api/v1/tenancy/session", Names::Nothing, Permission("tenancy.organization.read"), ""),
    ("get /api/v1/webhooks/deliveries", Names::Nothing, Permission("webhooks.endpoints.read"), ""),
    ("get /api/v1/webhooks/deliveries/{id}", Names::Delivery, Permission("webhooks.endpoints.read"), ""),
    ("post /api/v1/webhooks/deliveries/{id}/resend", Names::Delivery, Permission("webhooks.endpoints.manage"), ""),
    ("get /api/v1/webhooks/endpoints", Names::Nothing, Permission("webhooks.endpoints.read"), ""),
    ("post /api/v1/webhooks/endpoints", Names::Nothing, Permission("webhooks.endpoints.manage"), r#"{"url":"https://no-such-host.invalid/","events":["*"]}"#),
    ("patch /api/v1/webhooks/endpoints/{id}", Names::Webhook, Permission("webhooks.endpoints.manage"), r#"{"enabled":false}"#),
    ("delete /api/v1/webhooks/endpoints/{id}", Names::Webhook, Permission("webhooks.endpoints.manage"), ""),
    ("post /api/v1/webhooks/endpoints/{id}/recover", Names::Webhook, Permission("webhooks.endpoints.manage"), r#"{"since":"2020-01-01T00:00:00Z"}"#),
    ("post /api/v1/webhooks/endpoints/{id}/rotate", Names::Webhook, Permission("webhooks.endpoints.manage"), "{}"),
    ("post /api/v1/webhooks/endpoints/{id}/test", Names::Webhook, Permission("webhooks.endpoints.manage"), ""),
];

/// The head of a PNG picture, eight by eight.
const LOGO: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08\x08\x06\0\0\0\0\0\0\0";

/// One operation, ready to be called.
struct Operation {
    call: &'static str,
    method: Method,
    path: String,
    names: Names,
    needs: &'static Needs,
    body: &'static str,
}

impl Operation {
    fn send(&self, request: RequestBuilder) -> RequestBuilder {
        match self.body {
            "" => request,
            "file" => request
                .header("content-type", "application/octet-stream")
                .body(REGISTER),
            json => request.header("content-type", "application/json").body(json),
        }
    }

    async fn by(&self, user: &TestUser) -> (u16, Value) {
        answer(self.send(user.request(self.method.clone(), &self.path))).await
    }

    async fn with_token(&self, server: &TestServer, org: &TestOrg, token: &str) -> (u16, Value) {
        let request = server
            .anonymous(self.method.clone(), &self.path)
            .header("x-org-id", org.id.to_string());
        answer(self.send(if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        }))
        .await
    }
}

/// An organisation that has one of everything, and all operations with paths that name its things.
struct House {
    server: TestServer,
    ours: TestOrg,
    operations: Vec<Operation>,
}

async fn house() -> House {
    let server = server().await;
    let ours = server.organization("Ours").await;
    let import = import(&ours.owner, "register.xlsx", REGISTER).await;
    let import = import["id"].as_str().unwrap().to_owned();
    let admin = server.admin().await;
    let sql = "select id::text from purchasing.alerts where org_id = $1 limit 1";
    let alert: String = admin.query_one(sql, &[&ours.id]).await.unwrap().get(0);
    let sql = "select (extract(epoch from at) * 1000000)::bigint || '-' || id from audit.entries where org_id = $1 limit 1";
    let entry: String = admin.query_one(sql, &[&ours.id]).await.unwrap().get(0);
    let (_, made) = ours
        .owner
        .post_json("/api/v1/tenancy/invitations", &json!({ "role": "viewer" }))
        .await;
    let token = made["token"].as_str().unwrap().to_owned();
    let invitation = made["id"].as_str().unwrap().to_owned();
    let (_, made) = ours
        .owner
        .post_json("/api/v1/tenancy/departments", &json!({ "name": "Supply" }))
        .await;
    let department = made["id"].as_str().unwrap().to_owned();
    let member = server.member(&ours, Role::Member).await.id.to_string();
    let logo = ours
        .owner
        .request(Method::PUT, "/api/v1/tenancy/organization/logo");
    assert_eq!(answer(logo.body(LOGO)).await.0, 200);

    let made = async |path: &str, body: Value| {
        let (status, made) = ours.owner.post_json(path, &body).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    };
    let plan = "update tenancy.organizations set plan = 'business' where id = $1";
    admin.execute(plan, &[&ours.id]).await.unwrap();
    let scopes = json!(["purchasing.orders.read"]);
    let custom_role = made(
        "/api/v1/access/roles",
        json!({ "name": "Reader", "includes": scopes }),
    )
    .await;
    let key = json!({ "kind": "secret", "name": "Scanner", "scopes": scopes });
    let key = made("/api/v1/access/keys", key).await;
    let personal = made("/api/v1/access/tokens", json!({ "name": "Laptop" })).await;
    let space = made("/api/v1/access/spaces", json!({ "name": "North" })).await;
    let webhook = made(
        "/api/v1/webhooks/endpoints",
        json!({ "url": "https://no-such-host.invalid/", "events": ["none.at_all"] }),
    )
    .await;
    let sent = ours
        .owner
        .post_json(&format!("/api/v1/webhooks/endpoints/{webhook}/test"), &json!({}))
        .await;
    let delivery = sent.1["delivery"].as_str().unwrap().to_owned();
    let support = server.kernel().env().new_id();
    let sql = "insert into tenancy.support_access (org_id, id, operator, reason, aal, started_at, ends_at) \
               values ($1, $2, $3, 'help', 'aal1', now(), now() + interval '1 hour')";
    admin
        .execute(sql, &[&ours.id, &support, &ours.owner.id])
        .await
        .unwrap();

    let aside = server.kernel().env().new_id();
    let sql = "insert into events.aside (org_id, id, consumer, seq, event_id, kind, payload, at, attempts) \
               values ($1, $2, 'imports.none', 1, $2, 'imports.run_lost', '{}', now(), 3)";
    admin.execute(sql, &[&ours.id, &aside]).await.unwrap();

    let operations = OPERATIONS
        .iter()
        .map(|(call, names, needs, body)| {
            let (method, path) = call.split_once(' ').unwrap();
            let path = match names {
                Names::Nothing => path.to_owned(),
                Names::Import => path.replace("{id}", &import),
                Names::Alert => path.replace("{id}", &alert),
                Names::Aside => path.replace("{id}", &aside.to_string()),
                Names::Webhook => path.replace("{id}", &webhook),
                Names::Delivery => path.replace("{id}", &delivery),
                Names::Colleague => path.replace("{user_id}", &member),
                Names::Entry => path.replace("{id}", &entry),
                Names::Department => path.replace("{id}", &department),
                Names::OpenInvitation => path.replace("{id}", &invitation),
                Names::Anything => path
                    .replace("{id}", &ours.owner.id.0.to_string())
                    .replace("{visit}", &support.to_string())
                    .replace("{name}", "team"),
                Names::CustomRole => path.replace("{id}", &custom_role),
                Names::Key => path.replace("{id}", &key),
                Names::Member => path.replace("{id}", &ours.owner.id.0.to_string()),
                Names::Space => path.replace("{id}", &space),
                Names::Support => path.replace("{id}", &support.to_string()),
                Names::Token => path.replace("{id}", &personal),
                Names::Template => path.replace("{name}", "purchasing.register"),
                Names::Invitation => path.replace("{token}", &token),
            };
            assert!(!path.contains('{'), "{call}: every part of the path is filled");
            let path = match *call {
                "post /api/v1/imports" => {
                    format!("{path}?template=purchasing.register&filename=register.xlsx")
                }
                "get /api/v1/imports/{id}/rows" => format!("{path}?sheet=QS%20Register"),
                _ => path,
            };
            let method = method.to_uppercase().parse().unwrap();
            Operation {
                call,
                method,
                path,
                names: *names,
                needs,
                body,
            }
        })
        .collect();
    House {
        server,
        ours,
        operations,
    }
}

#[test]
fn every_operation_of_the_document_is_listed_here_with_what_it_needs() {
    let document: Value = serde_json::from_str(&tenon::openapi()).unwrap();
    let mut documented = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if ["get", "put", "post", "delete", "patch", "head", "options"].contains(&method.as_str()) {
                documented.push((format!("{method} {path}"), operation));
            }
        }
    }
    for (call, operation) in &documented {
        let Some((.., needs, _)) = OPERATIONS.iter().find(|(known, ..)| known == call) else {
            panic!(
                "\nThe operation `{call}` is new. Add it to OPERATIONS in {} with the permission in its handler's \
                 signature, what its path names, and a body that it accepts; then this file checks that it answers \
                 strangers with 401, other organisations with 404 and members without the permission with 403.\n",
                file!()
            );
        };
        let open = operation["security"] == json!([{}]) || operation["security"] == json!([]);
        assert_eq!(
            open,
            matches!(needs, Nobody),
            "{call}: `security(())` in its utoipa attribute and the table differ"
        );
        let statuses = operation["responses"].as_object().unwrap();
        let promised: &[&str] = match needs {
            Nobody => &[],
            SignIn => &["401"],
            Console | Permission(_) => &["401", "403", "404"],
        };
        for status in promised {
            assert!(
                statuses.contains_key(*status),
                "{call}: document its answer {status}"
            );
        }
    }
    for (call, ..) in OPERATIONS {
        assert!(
            documented.iter().any(|(known, _)| known == call),
            "`{call}` is gone: take it off OPERATIONS"
        );
    }
    let matrix = tenancy::matrix(&all_modules());
    for (call, _, needs, _) in OPERATIONS {
        if let Permission(name) = needs {
            assert!(
                matrix.iter().any(|(_, names)| names.contains(name)),
                "{call}: no module declares {name}"
            );
        }
    }
}

#[tokio::test]
async fn nobody_calls_an_operation_without_a_good_token() {
    let House {
        server,
        ours,
        operations,
        ..
    } = house().await;
    let token = ours.owner.token.clone();
    let [head, claims, signature]: [&str; 3] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let turned: String = signature.chars().rev().collect();
    // {"alg":"none","typ":"JWT"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    let other_claims = format!("{head}.{}.{signature}", &claims[..claims.len() - 4]);
    let forged = [
        format!("{head}.{claims}.{turned}"),
        unsigned,
        other_claims,
        "nonsense".to_owned(),
    ];
    for operation in &operations {
        if !matches!(operation.needs, Nobody) {
            let (status, body) = operation.with_token(&server, &ours, "").await;
            assert_eq!(
                (status, &body["code"]),
                (401, &json!("auth.required")),
                "{} by a visitor",
                operation.call
            );
        }
        for token in &forged {
            let (status, body) = operation.with_token(&server, &ours, token).await;
            assert_eq!(
                (status, &body["code"]),
                (401, &json!("auth.token_invalid")),
                "{} with {token}",
                operation.call
            );
        }
    }
    server.advance(jiff::SignedDuration::from_hours(2));
    for operation in &operations {
        let (status, body) = operation.with_token(&server, &ours, &token).await;
        assert_eq!(
            (status, &body["code"]),
            (401, &json!("auth.token_expired")),
            "{} with an old token",
            operation.call
        );
    }
}

#[tokio::test]
async fn another_organisation_finds_nothing_of_ours() {
    let House {
        server,
        ours,
        operations,
        ..
    } = house().await;
    let theirs = server.organization("Theirs").await;
    for operation in &operations {
        if matches!(operation.needs, Console) {
            let (status, body) = operation.by(&ours.owner).await;
            let expected = (404, &json!("request.not_found"));
            assert_eq!(
                (status, &body["code"]),
                expected,
                "{} by a member",
                operation.call
            );
        }
        if operation.names == Names::Token {
            let (status, body) = operation.by(&theirs.owner).await;
            assert_eq!(status, 404, "{} of somebody else: {body}", operation.call);
        }
        if !matches!(operation.needs, Permission(_)) {
            continue;
        }
        let (status, body) = operation.by(&theirs.owner.in_org(ours.id)).await;
        let expected = (404, &json!("tenancy.org_not_found"));
        assert_eq!(
            (status, &body["code"]),
            expected,
            "{} in an organisation of others",
            operation.call
        );
        if !matches!(operation.names, Names::Nothing | Names::Template) {
            let (status, body) = operation.by(&theirs.owner).await;
            assert_eq!(status, 404, "{} with an id of others: {body}", operation.call);
        }
    }
    let admin = server.admin().await;
    let sql = "select count(*) from imports.runs where org_id = $1 and state <> 'committed'";
    assert_eq!(
        admin.query_one(sql, &[&ours.id]).await.unwrap().get::<_, i64>(0),
        0,
        "nothing of ours was touched"
    );
}

#[tokio::test]
async fn a_role_calls_what_its_permissions_allow_and_nothing_else() {
    let House {
        server,
        ours,
        operations,
        ..
    } = house().await;
    let matrix = tenancy::matrix(&all_modules());
    for role in [Role::Viewer, Role::Manager] {
        let member = server.member(&ours, role).await;
        let (_, allowed) = matrix.iter().find(|(of, _)| *of == role).unwrap();
        for operation in &operations {
            let Permission(needed) = operation.needs else {
                continue;
            };
            // What one may do is not done: it would change what the next operation finds.
            if allowed.contains(needed) && operation.method != Method::GET {
                continue;
            }
            let (status, body) = operation.by(&member).await;
            if allowed.contains(needed) {
                assert_eq!(status, 200, "{} by a {role:?}: {body}", operation.call);
            } else {
                assert_eq!(
                    (status, &body["code"]),
                    (403, &json!("tenancy.permission_denied")),
                    "{} by a {role:?}",
                    operation.call
                );
                let details = body["details"].as_str().unwrap_or_default();
                assert!(
                    details.contains(needed),
                    "{}: the refusal names {needed}, not: {details}",
                    operation.call
                );
            }
        }
    }
}
