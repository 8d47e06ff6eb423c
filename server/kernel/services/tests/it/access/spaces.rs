//! Spaces.

use super::*;

async fn department(org: &TestOrg, name: &str) -> String {
    let new = json!({ "name": name });
    let (status, made) = org.owner.post_json("/api/v1/tenancy/departments", &new).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

/// Whether policies find somebody in a space.
async fn is_in(server: &TestServer, user: &TestUser, org: &TestOrg, space: Uuid) -> bool {
    let context = context(user, org.id, "aal1");
    let tx = tenon_sdk::db::RequestTx::begin(server.kernel().db(), &context)
        .await
        .unwrap();
    let rows = tx.query("select tenancy.in_space($1)", &[&space]).await.unwrap();
    tx.roll_back().await.unwrap();
    rows[0].get::<_, Option<bool>>(0).unwrap_or_default()
}

#[tokio::test]
async fn a_space_walls_in_whoever_is_in_it_by_name_or_by_department() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let (named, buyer, outside) = (
        server.member(&org, Role::Viewer).await,
        server.member(&org, Role::Viewer).await,
        server.member(&org, Role::Admin).await,
    );
    let buying = department(&org, "Buying").await;
    let spaces = "/api/v1/access/spaces";
    let (_, made) = org.owner.post_json(spaces, &json!({ "name": "North" })).await;
    let (_, other) = org.owner.post_json(spaces, &json!({ "name": "South" })).await;
    let id = |made: &Value| Uuid::try_parse(made["id"].as_str().unwrap()).unwrap();
    let (north, south) = (id(&made), id(&other));
    let members = json!({ "members": [named.id.0], "departments": ["Buying"] });
    assert_eq!(
        put(&org.owner, &format!("{spaces}/{north}/members"), &members)
            .await
            .0,
        204
    );
    let seen = async || {
        let mut seen = Vec::new();
        for user in [&named, &buyer, &outside] {
            assert!(!is_in(&server, user, &org, south).await);
            seen.push(is_in(&server, user, &org, north).await);
        }
        seen
    };
    assert_eq!(seen().await, [true, false, false]);
    let path = format!("/api/v1/tenancy/members/{}", buyer.id);
    let join = answer(
        org.owner
            .request(Method::PATCH, &path)
            .json(&json!({ "department": "Buying" })),
    );
    assert_eq!(join.await.0, 204);
    assert_eq!(seen().await, [true, true, false]);
    let (_, session) = buyer.get_json(SESSION).await;
    assert_eq!(session["spaces"], json!([north]));
    assert_eq!(outside.get_json(SESSION).await.1["spaces"], json!([]));
    // A department takes its spaces along under a new name, and leaves them when it goes.
    let department = format!("/api/v1/tenancy/departments/{buying}");
    let rename = answer(
        org.owner
            .request(Method::PATCH, &department)
            .json(&json!({ "name": "Supply" })),
    );
    assert_eq!(rename.await.0, 204);
    assert_eq!(seen().await, [true, true, false]);
    let (_, listed) = org.owner.get_json(spaces).await;
    assert_eq!(listed[0]["departments"], json!(["Supply"]));
    assert_eq!(delete(&org.owner, &department).await.0, 204);
    assert_eq!(seen().await, [true, false, false]);
    assert_eq!(org.owner.get_json(spaces).await.1[0]["departments"], json!([]));
    // Whoever is gone is in nothing, and stays out when they come back.
    assert_eq!(
        delete(&org.owner, &format!("/api/v1/tenancy/members/{}", named.id))
            .await
            .0,
        204
    );
    tenon_services::tenancy::add_member(server.kernel(), org.id, named.id, Role::Viewer)
        .await
        .unwrap();
    assert_eq!(seen().await, [false, false, false]);
    // The server itself is everywhere.
    let job = tenon_sdk::Ctx::for_job(server.kernel().clone(), org.id, None);
    let tx = job.begin().await.unwrap();
    let all = tx
        .query_one("select tenancy.in_space($1)", &[&south])
        .await
        .unwrap();
    assert!(all.get::<_, bool>(0));
    tx.rollback().await.unwrap();
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
    let members = json!({ "members": [viewer.id.0, viewer.id.0], "departments": [" buying ", ""] });
    refused(
        &put(&manager, &format!("{path}/members"), &members).await,
        422,
        "tenancy.department_unknown",
    );
    department(&org, "Buying").await;
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
