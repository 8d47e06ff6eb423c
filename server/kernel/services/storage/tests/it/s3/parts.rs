//! Uploads in parts.

use object_store::{ObjectStoreExt, path::Path};
use reqwest::Method;
use serde_json::json;

use super::{person, program, server, signing::Signer};
use crate::support::{bucket, kept, sql};

#[tokio::test]
async fn an_upload_in_parts_is_nothing_before_it_is_whole_and_leaves_nothing_when_given_up() {
    let server = server().await;
    bucket(&server, "b", json!({ "file_size_limit": 12_000_000 })).await;
    let store = program(&server, "b");
    let place = Path::from("large.bin");
    let mut upload = store.put_multipart(&place).await.unwrap();
    for number in 0..2_u8 {
        upload
            .put_part(vec![number; 5 * 1024 * 1024].into())
            .await
            .unwrap();
    }
    assert!(store.head(&place).await.is_err());
    upload.complete().await.unwrap();
    let head = store.head(&place).await.unwrap();
    assert_eq!(head.size, 10 * 1024 * 1024);
    assert!(head.e_tag.unwrap().ends_with("-2\""));
    let seam = store
        .get_range(&place, 5 * 1024 * 1024 - 1..5 * 1024 * 1024 + 1)
        .await
        .unwrap();
    assert_eq!(&seam[..], [0, 1]);

    let mut upload = store.put_multipart(&place).await.unwrap();
    upload.put_part(vec![9; 5 * 1024 * 1024].into()).await.unwrap();
    upload.abort().await.unwrap();
    assert_eq!(store.head(&place).await.unwrap().size, 10 * 1024 * 1024);
    // More than the bucket takes, in parts that each fit.
    let mut upload = store.put_multipart(&Path::from("too-large.bin")).await.unwrap();
    upload.put_part(vec![1; 7_000_000].into()).await.unwrap();
    assert!(upload.put_part(vec![2; 7_000_000].into()).await.is_err());
    upload.abort().await.unwrap();
    let admin = server.admin().await;
    let left: i64 = admin
        .query_one("select count(*) from storage.s3_multipart_uploads", &[])
        .await
        .unwrap()
        .get(0);
    server.advance(jiff::SignedDuration::from_secs(61));
    let store = tenon_storage::store::open(server.kernel().config(), server.kernel().env()).unwrap();
    tenon_storage::sweep(server.kernel(), store.as_ref())
        .await
        .unwrap();
    let waiting: i64 = admin
        .query_one("select count(*) from storage.discarded", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!((left, waiting, kept(&server).await), (0, 0, 1));
}

#[tokio::test]
async fn a_picture_in_parts_that_is_a_page_is_refused_when_it_is_whole() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let signer = Signer::program(&server);
    let begun = signer
        .request(
            Method::POST,
            "/b/a.png?uploads=",
            &[("content-type", "image/png")],
            "",
        )
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let id = begun
        .split_once("<UploadId>")
        .and_then(|(_, rest)| rest.split_once('<'))
        .unwrap()
        .0
        .to_owned();
    let page = "<script>alert(1)</script>";
    let part = signer
        .request(
            Method::PUT,
            &format!("/b/a.png?partNumber=1&uploadId={id}"),
            &[],
            page,
        )
        .body(page)
        .send()
        .await
        .unwrap();
    let tag = part.headers()["etag"].to_str().unwrap().to_owned();
    let whole = format!(
        "<CompleteMultipartUpload><Part><ETag>{tag}</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"
    );
    let at = format!("/b/a.png?uploadId={id}");
    let refused = signer
        .request(Method::POST, &at, &[], &whole)
        .body(whole.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 400);
    let over = signer
        .request(Method::POST, &at, &[], &whole)
        .body(whole)
        .send()
        .await
        .unwrap();
    assert_eq!(over.status(), 404);
    assert_eq!(kept(&server).await, 0);
}

#[tokio::test]
async fn an_upload_in_parts_is_its_beginners() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    sql(
        &server,
        "create policy own on storage.objects for all to authenticated using (bucket_id = 'b'); \
         create policy visitors on storage.objects for all to anon using (bucket_id = 'b'); \
         create policy see on storage.buckets for select to authenticated using (true)",
    )
    .await;
    let (ada, bob) = (server.user("ada").await, server.user("bob").await);
    let place = Path::from("a.bin");
    let upload = person(&server, &ada, "b").put_multipart(&place).await.unwrap();
    let admin = server.admin().await;
    let id: String = admin
        .query_one("select id from storage.s3_multipart_uploads", &[])
        .await
        .unwrap()
        .get(0);
    for signer in [Signer::person(&server, &bob.token), Signer::program(&server)] {
        let listed = signer
            .request(Method::GET, "/b?uploads=", &[], "")
            .send()
            .await
            .unwrap();
        assert_eq!(listed.status(), 200);
        assert!(!listed.text().await.unwrap().contains(&id));
        let at = format!("/b/a.bin?uploadId={id}");
        let added = signer
            .request(Method::PUT, &format!("{at}&partNumber=1"), &[], "x")
            .body("x");
        assert_eq!(added.send().await.unwrap().status(), 404);
        for method in [Method::GET, Method::DELETE] {
            let told = signer.request(method, &at, &[], "").send().await.unwrap();
            assert_eq!(told.status(), 404);
        }
    }
    drop(upload);
    let own = Signer::person(&server, &ada.token).request(Method::GET, "/b?uploads=", &[], "");
    assert!(own.send().await.unwrap().text().await.unwrap().contains(&id));
    // Visitors are many, and nobody could tell their uploads apart.
    let visitor = server.kernel().config().auth.publishable_key.clone();
    let refused = Signer::person(&server, &visitor).request(Method::POST, "/b/v.bin?uploads=", &[], "");
    assert_eq!(refused.send().await.unwrap().status(), 403);
}
