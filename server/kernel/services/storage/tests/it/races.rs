//! Who was faster: rights to what was there are no rights to what somebody else has put there since.

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::json;
use tenon_testkit::{TestServer, TestUser, answer};
use tokio::sync::oneshot;

use crate::support::{bucket, by, path, put, server, service, sql, text};

/// Everybody adds, and changes what is theirs.
const POLICIES: &str = "create policy adds on storage.objects for insert to authenticated with check (owner_id = auth.uid()::text);
    create policy reads on storage.objects for select to authenticated using (true);
    create policy changes on storage.objects for update to authenticated using (owner_id = auth.uid()::text)";

async fn shared() -> (TestServer, TestUser, TestUser) {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    sql(&server, POLICIES).await;
    let (ana, ben) = (server.user("ana").await, server.user("ben").await);
    (server, ana, ben)
}

async fn content(server: &TestServer, name: &str) -> String {
    let got = service(server, Method::GET, &format!("/object/b/{name}"))
        .send()
        .await;
    got.unwrap().text().await.unwrap()
}

/// How often policies were asked whether something may be put over something else.
fn asked(server: &TestServer) -> usize {
    let log = server.kernel().db().statement_log().unwrap().texts();
    log.iter()
        .filter(|text| {
            text.starts_with("insert into storage.objects (bucket_id") && text.contains("do update")
        })
        .count()
}

#[tokio::test]
async fn an_upload_that_was_let_in_does_not_replace_what_somebody_else_put_there_meanwhile() {
    let (server, ana, ben) = shared().await;
    let (go, wait) = oneshot::channel::<()>();
    let first = stream::iter([Ok::<_, std::io::Error>(b"ana's ".to_vec())]);
    let rest = stream::once(async move {
        wait.await.unwrap();
        Ok(b"report".to_vec())
    });
    let slow = text(by(&ana, Method::POST, "/object/b/report.txt"), "")
        .header("x-upsert", "true")
        .body(reqwest::Body::wrap_stream(first.chain(rest)));
    let slow = tokio::spawn(answer(slow));
    while asked(&server) == 0 {
        tokio::task::yield_now().await;
    }
    let (status, _) = answer(text(
        by(&ben, Method::POST, "/object/b/report.txt"),
        "ben's report",
    ))
    .await;
    assert_eq!(status, 200);
    go.send(()).unwrap();
    let (status, told) = slow.await.unwrap();
    assert_eq!((status, &told["statusCode"]), (400, &json!("403")), "{told}");
    assert_eq!(content(&server, "report.txt").await, "ben's report");
}

#[tokio::test]
async fn an_upload_replaces_what_its_own_owner_put_there_meanwhile() {
    let (server, ana, _) = shared().await;
    let (go, wait) = oneshot::channel::<()>();
    let body = stream::once(async move {
        wait.await.unwrap();
        Ok::<_, std::io::Error>(b"second".to_vec())
    });
    let slow = text(by(&ana, Method::POST, "/object/b/own.txt"), "")
        .header("x-upsert", "true")
        .body(reqwest::Body::wrap_stream(body));
    let slow = tokio::spawn(answer(slow));
    while asked(&server) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        answer(text(by(&ana, Method::POST, "/object/b/own.txt"), "first"))
            .await
            .0,
        200
    );
    go.send(()).unwrap();
    assert_eq!(slow.await.unwrap().0, 200);
    assert_eq!(content(&server, "own.txt").await, "second");
}

async fn token(request: reqwest::RequestBuilder) -> String {
    let (status, signed) = answer(request.header("x-upsert", "true")).await;
    assert_eq!(status, 200, "{signed}");
    path(signed["url"].as_str().unwrap())
}

#[tokio::test]
async fn a_token_for_a_free_name_is_none_for_what_somebody_else_puts_there() {
    let (server, ana, ben) = shared().await;
    let to = "/object/upload/sign/b/free.txt";
    let anas = token(by(&ana, Method::POST, to)).await;
    let operators = token(service(&server, Method::POST, to)).await;
    // Whoever signed it may use it again, as a client does that lost the answer.
    for content in ["first", "second"] {
        let put = text(server.anonymous(Method::PUT, &anas), content);
        assert_eq!(answer(put).await.0, 200);
    }
    let gone = service(&server, Method::DELETE, "/object/b/free.txt");
    assert_eq!(answer(gone).await.0, 200);
    answer(text(by(&ben, Method::POST, "/object/b/free.txt"), "ben's")).await;
    let (status, told) = answer(text(server.anonymous(Method::PUT, &anas), "ana's")).await;
    assert_eq!((status, &told["statusCode"]), (400, &json!("403")), "{told}");
    assert_eq!(content(&server, "free.txt").await, "ben's");
    // Who is under no policy may replace whatever there is.
    let put = text(server.anonymous(Method::PUT, &operators), "the operator's");
    assert_eq!(answer(put).await.0, 200);
    assert_eq!(content(&server, "free.txt").await, "the operator's");
}

#[tokio::test]
async fn a_token_to_replace_something_replaces_that() {
    let (server, ana, _) = shared().await;
    sql(
        &server,
        "create policy shared on storage.objects for update to authenticated using (name = 'team.txt')",
    )
    .await;
    put(&server, "b/team.txt", "the operator's").await;
    let anas = token(by(&ana, Method::POST, "/object/upload/sign/b/team.txt")).await;
    put(&server, "b/team.txt", "the operator's again").await;
    let (status, told) = answer(text(server.anonymous(Method::PUT, &anas), "ana's")).await;
    assert_eq!(status, 400, "{told}");
    let anas = token(by(&ana, Method::POST, "/object/upload/sign/b/team.txt")).await;
    assert_eq!(
        answer(text(server.anonymous(Method::PUT, &anas), "ana's"))
            .await
            .0,
        200
    );
    assert_eq!(content(&server, "team.txt").await, "ana's");
}

#[tokio::test]
async fn nobody_gives_a_row_of_theirs_the_content_of_another() {
    let (server, ana, ben) = shared().await;
    answer(text(by(&ben, Method::POST, "/object/b/ben.txt"), "ben's")).await;
    answer(text(by(&ana, Method::POST, "/object/b/ana.txt"), "ana's")).await;
    let admin = server.admin().await;
    let version = "(select version from storage.objects where name = 'ben.txt')";
    let as_ana = format!(
        "set role authenticated; select set_config('request.jwt.claims', '{{\"sub\":\"{}\"}}', false)",
        ana.id.0
    );
    admin.batch_execute(&as_ana).await.unwrap();
    for attempt in [
        format!(
            "insert into storage.objects (bucket_id, name, owner_id, version) values ('b', 'x', '{}', {version})",
            ana.id.0
        ),
        format!("update storage.objects set version = {version} where name = 'ana.txt'"),
    ] {
        let refused = admin.batch_execute(&attempt).await.unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "42501", "{attempt}");
        let told = refused.as_db_error().unwrap().message();
        assert!(told.starts_with("Versions of objects"), "{told}");
    }
}
