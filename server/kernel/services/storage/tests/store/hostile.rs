use tenon_storage::store::Growing;

use super::back_ends::{both, content, files};

#[tokio::test]
async fn no_key_leads_out_of_its_place() {
    let long = "k".repeat(201);
    let longer = ["kkkk"; 120].join("/");
    let keys = [
        "",
        "/",
        "/etc/passwd",
        "..",
        "../x",
        "a/../b",
        "a/..",
        "./a",
        "a//b",
        "a/",
        ".hidden",
        "a/.hidden",
        "a\0b",
        "a\nb",
        "a b",
        "ä",
        "a\\..\\b",
        "a%2f..%2fb",
        "C:",
        "a:b",
        "~",
        &long,
        &longer,
    ];
    for place in both().await {
        let before = files(&place);
        for key in keys {
            let store = &place.store;
            let grown = Growing::new(1);
            let refused = [
                store.put(key, content(b"x"), 1).await.err(),
                store.get(key, None).await.err(),
                store.copy(key, "good").await.err(),
                store.copy("good", key).await.err(),
                store.delete(&[key.to_owned()]).await.err(),
                store.begin_parts(key).await.err(),
                store.put_part(key, "upload", 1, content(b"x"), 1).await.err(),
                store.finish_parts(key, "upload", &[]).await.err(),
                store.abort_parts(key, "upload").await.err(),
                store.grow(key, &grown, content(b"x"), 1).await.err(),
                store.finish_growing(key, &grown).await.err(),
                store.abort_growing(key, &grown).await.err(),
            ];
            for (call, error) in refused.iter().enumerate() {
                let code = error.as_ref().map(|error| error.code.as_ref());
                assert_eq!(code, Some("storage.bad_key"), "{} {key:?} {call}", place.name);
            }
        }
        assert_eq!(files(&place), before);
    }
}

#[tokio::test]
async fn a_key_and_what_would_lie_below_it_do_not_harm_each_other() {
    let place = super::back_ends::local();
    // The two lie in different folders or one is refused; neither loses its content.
    place.store.put("a", content(b"above"), 10).await.unwrap();
    let below = place.store.put("a/b", content(b"below"), 10).await;
    assert_eq!(super::back_ends::read(&place, "a", None).await, b"above");
    if below.is_ok() {
        assert_eq!(super::back_ends::read(&place, "a/b", None).await, b"below");
    }
    place
        .store
        .delete(&["a/b".to_owned(), "a".to_owned(), "a/b/c".to_owned()])
        .await
        .unwrap();
}
