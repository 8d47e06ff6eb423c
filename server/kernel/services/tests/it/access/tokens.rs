//! Personal tokens.

use super::*;

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
async fn where_a_second_factor_is_asked_for_only_tokens_made_with_two_are_good() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let (_, made) = org
        .owner
        .post_json("/api/v1/access/tokens", &json!({ "name": "t" }))
        .await;
    let token = made["secret"].as_str().unwrap().to_owned();
    let session = async || {
        answer(with_key(&server, &token, Method::GET, SESSION).header("x-org-id", org.id.to_string())).await
    };
    assert_eq!(session().await.0, 200);
    execute(
        &server,
        "update tenancy.organizations set require_second_factor = true where id = $1",
        &org,
    )
    .await;
    refused(&session().await, 403, "tenancy.second_factor_required");
    // As if it had been made in a session with two.
    let admin = server.admin().await;
    admin
        .execute("update tenancy.api_keys set aal = 'aal2'", &[])
        .await
        .unwrap();
    server.advance(SignedDuration::from_secs(6));
    assert_eq!(session().await.0, 200);
}
