//! Members of an organisation: roles, departments, suspension, removal, leaving, handing over.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{TestOrg, TestServer, TestUser, answer};

const MEMBERS: &str = "/api/v1/tenancy/members";

async fn call(user: &TestUser, method: Method, path: &str, body: &Value) -> (u16, String) {
    let (status, answer) = answer(user.request(method, path).json(body)).await;
    (status, answer["code"].as_str().unwrap_or_default().to_owned())
}

fn path(of: &TestUser, verb: &str) -> String {
    format!("{MEMBERS}/{}{verb}", of.id)
}

async fn change(by: &TestUser, of: &TestUser, changes: &Value) -> (u16, String) {
    call(by, Method::PATCH, &path(of, ""), changes).await
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn role_of(server: &TestServer, org: &TestOrg, user: &TestUser) -> Option<String> {
    let sql = "select role from tenancy.memberships where org_id = $1 and user_id = $2";
    let admin = server.admin().await;
    admin
        .query_opt(sql, &[&org.id, &user.id])
        .await
        .unwrap()
        .map(|row| row.get(0))
}

#[tokio::test]
async fn nobody_raises_themselves_or_others_above_their_own_role_nor_touches_those_above() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let admin = server.member(&org, Role::Admin).await;
    let other_admin = server.member(&org, Role::Admin).await;
    let member = server.member(&org, Role::Member).await;
    for role in ["viewer", "member", "support", "manager", "admin", "owner"] {
        let wish = json!({ "role": role });
        assert_eq!(
            change(&member, &member, &wish).await.0,
            403,
            "a member themselves: {role}"
        );
        assert_eq!(
            change(&member, &admin, &wish).await.0,
            403,
            "a member an admin: {role}"
        );
        assert_eq!(
            change(&admin, &org.owner, &wish).await,
            is(403, "tenancy.member_above_own"),
            "an admin the owner: {role}"
        );
    }
    let above = is(403, "tenancy.role_above_own");
    assert_eq!(change(&admin, &admin, &json!({ "role": "owner" })).await, above);
    assert_eq!(change(&admin, &member, &json!({ "role": "owner" })).await, above);
    for verb in ["/suspend", "/reinstate"] {
        let (status, _) = call(&admin, Method::POST, &path(&org.owner, verb), &json!({})).await;
        assert_eq!(status, 403, "{verb}");
    }
    assert_eq!(
        call(&admin, Method::DELETE, &path(&org.owner, ""), &json!({})).await,
        is(403, "tenancy.member_above_own")
    );
    // What is not above is allowed, and counts at once.
    assert_eq!(
        change(&admin, &member, &json!({ "role": "manager" })).await.0,
        204
    );
    assert_eq!(
        change(&admin, &other_admin, &json!({ "role": "viewer" })).await.0,
        204
    );
    let (_, session) = other_admin.get_json("/api/v1/tenancy/session").await;
    assert_eq!(session["role"], "viewer");
    assert_eq!(
        change(&other_admin, &member, &json!({ "role": "viewer" }))
            .await
            .0,
        403
    );
    assert_eq!(role_of(&server, &org, &org.owner).await.as_deref(), Some("owner"));
    for odd in [
        json!({ "role": "god" }),
        json!({ "rolle": "admin" }),
        json!("admin"),
        json!({ "role": 1 }),
    ] {
        assert_eq!(change(&org.owner, &member, &odd).await.0, 400, "{odd}");
    }
}

#[tokio::test]
async fn the_last_owner_keeps_the_role_whichever_way_it_might_go() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let last = is(409, "tenancy.last_owner");
    assert_eq!(
        change(&org.owner, &org.owner, &json!({ "role": "admin" })).await,
        last
    );
    let leave = "/api/v1/tenancy/organization/leave";
    assert_eq!(call(&org.owner, Method::POST, leave, &json!({})).await, last);
    for (method, verb) in [(Method::POST, "/suspend"), (Method::DELETE, "")] {
        assert_eq!(
            call(&org.owner, method, &path(&org.owner, verb), &json!({})).await,
            is(409, "tenancy.not_oneself")
        );
    }
    // A suspended owner does not count.
    let second = server.member(&org, Role::Owner).await;
    assert_eq!(
        call(&org.owner, Method::POST, &path(&second, "/suspend"), &json!({}))
            .await
            .0,
        204
    );
    assert_eq!(call(&org.owner, Method::POST, leave, &json!({})).await, last);
    assert_eq!(
        call(&org.owner, Method::POST, &path(&second, "/reinstate"), &json!({}))
            .await
            .0,
        204
    );
    assert_eq!(call(&org.owner, Method::POST, leave, &json!({})).await.0, 204);
    assert_eq!(role_of(&server, &org, &org.owner).await, None);
    assert_eq!(org.owner.get_json("/api/v1/tenancy/session").await.0, 404);
}

#[tokio::test]
async fn of_two_owners_who_leave_or_demote_each_other_at_once_one_stays() {
    let server = TestServer::start(vec![]).await;
    for round in 0..6 {
        let org = server.organization("Harbour").await;
        let second = server.member(&org, Role::Owner).await;
        let leave = "/api/v1/tenancy/organization/leave";
        let nothing = json!({});
        let ((one, _), (two, _)) = if round % 2 == 0 {
            tokio::join!(
                call(&org.owner, Method::POST, leave, &nothing),
                call(&second, Method::POST, leave, &nothing)
            )
        } else {
            let wish = json!({ "role": "viewer" });
            tokio::join!(
                change(&org.owner, &second, &wish),
                change(&second, &org.owner, &wish)
            )
        };
        // The one that comes second finds no other owner, or no longer is one.
        assert!(one == 204 || two == 204, "{one} {two}");
        assert!(one != two, "{one} {two}");
        let sql = "select count(*) from tenancy.memberships where org_id = $1 and role = 'owner'";
        let owners: i64 = server
            .admin()
            .await
            .query_one(sql, &[&org.id])
            .await
            .unwrap()
            .get(0);
        assert_eq!(owners, 1);
    }
}

#[tokio::test]
async fn who_is_suspended_or_removed_takes_back_the_invitations_they_made() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    for (method, verb) in [(Method::POST, "/suspend"), (Method::DELETE, "")] {
        let admin = server.member(&org, Role::Admin).await;
        let invitations = "/api/v1/tenancy/invitations";
        let (_, made) = admin.post_json(invitations, &json!({ "role": "admin" })).await;
        let (status, _) = call(&org.owner, method, &path(&admin, verb), &json!({})).await;
        assert_eq!(status, 204);
        assert_eq!(admin.get_json("/api/v1/tenancy/session").await.0, 404, "{verb}");
        let accept = format!("{invitations}/{}/accept", made["token"].as_str().unwrap());
        assert_eq!(admin.post_json(&accept, &json!({})).await.0, 404, "{verb}");
        let (_, list) = answer(
            server
                .anonymous(Method::GET, "/api/v1/tenancy/organizations")
                .bearer_auth(&admin.token),
        )
        .await;
        assert_eq!(list, json!([]), "{verb}");
    }
    // Whoever may still invite keeps what they may still give.
    let admin = server.member(&org, Role::Owner).await;
    for role in ["owner", "admin", "viewer"] {
        admin
            .post_json("/api/v1/tenancy/invitations", &json!({ "role": role }))
            .await;
    }
    assert_eq!(
        change(&org.owner, &admin, &json!({ "role": "admin" })).await.0,
        204
    );
    let (_, open) = org.owner.get_json("/api/v1/tenancy/open-invitations").await;
    let roles: Vec<_> = open
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["role"].clone())
        .collect();
    assert_eq!(roles, ["viewer", "admin"]);
}

#[tokio::test]
async fn an_owner_hands_over_to_a_member_and_only_to_one() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let heir = server.member(&org, Role::Viewer).await;
    let admin = server.member(&org, Role::Admin).await;
    let stranger = server.user("stranger").await;
    let transfer = "/api/v1/tenancy/organization/transfer";
    let to = |user: &TestUser| json!({ "user_id": user.id });
    assert_eq!(call(&admin, Method::POST, transfer, &to(&admin)).await.0, 403);
    assert_eq!(
        call(&org.owner, Method::POST, transfer, &to(&stranger)).await,
        is(404, "tenancy.member_not_found")
    );
    assert_eq!(
        call(&org.owner, Method::POST, transfer, &to(&org.owner)).await,
        is(409, "tenancy.not_oneself")
    );
    call(&org.owner, Method::POST, &path(&heir, "/suspend"), &json!({})).await;
    assert_eq!(
        call(&org.owner, Method::POST, transfer, &to(&heir)).await,
        is(409, "tenancy.member_suspended")
    );
    call(&org.owner, Method::POST, &path(&heir, "/reinstate"), &json!({})).await;
    assert_eq!(call(&org.owner, Method::POST, transfer, &to(&heir)).await.0, 204);
    assert_eq!(role_of(&server, &org, &heir).await.as_deref(), Some("owner"));
    assert_eq!(role_of(&server, &org, &org.owner).await.as_deref(), Some("admin"));
    assert_eq!(call(&org.owner, Method::POST, transfer, &to(&admin)).await.0, 403);
}

#[tokio::test]
async fn members_are_found_by_parts_of_their_name_and_shown_in_pages() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    for _ in 0..3 {
        server.member(&org, Role::Viewer).await;
    }
    server.member(&org, Role::Manager).await;
    let list = |query: &'static str| org.owner.get_json(query);
    let (_, all) = list("/api/v1/tenancy/members").await;
    assert_eq!(
        (&all["total"], all["members"].as_array().unwrap().len()),
        (&json!(5), 5)
    );
    let (_, page) = list("/api/v1/tenancy/members?limit=2&offset=4").await;
    assert_eq!(
        (&page["total"], page["members"].as_array().unwrap().len()),
        (&json!(5), 1)
    );
    let (_, beyond) = list("/api/v1/tenancy/members?limit=2&offset=40").await;
    assert_eq!((&beyond["total"], &beyond["members"]), (&json!(5), &json!([])));
    let (_, found) = list("/api/v1/tenancy/members?search=%20VIEW").await;
    assert_eq!(found["total"], 3);
    let (_, found) = list("/api/v1/tenancy/members?role=manager").await;
    assert_eq!(found["total"], 1);
    for none in ["search=%25", "search=_", "search='%20or%20true", "department=x"] {
        let (status, found) = org.owner.get_json(&format!("{MEMBERS}?{none}")).await;
        assert_eq!((status, &found["total"]), (200, &json!(0)), "{none}");
    }
    for bad in ["limit=x", "offset=99999999999999999999", "role=god", "search=%00"] {
        let (status, _) = org.owner.get_json(&format!("{MEMBERS}?{bad}")).await;
        assert_eq!(status, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_department_takes_its_members_with_it_to_a_new_name_and_leaves_them_when_it_goes() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let other = server.organization("Other").await;
    let member = server.member(&org, Role::Member).await;
    let departments = "/api/v1/tenancy/departments";
    let (status, made) = org
        .owner
        .post_json(departments, &json!({ "name": " Purchasing " }))
        .await;
    assert_eq!((status, &made["name"]), (201, &json!("Purchasing")));
    let one = format!("{departments}/{}", made["id"].as_str().unwrap());
    assert_eq!(
        call(
            &org.owner,
            Method::POST,
            departments,
            &json!({ "name": "PURCHASING" })
        )
        .await,
        is(409, "tenancy.department_exists")
    );
    for bad in ["", "  ", "a\u{0}b", &"x".repeat(81)] {
        assert_eq!(
            call(&org.owner, Method::POST, departments, &json!({ "name": bad })).await,
            is(422, "tenancy.department_invalid")
        );
    }
    assert_eq!(
        change(&org.owner, &member, &json!({ "department": "Sales" })).await,
        is(422, "tenancy.department_unknown")
    );
    assert_eq!(
        change(&org.owner, &member, &json!({ "department": "purchasing" }))
            .await
            .0,
        204
    );
    assert_eq!(
        call(&org.owner, Method::PATCH, &one, &json!({ "name": "Supply" }))
            .await
            .0,
        204
    );
    let (_, list) = org
        .owner
        .get_json("/api/v1/tenancy/members?department=Supply")
        .await;
    assert_eq!(list["total"], 1);
    // Another organisation's department is none.
    for method in [Method::PATCH, Method::DELETE] {
        assert_eq!(
            call(&other.owner, method, &one, &json!({ "name": "Mine" })).await,
            is(404, "tenancy.department_not_found")
        );
    }
    assert_eq!(call(&member, Method::DELETE, &one, &json!({})).await.0, 403);
    assert_eq!(call(&org.owner, Method::DELETE, &one, &json!({})).await.0, 204);
    let (_, list) = org.owner.get_json(MEMBERS).await;
    assert!(
        list["members"]
            .as_array()
            .unwrap()
            .iter()
            .all(|member| member["department"].is_null())
    );
    assert_eq!(list["total"], 2);
}

#[tokio::test]
async fn members_of_another_organisation_are_out_of_reach() {
    let server = TestServer::start(vec![]).await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let member = server.member(&ours, Role::Viewer).await;
    let calls = [
        (Method::PATCH, "", json!({ "role": "viewer" })),
        (Method::DELETE, "", json!({})),
        (Method::POST, "/suspend", json!({})),
        (Method::POST, "/reinstate", json!({})),
    ];
    for (method, verb, body) in calls {
        let target = path(&member, verb);
        assert_eq!(
            call(&theirs.owner, method.clone(), &target, &body).await,
            is(404, "tenancy.member_not_found"),
            "{method} {verb}"
        );
        assert_eq!(
            call(&theirs.owner.in_org(ours.id), method.clone(), &target, &body).await,
            is(404, "tenancy.org_not_found"),
            "{method} {verb}"
        );
        let nobody = answer(server.anonymous(method, &target).json(&body)).await;
        assert_eq!(nobody.0, 401);
    }
    assert_eq!(role_of(&server, &ours, &member).await.as_deref(), Some("viewer"));
}

#[tokio::test]
async fn a_change_of_members_that_breaks_off_leaves_nothing_behind() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let heir = server.member(&org, Role::Viewer).await;
    let admin = server.admin().await;
    // The last step of every change, its event, fails.
    admin
        .batch_execute(
            "create function public.fail() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$; \
             create trigger fail before insert on events.outbox for each row execute function public.fail()",
        )
        .await
        .unwrap();
    let transfer = "/api/v1/tenancy/organization/transfer";
    let (status, _) = call(&org.owner, Method::POST, transfer, &json!({ "user_id": heir.id })).await;
    assert!(status >= 400, "{status}");
    for (method, target) in [
        (Method::DELETE, path(&heir, "")),
        (Method::POST, path(&heir, "/suspend")),
    ] {
        assert!(call(&org.owner, method, &target, &json!({})).await.0 >= 400);
    }
    assert!(change(&org.owner, &heir, &json!({ "role": "admin" })).await.0 >= 400);
    assert_eq!(role_of(&server, &org, &heir).await.as_deref(), Some("viewer"));
    assert_eq!(role_of(&server, &org, &org.owner).await.as_deref(), Some("owner"));
    assert_eq!(heir.get_json("/api/v1/tenancy/session").await.0, 200);
}
