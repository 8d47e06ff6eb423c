//! Invitations by mail: sent, listed, sent again, withdrawn, run out, and taken up by whom they are meant for alone.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{TestServer, TestUser, answer};

const INVITATIONS: &str = "/api/v1/tenancy/invitations";
const OPEN: &str = "/api/v1/tenancy/open-invitations";

async fn start() -> TestServer {
    TestServer::configured(vec![], |config| config.mail.mailbox = true).await
}

/// Subject and text of the mails to an address, oldest first.
async fn mails(server: &TestServer, to: &str) -> Vec<(String, String)> {
    let sql =
        "select subject, body_text from notifications.messages where recipient = $1 order by created_at, id";
    let rows = server.admin().await.query(sql, &[&to]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn token_in(text: &str) -> String {
    let (_, rest) = text.split_once("/invite/").unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

async fn accept(user: &TestUser, token: &str) -> (u16, Value) {
    user.post_json(&format!("{INVITATIONS}/{token}/accept"), &json!({}))
        .await
}

#[tokio::test]
async fn an_invitation_is_mailed_in_its_language_and_leads_to_its_role_and_department() {
    let server = start().await;
    let org = server.organization("Hafen").await;
    org.owner
        .post_json("/api/v1/tenancy/departments", &json!({ "name": "Einkauf" }))
        .await;
    let bob = server.user("bob").await;
    let wish = json!({ "role": "manager", "email": bob.email.to_uppercase(), "department": "einkauf", "language": "de" });
    let (status, made) = org.owner.post_json(INVITATIONS, &wish).await;
    assert_eq!(
        (status, &made["mailed"], &made["department"]),
        (201, &json!(true), &json!("Einkauf")),
        "{made}"
    );
    let sent = mails(&server, &bob.email).await;
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].0, "Einladung zu Hafen");
    let token = token_in(&sent[0].1);
    assert_eq!(made["token"], json!(token));
    assert_eq!(accept(&bob, &token).await.0, 200);
    let (_, list) = org.owner.get_json("/api/v1/tenancy/members?search=bob").await;
    assert_eq!(
        (&list["members"][0]["role"], &list["members"][0]["department"]),
        (&json!("manager"), &json!("Einkauf"))
    );
    assert_eq!(org.owner.get_json(OPEN).await.1, json!([]));
    let (_, again) = org.owner.post_json(INVITATIONS, &wish).await;
    assert_eq!(again["code"], "tenancy.already_member");
}

#[tokio::test]
async fn one_sent_again_has_a_new_link_and_the_old_one_is_good_for_nothing() {
    let server = start().await;
    let org = server.organization("Harbour").await;
    let bob = server.user("bob").await;
    let wish = json!({ "role": "viewer", "email": bob.email });
    let (_, made) = org.owner.post_json(INVITATIONS, &wish).await;
    assert_eq!(
        org.owner.post_json(INVITATIONS, &wish).await.1["code"],
        "tenancy.already_invited"
    );
    let resend = format!("{OPEN}/{}/resend", made["id"].as_str().unwrap());
    let (status, body) = org.owner.post_json(&resend, &json!({})).await;
    assert_eq!(
        (status, body["code"].as_str().unwrap()),
        (429, "tenancy.invitation_just_sent")
    );
    // One that has run out comes to life again.
    server.advance(SignedDuration::from_hours(24 * 8));
    let bob = signed_in_again(&server, &bob).await;
    let open = signed_in_again(&server, &org.owner).await;
    let (_, list) = open.get_json(OPEN).await;
    assert_eq!(list[0]["expired"], true);
    let (status, renewed) = open.post_json(&resend, &json!({})).await;
    assert_eq!(status, 200, "{renewed}");
    let old = made["token"].as_str().unwrap();
    assert_eq!(accept(&bob, old).await.0, 404);
    let new = renewed["token"].as_str().unwrap();
    assert_eq!(
        answer(server.anonymous(Method::GET, &format!("{INVITATIONS}/{new}")))
            .await
            .0,
        200
    );
    assert_eq!(open.get_json(OPEN).await.1[0]["expired"], false);
}

/// The clock was put forward, and tokens have run out.
async fn signed_in_again(server: &TestServer, user: &TestUser) -> TestUser {
    let body = json!({ "email": user.email, "password": tenon_testkit::PASSWORD });
    let (_, session) = answer(
        server
            .anonymous(Method::POST, "/auth/v1/token?grant_type=password")
            .json(&body),
    )
    .await;
    let mut user = user.clone();
    session["access_token"]
        .as_str()
        .unwrap()
        .clone_into(&mut user.token);
    user
}

#[tokio::test]
async fn one_that_was_withdrawn_or_used_is_good_for_nobody() {
    let server = start().await;
    let org = server.organization("Harbour").await;
    let (bob, eve) = (server.user("bob").await, server.user("eve").await);
    let (_, made) = org
        .owner
        .post_json(INVITATIONS, &json!({ "role": "viewer", "email": bob.email }))
        .await;
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    let one = format!("{OPEN}/{id}");
    let other = server.organization("Other").await;
    for (method, path) in [
        (Method::DELETE, one.clone()),
        (Method::POST, format!("{one}/resend")),
    ] {
        let (status, body) = answer(other.owner.request(method.clone(), &path)).await;
        assert_eq!(
            (status, body["code"].as_str().unwrap()),
            (404, "tenancy.invitation_not_found"),
            "{method}"
        );
        assert_eq!(
            answer(other.owner.in_org(org.id).request(method.clone(), &path))
                .await
                .0,
            404
        );
        assert_eq!(answer(server.anonymous(method, &path)).await.0, 401);
    }
    assert_eq!(
        accept(&eve, token).await.1["code"],
        "tenancy.invitation_for_another"
    );
    assert_eq!(answer(org.owner.request(Method::DELETE, &one)).await.0, 204);
    assert_eq!(accept(&bob, token).await.0, 404);
    assert_eq!(answer(org.owner.request(Method::DELETE, &one)).await.0, 404);

    server.advance(SignedDuration::from_secs(61));
    let (_, made) = org
        .owner
        .post_json(INVITATIONS, &json!({ "role": "viewer", "email": bob.email }))
        .await;
    let token = made["token"].as_str().unwrap();
    // Twice at once is once.
    let (one, two) = tokio::join!(accept(&bob, token), accept(&bob, token));
    let mut statuses = [one.0, two.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404]);
    assert_eq!(accept(&eve, token).await.0, 404);
    let used = format!("{OPEN}/{}/resend", made["id"].as_str().unwrap());
    assert_eq!(org.owner.post_json(&used, &json!({})).await.0, 404);
}

#[tokio::test]
async fn an_address_nobody_has_shown_to_be_theirs_accepts_nothing() {
    let server = start().await;
    let org = server.organization("Harbour").await;
    let bob = server.user("bob").await;
    let (_, made) = org
        .owner
        .post_json(INVITATIONS, &json!({ "role": "admin", "email": bob.email }))
        .await;
    let admin = server.admin().await;
    let sql = "update auth.users set email_confirmed_at = null where id = $1";
    admin.execute(sql, &[&bob.id]).await.unwrap();
    let (status, body) = accept(&bob, made["token"].as_str().unwrap()).await;
    assert_eq!(
        (status, body["code"].as_str().unwrap()),
        (403, "tenancy.invitation_for_another")
    );
}

#[tokio::test]
async fn somebody_suspended_does_not_come_back_by_an_invitation() {
    let server = start().await;
    let org = server.organization("Harbour").await;
    let member = server.member(&org, Role::Viewer).await;
    let (_, made) = org
        .owner
        .post_json(INVITATIONS, &json!({ "role": "admin" }))
        .await;
    let path = format!("/api/v1/tenancy/members/{}/suspend", member.id);
    assert_eq!(answer(org.owner.request(Method::POST, &path)).await.0, 204);
    let (status, body) = accept(&member, made["token"].as_str().unwrap()).await;
    assert_eq!(
        (status, body["code"].as_str().unwrap()),
        (403, "tenancy.member_suspended")
    );
    // And one who is a member keeps their role.
    let viewer = server.member(&org, Role::Viewer).await;
    let (status, joined) = accept(&viewer, made["token"].as_str().unwrap()).await;
    assert_eq!((status, &joined["role"]), (200, &json!("viewer")));
}

#[tokio::test]
async fn who_may_not_invite_neither_sees_nor_changes_invitations() {
    let server = start().await;
    let org = server.organization("Harbour").await;
    let manager = server.member(&org, Role::Manager).await;
    let admin = server.member(&org, Role::Admin).await;
    let (_, made) = org
        .owner
        .post_json(INVITATIONS, &json!({ "role": "owner" }))
        .await;
    let one = format!("{OPEN}/{}", made["id"].as_str().unwrap());
    assert_eq!(manager.get_json(OPEN).await.0, 403);
    assert_eq!(answer(manager.request(Method::DELETE, &one)).await.0, 403);
    assert_eq!(
        answer(manager.request(Method::POST, &format!("{one}/resend")))
            .await
            .0,
        403
    );
    // An admin would get a link to a role above their own.
    let (status, body) = admin.post_json(&format!("{one}/resend"), &json!({})).await;
    assert_eq!(
        (status, body["code"].as_str().unwrap()),
        (403, "tenancy.role_above_own")
    );
}

#[tokio::test]
async fn nobody_is_flooded_with_mail_by_invitations() {
    let server = TestServer::configured(vec![], |config| {
        config.mail.mailbox = true;
        config.tenancy.invitation_mails = 5;
    })
    .await;
    let org = server.organization("Harbour").await;
    let invite = async |email: &str| {
        let wish = json!({ "role": "viewer", "email": email });
        org.owner.post_json(INVITATIONS, &wish).await
    };
    let (_, made) = invite("victim@example.com").await;
    // Withdrawn and made anew, it is no other address.
    let one = format!("{OPEN}/{}", made["id"].as_str().unwrap());
    assert_eq!(answer(org.owner.request(Method::DELETE, &one)).await.0, 204);
    let (status, refused) = invite("victim@example.com").await;
    assert_eq!(
        (status, &refused["code"]),
        (429, &json!("tenancy.invitation_just_sent"))
    );
    assert_eq!(mails(&server, "victim@example.com").await.len(), 1);
    for number in 0..4 {
        assert_eq!(invite(&format!("p{number}@example.com")).await.0, 201);
    }
    // So much for this hour, in another organisation of theirs, too; links without a mail are made still.
    let (status, refused) = invite("last@example.com").await;
    assert_eq!(
        (status, &refused["code"]),
        (429, &json!("tenancy.too_many_mails"))
    );
    let new = json!({ "name": "Second" });
    let (_, second) = org.owner.post_json("/api/v1/tenancy/organizations", &new).await;
    let second = second["id"].as_str().unwrap().parse().unwrap();
    let there = org.owner.in_org(tenon_sdk::OrgId(second));
    let wish = json!({ "role": "viewer", "email": "last@example.com" });
    assert_eq!(there.post_json(INVITATIONS, &wish).await.0, 429);
    let link = org
        .owner
        .post_json(INVITATIONS, &json!({ "role": "viewer" }))
        .await;
    assert_eq!(link.0, 201);
    server.advance(SignedDuration::from_mins(50));
    assert_eq!(invite("last@example.com").await.0, 429);
    server.advance(SignedDuration::from_mins(11));
    let again = signed_in_again(&server, &org.owner).await;
    let (status, _) = again.post_json(INVITATIONS, &wish).await;
    assert_eq!(status, 201);
}
