//! What a request finds at its start.

use super::*;

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
