//! Who gets in, and what they may do.

use std::time::Duration;

use object_store::{ObjectStoreExt, PutPayload, path::Path, signer::Signer as _};
use reqwest::Method;
use serde_json::json;
use tenon_testkit::answer;

use super::{client, person, program, read, server, signing::Signer};
use crate::support::{bucket, by, path, put, service, sql};

#[tokio::test]
async fn who_has_no_good_signature_gets_nothing() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a.txt", "x").await;
    let place = Path::from("a.txt");
    for (name, store) in [
        (
            "wrong secret",
            client(&server, "b").with_secret_access_key("wrong"),
        ),
        ("unknown key", client(&server, "b").with_access_key_id("unknown")),
        ("no key", client(&server, "b").with_access_key_id("")),
        ("everybody's key without a token", {
            let config = server.kernel().config();
            client(&server, "b")
                .with_access_key_id(&config.storage.protocol.session_key_id)
                .with_secret_access_key(&config.auth.publishable_key)
        }),
        ("a token that is none", {
            let config = server.kernel().config();
            client(&server, "b")
                .with_access_key_id(&config.storage.protocol.session_key_id)
                .with_secret_access_key(&config.auth.publishable_key)
                .with_token("nonsense")
        }),
    ] {
        let store = store.build().unwrap();
        assert!(store.get(&place).await.is_err(), "{name}");
        assert!(
            store.put(&place, PutPayload::from_static(b"y")).await.is_err(),
            "{name}"
        );
        assert!(store.delete(&place).await.is_err(), "{name}");
    }
    for (method, to) in [
        (Method::GET, "/s3"),
        (Method::GET, "/s3/b"),
        (Method::GET, "/s3/b/a.txt"),
        (Method::PUT, "/s3/b/a.txt"),
        (Method::DELETE, "/s3/b/a.txt"),
        (Method::POST, "/s3/b?delete"),
    ] {
        let told = server.anonymous(method.clone(), &path(to)).send().await.unwrap();
        assert_eq!(told.status(), 403, "{method} {to}");
        let told = service(&server, method.clone(), to).send().await.unwrap();
        assert!(told.status().is_client_error(), "{method} {to}");
    }
    let form = reqwest::multipart::Form::new().text("key", "z").text("file", "x");
    let told = server
        .anonymous(Method::POST, &path("/s3/b"))
        .multipart(form)
        .send()
        .await
        .unwrap();
    assert_eq!(told.status(), 403);
    assert_eq!(read(&program(&server, "b"), "a.txt").await, "x");

    let signed = program(&server, "b")
        .signed_url(Method::GET, &place, Duration::from_mins(1))
        .await
        .unwrap();
    assert_eq!(
        server
            .http()
            .get(signed.clone())
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "x"
    );
    let elsewhere = signed.as_str().replace("a.txt", "b.txt");
    assert_eq!(server.http().get(elsewhere).send().await.unwrap().status(), 403);
    assert_eq!(server.http().delete(signed).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn people_do_by_s3_what_policies_let_them() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let (ada, bob) = (server.user("ada").await, server.user("bob").await);
    let store = person(&server, &ada, "b");
    let place = Path::from("own.txt");
    let refused = store
        .put(&place, PutPayload::from_static(b"x"))
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("AccessDenied"), "{refused}");
    sql(
        &server,
        "create policy own on storage.objects for all to authenticated using (owner_id = auth.uid()::text)",
    )
    .await;
    store
        .put(&place, PutPayload::from_static(b"ada's"))
        .await
        .unwrap();
    assert_eq!(read(&store, "own.txt").await, "ada's");
    let other = person(&server, &bob, "b");
    assert!(other.get(&place).await.is_err());
    assert!(other.delete(&place).await.is_err());
    assert!(
        other
            .put(&place, PutPayload::from_static(b"bob's"))
            .await
            .is_err()
    );
    let upload = other.put_multipart(&place).await;
    assert!(upload.is_err());
    assert_eq!(read(&store, "own.txt").await, "ada's");

    let org = server.organization("Harbour").await;
    let inside = person(&server, &org.owner, "files");
    let place = Path::from(format!("{}/a.txt", org.id));
    inside.put(&place, PutPayload::from_static(b"x")).await.unwrap();
    for store in [person(&server, &ada, "files"), program(&server, "files")] {
        assert!(store.get(&place).await.is_err());
        assert!(store.put(&place, PutPayload::from_static(b"y")).await.is_err());
    }
    let (status, _) = answer(by(&org.owner, Method::GET, &format!("/object/files/{place}"))).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_signature_is_good_for_its_time_and_for_what_it_covers() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a.txt", "x").await;
    put(&server, "b/secret.txt", "secret").await;
    let signer = Signer::program(&server);
    for (name, seconds, good) in [("now", 0, true), ("old", -1000, false), ("ahead", 1000, false)] {
        let told = signer.later(seconds).request(Method::GET, "/b/a.txt", &[], "");
        assert_eq!(
            told.send().await.unwrap().status(),
            if good { 200 } else { 403 },
            "{name}"
        );
    }
    for (name, seconds, lasts, good) in [
        ("good", -10, 60, true),
        ("over", -100, 60, false),
        ("for too long", 0, 1_000_000, false),
    ] {
        let url = signer
            .later(seconds)
            .address(&server, &Method::GET, "/b/a.txt", lasts);
        let told = server.http().get(url).send().await.unwrap();
        assert_eq!(told.status().is_success(), good, "{name}");
    }
    // Who may put one object is no copy made for.
    let url = signer.address(&server, &Method::PUT, "/b/mine.txt", 60);
    let copy = server
        .http()
        .put(&url)
        .header("x-amz-copy-source", "b/secret.txt");
    assert_eq!(copy.send().await.unwrap().status(), 403);
    let wide = server.http().put(&url).header("x-amz-acl", "public-read");
    assert_eq!(wide.send().await.unwrap().status(), 403);
    assert_eq!(
        server.http().put(&url).body("y").send().await.unwrap().status(),
        200
    );
    // Signatures of the second version are not taken.
    let old = server
        .anonymous(Method::GET, &path("/s3/b/a.txt"))
        .header(
            "authorization",
            format!("AWS {}:AAAAAAAAAAAAAAAAAAAAAAAAAAA=", super::KEY),
        )
        .header("date", "Sun, 22 Nov 2026 10:00:00 GMT");
    assert!(old.send().await.unwrap().status().is_client_error());
}

#[tokio::test]
async fn what_goes_out_cannot_run_on_the_site() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let signer = Signer::program(&server);
    let page = "<script>alert(1)</script>";
    let put = signer.request(Method::PUT, "/b/a.html", &[("content-type", "text/html")], page);
    assert_eq!(put.body(page).send().await.unwrap().status(), 200);
    let url = signer.address(&server, &Method::GET, "/b/a.html", 60);
    let got = server.http().get(url).send().await.unwrap();
    assert_eq!(got.headers()["content-type"], "text/html");
    assert!(
        got.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("sandbox")
    );
    assert_eq!(got.headers()["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let signer = Signer::program(&server);
    let long = format!("/b/{}", "x".repeat(1025));
    for key in [
        "/b/..%2Fx",
        "/b/a%2F..%2F..%2Fx",
        "/b/a%00b",
        "/b/a%0Ab",
        "/b/%E2%80%AEgpj.exe",
        "/b/%FF",
        "/b//a",
        long.as_str(),
        "/..%2Fb/a",
    ] {
        for method in [Method::PUT, Method::GET, Method::DELETE] {
            let asked = signer.request(method.clone(), key, &[], "").send().await.unwrap();
            let status = asked.status().as_u16();
            assert!(
                (400..500).contains(&status) || method == Method::DELETE && status == 204,
                "{method} {key}: {status}"
            );
        }
    }
    let none = signer.request(Method::GET, "/b?prefix=%00", &[], "");
    assert_eq!(none.send().await.unwrap().status(), 400);
    let entities = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><Delete><Object><Key>&a;&#0;</Key></Object></Delete>";
    let hostile = signer
        .request(Method::POST, "/b?delete=", &[], entities)
        .body(entities);
    assert!(hostile.send().await.unwrap().status().as_u16() < 500);
}
