//! The console's plans, what organisations lose with them, and visits under an organisation's own rules.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_services::operator::set_operator;
use tenon_testkit::{TestServer, answer};

use crate::{
    access::{app, execute, give, key, organization, refused, role, with_key},
    operator::{enter, operator, send},
};

const PLANS: &str = "/api/v1/operator/plans";
const MEMBERS: &str = "/api/v1/tenancy/members";

#[tokio::test]
async fn plans_are_listed_made_and_written_anew_and_the_log_says_so() {
    let server = TestServer::start(vec![]).await;
    let operator = operator(&server).await;
    let org = server.organization("Harbour").await;
    let (_, plans) = operator.get_json(PLANS).await;
    let names = |plans: &Value| -> Vec<String> {
        let rows = plans.as_array().unwrap().iter();
        rows.map(|plan| plan["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&plans), ["free", "team", "business"]);
    let text = json!({ "title": "Große Häfen", "members": 2, "departments": 0, "features": ["branding"] });
    let (status, made) = send(&operator, Method::POST, PLANS, &text).await;
    assert_eq!((status, &made["name"]), (201, &json!("grosse-haefen")), "{made}");
    let again = send(&operator, Method::POST, PLANS, &text).await;
    refused(&again, 409, "operator.plan_exists");
    for bad in [
        json!({ "title": " ", "features": [] }),
        json!({ "title": "x".repeat(81), "features": [] }),
        json!({ "title": "日本", "features": [] }),
        json!({ "title": "A", "members": 0, "features": [] }),
        json!({ "title": "A", "departments": -1, "features": [] }),
        json!({ "title": "A", "members": 1_000_001, "features": [] }),
    ] {
        let answered = send(&operator, Method::POST, PLANS, &bad).await;
        refused(&answered, 422, "operator.plan_invalid");
    }
    for bad in [
        json!({ "title": "A" }),
        json!({ "title": "A", "features": ["gold"] }),
    ] {
        assert_eq!(send(&operator, Method::POST, PLANS, &bad).await.0, 400);
    }
    let path = format!("/api/v1/operator/organizations/{}", org.id);
    let wish = json!({ "plan": "grosse-haefen" });
    assert_eq!(send(&operator, Method::PATCH, &path, &wish).await.0, 204);
    let (_, settings) = org.owner.get_json("/api/v1/tenancy/organization").await;
    assert_eq!(
        (&settings["plan"]["title"], &settings["plan"]["members"]),
        (&json!("Große Häfen"), &json!(2))
    );
    let department = json!({ "name": "Yard" });
    let added = org
        .owner
        .post_json("/api/v1/tenancy/departments", &department)
        .await;
    refused(&added, 409, "tenancy.plan_limit");
    let more = json!({ "title": "Häfen", "features": ["branding", "api_keys"] });
    let written = send(&operator, Method::PUT, &format!("{PLANS}/grosse-haefen"), &more).await;
    assert_eq!(written.0, 204);
    let added = org
        .owner
        .post_json("/api/v1/tenancy/departments", &department)
        .await;
    assert_eq!(added.0, 201);
    let nowhere = send(&operator, Method::PUT, &format!("{PLANS}/gold"), &more).await;
    refused(&nowhere, 404, "operator.plan_not_found");
    let (_, plans) = operator.get_json(PLANS).await;
    assert_eq!(
        (&plans[3]["title"], &plans[3]["organizations"]),
        (&json!("Häfen"), &json!(1))
    );
    let sql = "select payload ->> 'action' from auth.audit_log_entries \
               where payload ->> 'actor_id' = $1 and payload ->> 'action' like 'operator_plan_%' order by created_at, id";
    let rows = server
        .admin()
        .await
        .query(sql, &[&operator.id.to_string()])
        .await
        .unwrap();
    let log: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        log,
        [
            "operator_plan_created",
            "operator_plan_changed",
            "operator_plan_written"
        ]
    );
}

#[tokio::test]
async fn plans_have_an_order_and_those_that_nobody_has_go() {
    let server = TestServer::start(vec![]).await;
    let operator = operator(&server).await;
    let org = server.organization("Harbour").await;
    let order = async |names: Value| {
        let request = operator
            .request(Method::PUT, PLANS)
            .json(&json!({ "names": names }));
        answer(request).await
    };
    let remove = async |name: &str| {
        let path = format!("{PLANS}/{name}");
        answer(operator.request(Method::DELETE, &path)).await
    };
    let names = async || -> Vec<String> {
        let (_, plans) = operator.get_json(PLANS).await;
        let rows = plans.as_array().unwrap().iter();
        rows.map(|plan| plan["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(order(json!(["business", "free", "team"])).await.0, 204);
    assert_eq!(names().await, ["business", "free", "team"]);
    for bad in [
        json!([]),
        json!(["business", "free"]),
        json!(["business", "free", "free"]),
        json!(["business", "free", "gold"]),
        json!(["business", "free", "team", "team"]),
    ] {
        refused(&order(bad).await, 422, "operator.plan_order_invalid");
    }
    assert_eq!(order(json!("free")).await.0, 400);
    assert_eq!(names().await, ["business", "free", "team"]);

    // New organisations get one, these have another.
    let admin = server.admin().await;
    admin
        .execute("update tenancy.organizations set plan = 'team'", &[])
        .await
        .unwrap();
    for number in 1..=6 {
        admin
            .execute(
                "insert into tenancy.organizations (id, slug, name, plan) values (gen_random_uuid(), $1, $1, 'team')",
                &[&format!("quay-{number}")],
            )
            .await
            .unwrap();
    }
    let told = remove("team").await;
    refused(&told, 409, "operator.plan_in_use");
    assert_eq!(told.1["details"], "Harbour, quay-1, quay-2, quay-3, quay-4 (+2)");
    admin
        .execute("update tenancy.organizations set plan = 'free'", &[])
        .await
        .unwrap();
    let told = remove("business").await;
    refused(&told, 409, "operator.plan_in_use");
    assert_eq!(told.1["details"], "New organisations get it.");
    assert_eq!(remove("team").await.0, 204);
    refused(&remove("team").await, 404, "operator.plan_not_found");
    assert_eq!(names().await, ["business", "free"]);
    let log = "select payload ->> 'action' from auth.audit_log_entries where payload ->> 'action' like 'operator_plan%' \
               order by created_at, id";
    let rows = admin.query(log, &[]).await.unwrap();
    let actions: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(actions, ["operator_plans_ordered", "operator_plan_removed"]);
    let stranger = answer(org.owner.request(Method::DELETE, &format!("{PLANS}/business"))).await;
    assert_eq!(stranger.0, 404);
}

#[tokio::test]
async fn what_a_lesser_plan_lacks_rests_and_comes_back() {
    let server = TestServer::start(vec![app()]).await;
    let org = organization(&server, "Harbour").await;
    let member = server.member(&org, Role::Member).await;
    let (_, secret) = key(&org.owner, "secret", &["yard.crates.read"]).await;
    let (_, made) = role(&org.owner, "Mover", &["yard.*"], &[]).await;
    assert_eq!(give(&org.owner, &member, &made["id"], false).await.0, 204);
    let rest = async || answer(with_key(&server, &secret, Method::GET, crate::access::SESSION)).await;
    assert_ne!(rest().await.1["code"], "access.key_paused");
    execute(
        &server,
        "update tenancy.organizations set plan = 'free' where id = $1",
        &org,
    )
    .await;
    refused(&rest().await, 403, "access.key_paused");
    let path = format!("/api/v1/access/roles/{}", made["id"].as_str().unwrap());
    let text = json!({ "name": "Mover", "includes": ["yard.crates.read"] });
    let written = send(&org.owner, Method::PUT, &path, &text).await;
    refused(&written, 403, "tenancy.not_in_plan");
    refused(
        &give(&org.owner, &member, &made["id"], true).await,
        403,
        "tenancy.not_in_plan",
    );
    // Taking away needs no plan.
    assert_eq!(give(&org.owner, &member, &Value::Null, false).await.0, 204);
    // A flag of the organisation's own outdoes the plan.
    let flag =
        "update tenancy.organizations set settings = '{\"flags\": {\"api_keys\": true}}' where id = $1";
    execute(&server, flag, &org).await;
    assert_ne!(rest().await.1["code"], "access.key_paused");
}

#[tokio::test]
async fn a_visit_heeds_the_organisations_rule_about_second_factors_at_once() {
    let server = TestServer::start(vec![]).await;
    let operator = operator(&server).await;
    let org = server.organization("Harbour").await;
    enter(&operator, &org).await;
    let inside = operator.in_org(org.id);
    assert_eq!(inside.get_json(MEMBERS).await.0, 200);
    let (_, session) = inside.get_json("/api/v1/tenancy/session").await;
    assert_eq!(
        (&session["standing"]["member"], &session["standing"]["operator"]),
        (&json!(false), &json!(true)),
        "{session}"
    );
    assert!(session["standing"]["visit"]["ends_at"].is_string());
    execute(
        &server,
        "update tenancy.organizations set require_second_factor = true where id = $1",
        &org,
    )
    .await;
    refused(
        &inside.get_json(MEMBERS).await,
        403,
        "tenancy.second_factor_required",
    );
}

#[tokio::test]
async fn a_program_that_an_operator_lets_act_for_them_does_not_come_along_on_a_visit() {
    let server = TestServer::start(vec![]).await;
    let operator = operator(&server).await;
    let org = server.organization("Harbour").await;
    enter(&operator, &org).await;
    let mut context = crate::access::context(&operator, org.id, "aal1");
    assert!(server.kernel().db().resolve(&context).await.is_ok());
    context.claims = json!({ "sub": operator.id.0, "role": "authenticated", "aal": "aal1", "client_id": org.id.0, "scope": "api" })
        .to_string()
        .into();
    let refused = server.kernel().db().resolve(&context).await.unwrap_err();
    assert_eq!(refused.code, "tenancy.org_not_found");
}

#[tokio::test]
async fn visits_keep_the_name_of_an_operator_whose_account_is_gone() {
    let server = TestServer::start(vec![]).await;
    let operator = operator(&server).await;
    let org = server.organization("Harbour").await;
    enter(&operator, &org).await;
    let gone = "delete from auth.users where id = $1";
    server.admin().await.execute(gone, &[&operator.id]).await.unwrap();
    let (status, seen) = org.owner.get_json("/api/v1/access/support").await;
    assert_eq!(
        (status, &seen[0]["operator"]),
        (200, &json!("operator")),
        "{seen}"
    );
    let end = format!("/api/v1/access/support/{}", seen[0]["id"].as_str().unwrap());
    assert_eq!(send(&org.owner, Method::DELETE, &end, &json!({})).await.0, 204);
}

#[tokio::test]
async fn who_becomes_an_operator_or_ceases_to_be_one_stands_in_the_log() {
    let server = TestServer::start(vec![]).await;
    let user = server.user("ada").await;
    for operates in [true, true, false] {
        set_operator(server.kernel(), user.id, operates).await.unwrap();
    }
    let sql = "select payload ->> 'action' from auth.audit_log_entries \
               where payload #>> '{traits,user_id}' = $1 and payload #>> '{traits,by}' = 'server' order by created_at, id";
    let rows = server
        .admin()
        .await
        .query(sql, &[&user.id.to_string()])
        .await
        .unwrap();
    let log: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(log, ["operator_added", "operator_removed"]);
    let gone = "update auth.users set deleted_at = now() where id = $1";
    server.admin().await.execute(gone, &[&user.id]).await.unwrap();
    let refused = set_operator(server.kernel(), user.id, true).await.unwrap_err();
    assert_eq!(refused.code, "operator.user_not_found");
}

#[tokio::test]
async fn nobody_hands_an_organisation_to_somebody_who_is_shut_out() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let heir = server.member(&org, Role::Admin).await;
    let ban = "update auth.users set banned_until = now() + interval '1 day' where id = $1";
    server.admin().await.execute(ban, &[&heir.id]).await.unwrap();
    let wish = json!({ "user_id": heir.id });
    let path = "/api/v1/tenancy/organization/transfer";
    refused(
        &org.owner.post_json(path, &wish).await,
        409,
        "tenancy.member_barred",
    );
}

const PROGRAMS: &str = "/api/v1/operator/programs";

#[tokio::test]
async fn programs_are_registered_changed_and_removed_and_the_log_says_so() {
    let server = TestServer::start(vec![]).await;
    let operator = operator(&server).await;
    let home = "https://app.example.com/callback";
    let new = json!({ "name": " Harbour ", "redirect_uris": [home], "confidential": true, "scope": "openid email" });
    let (status, made) = send(&operator, Method::POST, PROGRAMS, &new).await;
    assert_eq!(
        (status, made["secret"].as_str().map(str::len)),
        (201, Some(43)),
        "{made}"
    );
    let one = format!("{PROGRAMS}/{}", made["id"].as_str().unwrap());
    let new =
        json!({ "name": "Editor", "redirect_uris": ["com.example.editor:/back"], "confidential": false });
    let (status, public) = send(&operator, Method::POST, PROGRAMS, &new).await;
    assert_eq!((status, &public["secret"]), (201, &Value::Null), "{public}");
    let public = format!("{PROGRAMS}/{}", public["id"].as_str().unwrap());

    // The secret is told once, and is good.
    let (_, page) = operator.get_json(&format!("{PROGRAMS}?q=app.example")).await;
    assert_eq!(
        (&page["total"], &page["enabled"]),
        (&json!(1), &json!(true)),
        "{page}"
    );
    let row = &page["programs"][0];
    assert_eq!(
        (
            &row["name"],
            &row["confidential"],
            &row["self_registered"],
            &row["people"]
        ),
        (&json!("Harbour"), &json!(true), &json!(false), &json!(0))
    );
    assert!(!page.to_string().contains(made["secret"].as_str().unwrap()));
    let shown = async |secret: &Value| {
        let request = server
            .anonymous(Method::POST, "/auth/v1/oauth/introspect")
            .basic_auth(made["id"].as_str().unwrap(), secret.as_str())
            .form(&[("token", "x")]);
        answer(request).await.0
    };
    assert_eq!(shown(&made["secret"]).await, 200);
    let (status, renewed) = send(&operator, Method::POST, &format!("{one}/secret"), &json!({})).await;
    assert_eq!(status, 201, "{renewed}");
    assert_eq!(shown(&made["secret"]).await, 401);
    assert_eq!(shown(&renewed["secret"]).await, 200);
    let none = send(&operator, Method::POST, &format!("{public}/secret"), &json!({})).await;
    refused(&none, 422, "operator.program_invalid");

    let moved = json!({ "name": "Port", "redirect_uris": ["https://port.example.com/back"], "scope": "" });
    assert_eq!(send(&operator, Method::PATCH, &one, &moved).await.0, 204);
    let (_, page) = operator.get_json(&format!("{PROGRAMS}?q=port")).await;
    let row = &page["programs"][0];
    assert_eq!(
        (&row["name"], &row["redirect_uris"], &row["scope"]),
        (
            &json!("Port"),
            &json!(["https://port.example.com/back"]),
            &Value::Null
        )
    );
    for bad in [
        json!({ "name": "" }),
        json!({ "name": "x".repeat(101) }),
        json!({ "name": "a\u{202e}b" }),
        json!({ "name": "a\0b" }),
        json!({ "redirect_uris": [] }),
        json!({ "redirect_uris": ["javascript:alert(1)"] }),
        json!({ "redirect_uris": ["http://evil.example"] }),
        json!({ "redirect_uris": ["https://a.example/#x"] }),
        json!({ "redirect_uris": vec![home; 11] }),
        json!({ "uri": "javascript:alert(1)" }),
        json!({ "logo_uri": "http://a.example/logo.png" }),
        json!({ "scope": "everything" }),
    ] {
        let answered = send(&operator, Method::PATCH, &one, &bad).await;
        refused(&answered, 422, "operator.program_invalid");
        let mut new = json!({ "name": "New", "redirect_uris": [home], "confidential": true });
        new.as_object_mut()
            .unwrap()
            .extend(bad.as_object().unwrap().clone());
        let answered = send(&operator, Method::POST, PROGRAMS, &new).await;
        refused(&answered, 422, "operator.program_invalid");
    }
    for bad in [
        json!({}),
        json!({ "name": "New", "redirect_uris": home, "confidential": true }),
    ] {
        assert_eq!(send(&operator, Method::POST, PROGRAMS, &bad).await.0, 400);
    }
    assert_eq!(
        send(&operator, Method::PATCH, &one, &json!({ "secret": "x" }))
            .await
            .0,
        400
    );

    assert_eq!(send(&operator, Method::DELETE, &one, &json!({})).await.0, 204);
    for (method, path) in [
        (Method::DELETE, one.clone()),
        (Method::PATCH, one.clone()),
        (Method::POST, format!("{one}/secret")),
    ] {
        let answered = send(&operator, method, &path, &json!({})).await;
        refused(&answered, 404, "operator.program_not_found");
    }
    let sql = "select payload ->> 'action' from auth.audit_log_entries where payload ->> 'actor_id' = $1 \
               and payload ->> 'action' like 'oauth_client%' order by created_at, id";
    let rows = server
        .admin()
        .await
        .query(sql, &[&operator.id.0.to_string()])
        .await
        .unwrap();
    let log: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        log,
        [
            "oauth_client_created",
            "oauth_client_created",
            "oauth_client_secret_regenerated",
            "oauth_client_updated",
            "oauth_client_deleted"
        ]
    );
}
