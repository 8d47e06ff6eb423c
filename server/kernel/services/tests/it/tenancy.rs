//! Organisations, members and invitations over HTTP.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use tenon_sdk::permission::Role;
use tenon_testkit::{TestServer, answer};

#[tokio::test]
async fn a_person_founds_an_organisation_and_owns_it() {
    let server = TestServer::start(vec![]).await;
    let ada = server.user("ada").await;
    let (status, made) = ada
        .post_json(
            "/api/v1/tenancy/organizations",
            &json!({ "name": " Harbour Works " }),
        )
        .await;
    assert_eq!(
        (status, &made["slug"], &made["role"]),
        (201, &json!("harbour-works"), &json!("owner"))
    );
    let (_, again) = ada
        .post_json(
            "/api/v1/tenancy/organizations",
            &json!({ "name": "Harbour works" }),
        )
        .await;
    assert_eq!(again["slug"], "harbour-works-2");
    let (_, list) = ada.get_json("/api/v1/tenancy/organizations").await;
    assert_eq!(list.as_array().unwrap().len(), 2);

    let by_slug = ada
        .get("/api/v1/tenancy/session")
        .header("x-org-id", "harbour-works-2");
    let (status, session) = answer(by_slug).await;
    assert_eq!(
        (status, &session["organization"]["slug"]),
        (200, &json!("harbour-works-2"))
    );
    let (_, default) = ada.get_json("/api/v1/tenancy/session").await;
    assert_eq!(default["organization"]["slug"], "harbour-works");
    assert!(
        default["permissions"]
            .as_array()
            .unwrap()
            .contains(&json!("tenancy.members.invite"))
    );
}

#[tokio::test]
async fn names_that_are_none_are_refused() {
    let server = TestServer::start(vec![]).await;
    let ada = server.user("ada").await;
    for name in ["", "   ", &"x".repeat(201), "a\u{0}b"] {
        let (status, body) = ada
            .post_json("/api/v1/tenancy/organizations", &json!({ "name": name }))
            .await;
        assert_eq!(
            (status, body["code"].as_str().unwrap()),
            (422, "tenancy.name_invalid"),
            "{name:?}"
        );
    }
    let (status, _) = ada
        .post_json("/api/v1/tenancy/organizations", &json!({ "nom": 1 }))
        .await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn nobody_reaches_an_organisation_they_do_not_belong_to() {
    let server = TestServer::start(vec![]).await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let intruder = theirs.owner.in_org(ours.id);
    for path in ["/api/v1/tenancy/session", "/api/v1/tenancy/members"] {
        let (status, body) = answer(server.anonymous(Method::GET, path)).await;
        assert_eq!((status, body["code"].as_str().unwrap()), (401, "auth.required"));
        let (status, body) = intruder.get_json(path).await;
        assert_eq!(
            (status, body["code"].as_str().unwrap()),
            (404, "tenancy.org_not_found")
        );
        let hostile = server
            .anonymous(Method::GET, path)
            .bearer_auth(&theirs.owner.token)
            .header("x-org-id", "ours' or '1'='1");
        assert_eq!(answer(hostile).await.0, 404);
    }
}

#[tokio::test]
async fn an_invitation_lets_one_person_in_with_its_role() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let (status, made) = org
        .owner
        .post_json("/api/v1/tenancy/invitations", &json!({ "role": "manager" }))
        .await;
    assert_eq!(status, 201, "{made}");
    let path = format!("/api/v1/tenancy/invitations/{}", made["token"].as_str().unwrap());
    assert!(made["url"].as_str().unwrap().contains("/invite/"));

    let (status, shown) = answer(server.anonymous(Method::GET, &path)).await;
    assert_eq!((status, &shown["organization"]["name"]), (200, &json!("Harbour")));
    let bob = server.user("bob").await;
    assert_eq!(
        answer(server.anonymous(Method::POST, &format!("{path}/accept")))
            .await
            .0,
        401
    );
    let (status, joined) = bob.post_json(&format!("{path}/accept"), &json!({})).await;
    assert_eq!((status, &joined["role"]), (200, &json!("manager")));
    let (_, session) = bob.in_org(org.id).get_json("/api/v1/tenancy/session").await;
    assert_eq!(session["role"], "manager");

    let eve = server.user("eve").await;
    let (status, body) = eve.post_json(&format!("{path}/accept"), &json!({})).await;
    assert_eq!(
        (status, body["code"].as_str().unwrap()),
        (404, "tenancy.invitation_not_found")
    );
    let (_, members) = org.owner.get_json("/api/v1/tenancy/members").await;
    assert_eq!(members["total"], 2);
}

#[tokio::test]
async fn invitations_expire_and_those_with_an_address_are_for_that_address() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let (bob, eve) = (server.user("bob").await, server.user("eve").await);
    let invitation = json!({ "role": "viewer", "email": bob.email.to_uppercase() });
    let (_, made) = org
        .owner
        .post_json("/api/v1/tenancy/invitations", &invitation)
        .await;
    let accept = format!(
        "/api/v1/tenancy/invitations/{}/accept",
        made["token"].as_str().unwrap()
    );
    let (status, body) = eve.post_json(&accept, &json!({})).await;
    assert_eq!(
        (status, body["code"].as_str().unwrap()),
        (403, "tenancy.invitation_for_another")
    );
    assert_eq!(bob.post_json(&accept, &json!({})).await.0, 200);

    let (_, made) = org
        .owner
        .post_json("/api/v1/tenancy/invitations", &json!({ "role": "viewer" }))
        .await;
    server.advance(SignedDuration::from_hours(24 * 7 + 1));
    let path = format!("/api/v1/tenancy/invitations/{}", made["token"].as_str().unwrap());
    assert_eq!(answer(server.anonymous(Method::GET, &path)).await.0, 404);
}

#[tokio::test]
async fn only_those_who_may_invite_do_and_never_above_themselves() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    for role in [Role::Viewer, Role::Member, Role::Support, Role::Manager] {
        let member = server.member(&org, role).await;
        let (status, body) = member
            .post_json("/api/v1/tenancy/invitations", &json!({ "role": "viewer" }))
            .await;
        assert_eq!(
            (status, body["code"].as_str().unwrap()),
            (403, "tenancy.permission_denied"),
            "{role:?}"
        );
    }
    let admin = server.member(&org, Role::Admin).await;
    let (status, body) = admin
        .post_json("/api/v1/tenancy/invitations", &json!({ "role": "owner" }))
        .await;
    assert_eq!(
        (status, body["code"].as_str().unwrap()),
        (403, "tenancy.role_above_own")
    );
    assert_eq!(
        admin
            .post_json("/api/v1/tenancy/invitations", &json!({ "role": "admin" }))
            .await
            .0,
        201
    );
}

#[tokio::test]
async fn a_member_who_was_removed_is_out_at_once_whatever_token_they_hold() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let member = server.member(&org, Role::Admin).await;
    assert_eq!(member.get_json("/api/v1/tenancy/session").await.0, 200);
    let admin = server.admin().await;
    admin
        .execute(
            "delete from tenancy.memberships where user_id = $1",
            &[&member.id],
        )
        .await
        .unwrap();
    assert_eq!(member.get_json("/api/v1/tenancy/session").await.0, 404);
}

#[tokio::test]
async fn what_happened_stands_in_the_outbox_in_order() {
    let server = TestServer::start(vec![]).await;
    let ada = server.user("ada").await;
    let (_, made) = ada
        .post_json("/api/v1/tenancy/organizations", &json!({ "name": "Harbour" }))
        .await;
    let here = ada.get("/").build().unwrap();
    assert!(here.headers().get("x-org-id").is_none());
    ada.post_json("/api/v1/tenancy/invitations", &json!({ "role": "viewer" }))
        .await;
    let admin = server.admin().await;
    let rows = admin
        .query(
            "select seq, kind from events.outbox where org_id::text = $1 order by seq",
            &[&made["id"].as_str()],
        )
        .await
        .unwrap();
    let seen: Vec<(i64, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(
        seen,
        [
            (1, "tenancy.organization_created".into()),
            (2, "tenancy.member_invited".into())
        ]
    );
}

#[tokio::test]
async fn a_person_founds_as_many_organisations_as_they_may_and_no_more() {
    let server = TestServer::configured(vec![], |config| config.tenancy.organizations_per_person = 2).await;
    let ada = server.user("ada").await;
    let found = async |name: &str| {
        ada.post_json("/api/v1/tenancy/organizations", &json!({ "name": name }))
            .await
    };
    // A name like an id gets another one in addresses, where ids are looked for.
    let (status, made) = found("550E8400-E29B-41D4-A716-446655440000").await;
    assert_eq!(
        (status, &made["slug"]),
        (201, &json!("organisation-550e8400-e29b-41d4-a716-446655440000"))
    );
    assert_eq!(found("Harbour").await.0, 201);
    let (status, refused) = found("Third").await;
    assert_eq!(
        (status, &refused["code"]),
        (409, &json!("tenancy.too_many_organizations"))
    );
}

#[tokio::test]
async fn a_request_that_names_an_organisation_as_it_was_called_before_finds_it() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let rename = org.owner.request(Method::PATCH, "/api/v1/tenancy/organization");
    assert_eq!(answer(rename.json(&json!({ "slug": "quay" }))).await.0, 200);
    let plain = server.anonymous(Method::GET, "/api/v1/tenancy/session");
    let session = plain.bearer_auth(&org.owner.token).header("x-org-id", &org.slug);
    let (status, session) = answer(session).await;
    assert_eq!((status, &session["organization"]["slug"]), (200, &json!("quay")));
    let stranger = server.user("eve").await;
    let theirs = stranger
        .get("/api/v1/tenancy/session")
        .header("x-org-id", &org.slug);
    assert_eq!(answer(theirs).await.0, 404);
    // The newest ten are kept.
    for number in 0..12 {
        let slug = json!({ "slug": format!("quay-{number}") });
        let rename = org.owner.request(Method::PATCH, "/api/v1/tenancy/organization");
        assert_eq!(answer(rename.json(&slug)).await.0, 200);
    }
    let (_, settings) = org.owner.get_json("/api/v1/tenancy/organization").await;
    let former = settings["former_slugs"].as_array().unwrap();
    assert_eq!((former.len(), &former[0]), (10, &json!("quay-10")));
}
