//! Roles of an organisation's own, and that nobody gives themselves more.

use super::*;

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
