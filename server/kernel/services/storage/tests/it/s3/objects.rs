//! Objects as a client of S3's has them.

use futures_util::TryStreamExt;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, PutPayload, path::Path};
use reqwest::Method;
use serde_json::json;
use tenon_testkit::answer;

use super::{program, read, server};
use crate::support::{bucket, put, service};

#[tokio::test]
async fn objects_are_put_got_listed_copied_and_deleted() {
    let server = server().await;
    bucket(&server, "bucket", json!({})).await;
    let store = program(&server, "bucket");
    for key in ["a.txt", "folder/b.txt", "folder/deep/c.txt", "odd/ü b+c.txt"] {
        let made = store
            .put(&Path::parse(key).unwrap(), PutPayload::from(key.to_owned()))
            .await
            .unwrap();
        assert!(made.e_tag.is_some());
    }
    assert_eq!(read(&store, "odd/ü b+c.txt").await, "odd/ü b+c.txt");
    let part = store.get_range(&Path::from("a.txt"), 2..4).await.unwrap();
    assert_eq!(&part[..], b"tx");
    let head = store.head(&Path::from("folder/b.txt")).await.unwrap();
    assert_eq!(head.size, 12);
    let same = GetOptions {
        if_none_match: head.e_tag.clone(),
        ..GetOptions::default()
    };
    let told = store
        .get_opts(&Path::from("folder/b.txt"), same)
        .await
        .unwrap_err();
    assert!(matches!(told, object_store::Error::NotModified { .. }), "{told}");
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    let names: Vec<String> = listed.iter().map(|one| one.location.to_string()).collect();
    assert_eq!(
        names,
        ["a.txt", "folder/b.txt", "folder/deep/c.txt", "odd/ü b+c.txt"]
    );
    let root = store.list_with_delimiter(None).await.unwrap();
    let folders: Vec<String> = root.common_prefixes.iter().map(ToString::to_string).collect();
    assert_eq!(
        (folders, root.objects.len()),
        (vec!["folder".to_owned(), "odd".to_owned()], 1)
    );
    store
        .copy(&Path::from("a.txt"), &Path::from("copy.txt"))
        .await
        .unwrap();
    assert_eq!(read(&store, "copy.txt").await, "a.txt");
    let missing = store.get(&Path::from("missing")).await.unwrap_err();
    assert!(
        matches!(missing, object_store::Error::NotFound { .. }),
        "{missing}"
    );
    let put_new = object_store::PutOptions::from(object_store::PutMode::Create);
    let taken = store
        .put_opts(&Path::from("a.txt"), PutPayload::from_static(b"x"), put_new)
        .await
        .unwrap_err();
    assert!(
        matches!(taken, object_store::Error::AlreadyExists { .. }),
        "{taken}"
    );
    store.delete(&Path::from("a.txt")).await.unwrap();
    let gone = futures_util::stream::iter(["copy.txt", "folder/b.txt"].map(|key| Ok(Path::from(key))));
    let gone: Vec<_> = store.delete_stream(Box::pin(gone)).try_collect().await.unwrap();
    assert_eq!(gone.len(), 2);
    assert_eq!(store.list(None).try_collect::<Vec<_>>().await.unwrap().len(), 2);
    // The same objects are seen by the other door, and the other way round.
    put(&server, "bucket/from-rest.txt", "rest").await;
    assert_eq!(read(&store, "from-rest.txt").await, "rest");
    let (status, _) = answer(service(
        &server,
        Method::GET,
        "/object/info/bucket/folder/deep/c.txt",
    ))
    .await;
    assert_eq!(status, 200);
}
