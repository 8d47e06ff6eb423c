//! Keys of organisations.

use super::*;

#[tokio::test]
async fn a_key_speaks_for_its_organisation_within_its_scopes() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let (id, secret) = key(&org.owner, "secret", &["tenancy.*.read"]).await;
    assert!(secret.starts_with("tnn_sec_"));
    let members = "/api/v1/tenancy/members";
    assert_eq!(
        answer(with_key(&server, &secret, Method::GET, members)).await.0,
        200
    );
    let as_apikey = server.anonymous(Method::GET, members).header("apikey", &secret);
    assert_eq!(answer(as_apikey).await.0, 200);
    let beyond = with_key(&server, &secret, Method::GET, "/api/v1/access/roles");
    refused(&answer(beyond).await, 403, "tenancy.permission_denied");
    // It is nobody.
    for (method, path) in [
        (Method::GET, "/api/v1/tenancy/organizations"),
        (Method::POST, "/api/v1/tenancy/organizations"),
        (Method::GET, "/api/v1/access/tokens"),
    ] {
        let request = with_key(&server, &secret, method, path).json(&json!({ "name": "x" }));
        refused(&answer(request).await, 403, "auth.person_required");
    }
    let user = with_key(&server, &secret, Method::GET, "/auth/v1/user");
    assert!((400..500).contains(&answer(user).await.0));

    // What is stored is no key, and what is listed shows none.
    let (_, listed) = org.owner.get_json("/api/v1/access/keys").await;
    assert!(!listed.to_string().contains(&secret));
    assert_eq!(listed[0]["prefix"].as_str().unwrap(), &secret[..12]);
    let row = server.admin().await;
    let row = row
        .query_one("select to_jsonb(k)::text from tenancy.api_keys k", &[])
        .await
        .unwrap();
    assert!(!row.get::<_, String>(0).contains(&secret[9..]));
    for _ in 0..100 {
        if !org.owner.get_json("/api/v1/access/keys").await.1[0]["last_used_at"].is_null() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(!org.owner.get_json("/api/v1/access/keys").await.1[0]["last_used_at"].is_null());

    // Revoked here, it is good for nothing here and on a server that has just seen it.
    let other = server.beside(vec![app()], TestServerOptions::default()).await;
    assert_eq!(
        answer(with_key(&other, &secret, Method::GET, members)).await.0,
        200
    );
    assert_eq!(
        delete(&org.owner, &format!("/api/v1/access/keys/{id}")).await.0,
        204
    );
    refused(
        &answer(with_key(&server, &secret, Method::GET, members)).await,
        401,
        "auth.key_invalid",
    );
    refused(
        &answer(with_key(&other, &secret, Method::GET, members)).await,
        401,
        "auth.key_invalid",
    );
}

#[tokio::test]
async fn keys_that_are_none_or_over_are_refused() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let members = "/api/v1/tenancy/members";
    let long = format!("tnn_sec_{}", "x".repeat(5000));
    for text in [
        "tnn_",
        "tnn_sec_",
        "tnn_sec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "tnn_pat_' or true --",
        &long,
    ] {
        refused(
            &answer(with_key(&server, text, Method::GET, members)).await,
            401,
            "auth.key_invalid",
        );
    }
    let new = json!({ "kind": "secret", "name": "Short", "scopes": ["tenancy.members.read"], "expires_in_days": 1 });
    let (_, made) = org.owner.post_json("/api/v1/access/keys", &new).await;
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(
        answer(with_key(&server, secret, Method::GET, members)).await.0,
        200
    );
    server.advance(SignedDuration::from_hours(25));
    refused(
        &answer(with_key(&server, secret, Method::GET, members)).await,
        401,
        "auth.key_invalid",
    );
}

#[tokio::test]
async fn what_a_key_may_be_given_has_limits() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let ask = async |kind: &str, scopes: &[&str], days: Value| {
        let new = json!({ "kind": kind, "name": "x", "scopes": scopes, "expires_in_days": days });
        org.owner.post_json("/api/v1/access/keys", &new).await
    };
    for scopes in [
        &["access.roles.read"][..],
        &["tenancy.members.invite"],
        &["*"],
        &["tenancy.*"],
    ] {
        refused(
            &ask("secret", scopes, Value::Null).await,
            422,
            "access.scope_not_for_keys",
        );
    }
    refused(
        &ask("publishable", &["yard.crates.move"], Value::Null).await,
        422,
        "access.scope_not_for_keys",
    );
    refused(
        &ask("publishable", &[], Value::Null).await,
        422,
        "access.pattern_invalid",
    );
    for days in [0, 367, 4_000_000_000_u64] {
        let (status, _) = ask("secret", &["yard.*"], json!(days)).await;
        assert!([400, 422].contains(&status), "{days}");
    }
    assert_eq!(ask("publishable", &["yard.crates.read"], json!(366)).await.0, 201);
    assert_eq!(ask("personal", &["yard.crates.read"], Value::Null).await.0, 400);
}
