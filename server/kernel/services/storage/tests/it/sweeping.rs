use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use tenon_storage::store::{Store, open};
use tenon_testkit::{TestServer, answer};

use crate::support::{bucket, kept, put, server, service, sql};

async fn sweep(server: &TestServer) -> usize {
    let store = store(server);
    tenon_storage::sweep(server.kernel(), store.as_ref())
        .await
        .unwrap()
}

fn store(server: &TestServer) -> std::sync::Arc<dyn Store> {
    open(server.kernel().config(), server.kernel().env()).unwrap()
}

#[tokio::test]
async fn content_that_was_replaced_or_deleted_goes_after_a_while_and_other_content_stays() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    for name in ["a", "b", "c"] {
        put(&server, &format!("b/{name}"), "one").await;
    }
    put(&server, "b/a", "two").await;
    answer(service(&server, Method::DELETE, "/object/b/b")).await;
    assert_eq!((kept(&server).await, sweep(&server).await), (4, 0));
    server.advance(SignedDuration::from_secs(61));
    assert_eq!((sweep(&server).await, kept(&server).await), (2, 2));
    assert_eq!(sweep(&server).await, 0);
    for (name, content) in [("a", "two"), ("c", "one")] {
        let request = service(&server, Method::GET, &format!("/object/b/{name}"));
        assert_eq!(request.send().await.unwrap().text().await.unwrap(), content);
    }
}

#[tokio::test]
async fn while_somebody_holds_it_as_a_backup_does_no_content_goes() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a", "one").await;
    put(&server, "b/a", "two").await;
    server.advance(SignedDuration::from_hours(25));
    let backup = server.admin().await;
    backup
        .execute("select pg_advisory_lock_shared($1)", &[&tenon_storage::HOLD])
        .await
        .unwrap();
    assert_eq!((sweep(&server).await, kept(&server).await), (0, 2));
    drop(backup);
    // The lock goes with its session, which ends a moment later.
    let swept = async {
        while sweep(&server).await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), swept)
        .await
        .unwrap();
    assert_eq!(kept(&server).await, 1);
}

#[tokio::test]
async fn content_whose_row_was_never_written_is_an_orphan_a_day_later_and_not_before() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a", "stays").await;
    // As if the server had died between the bytes and the row.
    let lost = server.kernel().env().new_id().to_string();
    let content = stream::iter([Ok(Bytes::from_static(b"lost"))]).boxed();
    store(&server).put(&lost, content, 100).await.unwrap();
    assert_eq!((kept(&server).await, sweep(&server).await), (2, 0));
    server.advance(SignedDuration::from_hours(25));
    assert_eq!((sweep(&server).await, kept(&server).await), (1, 1));
    let request = service(&server, Method::GET, "/object/b/a");
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), "stays");
}

#[tokio::test]
async fn an_upload_that_is_cut_off_by_its_client_leaves_nothing_for_long() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let pieces = stream::unfold(0, |count: u32| async move {
        (count < 50).then_some(())?;
        tokio::task::yield_now().await;
        Some((Ok::<_, std::io::Error>(vec![0_u8; 10_000]), count + 1))
    });
    let breaks = pieces.chain(stream::iter([Err(std::io::Error::other("gone"))]));
    let request = service(&server, Method::POST, "/object/b/cut").body(reqwest::Body::wrap_stream(breaks));
    assert!(request.send().await.is_err());
    let (status, _) = answer(service(&server, Method::GET, "/object/info/b/cut")).await;
    assert_eq!((status, kept(&server).await), (400, 0));
}

#[tokio::test]
async fn what_organisations_leave_behind_is_swept_like_everything_else() {
    let server = server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    for org in [&ours, &theirs] {
        let to = format!("/object/files/{}/a.txt", org.id);
        let request = crate::support::text(crate::support::by(&org.owner, Method::POST, &to), "x");
        assert_eq!(answer(request).await.0, 200);
    }
    sql(
        &server,
        &format!(
            "update tenancy.organizations set delete_after = now() - interval '1 hour' where id = '{id}'; \
             select tenancy.forget('{id}', gen_random_uuid())",
            id = ours.id
        )
        .replace("select tenancy", "set role tenon_system; select tenancy"),
    )
    .await;
    let admin = server.admin().await;
    let left: i64 = admin
        .query_one(
            "select (select count(*) from storage.objects where org_id = $1) + (select count(*) from storage.usage where org_id = $1)",
            &[&ours.id],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(left, 0);
    server.advance(SignedDuration::from_secs(61));
    assert_eq!((sweep(&server).await, kept(&server).await), (1, 1));
    let (status, _) = answer(crate::support::by(
        &theirs.owner,
        Method::GET,
        &format!("/object/files/{}/a.txt", theirs.id),
    ))
    .await;
    assert_eq!(status, 200);
}
