//! The report, and the log.

use super::*;

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

#[tokio::test]
async fn the_review_knows_programs_that_members_let_act_for_them_and_pages_as_far_as_it_goes() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let manager = server.member(&org, Role::Manager).await;
    let admin = server.admin().await;
    let now = "insert into auth.oauth_clients (id, registration_type, client_type, token_endpoint_auth_method, redirect_uris, \
               grant_types, client_name) values ($1, 'manual', 'public', 'none', '{http://localhost/x}', '{authorization_code}', $2)";
    for (id, name, scopes) in [(1_u128, "Sheets", "openid api"), (2, "Door", "openid email")] {
        let id = Uuid::from_u128(id);
        admin.execute(now, &[&id, &name]).await.unwrap();
        let consent = "insert into auth.oauth_consents (id, user_id, client_id, scopes, granted_at) values ($1, $2, $1, $3, now())";
        admin
            .execute(consent, &[&id, &manager.id, &scopes])
            .await
            .unwrap();
    }
    let review = async |query: &str| {
        org.owner
            .get_json(&format!("/api/v1/access/review?{query}"))
            .await
            .1
    };
    let programs = |review: &Value| -> Vec<String> {
        let all = review["principals"].as_array().unwrap().iter();
        all.filter(|one| one["kind"] == "program")
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = review("").await;
    assert_eq!(programs(&all), ["Sheets"]);
    assert!(!all.to_string().contains("Door"));
    assert_eq!(programs(&review("permission=yard.crates.move").await), ["Sheets"]);
    // It does not change access, whatever its person may.
    assert!(programs(&review("permission=access.spaces.manage").await).is_empty());
    assert_eq!(programs(&review("person=sheets").await), ["Sheets"]);
    // Pages.
    let more = "with made as (insert into auth.users (id, email, created_at, updated_at) \
                select gen_random_uuid(), 'p' || n || '@example.com', now(), now() from generate_series(1, 1100) n returning id) \
                insert into tenancy.memberships (org_id, user_id, role) select $1, id, 'viewer' from made";
    admin.execute(more, &[&org.id]).await.unwrap();
    let first = review("").await;
    assert_eq!(first["total"], 1103);
    let last = review("page=23").await;
    assert_eq!(last["principals"].as_array().unwrap().len(), 3);
    assert_eq!(review("page=99").await["total"], 1103);
    let table = org
        .owner
        .get("/api/v1/access/review.csv")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let people: std::collections::BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.split(',').nth(2))
        .filter(|email| email.starts_with('p') && email.ends_with("@example.com"))
        .collect();
    assert_eq!(people.len(), 1100);
    let told = "select payload ->> 'permission' from events.outbox where kind = 'access.review_exported'";
    assert_eq!(admin.query(told, &[]).await.unwrap().len(), 1);
}
