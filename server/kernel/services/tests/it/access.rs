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

fn app() -> Module {
    Module::app("yard", "Yard").permissions(yard::ALL)
}

async fn server() -> TestServer {
    TestServer::start(vec![app()]).await
}

/// One whose plan includes all that is tried here.
async fn organization(server: &TestServer, name: &str) -> TestOrg {
    let org = server.organization(name).await;
    execute(
        server,
        "update tenancy.organizations set plan = 'business' where id = $1",
        &org,
    )
    .await;
    org
}

const SESSION: &str = "/api/v1/tenancy/session";

async fn permissions(user: &TestUser) -> Vec<String> {
    let (status, session) = user.get_json(SESSION).await;
    assert_eq!(status, 200, "{session}");
    serde_json::from_value(session["permissions"].clone()).unwrap()
}

async fn can(user: &TestUser, permission: &str) -> bool {
    permissions(user).await.iter().any(|name| name == permission)
}

async fn put(user: &TestUser, path: &str, body: &Value) -> (u16, Value) {
    answer(user.request(Method::PUT, path).json(body)).await
}

async fn delete(user: &TestUser, path: &str) -> (u16, Value) {
    answer(user.request(Method::DELETE, path)).await
}

#[track_caller]
fn refused(answer: &(u16, Value), status: u16, code: &str) {
    assert_eq!(
        (answer.0, answer.1["code"].as_str().unwrap_or_default()),
        (status, code),
        "{}",
        answer.1
    );
}

async fn role(user: &TestUser, name: &str, includes: &[&str], excludes: &[&str]) -> (u16, Value) {
    let text = json!({ "name": name, "includes": includes, "excludes": excludes });
    user.post_json("/api/v1/access/roles", &text).await
}

async fn give(user: &TestUser, member: &TestUser, role: &Value, only: bool) -> (u16, Value) {
    let path = format!("/api/v1/access/members/{}/role", member.id.0);
    put(user, &path, &json!({ "role": role, "only": only })).await
}

/// A request with a key instead of a session.
fn with_key(server: &TestServer, key: &str, method: Method, path: &str) -> RequestBuilder {
    server.anonymous(method, path).bearer_auth(key)
}

async fn key(user: &TestUser, kind: &str, scopes: &[&str]) -> (String, String) {
    let new = json!({ "kind": kind, "name": "Scanner", "scopes": scopes });
    let (status, made) = user.post_json("/api/v1/access/keys", &new).await;
    assert_eq!(status, 201, "{made}");
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

async fn execute(server: &TestServer, sql: &str, org: &TestOrg) {
    server.admin().await.execute(sql, &[&org.id]).await.unwrap();
}

fn context(user: &TestUser, org: OrgId, aal: &str) -> RequestContext {
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

#[tokio::test]
async fn whoever_is_suspended_or_banned_and_an_organisation_whose_time_is_over_are_not_there() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let member = server.member(&org, Role::Admin).await;
    let default = member.in_org(org.id);
    assert_eq!(member.get_json(SESSION).await.0, 200);
    for (out, back) in [
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
            "update tenancy.organizations set delete_after = now() - interval '1 second' where id = $1",
            "update tenancy.organizations set delete_after = now() + interval '1 day' where id = $1",
        ),
    ] {
        execute(&server, out, &org).await;
        refused(&member.get_json(SESSION).await, 404, "tenancy.org_not_found");
        let by_slug = default.get(SESSION).header("x-org-id", &org.slug);
        assert_eq!(answer(by_slug).await.0, 404, "{out}");
        // Without a header it is no default either.
        let plain = server.anonymous(Method::GET, SESSION).bearer_auth(&member.token);
        assert_eq!(answer(plain).await.0, 404, "{out}");
        execute(&server, back, &org).await;
        assert_eq!(member.get_json(SESSION).await.0, 200, "{back}");
    }
    execute(
        &server,
        "update tenancy.organizations set suspended_at = now() where id = $1",
        &org,
    )
    .await;
    refused(
        &org.owner.get_json(SESSION).await,
        403,
        "tenancy.organization_suspended",
    );
}

#[tokio::test]
async fn somebody_who_joins_while_banned_stays_out() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let admin = server.admin().await;
    let bob = server.user("bob").await;
    let ban = "update auth.users set banned_until = now() + interval '1 day' where id = $1";
    admin.execute(ban, &[&bob.id]).await.unwrap();
    tenon_services::tenancy::add_member(server.kernel(), org.id, bob.id, Role::Viewer)
        .await
        .unwrap();
    assert_eq!(bob.in_org(org.id).get_json(SESSION).await.0, 404);
}

#[tokio::test]
async fn an_organisation_that_asks_for_a_second_factor_gets_it_at_once() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let viewer = server.member(&org, Role::Viewer).await;
    assert_eq!(viewer.get_json(SESSION).await.0, 200);
    execute(
        &server,
        "update tenancy.organizations set require_second_factor = true where id = $1",
        &org,
    )
    .await;
    let answered = viewer.get_json(SESSION).await;
    refused(&answered, 403, "tenancy.second_factor_required");
    assert!(answered.1["hint"].as_str().unwrap().contains("second factor"));
    let rest = viewer.get("/rest/v1/rpc/anything").send().await.unwrap();
    assert_ne!(rest.status(), 200);
    // The list of organisations shows what there is to unlock.
    assert_eq!(
        viewer
            .get_json("/api/v1/tenancy/organizations")
            .await
            .1
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let db = server.kernel().db();
    for (aal, good) in [("aal2", true), ("aal1", false), ("", false), ("aal3", false)] {
        assert_eq!(
            db.resolve(&context(&viewer, org.id, aal)).await.is_ok(),
            good,
            "{aal}"
        );
    }
}

#[tokio::test]
async fn a_disabled_app_takes_its_permissions_from_roles_and_keys_and_gives_them_back() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let (viewer, admin) = (
        server.member(&org, Role::Viewer).await,
        server.member(&org, Role::Admin).await,
    );
    let (status, made) = role(&org.owner, "Stoker", &["yard.*"], &[]).await;
    assert_eq!(status, 201);
    assert_eq!(give(&org.owner, &viewer, &made["id"], false).await.0, 204);
    let (_, secret) = key(
        &org.owner,
        "secret",
        &["yard.crates.read", "tenancy.members.read"],
    )
    .await;
    let reach = async || {
        let key = with_key(&server, &secret, Method::GET, "/api/v1/tenancy/members");
        let row = server
            .admin()
            .await
            .query_one(
                "select permissions from tenancy.api_keys where org_id = $1",
                &[&org.id],
            )
            .await
            .unwrap();
        assert_eq!(answer(key).await.0, 200);
        row.get::<_, String>(0).contains("yard.")
    };
    assert!(can(&viewer, "yard.crates.burn").await && can(&admin, "yard.crates.move").await && reach().await);
    execute(
        &server,
        "update tenancy.organizations set disabled_apps = '{yard,tenancy,access}' where id = $1",
        &org,
    )
    .await;
    assert!(!can(&viewer, "yard.crates.read").await && !can(&viewer, "yard.crates.burn").await);
    assert!(!can(&admin, "yard.crates.move").await && can(&admin, "tenancy.members.invite").await);
    assert!(!reach().await);
    // A role made meanwhile waits for the app.
    let (status, later) = role(&org.owner, "Mover", &["yard.crates.move"], &[]).await;
    assert_eq!(status, 201, "{later}");
    refused(
        &role(&admin, "Burner", &["yard.crates.burn"], &[]).await,
        403,
        "access.more_than_own",
    );
    assert_eq!(give(&org.owner, &viewer, &later["id"], false).await.0, 204);
    assert!(!can(&viewer, "yard.crates.move").await);
    execute(
        &server,
        "update tenancy.organizations set disabled_apps = '{}' where id = $1",
        &org,
    )
    .await;
    assert!(can(&viewer, "yard.crates.move").await && can(&admin, "yard.crates.move").await && reach().await);
}

#[tokio::test]
async fn a_custom_role_counts_beside_a_built_in_one_or_alone() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let member = server.member(&org, Role::Manager).await;
    let (status, made) = role(&org.owner, "Stoker", &["yard.*"], &["yard.*.move"]).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(give(&org.owner, &member, &made["id"], false).await.0, 204);
    assert!(can(&member, "yard.crates.burn").await && can(&member, "yard.crates.move").await);
    let mut unique = permissions(&member).await;
    unique.sort_unstable();
    let many = unique.len();
    unique.dedup();
    assert_eq!(
        unique.len(),
        many,
        "a permission that comes from two roles is named once"
    );

    assert_eq!(give(&org.owner, &member, &made["id"], true).await.0, 204);
    let alone = permissions(&member).await;
    assert_eq!(alone.len(), 3, "{alone:?}");
    assert!(can(&member, "yard.crates.burn").await && !can(&member, "yard.crates.move").await);
    // Whoever gets a built-in role has it.
    execute(
        &server,
        "update tenancy.memberships set role = 'admin' where org_id = $1 and role = 'manager'",
        &org,
    )
    .await;
    assert!(can(&member, "yard.crates.move").await);

    // A role that somebody has is changed for them at once, and not removed.
    let path = format!("/api/v1/access/roles/{}", made["id"].as_str().unwrap());
    let text = json!({ "name": "Stoker", "includes": ["yard.crates.read"] });
    assert_eq!(put(&org.owner, &path, &text).await.0, 204);
    assert!(!can(&member, "yard.crates.burn").await);
    refused(&delete(&org.owner, &path).await, 409, "access.role_in_use");
    assert_eq!(give(&org.owner, &member, &Value::Null, false).await.0, 204);
    assert_eq!(delete(&org.owner, &path).await.0, 204);
    refused(&delete(&org.owner, &path).await, 404, "access.role_not_found");
    let (_, roles) = org.owner.get_json("/api/v1/access/roles").await;
    assert_eq!(roles["custom"], json!([]));
    assert!(roles["permissions"].as_array().unwrap().len() > 10);
}

#[tokio::test]
async fn roles_that_are_none_are_refused() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let long = "x".repeat(81);
    for name in ["", "  ", "a\nb", &long] {
        refused(
            &role(&org.owner, name, &["yard.*"], &[]).await,
            422,
            "access.name_invalid",
        );
    }
    for pattern in [
        "",
        "yard",
        "nothing.*",
        "yard.crates.read; drop table",
        "*.*.*.*",
        "Yard.*",
        "yard..read",
    ] {
        refused(
            &role(&org.owner, "X", &[pattern], &[]).await,
            422,
            "access.pattern_invalid",
        );
        refused(
            &role(&org.owner, "X", &["*"], &[pattern]).await,
            422,
            "access.pattern_invalid",
        );
    }
    refused(
        &role(&org.owner, "X", &[], &[]).await,
        422,
        "access.pattern_invalid",
    );
    refused(
        &role(&org.owner, "X", &vec!["*"; 201], &[]).await,
        422,
        "access.pattern_invalid",
    );
    for name in ["Owner", "viewer", " ADMIN "] {
        refused(
            &role(&org.owner, name, &["yard.*"], &[]).await,
            409,
            "access.role_exists",
        );
    }
    assert_eq!(role(&org.owner, "Stoker", &["yard.*"], &[]).await.0, 201);
    refused(
        &role(&org.owner, "stoker!", &["yard.*"], &[]).await,
        409,
        "access.role_exists",
    );
    let long = json!({ "name": "Y", "description": "d".repeat(501), "includes": ["*"] });
    let answered = org.owner.post_json("/api/v1/access/roles", &long).await;
    refused(&answered, 422, "access.description_too_long");
    let preview = json!({ "includes": ["yard.crates.*", "nothing.*"], "excludes": ["yard.crates.burn"] });
    let (status, preview) = org
        .owner
        .post_json("/api/v1/access/roles/preview", &preview)
        .await;
    assert_eq!(status, 200);
    assert_eq!(
        preview,
        json!({ "granted": ["yard.crates.move", "yard.crates.read"], "beyond": [], "unknown": ["nothing.*"] })
    );
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let (admin, viewer) = (
        server.member(&org, Role::Admin).await,
        server.member(&org, Role::Viewer).await,
    );
    // By a new role, by changing one, by giving one that somebody else made.
    let answered = role(&admin, "Burner", &["yard.crates.burn"], &[]).await;
    refused(&answered, 403, "access.more_than_own");
    assert!(
        answered.1["details"]
            .as_str()
            .unwrap()
            .contains("yard.crates.burn")
    );
    refused(
        &role(&admin, "All", &["*"], &[]).await,
        403,
        "access.more_than_own",
    );
    let (_, mild) = role(&admin, "Mild", &["yard.crates.move"], &[]).await;
    let path = format!("/api/v1/access/roles/{}", mild["id"].as_str().unwrap());
    let text = json!({ "name": "Mild", "includes": ["yard.*"] });
    refused(&put(&admin, &path, &text).await, 403, "access.more_than_own");
    let (_, strong) = role(&org.owner, "Strong", &["yard.*"], &[]).await;
    for target in [&admin, &viewer] {
        refused(
            &give(&admin, target, &strong["id"], false).await,
            403,
            "access.more_than_own",
        );
    }
    refused(
        &give(&admin, &org.owner, &mild["id"], true).await,
        403,
        "access.member_above_own",
    );
    refused(
        &give(&org.owner, &org.owner, &mild["id"], true).await,
        422,
        "access.owner_keeps_role",
    );
    // An admin whose role was narrowed does not widen it.
    let (_, narrow) = role(&org.owner, "Narrow", &["access.roles.*"], &[]).await;
    assert_eq!(give(&org.owner, &admin, &narrow["id"], true).await.0, 204);
    refused(
        &give(&admin, &admin, &Value::Null, false).await,
        403,
        "access.member_above_own",
    );
    let second = server.member(&org, Role::Viewer).await;
    assert_eq!(give(&org.owner, &second, &narrow["id"], false).await.0, 204);
    refused(
        &role(&second, "Mine", &["access.*"], &[]).await,
        403,
        "access.more_than_own",
    );
    refused(
        &give(&second, &second, &strong["id"], false).await,
        403,
        "access.more_than_own",
    );
    // By a key.
    let new = json!({ "kind": "secret", "name": "x", "scopes": ["yard.crates.burn"] });
    let third = server.member(&org, Role::Admin).await;
    refused(
        &third.post_json("/api/v1/access/keys", &new).await,
        403,
        "access.more_than_own",
    );
    // Those below may not even try.
    let manager = server.member(&org, Role::Manager).await;
    for (path, body) in [
        (
            "/api/v1/access/roles",
            json!({ "name": "x", "includes": ["yard.crates.read"] }),
        ),
        ("/api/v1/access/keys", new),
    ] {
        refused(
            &manager.post_json(path, &body).await,
            403,
            "tenancy.permission_denied",
        );
    }
    refused(
        &give(&manager, &manager, &mild["id"], false).await,
        403,
        "tenancy.permission_denied",
    );
}

#[tokio::test]
async fn no_write_path_leads_to_more_rights() {
    let server = server().await;
    let (ours, theirs) = (
        organization(&server, "Ours").await,
        organization(&server, "Theirs").await,
    );
    let viewer = server.member(&ours, Role::Viewer).await;
    let own = format!("memberships?org_id=eq.{}&user_id=eq.{}", ours.id.0, viewer.id.0);
    let owner = json!({ "role": "owner" });
    let member = json!({ "org_id": theirs.id.0, "user_id": viewer.id.0, "role": "owner" });
    let nested = json!({ "id": Uuid::max(), "slug": "mine", "name": "Mine", "memberships": [member] });
    for profile in ["tenancy", "auth", "public", "kernel"] {
        let send = async |request: RequestBuilder| {
            let request = request
                .header("content-profile", profile)
                .header("accept-profile", profile);
            let status = answer(request).await.0;
            assert!((400..500).contains(&status), "{profile}: {status}");
        };
        let rest = |method: Method, path: &str| viewer.request(method, &format!("/rest/v1/{path}"));
        send(rest(Method::PATCH, &own).json(&owner)).await;
        send(rest(Method::POST, "memberships").json(&member)).await;
        send(rest(Method::POST, "organizations?columns=id,slug,name").json(&nested)).await;
        send(rest(Method::POST, "api_keys").json(&json!({ "kind": "secret" }))).await;
        send(rest(Method::PATCH, "roles?id=not.is.null").json(&json!({ "permissions": ",*," }))).await;
        send(rest(Method::DELETE, "support_access?id=not.is.null")).await;
        for function in [
            "begin_request",
            "begin_job",
            "begin_system",
            "set_context",
            "resolve",
            "resolve_key",
            "set_config",
        ] {
            let arguments = json!({ "name": "tenancy.permissions", "value": ",yard.crates.burn,", "p_role": "service_role" });
            send(rest(Method::POST, &format!("rpc/{function}")).json(&arguments)).await;
        }
    }
    let admin = server.admin().await;
    let sql = "select count(*) from tenancy.memberships where user_id = $1 and role <> 'viewer'";
    assert_eq!(
        admin
            .query_one(sql, &[&viewer.id])
            .await
            .unwrap()
            .get::<_, i64>(0),
        0
    );
    // The header of a foreign organisation, in every form and with every kind of credential.
    let (_, key) = key(&ours.owner, "secret", &["tenancy.members.read"]).await;
    let (_, token) = ours
        .owner
        .post_json("/api/v1/access/tokens", &json!({ "name": "t" }))
        .await;
    let path = "/api/v1/tenancy/members";
    for credential in [&viewer.token, &key, token["secret"].as_str().unwrap()] {
        for header in [
            theirs.id.to_string(),
            theirs.slug.clone(),
            Uuid::nil().to_string(),
            "'; --".to_owned(),
        ] {
            let foreign = with_key(&server, credential, Method::GET, path).header("x-org-id", &header);
            refused(&answer(foreign).await, 404, "tenancy.org_not_found");
        }
        assert_eq!(
            answer(with_key(&server, credential, Method::GET, path)).await.0,
            200
        );
    }
    // Things of another organisation are not there.
    let (_, made) = role(&theirs.owner, "Theirs", &["yard.crates.read"], &[]).await;
    refused(
        &give(&ours.owner, &viewer, &made["id"], false).await,
        404,
        "access.role_not_found",
    );
    refused(
        &give(&ours.owner, &theirs.owner, &Value::Null, false).await,
        404,
        "access.member_not_found",
    );
    let path = format!("/api/v1/access/roles/{}", made["id"].as_str().unwrap());
    refused(&delete(&ours.owner, &path).await, 404, "access.role_not_found");
}

#[tokio::test]
async fn a_key_speaks_for_its_organisation_within_its_scopes() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let (id, secret) = key(&org.owner, "secret", &["tenancy.*.read"]).await;
    assert!(secret.starts_with("tnn_sec_"));
    let members = "/api/v1/tenancy/members";
    assert_eq!(
        answer(with_key(&server, &secret, Method::GET, members)).await.0,
        200
    );
    let as_apikey = server.anonymous(Method::GET, members).header("apikey", &secret);
    assert_eq!(answer(as_apikey).await.0, 200);
    let beyond = with_key(&server, &secret, Method::GET, "/api/v1/access/roles");
    refused(&answer(beyond).await, 403, "tenancy.permission_denied");
    // It is nobody.
    for (method, path) in [
        (Method::GET, "/api/v1/tenancy/organizations"),
        (Method::POST, "/api/v1/tenancy/organizations"),
        (Method::GET, "/api/v1/access/tokens"),
    ] {
        let request = with_key(&server, &secret, method, path).json(&json!({ "name": "x" }));
        refused(&answer(request).await, 403, "auth.person_required");
    }
    let user = with_key(&server, &secret, Method::GET, "/auth/v1/user");
    assert!((400..500).contains(&answer(user).await.0));

    // What is stored is no key, and what is listed shows none.
    let (_, listed) = org.owner.get_json("/api/v1/access/keys").await;
    assert!(!listed.to_string().contains(&secret));
    assert_eq!(listed[0]["prefix"].as_str().unwrap(), &secret[..12]);
    let row = server.admin().await;
    let row = row
        .query_one("select to_jsonb(k)::text from tenancy.api_keys k", &[])
        .await
        .unwrap();
    assert!(!row.get::<_, String>(0).contains(&secret[9..]));
    for _ in 0..100 {
        if !org.owner.get_json("/api/v1/access/keys").await.1[0]["last_used_at"].is_null() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(!org.owner.get_json("/api/v1/access/keys").await.1[0]["last_used_at"].is_null());

    // Revoked here, it is good for nothing here and on a server that has just seen it.
    let other = server.beside(vec![app()], TestServerOptions::default()).await;
    assert_eq!(
        answer(with_key(&other, &secret, Method::GET, members)).await.0,
        200
    );
    assert_eq!(
        delete(&org.owner, &format!("/api/v1/access/keys/{id}")).await.0,
        204
    );
    refused(
        &answer(with_key(&server, &secret, Method::GET, members)).await,
        401,
        "auth.key_invalid",
    );
    refused(
        &answer(with_key(&other, &secret, Method::GET, members)).await,
        401,
        "auth.key_invalid",
    );
}

#[tokio::test]
async fn keys_that_are_none_or_over_are_refused() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let members = "/api/v1/tenancy/members";
    let long = format!("tnn_sec_{}", "x".repeat(5000));
    for text in [
        "tnn_",
        "tnn_sec_",
        "tnn_sec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "tnn_pat_' or true --",
        &long,
    ] {
        refused(
            &answer(with_key(&server, text, Method::GET, members)).await,
            401,
            "auth.key_invalid",
        );
    }
    let new = json!({ "kind": "secret", "name": "Short", "scopes": ["tenancy.members.read"], "expires_in_days": 1 });
    let (_, made) = org.owner.post_json("/api/v1/access/keys", &new).await;
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(
        answer(with_key(&server, secret, Method::GET, members)).await.0,
        200
    );
    server.advance(SignedDuration::from_hours(25));
    refused(
        &answer(with_key(&server, secret, Method::GET, members)).await,
        401,
        "auth.key_invalid",
    );
}

#[tokio::test]
async fn what_a_key_may_be_given_has_limits() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let ask = async |kind: &str, scopes: &[&str], days: Value| {
        let new = json!({ "kind": kind, "name": "x", "scopes": scopes, "expires_in_days": days });
        org.owner.post_json("/api/v1/access/keys", &new).await
    };
    for scopes in [
        &["access.roles.read"][..],
        &["tenancy.members.invite"],
        &["*"],
        &["tenancy.*"],
    ] {
        refused(
            &ask("secret", scopes, Value::Null).await,
            422,
            "access.scope_not_for_keys",
        );
    }
    refused(
        &ask("publishable", &["yard.crates.move"], Value::Null).await,
        422,
        "access.scope_not_for_keys",
    );
    refused(
        &ask("publishable", &[], Value::Null).await,
        422,
        "access.pattern_invalid",
    );
    for days in [0, 367, 4_000_000_000_u64] {
        let (status, _) = ask("secret", &["yard.*"], json!(days)).await;
        assert!([400, 422].contains(&status), "{days}");
    }
    assert_eq!(ask("publishable", &["yard.crates.read"], json!(366)).await.0, 201);
    assert_eq!(ask("personal", &["yard.crates.read"], Value::Null).await.0, 400);
}

#[tokio::test]
async fn a_personal_token_acts_as_its_owner_as_far_as_it_was_narrowed() {
    let server = server().await;
    let (ours, other) = (
        organization(&server, "Ours").await,
        organization(&server, "Other").await,
    );
    let ada = server.member(&ours, Role::Admin).await;
    tenon_services::tenancy::add_member(server.kernel(), other.id, ada.id, Role::Viewer)
        .await
        .unwrap();
    let token = async |body: Value| {
        let (status, made) = ada.post_json("/api/v1/access/tokens", &body).await;
        assert_eq!(status, 201, "{made}");
        made["secret"].as_str().unwrap().to_owned()
    };
    let whole = token(json!({ "name": "Whole" })).await;
    let narrow = token(json!({ "name": "Narrow", "organization": ours.id.0, "scopes": ["yard.*"] })).await;
    let session = async |token: &str, org: OrgId| {
        answer(with_key(&server, token, Method::GET, SESSION).header("x-org-id", org.to_string())).await
    };
    let (status, seen) = session(&whole, ours.id).await;
    assert_eq!(
        (status, &seen["role"], &seen["user"]["email"]),
        (200, &json!("admin"), &json!(ada.email))
    );
    assert_eq!(session(&whole, other.id).await.1["role"], "viewer");
    // Narrowed: not even the session, and nowhere else.
    refused(&session(&narrow, ours.id).await, 403, "tenancy.permission_denied");
    refused(&session(&narrow, other.id).await, 404, "tenancy.org_not_found");
    let organizations = "/api/v1/tenancy/organizations";
    assert_eq!(
        answer(with_key(&server, &whole, Method::GET, organizations))
            .await
            .0,
        200
    );
    refused(
        &answer(with_key(&server, &narrow, Method::GET, organizations)).await,
        403,
        "auth.person_required",
    );
    let db = server.kernel().db();
    let id: Uuid = server
        .admin()
        .await
        .query_one("select id from tenancy.api_keys where name = 'Narrow'", &[])
        .await
        .unwrap()
        .get(0);
    let context = RequestContext {
        key: Some(id),
        org: OrgSelector::Default,
        ..context(&ada, ours.id, "aal1")
    };
    let resolved = db.resolve(&context).await.unwrap();
    assert_eq!(resolved.org, Some(ours.id));
    // An admin does not burn crates, whatever the token says.
    assert_eq!(
        resolved.permissions().collect::<Vec<_>>(),
        ["yard.crates.move", "yard.crates.read"]
    );
    // Somebody else's person with this token is nobody.
    let stolen = RequestContext {
        user: Some(other.owner.id),
        ..context
    };
    assert_eq!(db.resolve(&stolen).await.unwrap_err().code, "auth.key_invalid");

    // A token makes no tokens, and changes no account.
    for body in [json!({ "name": "More" }), json!({})] {
        let request = with_key(&server, &whole, Method::POST, "/api/v1/access/tokens").json(&body);
        let (status, _) = answer(request).await;
        assert!([400, 403].contains(&status));
    }
    let change = with_key(&server, &whole, Method::PUT, "/auth/v1/user")
        .json(&json!({ "password": "another password" }));
    assert_eq!(answer(change).await.0, 403);
    // Who is demoted is demoted with all tokens; who is suspended is out with them.
    execute(
        &server,
        "update tenancy.memberships set role = 'viewer' where org_id = $1 and role = 'admin'",
        &ours,
    )
    .await;
    assert_eq!(session(&whole, ours.id).await.1["role"], "viewer");
    execute(
        &server,
        "update tenancy.memberships set suspended_at = now() where org_id = $1",
        &ours,
    )
    .await;
    assert_eq!(session(&whole, ours.id).await.0, 404);
}

#[tokio::test]
async fn tokens_are_their_owners_own() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let (ada, eve) = (
        server.member(&org, Role::Viewer).await,
        server.member(&org, Role::Owner).await,
    );
    let (_, made) = ada
        .post_json("/api/v1/access/tokens", &json!({ "name": "Mine" }))
        .await;
    let secret = made["secret"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/access/tokens/{}", made["id"].as_str().unwrap());
    refused(&delete(&eve, &path).await, 404, "access.key_not_found");
    refused(
        &delete(&eve, &path.replace("tokens", "keys")).await,
        404,
        "access.key_not_found",
    );
    assert_eq!(eve.get_json("/api/v1/access/tokens").await.1, json!([]));
    assert_eq!(
        answer(with_key(&server, &secret, Method::GET, SESSION)).await.0,
        200
    );
    let (_, listed) = ada.get_json("/api/v1/access/tokens").await;
    assert!(listed[0]["revoked_at"].is_null() && !listed.to_string().contains(&secret));
    assert_eq!(delete(&ada, &path).await.0, 204);
    refused(
        &answer(with_key(&server, &secret, Method::GET, SESSION)).await,
        401,
        "auth.key_invalid",
    );
    let organizations = with_key(&server, &secret, Method::GET, "/api/v1/tenancy/organizations");
    refused(&answer(organizations).await, 401, "auth.key_invalid");
    let foreign = json!({ "name": "x", "organization": Uuid::max() });
    refused(
        &ada.post_json("/api/v1/access/tokens", &foreign).await,
        404,
        "tenancy.org_not_found",
    );
    // A ban ends tokens where no organisation is asked for, too.
    let (_, made) = ada
        .post_json("/api/v1/access/tokens", &json!({ "name": "Again" }))
        .await;
    let ban = "update auth.users set banned_until = now() + interval '1 day' where id = $1";
    server.admin().await.execute(ban, &[&ada.id]).await.unwrap();
    let request = with_key(
        &server,
        made["secret"].as_str().unwrap(),
        Method::GET,
        "/api/v1/tenancy/organizations",
    );
    refused(&answer(request).await, 401, "auth.key_invalid");
}

#[tokio::test]
async fn the_review_says_who_can_do_what_and_why() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let manager = server.member(&org, Role::Manager).await;
    let (_, made) = role(&org.owner, "=Stoker", &["yard.*"], &[]).await;
    give(&org.owner, &manager, &made["id"], false).await;
    key(&org.owner, "secret", &["yard.crates.burn"]).await;
    let token = json!({ "name": "private words", "organization": org.id.0, "scopes": ["yard.crates.burn", "yard.crates.read"] });
    manager.post_json("/api/v1/access/tokens", &token).await;

    let (status, review) = org
        .owner
        .get_json("/api/v1/access/review?permission=yard.crates.burn")
        .await;
    assert_eq!(status, 200, "{review}");
    assert!(!review.to_string().contains("private words"));
    let seen: Vec<(String, Vec<String>)> = review["principals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|principal| {
            let reasons = principal["reasons"].as_array().unwrap().iter();
            let reasons = reasons.map(|r| {
                format!(
                    "{} {}",
                    r["source"].as_str().unwrap(),
                    r["name"].as_str().unwrap()
                )
            });
            (principal["kind"].as_str().unwrap().to_owned(), reasons.collect())
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("member".to_owned(), vec!["role owner".to_owned()]),
            ("member".to_owned(), vec!["custom_role =Stoker".to_owned()]),
            ("key".to_owned(), vec!["scopes secret".to_owned()]),
            ("token".to_owned(), vec!["custom_role =Stoker".to_owned()]),
        ]
    );
    let (_, one) = org
        .owner
        .get_json(&format!("/api/v1/access/review?person={}", manager.email))
        .await;
    assert_eq!(one["total"], 2);
    let said: Vec<&str> = one["principals"][0]["reasons"][0]["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    // What the report says is what the member has.
    let has = permissions(&manager).await;
    assert!(said.iter().all(|name| has.iter().any(|own| own == name)) && said.contains(&"yard.crates.move"));

    let table = org
        .owner
        .get("/api/v1/access/review.csv?permission=yard.*")
        .send()
        .await
        .unwrap();
    assert_eq!(table.headers()["content-type"], "text/csv; charset=utf-8");
    let table = table.text().await.unwrap();
    assert!(
        table.starts_with("kind,name,email,state,permission,because_of,until"),
        "{table}"
    );
    assert!(
        table.contains("yard.crates.read,role manager; custom role =Stoker"),
        "{table}"
    );
    let bad = org
        .owner
        .get_json("/api/v1/access/review?permission=%27%3B--")
        .await;
    refused(&bad, 422, "access.pattern_invalid");
}

#[tokio::test]
async fn what_the_plan_does_not_include_is_not_made() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let least = "update tenancy.organizations set plan = 'free' where id = $1";
    execute(&server, least, &org).await;
    refused(
        &role(&org.owner, "Stoker", &["yard.*"], &[]).await,
        403,
        "tenancy.not_in_plan",
    );
    let new = json!({ "kind": "secret", "name": "x", "scopes": ["yard.crates.read"] });
    refused(
        &org.owner.post_json("/api/v1/access/keys", &new).await,
        403,
        "tenancy.not_in_plan",
    );
}

#[tokio::test]
async fn spaces_hold_people_by_name_and_by_department() {
    let server = server().await;
    let (org, other) = (
        organization(&server, "Harbour").await,
        organization(&server, "Other").await,
    );
    let (manager, viewer) = (
        server.member(&org, Role::Manager).await,
        server.member(&org, Role::Viewer).await,
    );
    let spaces = "/api/v1/access/spaces";
    let (status, made) = manager
        .post_json(spaces, &json!({ "name": " North ", "description": "Tender" }))
        .await;
    assert_eq!(status, 201, "{made}");
    let path = format!("{spaces}/{}", made["id"].as_str().unwrap());
    refused(
        &manager.post_json(spaces, &json!({ "name": "north" })).await,
        409,
        "access.space_exists",
    );
    refused(
        &viewer.post_json(spaces, &json!({ "name": "South" })).await,
        403,
        "tenancy.permission_denied",
    );
    for name in ["", " ", "a\u{0}b"] {
        refused(
            &manager.post_json(spaces, &json!({ "name": name })).await,
            422,
            "access.name_invalid",
        );
    }
    let members = json!({ "members": [viewer.id.0, viewer.id.0], "departments": [" Buying ", ""] });
    assert_eq!(put(&manager, &format!("{path}/members"), &members).await.0, 204);
    let (_, seen) = viewer.get_json(spaces).await;
    assert_eq!(
        (&seen[0]["name"], &seen[0]["mine"]),
        (&json!("North"), &json!(true))
    );
    assert_eq!(seen[0]["departments"], json!(["Buying"]));
    assert_eq!(manager.get_json(spaces).await.1[0]["mine"], false);
    let strangers = json!({ "members": [other.owner.id.0] });
    refused(
        &put(&manager, &format!("{path}/members"), &strangers).await,
        404,
        "access.member_not_found",
    );

    // Another organisation neither sees nor touches it.
    assert_eq!(other.owner.get_json(spaces).await.1, json!([]));
    for (suffix, body) in [
        ("", json!({ "name": "Theirs" })),
        ("/archived", json!({ "archived": true })),
        ("/members", json!({ "members": [] })),
    ] {
        refused(
            &put(&other.owner, &format!("{path}{suffix}"), &body).await,
            404,
            "access.space_not_found",
        );
    }
    assert_eq!(put(&manager, &path, &json!({ "name": "Far North" })).await.0, 204);
    assert_eq!(
        put(
            &manager,
            &format!("{path}/archived"),
            &json!({ "archived": true })
        )
        .await
        .0,
        204
    );
    assert_eq!(
        manager.post_json(spaces, &json!({ "name": "Far north" })).await.0,
        201
    );
    let back = put(
        &manager,
        &format!("{path}/archived"),
        &json!({ "archived": false }),
    )
    .await;
    refused(&back, 409, "access.space_exists");
}

#[tokio::test]
async fn custom_roles_grow_with_new_versions_no_further_than_their_writer() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let admin = server.member(&org, Role::Admin).await;
    let (_, by_admin) = role(&admin, "Careful", &["yard.*"], &["yard.crates.burn"]).await;
    let (_, by_owner) = role(
        &org.owner,
        "Free",
        &["yard.*"],
        &["yard.crates.sell", "yard.crates.read"],
    )
    .await;
    assert_eq!(
        by_owner["code"], "access.pattern_invalid",
        "a permission that is not there yet is not named"
    );
    let (_, by_owner) = role(&org.owner, "Free", &["yard.*"], &["yard.crates.read"]).await;
    let (one, two) = (
        server.member(&org, Role::Viewer).await,
        server.member(&org, Role::Viewer).await,
    );
    give(&org.owner, &one, &by_admin["id"], false).await;
    give(&org.owner, &two, &by_owner["id"], false).await;
    let newer = Module::app("yard", "Yard").permissions(larger_yard::ALL);
    let _newer = server.beside(vec![newer], TestServerOptions::default()).await;
    let yard = async |user: &TestUser| {
        let mut names = permissions(user).await;
        names.retain(|name| name.starts_with("yard."));
        names.sort_unstable();
        names.dedup();
        names
    };
    assert_eq!(
        yard(&one).await,
        ["yard.crates.move", "yard.crates.read", "yard.crates.sell"]
    );
    assert_eq!(
        yard(&two).await,
        [
            "yard.crates.burn",
            "yard.crates.give",
            "yard.crates.move",
            "yard.crates.read",
            "yard.crates.sell"
        ]
    );
}

#[tokio::test]
async fn what_changed_access_stands_in_the_outbox() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let (_, made) = role(&org.owner, "Stoker", &["yard.*"], &[]).await;
    give(&org.owner, &org.owner, &made["id"], false).await;
    let (id, secret) = key(&org.owner, "secret", &["yard.crates.read"]).await;
    delete(&org.owner, &format!("/api/v1/access/keys/{id}")).await;
    delete(&org.owner, &format!("/api/v1/access/keys/{id}")).await;
    let rows = server
        .admin()
        .await
        .query(
            "select kind, payload::text from events.outbox where org_id = $1 and kind like 'access.%' order by seq",
            &[&org.id],
        )
        .await
        .unwrap();
    let kinds: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        kinds,
        [
            "access.role_created",
            "access.member_role_changed",
            "access.key_created",
            "access.key_revoked"
        ]
    );
    assert!(rows.iter().all(|row| !row.get::<_, String>(1).contains(&secret)));
}
