//! Programs: how they register, and how they show who they are.

use jiff::SignedDuration;
use reqwest::Method;
use reqwest::StatusCode;
use reqwest::header;
use serde_json::Value;
use serde_json::json;
use tenon_testkit::SERVICE_KEY;
use tenon_testkit::answer;

use super::{App, CALLBACK, VERIFIER, app, app_with, decide, location, register, server, server_with, value};

#[tokio::test]
async fn a_program_shows_who_it_is_as_it_was_registered_to() {
    let server = server().await;
    let (app, ada) = (app(&server).await, server.user("ada").await);
    let secret = app.secret.clone().expect("a secret");
    let code = app.code(&ada, &[]).await;
    let url = server.url("/auth/v1/oauth/token");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ];
    let with = |more: &[(&'static str, &str)]| {
        let form: Vec<(String, String)> = form
            .iter()
            .chain(more)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        app.http.post(&url).form(&form)
    };
    for (request, error) in [
        (with(&[]), "invalid_client"),
        (with(&[("client_id", &app.id)]), "invalid_client"),
        (
            with(&[("client_id", &app.id), ("client_secret", &secret)]),
            "invalid_client",
        ),
        (
            with(&[("client_id", "nobody"), ("client_secret", &secret)]),
            "invalid_client",
        ),
        (with(&[]).basic_auth(&app.id, Some("wrong")), "invalid_client"),
        (with(&[]).basic_auth(&app.id, None::<&str>), "invalid_client"),
        (
            with(&[("client_secret", &secret)]).basic_auth(&app.id, Some(&secret)),
            "invalid_request",
        ),
        (
            with(&[("grant_type", "x")]).basic_auth(&app.id, Some(&secret)),
            "invalid_request",
        ),
        (
            app.http
                .post(&url)
                .json(&json!({}))
                .basic_auth(&app.id, Some(&secret)),
            "invalid_request",
        ),
        (
            app.http
                .post(&url)
                .form(&[("grant_type", "password")])
                .basic_auth(&app.id, Some(&secret)),
            "unsupported_grant_type",
        ),
        (
            app.http
                .post(&url)
                .form(&[("x", "y")])
                .basic_auth(&app.id, Some(&secret)),
            "invalid_request",
        ),
    ] {
        let response = request.send().await.expect("an answer");
        let (status, challenge) = (
            response.status(),
            response.headers().contains_key(header::WWW_AUTHENTICATE),
        );
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let body: Value = response.json().await.expect("JSON");
        assert_eq!(body["error"], error, "{body}");
        assert_eq!(status == StatusCode::UNAUTHORIZED, error == "invalid_client");
        assert_eq!(challenge, error == "invalid_client");
    }
    // All of that spent nothing.
    assert_eq!(app.exchange(&code, VERIFIER).await.0, 200);

    let post = app_with(
        &server,
        json!({ "client_name": "P", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_post" }),
    )
    .await;
    let code = post.code(&ada, &[]).await;
    assert_eq!(post.exchange(&code, VERIFIER).await.1["error"], "invalid_client");
    let mut form = form.to_vec();
    form[1] = ("code", &code);
    form.push(("client_id", &post.id));
    form.push(("client_secret", post.secret.as_deref().expect("a secret")));
    assert_eq!(answer(app.http.post(&url).form(&form)).await.0, 200);
}

#[tokio::test]
async fn programs_register_themselves_only_where_they_may() {
    let closed = server_with(|_| ()).await;
    let good = json!({ "client_name": "Harbour", "redirect_uris": [CALLBACK] });
    let (status, body) = register(&closed, good.clone()).await;
    assert_eq!(
        (status, &body["error_code"]),
        (403, &json!("oauth_dynamic_client_registration_disabled"))
    );
    let server = server_with(|config| {
        config.auth.issuer.registration = true;
        config.auth.issuer.registrations_per_hour = 2;
    })
    .await;
    for (metadata, error) in [
        (json!({}), "invalid_client_metadata"),
        (json!([]), "invalid_client_metadata"),
        (json!({ "client_name": 7 }), "invalid_client_metadata"),
        (json!({ "client_name": "H" }), "invalid_redirect_uri"),
        (
            json!({ "client_name": "H", "redirect_uris": ["javascript:alert(1)"] }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "client_name": "H", "redirect_uris": ["http://evil.example"] }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "client_name": "x".repeat(1000), "redirect_uris": [CALLBACK] }),
            "invalid_client_metadata",
        ),
    ] {
        let (status, body) = register(&server, metadata).await;
        assert_eq!((status, &body["error"]), (400, &json!(error)), "{body}");
    }
    let (status, made) = register(&server, good.clone()).await;
    assert_eq!(status, 201);
    assert_eq!(made["registration_type"], "dynamic");
    assert_eq!(made["client_type"], "confidential");
    assert_eq!(made["client_secret"].as_str().map(str::len), Some(43));
    assert_eq!(register(&server, good.clone()).await.0, 201);
    assert_eq!(register(&server, good.clone()).await.0, 429);
    server.advance(SignedDuration::from_mins(61));
    assert_eq!(register(&server, good.clone()).await.0, 201);
    // Programs that nobody connected are forgotten.
    server.advance(SignedDuration::from_hours(24 * 31));
    assert_eq!(register(&server, good).await.0, 201);
    let row = server
        .admin()
        .await
        .query_one(
            "select count(*), bool_and(octet_length(client_secret_hash) = 32) from auth.oauth_clients",
            &[],
        )
        .await
        .expect("a count");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, bool>(1)), (1, true));
}

#[tokio::test]
async fn the_operator_looks_after_programs_with_the_service_key_alone() {
    let server = server().await;
    let ada = server.user("ada").await;
    let all = "/auth/v1/admin/oauth/clients";
    let call = |method: Method, path: &str, body: Value| {
        answer(
            server
                .anonymous(method, path)
                .bearer_auth(SERVICE_KEY)
                .header("x-supabase-api-version", "2024-01-01")
                .json(&body),
        )
    };
    let good = json!({ "client_name": "Harbour", "redirect_uris": [CALLBACK], "scope": "openid email" });
    let (status, made) = call(Method::POST, all, good.clone()).await;
    assert_eq!(
        (status, &made["registration_type"]),
        (201, &json!("manual")),
        "{made}"
    );
    let one = format!("{all}/{}", made["client_id"].as_str().expect("an id"));
    let regenerate = format!("{one}/regenerate_secret");

    for (method, path) in [
        (Method::GET, all),
        (Method::POST, all),
        (Method::GET, &one),
        (Method::PUT, &one),
        (Method::DELETE, &one),
        (Method::POST, &regenerate),
    ] {
        let body = json!({ "client_name": "Evil", "redirect_uris": ["https://evil.example"] });
        let nobody = server.anonymous(method.clone(), path).json(&body);
        assert_eq!(answer(nobody).await.0, 401, "{method} {path}");
        let person = ada.request(method.clone(), path).json(&body);
        assert_eq!(answer(person).await.0, 403, "{method} {path}");
    }

    // The secret is told once.
    let (_, told) = call(Method::GET, &one, json!({})).await;
    assert_eq!(
        (&told["client_name"], &told["client_secret"]),
        (&json!("Harbour"), &Value::Null)
    );
    let (_, listed) = call(Method::GET, all, json!({})).await;
    assert_eq!(listed["clients"].as_array().map(Vec::len), Some(1));
    for bad in [
        json!({ "client_name": "" }),
        json!({ "redirect_uris": [] }),
        json!({ "redirect_uris": ["http://evil.example"] }),
        json!({ "token_endpoint_auth_method": "none" }),
    ] {
        let (status, body) = call(Method::PUT, &one, bad).await;
        assert_eq!((status, &body["code"]), (400, &json!("validation_failed")));
    }
    let (status, changed) = call(Method::PUT, &one, json!({ "client_name": "Port" })).await;
    assert_eq!(
        (status, &changed["client_name"], &changed["redirect_uris"]),
        (200, &json!("Port"), &json!([CALLBACK]))
    );
    let (_, again) = call(Method::POST, &regenerate, json!({})).await;
    assert_ne!(again["client_secret"], made["client_secret"]);

    let mut app = App {
        id: made["client_id"].as_str().expect("an id").to_owned(),
        secret: made["client_secret"].as_str().map(str::to_owned),
        server: server.url(""),
        http: reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client"),
    };
    let scope = [("scope", "openid")];
    let code = app.code(&ada, &scope).await;
    assert_eq!(app.exchange(&code, VERIFIER).await.1["error"], "invalid_client");
    app.secret = again["client_secret"].as_str().map(str::to_owned);
    let (status, tokens) = app.exchange(&code, VERIFIER).await;
    assert_eq!(status, 200, "{tokens}");
    // It asks for no more than it was registered with.
    let back = location(&app.authorize(&[("scope", "openid profile")]).await);
    assert_eq!(value(&back, "error").as_deref(), Some("invalid_scope"));
    // An address that was struck off is none that an answer goes to.
    let id = app.ask(&[("scope", "openid"), ("prompt", "consent")]).await;
    let moved = json!({ "redirect_uris": ["https://app.example.com/moved"] });
    assert_eq!(call(Method::PUT, &one, moved).await.0, 200);
    assert_eq!(decide(&ada, &id, "approve").await.0, 404);

    assert_eq!(call(Method::DELETE, &one, json!({})).await.0, 204);
    for (method, path) in [
        (Method::GET, &one),
        (Method::PUT, &one),
        (Method::DELETE, &one),
        (Method::POST, &regenerate),
    ] {
        let (status, body) = call(method, path, json!({})).await;
        assert_eq!((status, &body["code"]), (404, &json!("oauth_client_not_found")));
    }
    assert_eq!(
        call(Method::GET, &format!("{all}/nothing"), json!({})).await.0,
        404
    );
    assert_eq!(app.refresh(&tokens).await.1["error"], "invalid_client");
    assert_eq!(
        app.call(Method::GET, "/auth/v1/oauth/userinfo", &tokens, None)
            .await
            .0,
        401
    );
}

#[tokio::test]
async fn programs_find_out_where_everything_is() {
    let server = server().await;
    let issuer = server.url("/auth/v1");
    for path in [
        "/auth/v1/.well-known/openid-configuration",
        "/auth/v1/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration/auth/v1",
        "/.well-known/oauth-authorization-server/auth/v1",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    ] {
        let (status, document) = answer(server.anonymous(Method::GET, path)).await;
        assert_eq!((status, &document["issuer"]), (200, &json!(issuer)), "{path}");
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(
            document["registration_endpoint"],
            format!("{issuer}/oauth/clients/register")
        );
        for name in [
            "authorization",
            "token",
            "userinfo",
            "revocation",
            "introspection",
        ] {
            let endpoint = document[format!("{name}_endpoint")].as_str().expect("an address");
            assert!(endpoint.starts_with(&issuer), "{name}");
        }
    }
    let off = server_with(|config| config.auth.issuer.enabled = false).await;
    for path in [
        "/.well-known/openid-configuration",
        "/auth/v1/oauth/authorize",
        "/auth/v1/oauth/userinfo",
    ] {
        let (status, body) = answer(off.anonymous(Method::GET, path)).await;
        assert_eq!(
            (status, &body["error_code"]),
            (404, &json!("feature_disabled")),
            "{path}"
        );
    }
}
