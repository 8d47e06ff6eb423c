//! Whose an upload is, and what it may replace.

use reqwest::Method;
use serde_json::json;
use tenon_testkit::{TestServer, TestUser, answer};

use super::{AT, add, adding, begin, beginning, below, content, header, offset};
use crate::support::{bucket, by, kept, path, put, server, service, sql};

/// A server where people may add what is theirs.
async fn with_people() -> (TestServer, TestUser, TestUser) {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    sql(
        &server,
        "create policy own on storage.objects for insert to authenticated with check (bucket_id = 'b' and owner_id = auth.uid()::text)",
    )
    .await;
    let (ana, ben) = (server.user("ana").await, server.user("ben").await);
    (server, ana, ben)
}

#[tokio::test]
async fn an_upload_is_its_beginners_and_needs_a_policy_from_beginning_to_end() {
    let (server, ana, ben) = with_people().await;
    let begun = beginning(by(&ana, Method::POST, AT), "a", 10)
        .send()
        .await
        .unwrap();
    assert_eq!(begun.status().as_u16(), 201);
    let at = below(&header(&begun, "location"));
    for stranger in [by(&ben, Method::PATCH, &at), service(&server, Method::PATCH, &at)] {
        assert_eq!(
            adding(stranger, 0, "hello")
                .send()
                .await
                .unwrap()
                .status()
                .as_u16(),
            404
        );
    }
    for method in [Method::HEAD, Method::DELETE] {
        let request = by(&ben, method, &at).header("tus-resumable", "1.0.0");
        assert_eq!(request.send().await.unwrap().status().as_u16(), 404);
    }
    let mine = adding(by(&ana, Method::PATCH, &at), 0, "hello")
        .send()
        .await
        .unwrap();
    assert_eq!(mine.status().as_u16(), 204);
    sql(&server, "drop policy own on storage.objects").await;
    let refused = adding(by(&ana, Method::PATCH, &at), 5, "there")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status().as_u16(), 403);
    assert!(refused.text().await.unwrap().contains("row-level security"));
    assert_eq!(
        beginning(by(&ana, Method::POST, AT), "x", 1)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16(),
        403
    );
    assert_eq!(kept(&server).await, 0);
}

#[tokio::test]
async fn what_is_there_is_replaced_only_by_who_asks_for_it() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a", "before").await;
    let refused = beginning(service(&server, Method::POST, AT), "a", 5)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status().as_u16(), 409);
    let request = beginning(
        service(&server, Method::POST, AT).header("x-upsert", "true"),
        "a",
        5,
    );
    assert_eq!(
        adding(request, 0, "after")
            .send()
            .await
            .unwrap()
            .status()
            .as_u16(),
        201
    );
    assert_eq!(content(&server, "a").await, "after");
    // Somebody else was faster.
    let at = begin(&server, "race", 5).await;
    put(&server, "b/race", "first").await;
    assert_eq!(add(&server, &at, 0, "later").await.0, 409);
    assert_eq!(content(&server, "race").await, "first");
    assert_eq!(offset(&server, &at).await, (200, "0".to_owned()));
}

#[tokio::test]
async fn whoever_was_given_a_token_uploads_one_object() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let (_, signed) = answer(service(&server, Method::POST, "/object/upload/sign/b/mine")).await;
    let token = signed["token"].as_str().unwrap();
    let with_token = |name: &str, token: &str| {
        let request = server.anonymous(Method::POST, &path("/upload/resumable/sign"));
        beginning(request.header("x-signature", token), name, 5)
    };
    assert_eq!(
        with_token("other", token).send().await.unwrap().status().as_u16(),
        400
    );
    assert_eq!(
        with_token("mine", "nonsense")
            .send()
            .await
            .unwrap()
            .status()
            .as_u16(),
        400
    );
    let begun = with_token("mine", token).send().await.unwrap();
    assert_eq!(begun.status().as_u16(), 201);
    let at = below(&header(&begun, "location"));
    assert!(at.starts_with("/upload/resumable/sign/"), "{at}");
    let unsigned = adding(server.anonymous(Method::PATCH, &path(&at)), 0, "hello");
    assert_eq!(unsigned.send().await.unwrap().status().as_u16(), 400);
    let by_key = adding(
        service(&server, Method::PATCH, &at.replace("/sign", "")),
        0,
        "hello",
    );
    assert_eq!(by_key.send().await.unwrap().status().as_u16(), 404);
    let signed = server
        .anonymous(Method::PATCH, &path(&at))
        .header("x-signature", token);
    assert_eq!(
        adding(signed, 0, "hello").send().await.unwrap().status().as_u16(),
        204
    );
    assert_eq!(content(&server, "mine").await, "hello");
}
