//! What people may ask about themselves: all that is kept of them, and that it goes.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{PASSWORD, SERVICE_KEY, TestServer, TestUser, answer};

const DATA: &str = "/auth/v1/user/data";

async fn erase(user: &TestUser) -> (u16, Value) {
    let request = user.request(Method::DELETE, DATA);
    answer(request.json(&json!({ "password": PASSWORD }))).await
}

async fn export(user: &TestUser) -> (u16, Value) {
    user.get_json(DATA).await
}

/// A row of each kind that the identity service keeps beside the account itself.
async fn furnish(server: &TestServer, user: &TestUser) {
    let admin = server.admin().await;
    let sql = format!(
        "insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret, phone)
             values (gen_random_uuid(), '{id}', 'Old telephone', 'totp', 'unverified', now(), now(), 'TOPSECRET', '49308888888');
         insert into auth.mfa_failures values ('{id}', 1, now());
         insert into auth.mfa_recovery_codes values ('{id}', 'TOPSECRET', now());
         insert into auth.webauthn_credentials (id, user_id, credential_id, friendly_name, created_at, updated_at, credential)
             values (gen_random_uuid(), '{id}', 'TOPSECRET', 'Blue key', now(), now(), '{{}}');
         insert into auth.webauthn_challenges (id, user_id, challenge_type, session_data, created_at, expires_at)
             values (gen_random_uuid(), '{id}', 'registration', '{{}}', now(), now());
         insert into auth.known_places values ('{id}', 'TOPSECRET', now());
         insert into notifications.people (user_id, zone) values ('{id}', 'Europe/Berlin');
         insert into notifications.preferences values ('{id}', 'tenancy.member_joined', 'mail', 'off');
         insert into auth.oauth_clients (id, registration_type, client_type, token_endpoint_auth_method, redirect_uris,
             grant_types, client_name) values ('{id}', 'manual', 'public', 'none', '{{https://example.com/}}', '{{}}', 'Planner');
         insert into auth.oauth_consents (id, user_id, client_id, scopes, granted_at)
             values (gen_random_uuid(), '{id}', '{id}', 'openid email', now());
         insert into auth.oauth_authorizations (id, authorization_id, client_id, user_id, redirect_uri, scope, code_challenge,
             code_challenge_method, ask_again, created_at, expires_at) values (gen_random_uuid(), '{id}', '{id}', '{id}',
             'https://example.com/', 'openid', 'x', 's256', false, now(), now());
         insert into auth.provider_flows (state_hash, provider, redirect_to, redirect_uri, nonce, code_verifier, browser_hash,
             linking, linking_session, expires_at)
             select '{id}', 'x', '', '', '', '', '', '{id}', id, now() from auth.sessions where user_id = '{id}' limit 1;
         insert into auth.flow_states (auth_code_hash, user_id, code_challenge, code_challenge_method, expires_at)
             values ('{id}', '{id}', 'x', 's256', now());
         insert into auth.one_time_tokens (id, user_id, kind, address, link_hash, code_hash, created_at, expires_at)
             values (gen_random_uuid(), '{id}', 'signup', '', '{id}', '', now(), now());
         insert into tenancy.invitation_mails (org_id, email, sent_by, sent_at)
             select id, 'eve@example.com', '{id}', now() from tenancy.organizations;
         update auth.users set phone = '49301234567', phone_change = '49307654321' where id = '{id}';
         insert into notifications.messages (id, kind, recipient, subject, body_text, body_html, state, next_attempt_at,
             created_at, channel) select gen_random_uuid(), 'identity.code', recipient, 'A code', '', '', 'kept', now(), now(), 'sms'
             from unnest(array['49301234567', '49307654321', '{email}', 'whatsapp:49308888888']) recipient;",
        id = user.id,
        email = user.email,
    );
    admin.batch_execute(&sql).await.unwrap();
    let (status, token) = user
        .post_json("/api/v1/access/tokens", &json!({ "name": "Script" }))
        .await;
    assert_eq!(status, 201, "{token}");
}

/// How many rows of each table refer to a person.
async fn rows_of(server: &TestServer, user: &TestUser) -> Vec<(String, i64)> {
    let admin = server.admin().await;
    let sql = "select c.conrelid::regclass::text, quote_ident(a.attname) from pg_constraint c \
               join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1] \
               where c.contype = 'f' and c.confrelid = 'auth.users'::regclass and a.attname not in \
               ('created_by', 'revoked_by', 'ended_by', 'accepted_by', 'delete_requested_by', 'operator') order by 1, 2";
    let mut found = Vec::new();
    for row in admin.query(sql, &[]).await.unwrap() {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        let count = format!("select count(*) from {table} where {column} = $1");
        let row = admin.query_one(&count, &[&user.id]).await.unwrap();
        found.push((table, row.get(0)));
    }
    let count = "select count(*) from notifications.messages where recipient in ('49301234567', '49307654321', 'whatsapp:49308888888', $1)";
    let row = admin.query_one(count, &[&user.email]).await.unwrap();
    found.push(("notifications.messages".into(), row.get(0)));
    found
}

#[tokio::test]
async fn who_is_erased_keeps_no_way_in_and_no_trace() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let member = server.member(&org, Role::Member).await;
    furnish(&server, &member).await;
    for (table, rows) in rows_of(&server, &member).await {
        assert!(rows > 0, "{table} is not furnished");
    }
    let (status, fault) = erase(&member).await;
    assert_eq!(status, 204, "{fault}");
    for (table, rows) in rows_of(&server, &member).await {
        assert_eq!(rows, 0, "{table}");
    }
}

#[tokio::test]
async fn an_erased_account_opens_no_session_whatever_proves_it() {
    let server = TestServer::start(vec![]).await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let (_, session) = answer(server.anonymous(Method::POST, "/auth/v1/signup").json(&body)).await;
    let link = json!({ "type": "magiclink", "email": "ada@example.com" });
    let request = server
        .anonymous(Method::POST, "/auth/v1/admin/generate_link")
        .bearer_auth(SERVICE_KEY);
    let (_, link) = answer(request.json(&link)).await;
    let sql = "update auth.users set deleted_at = now()";
    server.admin().await.execute(sql, &[]).await.unwrap();

    let refresh = json!({ "refresh_token": session["refresh_token"] });
    let request = server.anonymous(Method::POST, "/auth/v1/token?grant_type=refresh_token");
    let (status, fault) = answer(request.json(&refresh)).await;
    assert_eq!(
        (status, &fault["error_code"]),
        (400, &json!("refresh_token_not_found"))
    );
    let proof = json!({ "type": "magiclink", "token_hash": link["hashed_token"] });
    let (status, fault) = answer(server.anonymous(Method::POST, "/auth/v1/verify").json(&proof)).await;
    assert_eq!((status, &fault["error_code"]), (404, &json!("user_not_found")));
    let request = server.anonymous(Method::POST, "/auth/v1/token?grant_type=password");
    assert_eq!(answer(request.json(&body)).await.0, 404);
    let token = session["access_token"].as_str().unwrap();
    let request = server.anonymous(Method::GET, "/auth/v1/user").bearer_auth(token);
    assert_eq!(answer(request).await.0, 403);
}

#[tokio::test]
async fn the_export_has_what_every_module_keeps_and_no_secret() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let admin = server.member(&org, Role::Admin).await;
    furnish(&server, &admin).await;
    let wish = json!({ "role": "viewer", "email": "guest@example.com" });
    let (status, invitation) = admin.post_json("/api/v1/tenancy/invitations", &wish).await;
    assert_eq!(status, 201, "{invitation}");
    let (status, space) = admin
        .post_json("/api/v1/access/spaces", &json!({ "name": "Tender North" }))
        .await;
    assert_eq!(status, 201, "{space}");
    let members = format!("/api/v1/access/spaces/{}/members", space["id"].as_str().unwrap());
    let wish = admin
        .request(Method::PUT, &members)
        .json(&json!({ "members": [admin.id.0] }));
    assert_eq!(answer(wish).await.0, 204);
    let visit = "insert into tenancy.support_access (org_id, id, operator, reason, aal, started_at, ends_at) \
                 values ($1, gen_random_uuid(), $2, 'A lost import', 'aal1', now(), now() + interval '1 hour')";
    let db = server.admin().await;
    db.execute(visit, &[&org.id, &admin.id]).await.unwrap();

    let (status, data) = export(&admin).await;
    assert_eq!(status, 200, "{data}");
    for (path, value) in [
        ("/memberships/0/organization", "Harbour"),
        ("/invitations_made/0/email", "guest@example.com"),
        ("/tokens/0/name", "Script"),
        ("/spaces/0/name", "Tender North"),
        ("/support_visits/0/reason", "A lost import"),
        ("/factors/0/name", "Old telephone"),
        ("/passkeys/0/name", "Blue key"),
        ("/consents/0/program", "Planner"),
        ("/messages/0/subject", "A code"),
    ] {
        assert_eq!(data.pointer(path), Some(&json!(value)), "{path} of {data}");
    }
    let text = data.to_string();
    let secrets = [
        "TOPSECRET",
        "argon2",
        "\\\\x",
        "secret_hash",
        invitation["token"].as_str().unwrap(),
    ];
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn whoever_is_erased_leaves_their_organisations_as_a_member_who_leaves() {
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let admin = server.member(&org, Role::Admin).await;
    let (_, open) = admin
        .post_json("/api/v1/tenancy/invitations", &json!({ "role": "admin" }))
        .await;
    let (_, space) = admin
        .post_json("/api/v1/access/spaces", &json!({ "name": "Tender North" }))
        .await;
    let members = format!("/api/v1/access/spaces/{}/members", space["id"].as_str().unwrap());
    let everybody = json!({ "members": [admin.id.0, org.owner.id.0] });
    let wish = admin.request(Method::PUT, &members).json(&everybody);
    assert_eq!(answer(wish).await.0, 204);
    assert_eq!(erase(&admin).await.0, 204);
    let (_, spaces) = org.owner.get_json("/api/v1/access/spaces").await;
    assert_eq!(spaces[0]["members"], json!([org.owner.id.0]));
    // Not even if somebody was about to write them down.
    let late = "insert into tenancy.space_members (org_id, space_id, user_id) select org_id, id, $1 from tenancy.spaces";
    let db = server.admin().await;
    assert_eq!(db.execute(late, &[&admin.id]).await.unwrap(), 0);
    let kept = "select count(*) from tenancy.space_members where user_id = $1";
    let kept: i64 = db.query_one(kept, &[&admin.id]).await.unwrap().get(0);
    assert_eq!(kept, 0, "spaces know nobody who is gone");
    let take = format!(
        "/api/v1/tenancy/invitations/{}/accept",
        open["token"].as_str().unwrap()
    );
    let guest = server.user("guest").await;
    assert_eq!(guest.post_json(&take, &json!({})).await.0, 404);
    let events = "select count(*) from events.outbox where kind = 'tenancy.member_left' and subject = $1 and org_id = $2";
    let row = server
        .admin()
        .await
        .query_one(events, &[&admin.id, &org.id])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn the_last_owner_who_can_act_is_not_erased() {
    let server = TestServer::start(vec![]).await;
    for (name, sql) in [
        (
            "suspended",
            "update tenancy.memberships set suspended_at = now() where user_id = $1",
        ),
        (
            "banned",
            "update auth.users set banned_until = now() + interval '1 day' where id = $1",
        ),
        (
            "custom",
            "update tenancy.memberships set custom_only = true where user_id = $1",
        ),
    ] {
        let org = server.organization("Harbour").await;
        let second = server.member(&org, Role::Owner).await;
        server.admin().await.execute(sql, &[&second.id]).await.unwrap();
        let (status, fault) = erase(&org.owner).await;
        assert_eq!(
            (status, &fault["error_code"]),
            (409, &json!("auth.last_owner")),
            "{name}"
        );
        let path = format!("/auth/v1/admin/users/{}", org.owner.id);
        for soft in [true, false] {
            let request = server.anonymous(Method::DELETE, &path).bearer_auth(SERVICE_KEY);
            let body = json!({ "should_soft_delete": soft });
            assert_eq!(answer(request.json(&body)).await.0, 409, "{name}");
        }
    }
}

#[tokio::test]
async fn of_two_owners_who_are_erased_at_once_one_stays() {
    let server = TestServer::start(vec![]).await;
    for _ in 0..4 {
        let org = server.organization("Harbour").await;
        let second = server.member(&org, Role::Owner).await;
        let ((one, _), (two, _)) = tokio::join!(erase(&org.owner), erase(&second));
        let mut answers = [one, two];
        answers.sort_unstable();
        assert_eq!(answers, [204, 409]);
    }
}

#[tokio::test]
async fn with_a_second_factor_neither_export_nor_erasure_goes_without_it() {
    let server = TestServer::start(vec![]).await;
    let ada = server.user("ada").await;
    let sql = "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at, secret) \
               values (gen_random_uuid(), $1, 'totp', 'verified', now(), now(), 'A')";
    let admin = server.admin().await;
    admin.execute(sql, &[&ada.id]).await.unwrap();
    for (status, fault) in [export(&ada).await, erase(&ada).await] {
        assert_eq!((status, &fault["error_code"]), (403, &json!("insufficient_aal")));
    }
    let sql = "update auth.sessions set aal = 'aal2' where user_id = $1";
    admin.execute(sql, &[&ada.id]).await.unwrap();
    assert_eq!(export(&ada).await.0, 200);
    assert_eq!(erase(&ada).await.0, 204);
}

#[tokio::test]
async fn a_password_is_not_guessed_at_the_erasure() {
    let server = TestServer::configured(vec![], |config| config.auth.failed_sign_ins = 3).await;
    let ada = server.user("ada").await;
    for status in [400, 400, 400, 429] {
        let request = ada
            .request(Method::DELETE, DATA)
            .json(&json!({ "password": "wrong" }));
        assert_eq!(answer(request).await.0, status);
    }
    assert_eq!(erase(&ada).await.0, 429);
    // Guesses at sign-in and here are one count.
    let body = json!({ "email": ada.email, "password": PASSWORD });
    let request = server.anonymous(Method::POST, "/auth/v1/token?grant_type=password");
    assert_eq!(answer(request.json(&body)).await.0, 429);
}
