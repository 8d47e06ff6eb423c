//! Settings of an organisation, its logo, its apps, its plan, and the wish to delete it.

use reqwest::{Method, header};
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{TestServer, TestUser, answer};

const SETTINGS: &str = "/api/v1/tenancy/organization";
const LOGO: &str = "/api/v1/tenancy/organization/logo";

async fn patch(user: &TestUser, changes: &Value) -> (u16, Value) {
    answer(user.request(Method::PATCH, SETTINGS).json(changes)).await
}

fn png(side: u32) -> Vec<u8> {
    let mut picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    picture.extend(side.to_be_bytes());
    picture.extend(side.to_be_bytes());
    picture.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
    picture
}

#[tokio::test]
async fn settings_are_changed_one_by_one_and_what_is_not_named_stays() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let changes = json!({ "theme_color": "#B3261E", "time_zone": "Europe/Vienna", "language": "de", "home": "/tenancy" });
    let (status, now) = patch(&org.owner, &changes).await;
    assert_eq!(status, 200, "{now}");
    assert_eq!(
        (&now["theme_color"], &now["name"]),
        (&json!("#b3261e"), &json!("Harbour"))
    );
    let (_, now) = patch(
        &org.owner,
        &json!({ "name": " Harbour Works ", "theme_color": null }),
    )
    .await;
    assert_eq!(
        (
            &now["name"],
            &now["theme_color"],
            &now["time_zone"],
            &now["language"],
            &now["home"]
        ),
        (
            &json!("Harbour Works"),
            &json!(null),
            &json!("Europe/Vienna"),
            &json!("de"),
            &json!("/tenancy")
        )
    );
    let (_, session) = org.owner.get_json("/api/v1/tenancy/session").await;
    assert_eq!(session["organization"]["time_zone"], "Europe/Vienna");
    let viewer = server.member(&org, Role::Viewer).await;
    assert_eq!(viewer.get_json(SETTINGS).await.0, 200);
    assert_eq!(patch(&viewer, &json!({ "name": "Mine" })).await.0, 403);
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused_and_nothing_changes() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let long = "x".repeat(201);
    for (changes, code) in [
        (json!({ "name": "" }), "tenancy.name_invalid"),
        (json!({ "name": long }), "tenancy.name_invalid"),
        (json!({ "slug": "" }), "tenancy.slug_invalid"),
        (json!({ "slug": "Harbour" }), "tenancy.slug_invalid"),
        (json!({ "slug": "-x" }), "tenancy.slug_invalid"),
        (json!({ "slug": "a/b" }), "tenancy.slug_invalid"),
        (json!({ "slug": "x".repeat(64) }), "tenancy.slug_invalid"),
        (
            json!({ "slug": "01890a5d-ac96-774b-bcce-b302099a8057" }),
            "tenancy.slug_invalid",
        ),
        (json!({ "theme_color": "red" }), "tenancy.color_invalid"),
        (json!({ "theme_color": "#ffe94d" }), "tenancy.color_contrast"),
        (json!({ "time_zone": "Mars/Base" }), "tenancy.time_zone_unknown"),
        (json!({ "language": "xx" }), "tenancy.language_unknown"),
        (json!({ "home": "https://evil.example" }), "tenancy.home_invalid"),
        (json!({ "home": "//evil.example" }), "tenancy.home_invalid"),
        (json!({ "home": "/nowhere" }), "tenancy.home_invalid"),
        (
            json!({ "name": "Good", "language": "xx" }),
            "tenancy.language_unknown",
        ),
    ] {
        let (status, body) = patch(&org.owner, &changes).await;
        assert_eq!((status, body["code"].as_str().unwrap()), (422, code), "{changes}");
    }
    for odd in [
        json!({ "plan": "business" }),
        json!({ "settings": {} }),
        json!({ "name": null, "x": 1 }),
        json!(1),
    ] {
        assert_eq!(patch(&org.owner, &odd).await.0, 400, "{odd}");
    }
    let (_, now) = org.owner.get_json(SETTINGS).await;
    assert_eq!(now["name"], "Harbour");
}

#[tokio::test]
async fn a_new_address_leaves_the_old_one_leading_to_the_same_organisation() {
    let server = TestServer::start(vec![]).await;
    let (ours, theirs) = (
        server.organization("Harbour").await,
        server.organization("Railyard").await,
    );
    assert_eq!(patch(&ours.owner, &json!({ "slug": "port" })).await.0, 200);
    let by_slug = |slug: &'static str| {
        ours.owner
            .get("/api/v1/tenancy/organizations")
            .header("x-unused", slug)
    };
    let (_, list) = answer(by_slug("port")).await;
    assert_eq!(
        (&list[0]["slug"], &list[0]["former_slugs"]),
        (&json!("port"), &json!(["harbour"]))
    );
    for taken in ["harbour", "port"] {
        let (status, body) = patch(&theirs.owner, &json!({ "slug": taken })).await;
        assert_eq!(
            (status, body["code"].as_str().unwrap()),
            (409, "tenancy.slug_taken"),
            "{taken}"
        );
    }
    // Nor does a new organisation get it.
    let (_, made) = theirs
        .owner
        .post_json("/api/v1/tenancy/organizations", &json!({ "name": "Harbour" }))
        .await;
    assert_eq!(made["slug"], "harbour-2");
    // Back again, and there is no old one for itself.
    assert_eq!(patch(&ours.owner, &json!({ "slug": "harbour" })).await.0, 200);
    let (_, now) = ours.owner.get_json(SETTINGS).await;
    assert_eq!(
        (&now["slug"], &now["former_slugs"]),
        (&json!("harbour"), &json!(["port"]))
    );
    assert_eq!(patch(&ours.owner, &json!({ "slug": "harbour" })).await.0, 200);
}

#[tokio::test]
async fn a_logo_is_a_small_picture_and_is_served_as_nothing_else() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let put = |user: &TestUser, bytes: Vec<u8>| {
        // What it is said to be does not count.
        user.request(Method::PUT, LOGO)
            .header(header::CONTENT_TYPE, "text/html")
            .body(bytes)
    };
    assert_eq!(answer(org.owner.get(LOGO)).await.1["code"], "tenancy.no_logo");
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
    for (bad, status) in [
        (vec![], 422),
        (svg, 422),
        (png(2000), 422),
        (vec![0; 300_000], 413),
    ] {
        assert_eq!(answer(put(&org.owner, bad)).await.0, status);
    }
    let (status, made) = answer(put(&org.owner, png(64))).await;
    assert_eq!(status, 200, "{made}");
    let response = org.owner.get(LOGO).send().await.unwrap();
    let field = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(field("content-type"), "image/png");
    assert_eq!(field("x-content-type-options"), "nosniff");
    assert!(field("content-security-policy").contains("sandbox"));
    assert!(field("cache-control").contains("private"));
    let tag = field("etag");
    assert_eq!(tag, format!("\"{}\"", made["logo"].as_str().unwrap()));
    assert_eq!(response.bytes().await.unwrap(), png(64));
    let again = org
        .owner
        .get(LOGO)
        .header(header::IF_NONE_MATCH, tag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 304);
    // Whoever belongs elsewhere does not see it.
    let other = server.organization("Other").await;
    assert_eq!(answer(other.owner.in_org(org.id).get(LOGO)).await.0, 404);
    assert_eq!(answer(server.anonymous(Method::GET, LOGO)).await.0, 401);
    let viewer = server.member(&org, Role::Viewer).await;
    assert_eq!(answer(put(&viewer, png(8))).await.0, 403);
    assert_eq!(answer(viewer.get(LOGO)).await.0, 200);
    assert_eq!(answer(org.owner.request(Method::DELETE, LOGO)).await.0, 204);
    assert_eq!(answer(org.owner.get(LOGO)).await.0, 404);
}

#[tokio::test]
async fn a_plan_limits_members_invitations_and_departments() {
    let server = TestServer::configured(vec![], |config| config.tenancy.default_plan = "free".into()).await;
    let org = server.organization("Small").await;
    let invitations = "/api/v1/tenancy/invitations";
    for _ in 0..8 {
        server.member(&org, Role::Viewer).await;
    }
    let (status, last) = org
        .owner
        .post_json(invitations, &json!({ "role": "viewer" }))
        .await;
    assert_eq!(status, 201, "{last}");
    let (status, body) = org
        .owner
        .post_json(invitations, &json!({ "role": "viewer" }))
        .await;
    assert_eq!(
        (status, body["code"].as_str().unwrap()),
        (409, "tenancy.plan_limit"),
        "{body}"
    );
    // A member who came by another way takes the place.
    server.member(&org, Role::Viewer).await;
    let late = server.user("late").await;
    let accept = format!("{invitations}/{}/accept", last["token"].as_str().unwrap());
    assert_eq!(
        late.post_json(&accept, &json!({})).await.1["code"],
        "tenancy.plan_limit"
    );
    for number in 0..6 {
        let name = json!({ "name": format!("Department {number}") });
        let (status, _) = org.owner.post_json("/api/v1/tenancy/departments", &name).await;
        assert_eq!(status, if number < 5 { 201 } else { 409 });
    }
    let (_, now) = org.owner.get_json(SETTINGS).await;
    assert_eq!(
        (&now["plan"]["members"], &now["usage"]["members"]),
        (&json!(10), &json!(10))
    );
    assert_eq!(
        (&now["usage"]["open_invitations"], &now["usage"]["departments"]),
        (&json!(1), &json!(5))
    );
    // The operator's word on a single feature counts more than the plan.
    let admin = server.admin().await;
    let sql = r#"update tenancy.organizations set settings = '{"flags": {"branding": false}}' where id = $1"#;
    admin.execute(sql, &[&org.id]).await.unwrap();
    let (status, body) = patch(&org.owner, &json!({ "theme_color": "#b3261e" })).await;
    assert_eq!(
        (status, body["code"].as_str().unwrap()),
        (403, "tenancy.not_in_plan")
    );
}

#[tokio::test]
async fn an_owner_asks_for_the_end_by_typing_the_name_and_can_take_it_back() {
    let server = TestServer::configured(vec![], |config| config.mail.mailbox = true).await;
    let org = server.organization("Harbour").await;
    let deletion = "/api/v1/tenancy/organization/deletion";
    let admin = server.member(&org, Role::Admin).await;
    assert_eq!(
        admin.post_json(deletion, &json!({ "name": "Harbour" })).await.0,
        403
    );
    let (status, body) = org.owner.post_json(deletion, &json!({ "name": "harbour" })).await;
    assert_eq!(
        (status, body["code"].as_str().unwrap()),
        (422, "tenancy.name_differs")
    );
    let (status, body) = org.owner.post_json(deletion, &json!({ "name": "Harbour" })).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        org.owner
            .post_json(deletion, &json!({ "name": "Harbour" }))
            .await
            .1["code"],
        "tenancy.deletion_pending"
    );
    let (_, session) = admin.get_json("/api/v1/tenancy/session").await;
    assert_eq!(session["organization"]["delete_after"], body["delete_after"]);
    // Its owners hear of it, nobody else.
    let sql = "select recipient from notifications.messages where kind = 'tenancy.deletion'";
    let told: Vec<String> = server
        .admin()
        .await
        .query(sql, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(told, std::slice::from_ref(&org.owner.email));
    assert_eq!(answer(admin.request(Method::DELETE, deletion)).await.0, 403);
    assert_eq!(answer(org.owner.request(Method::DELETE, deletion)).await.0, 204);
    assert_eq!(
        answer(org.owner.request(Method::DELETE, deletion)).await.1["code"],
        "tenancy.no_deletion_pending"
    );
}
