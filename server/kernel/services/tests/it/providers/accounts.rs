//! Whose account a provider leads to.

use crate::provider::Grant;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;
use tenon_testkit::PASSWORD;
use tenon_testkit::answer;

use super::{
    ADA, Begun, Browser, come, merge, people, person, post, providers, providers_of, query, server,
    sign_in_as, sign_up, start,
};

#[tokio::test]
async fn an_address_that_the_provider_has_not_verified_makes_and_opens_no_account() {
    let server = server().await;
    for (name, claims) in [
        ("acme", json!({ "email": ADA, "email_verified": false })),
        ("acme", json!({ "email": ADA, "email_verified": null })),
        ("acme", json!({ "email": null, "email_verified": true })),
        ("acme", json!({ "email": "no address", "email_verified": true })),
        // Any tenant may write what it likes into this.
        ("azure", json!({ "email": ADA, "email_verified": true })),
        ("azure", json!({ "email": ADA, "xms_edov": false })),
    ] {
        let end = come(&server, name, "", |_, grant| {
            merge(&mut grant.claims, claims.clone());
        })
        .await;
        let code = query(&end, "error_code");
        assert_eq!(
            code.as_deref(),
            Some("provider_email_needs_verification"),
            "{claims}: {end}"
        );
        assert_eq!(query(&end, "error").as_deref(), Some("access_denied"));
    }
    assert_eq!(people(&server).await, 0);
    let end = come(&server, "azure", "", |_, grant| {
        grant.claims["xms_edov"] = json!(true);
    })
    .await;
    assert_eq!(person(&server, &end).await["email"], ADA);

    // Told apart from the token, and about the same person only.
    let tell = |sub: &'static str| {
        move |_: &Begun, grant: &mut Grant| {
            grant.claims["sub"] = json!("9");
            grant.claims["email"] = Value::Null;
            grant.told = json!({ "me": { "sub": sub, "email": "told@example.com", "email_verified": true } });
        }
    };
    let end = come(&server, "acme", "", tell("8")).await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("provider_email_needs_verification")
    );
    let end = come(&server, "acme", "", tell("9")).await;
    assert_eq!(person(&server, &end).await["email"], "told@example.com");

    // Where the settings say so, an account has no address, or the provider's word is enough.
    let unverified = |_: &Begun, grant: &mut Grant| {
        grant.claims["sub"] = json!("10");
        grant.claims["email_verified"] = json!(false);
    };
    let end = come(&server, "nameless", "", unverified).await;
    let user = person(&server, &end).await;
    assert_eq!(
        (&user["email"], user.get("email_confirmed_at")),
        (&json!(""), None)
    );
    assert_eq!(user["identities"][0]["identity_data"]["email_verified"], false);
    let end = come(&server, "ours", "", |_, grant| {
        grant.claims["sub"] = json!("11");
        grant.claims["email"] = json!("staff@example.com");
        grant.claims["email_verified"] = Value::Null;
        grant.claims["nonce"] = Value::Null;
    })
    .await;
    assert_eq!(person(&server, &end).await["email"], "staff@example.com");
}

#[tokio::test]
async fn a_verified_address_leads_to_whoever_has_proven_it_and_to_nobody_else() {
    let server = server().await;
    // Here addresses are taken as they are typed: a stranger may have typed this one.
    let stranger = sign_up(&server, ADA).await;
    let end = sign_in_as(&server, "acme", "7", Some(ADA)).await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("email_exists"),
        "{end}"
    );
    assert_eq!(people(&server).await, 1);
    // Whoever reads the mail has proven it.
    post(&server, "recover", None, json!({ "email": ADA })).await;
    let (_, mails) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
    let text = mails[0]["text"].as_str().unwrap();
    let link = text.lines().find(|line| line.starts_with("http")).unwrap();
    Browser::new().get(link).await;
    let user = person(
        &server,
        &sign_in_as(&server, "acme", "7", Some("ADA@example.com")).await,
    )
    .await;
    assert_eq!(user["id"], stranger["user"]["id"]);
    assert_eq!(providers_of(&user), ["email", "acme"]);
    assert_eq!(user["app_metadata"]["provider"], "email");

    let as_upstream = start(|config| {
        providers(config);
        config.auth.link_unproven_addresses = true;
    })
    .await;
    let session = sign_up(&as_upstream, ADA).await;
    let user = person(
        &as_upstream,
        &sign_in_as(&as_upstream, "acme", "7", Some(ADA)).await,
    )
    .await;
    assert_eq!(user["id"], session["user"]["id"]);
}

#[tokio::test]
async fn a_password_set_before_the_address_was_confirmed_does_not_outlive_its_owners_first_sign_in() {
    let server = start(|config| {
        providers(config);
        config.auth.confirm_email = true;
    })
    .await;
    let body = json!({ "email": ADA, "password": PASSWORD, "data": { "name": "Mallory" } });
    assert_eq!(post(&server, "signup", None, body.clone()).await.0, 200);
    let user = person(&server, &sign_in_as(&server, "acme", "7", Some(ADA)).await).await;
    assert_eq!(people(&server).await, 1);
    assert_eq!(user["user_metadata"]["name"], "Ada Lovelace");
    assert!(user["email_confirmed_at"].is_string());
    let (status, answer) = post(&server, "token?grant_type=password", None, body).await;
    assert_eq!((status, &answer["code"]), (400, &json!("invalid_credentials")));
}

#[tokio::test]
async fn closed_installations_and_banned_people_stay_closed_to_providers_too() {
    let server = start(|config| {
        providers(config);
        config.auth.sign_up = false;
        config.auth.confirm_email = true;
    })
    .await;
    let end = sign_in_as(&server, "acme", "7", Some(ADA)).await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("signup_disabled"),
        "{end}"
    );
    assert_eq!(people(&server).await, 0);
    // Somebody who was invited has an account already.
    let admin = server.admin().await;
    let invited = "insert into auth.users (id, email, invited_at) values (gen_random_uuid(), $1, now())";
    admin.execute(invited, &[&ADA]).await.unwrap();
    let end = sign_in_as(&server, "acme", "7", Some(ADA)).await;
    assert!(person(&server, &end).await["email_confirmed_at"].is_string());
    admin
        .execute(
            "update auth.users set banned_until = now() + interval '1 hour'",
            &[],
        )
        .await
        .unwrap();
    for sub in ["7", "8"] {
        let end = sign_in_as(&server, "acme", sub, Some(ADA)).await;
        assert_eq!(
            query(&end, "error_code").as_deref(),
            Some("user_banned"),
            "{sub}: {end}"
        );
    }
}

#[tokio::test]
async fn the_operators_hooks_are_asked_about_new_people_of_providers_and_told_of_them() {
    const HOOKS: &str = "
        create schema hooks;
        grant usage on schema hooks to supabase_auth_admin;
        create table hooks.heard (id serial, event jsonb);
        create function hooks.before(event jsonb) returns jsonb language plpgsql security definer as $$ begin
            insert into hooks.heard (event) values (event);
            if event -> 'user' ->> 'email' like '%@evil.example.com' then
                return '{\"error\": {\"http_code\": 403, \"message\": \"Not from there.\"}}';
            end if;
            return '{}';
        end $$;
        create function hooks.after(event jsonb) returns jsonb language plpgsql security definer as $$ begin
            insert into hooks.heard (event) values (event);
            return '{}';
        end $$;
        grant execute on all functions in schema hooks to supabase_auth_admin;";
    let server = start(|config| {
        providers(config);
        let hook = |name: &str| {
            Some(tenon_sdk::config::Hook {
                uri: format!("pg-functions://postgres/hooks/{name}").as_str().into(),
                secrets: "".into(),
            })
        };
        config.auth.hooks.before_user_created = hook("before");
        config.auth.hooks.after_user_created = hook("after");
    })
    .await;
    let admin = server.admin().await;
    admin.batch_execute(HOOKS).await.unwrap();
    let heard = async || -> Vec<Value> {
        let rows = admin
            .query("select event from hooks.heard order by id", &[])
            .await;
        rows.unwrap().iter().map(|row| row.get(0)).collect()
    };
    let end = sign_in_as(&server, "acme", "6", Some("mallory@evil.example.com")).await;
    assert_eq!(
        query(&end, "error_code").as_deref(),
        Some("hook_refused"),
        "{end}"
    );
    assert_eq!(people(&server).await, 0);

    let end = sign_in_as(&server, "acme", "7", Some(ADA)).await;
    let user = person(&server, &end).await;
    for _ in 0..200 {
        if heard().await.len() == 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let events = heard().await;
    assert_eq!(events[1]["metadata"]["name"], "before-user-created");
    assert_eq!(events[1]["user"]["email"], ADA);
    assert_eq!(events[1]["user"]["app_metadata"]["provider"], "acme");
    assert_eq!(events[1]["metadata"]["ip_address"], "127.0.0.1");
    assert_eq!(events[2]["metadata"]["name"], "after-user-created");
    assert_eq!(events[2]["user"]["id"], user["id"]);
    // Whoever has an account is nobody new, by the same provider and by another.
    sign_in_as(&server, "acme", "7", Some("ada@evil.example.com")).await;
    sign_in_as(&server, "google", "8", Some(ADA)).await;
    assert_eq!(heard().await.len(), 3);
    assert_eq!(people(&server).await, 1);
}
