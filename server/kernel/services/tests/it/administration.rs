//! People's accounts through a service key, as `supabase.auth.admin` does it.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{PASSWORD, SERVICE_KEY, TestServer, answer};

async fn call(server: &TestServer, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = server
        .anonymous(method, &format!("/auth/v1{path}"))
        .header("x-supabase-api-version", "2024-01-01")
        .bearer_auth(SERVICE_KEY)
        .json(&body);
    answer(request).await
}

async fn sign_in(server: &TestServer, email: &str, password: &str) -> (u16, Value) {
    let body = json!({ "email": email, "password": password });
    let request = server
        .anonymous(Method::POST, "/auth/v1/token?grant_type=password")
        .json(&body);
    answer(request).await
}

async fn create(server: &TestServer, email: &str) -> Value {
    let body = json!({ "email": email, "password": PASSWORD, "email_confirm": true });
    let (status, user) = call(server, Method::POST, "/admin/users", body).await;
    assert_eq!(status, 200, "{user}");
    user
}

fn path(user: &Value) -> String {
    format!("/admin/users/{}", user["id"].as_str().unwrap())
}

#[tokio::test]
async fn an_account_is_made_changed_and_deleted() {
    let server = TestServer::start(vec![]).await;
    let body = json!({
        "email": "Ada@Example.com", "password": PASSWORD, "email_confirm": true, "phone": "+49301234567",
        "user_metadata": { "name": "Ada" }, "app_metadata": { "tier": "gold" },
    });
    let (status, user) = call(&server, Method::POST, "/admin/users", body).await;
    assert_eq!(status, 200, "{user}");
    assert_eq!(user["email"], "ada@example.com");
    assert_eq!(user["phone"], "49301234567");
    assert!(user["email_confirmed_at"].is_string() && user["phone_confirmed_at"].is_null());
    assert_eq!(
        user["app_metadata"],
        json!({ "provider": "email", "providers": ["email", "phone"], "tier": "gold" })
    );
    assert_eq!(user["identities"].as_array().unwrap().len(), 2);
    assert_eq!(sign_in(&server, "ada@example.com", PASSWORD).await.0, 200);

    let changes = json!({
        "email": "countess@example.com", "password": "another good password",
        "user_metadata": { "name": null, "title": "Countess" }, "ban_duration": "none",
    });
    let (status, user) = call(&server, Method::PUT, &path(&user), changes).await;
    assert_eq!(
        (status, &user["user_metadata"]),
        (200, &json!({ "title": "Countess" }))
    );
    assert_eq!(
        user["identities"][0]["identity_data"]["email"],
        "countess@example.com"
    );
    assert_eq!(sign_in(&server, "ada@example.com", PASSWORD).await.0, 400);
    assert_eq!(
        sign_in(&server, "countess@example.com", "another good password")
            .await
            .0,
        200
    );

    let (_, banned) = call(
        &server,
        Method::PUT,
        &path(&user),
        json!({ "ban_duration": "24h" }),
    )
    .await;
    assert!(banned["banned_until"].is_string());
    assert_eq!(
        sign_in(&server, "countess@example.com", "another good password")
            .await
            .0,
        403
    );
    assert_eq!(
        call(&server, Method::DELETE, &path(&user), json!({})).await.0,
        200
    );
    let (status, fault) = call(&server, Method::GET, &path(&user), Value::Null).await;
    assert_eq!((status, &fault["code"]), (404, &json!("user_not_found")));
}

#[tokio::test]
async fn an_account_can_bring_its_hash_along() {
    let server = TestServer::start(vec![]).await;
    // Of the word "password", by bcrypt at cost 4.
    let hash = bcrypt::hash("password of old", 4).unwrap();
    let body = json!({ "email": "ada@example.com", "password_hash": hash, "email_confirm": true });
    assert_eq!(call(&server, Method::POST, "/admin/users", body).await.0, 200);
    assert_eq!(
        sign_in(&server, "ada@example.com", "password of old").await.0,
        200
    );
    assert_eq!(
        sign_in(&server, "ada@example.com", "another password").await.0,
        400
    );
    let body = json!({ "email": "bob@example.com", "password_hash": "plain text" });
    let (status, fault) = call(&server, Method::POST, "/admin/users", body).await;
    assert_eq!((status, &fault["code"]), (400, &json!("validation_failed")));
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_code_that_clients_know() {
    let server = TestServer::start(vec![]).await;
    create(&server, "ada@example.com").await;
    let bob = create(&server, "bob@example.com").await;
    for (body, status, code) in [
        (json!({}), 400, "validation_failed"),
        (json!({ "email": "no address" }), 400, "email_address_invalid"),
        (json!({ "email": "ada@example.com" }), 422, "email_exists"),
        (
            json!({ "email": "c@example.com", "password": "short" }),
            422,
            "weak_password",
        ),
        (
            json!({ "email": "c@example.com", "phone": "call me" }),
            400,
            "validation_failed",
        ),
        (
            json!({ "email": "c@example.com", "role": "service_role" }),
            400,
            "validation_failed",
        ),
        (
            json!({ "email": "c@example.com", "ban_duration": "for ever" }),
            400,
            "validation_failed",
        ),
        (
            json!({ "email": "c@example.com", "id": bob["id"] }),
            422,
            "user_already_exists",
        ),
        (
            json!({ "email": "c@example.com", "user_metadata": { "x": "y".repeat(5000) } }),
            400,
            "validation_failed",
        ),
        (json!("x"), 400, "bad_json"),
    ] {
        let (got, fault) = call(&server, Method::POST, "/admin/users", body.clone()).await;
        assert_eq!((got, &fault["code"]), (status, &json!(code)), "{body}");
    }
    let (status, fault) = call(
        &server,
        Method::PUT,
        &path(&bob),
        json!({ "email": "ada@example.com" }),
    )
    .await;
    assert_eq!((status, &fault["code"]), (422, &json!("email_exists")));
    let (status, fault) = call(&server, Method::GET, "/admin/users/7", Value::Null).await;
    assert_eq!((status, &fault["code"]), (404, &json!("validation_failed")));
    // Nothing of what was refused is there.
    assert_eq!(
        call(&server, Method::GET, "/admin/users", Value::Null).await.1["users"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn accounts_are_listed_in_pages() {
    let server = TestServer::start(vec![]).await;
    for number in 0..5 {
        create(&server, &format!("person{number}@example.com")).await;
    }
    let response = server
        .anonymous(Method::GET, "/auth/v1/admin/users?page=2&per_page=2")
        .bearer_auth(SERVICE_KEY)
        .send()
        .await
        .unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-total-count"), "5");
    assert_eq!(
        header("link"),
        "</auth/v1/admin/users?page=3&per_page=2>; rel=\"next\", </auth/v1/admin/users?page=3&per_page=2>; rel=\"last\""
    );
    let page: Value = response.json().await.unwrap();
    let emails: Vec<&Value> = page["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| &user["email"])
        .collect();
    assert_eq!(emails, ["person2@example.com", "person1@example.com"]);
    assert_eq!(page["aud"], "authenticated");
}

#[tokio::test]
async fn every_kind_of_link_can_be_made_and_leads_in() {
    let server = TestServer::start(vec![]).await;
    create(&server, "ada@example.com").await;
    for (body, kind) in [
        (
            json!({ "type": "signup", "email": "new@example.com", "password": PASSWORD }),
            "signup",
        ),
        (
            json!({ "type": "invite", "email": "guest@example.com", "data": { "name": "Guest" } }),
            "invite",
        ),
        (
            json!({ "type": "magiclink", "email": "ada@example.com" }),
            "magiclink",
        ),
        (
            json!({ "type": "recovery", "email": "ada@example.com" }),
            "recovery",
        ),
        (
            json!({ "type": "email_change_new", "email": "ada@example.com", "new_email": "ada2@example.com" }),
            "email_change_new",
        ),
    ] {
        let (status, link) = call(&server, Method::POST, "/admin/generate_link", body.clone()).await;
        assert_eq!(
            (status, &link["verification_type"]),
            (200, &json!(kind)),
            "{body} {link}"
        );
        assert_eq!(link["email_otp"].as_str().unwrap().len(), 6);
        let proof = json!({ "type": kind, "token_hash": link["hashed_token"] });
        let request = server.anonymous(Method::POST, "/auth/v1/verify").json(&proof);
        let (status, session) = answer(request).await;
        assert_eq!(status, 200, "{body} {session}");
        if kind == "email_change_new" {
            // The old address has to agree, too.
            assert!(session["msg"].is_string(), "{session}");
            continue;
        }
        assert_eq!(session["user"]["id"], link["id"]);
    }
    for (body, status, code) in [
        (
            json!({ "type": "recovery", "email": "nobody@example.com" }),
            404,
            "user_not_found",
        ),
        (
            json!({ "type": "invite", "email": "ada@example.com" }),
            422,
            "email_exists",
        ),
        (
            json!({ "type": "wrong", "email": "ada2@example.com" }),
            400,
            "validation_failed",
        ),
        (
            json!({ "type": "signup", "email": "x@example.com" }),
            422,
            "weak_password",
        ),
    ] {
        let (got, fault) = call(&server, Method::POST, "/admin/generate_link", body.clone()).await;
        assert_eq!((got, &fault["code"]), (status, &json!(code)), "{body}");
    }
    // Links lead to this installation only.
    let body =
        json!({ "type": "magiclink", "email": "ada@example.com", "redirect_to": "https://evil.example" });
    let (_, link) = call(&server, Method::POST, "/admin/generate_link", body).await;
    assert_eq!(link["redirect_to"], json!(server.url("")));
}

#[tokio::test]
async fn whoever_is_invited_gets_a_mail_and_comes_in_by_it() {
    let server = TestServer::configured(vec![], |config| config.mail.mailbox = true).await;
    let (status, user) = call(
        &server,
        Method::POST,
        "/invite",
        json!({ "email": "guest@example.com" }),
    )
    .await;
    assert_eq!((status, user["invited_at"].is_string()), (200, true), "{user}");
    assert!(user["email_confirmed_at"].is_null());
    let (_, mails) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
    let mail = &mails[0];
    assert_eq!(mail["recipient"], "guest@example.com", "{mails}");
    let code = mail["text"].as_str().unwrap().split("code: ").nth(1).unwrap()[..6].to_owned();
    let proof = json!({ "type": "invite", "email": "guest@example.com", "token": code });
    let (status, session) = answer(server.anonymous(Method::POST, "/auth/v1/verify").json(&proof)).await;
    assert_eq!((status, &session["user"]["id"]), (200, &user["id"]), "{session}");
    // A second time they are somebody already.
    let (status, fault) = call(
        &server,
        Method::POST,
        "/invite",
        json!({ "email": "guest@example.com" }),
    )
    .await;
    assert_eq!((status, &fault["code"]), (422, &json!("email_exists")));
}

#[tokio::test]
async fn who_is_erased_leaves_nothing_that_names_them_and_an_organisation_keeps_an_owner() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let member = server.member(&org, Role::Member).await;
    let user = json!({ "id": member.id.0 });
    let (status, export) = call(
        &server,
        Method::GET,
        &format!("{}/export", path(&user)),
        Value::Null,
    )
    .await;
    assert_eq!(status, 200);
    assert_eq!(export["memberships"][0]["role"], "member");
    assert_eq!(export["user"]["email"], json!(member.email));
    assert!(!export.to_string().contains("argon2"), "{export}");

    let soft = json!({ "should_soft_delete": true });
    assert_eq!(
        call(&server, Method::DELETE, &path(&user), soft.clone()).await.0,
        200
    );
    let (_, erased) = call(&server, Method::GET, &path(&user), Value::Null).await;
    assert!(erased["deleted_at"].is_string());
    assert!(!erased.to_string().contains(&member.email), "{erased}");
    let (_, export) = call(
        &server,
        Method::GET,
        &format!("{}/export", path(&user)),
        Value::Null,
    )
    .await;
    assert_eq!(export["memberships"], json!([]));
    assert_eq!(sign_in(&server, &member.email, PASSWORD).await.0, 400);
    assert_eq!(answer(member.get("/auth/v1/user")).await.0, 403);
    assert_eq!(answer(member.get("/api/v1/tenancy/session")).await.0, 404);
    assert_eq!(
        call(&server, Method::DELETE, &path(&user), soft.clone()).await.0,
        404
    );

    let owner = json!({ "id": org.owner.id.0 });
    for body in [soft, json!({})] {
        let (status, fault) = call(&server, Method::DELETE, &path(&owner), body).await;
        assert_eq!((status, &fault["code"]), (409, &json!("auth.last_owner")));
    }
}

#[tokio::test]
async fn no_road_of_the_operator_is_open_to_people_or_strangers() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let user = format!("/auth/v1/admin/users/{}", org.owner.id);
    for (method, path) in [
        (Method::GET, "/auth/v1/admin/users"),
        (Method::POST, "/auth/v1/admin/users"),
        (Method::GET, user.as_str()),
        (Method::PUT, user.as_str()),
        (Method::DELETE, user.as_str()),
        (Method::GET, &format!("{user}/export")),
        (Method::POST, "/auth/v1/admin/generate_link"),
        (Method::POST, "/auth/v1/invite"),
        (Method::GET, "/auth/v1/admin/audit"),
    ] {
        let (status, fault) = answer(server.anonymous(method.clone(), path).json(&json!({}))).await;
        assert_eq!(
            (status, &fault["error_code"]),
            (401, &json!("no_authorization")),
            "{method} {path}"
        );
        let everybodys = server
            .anonymous(method.clone(), path)
            .bearer_auth("sb_publishable_tenon");
        for request in [org.owner.request(method.clone(), path), everybodys] {
            let (status, fault) = answer(request.json(&json!({}))).await;
            assert_eq!(
                (status, &fault["error_code"]),
                (403, &json!("not_admin")),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn the_log_tells_what_the_operator_did() {
    let server = TestServer::start(vec![]).await;
    let user = create(&server, "ada@example.com").await;
    call(&server, Method::DELETE, &path(&user), json!({})).await;
    let (status, log) = call(&server, Method::GET, "/admin/audit", Value::Null).await;
    let actions: Vec<&Value> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["payload"]["action"])
        .collect();
    assert_eq!(
        (status, actions),
        (200, vec![&json!("user_deleted"), &json!("user_signedup")])
    );
}
