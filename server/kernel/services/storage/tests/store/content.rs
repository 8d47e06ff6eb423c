use super::back_ends::{both, broken, bytes, content, files, is_missing, read};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn content_comes_back_as_it_was_put() {
    for place in both().await {
        for (number, size) in [0, 1, 70_001, MIB, MIB + 1, 20 * MIB + 7].into_iter().enumerate() {
            let key = format!("some/content-{number}");
            let put = bytes(size, 7);
            let kept = place.store.put(&key, content(&put), u64::MAX).await.unwrap();
            assert_eq!(kept.size, size as u64, "{}", place.name);
            assert!(read(&place, &key, None).await == put, "{} {size}", place.name);
        }
    }
}

#[tokio::test]
async fn the_etag_is_the_md5_of_the_content() {
    for place in both().await {
        let kept = place.store.put("a", content(b"hello"), 5).await.unwrap();
        assert_eq!(kept.etag, "5d41402abc4b2a76b9719d911017c592");
        let nothing = place.store.put("b", content(b""), 0).await.unwrap();
        assert_eq!(nothing.etag, "d41d8cd98f00b204e9800998ecf8427e");
        // The same digest, whether it is sent at once or in parts.
        let large = vec![0; 17 * MIB];
        let kept = place.store.put("c", content(&large), u64::MAX).await.unwrap();
        assert_eq!(kept.etag, "e3d91b615096b8265b58c5d0efad4254", "{}", place.name);
    }
}

#[tokio::test]
async fn a_range_is_that_part_of_the_content() {
    for place in both().await {
        let put = bytes(3 * MIB, 3);
        place.store.put("k", content(&put), u64::MAX).await.unwrap();
        let end = put.len() as u64;
        for range in [
            0..1,
            0..end,
            5..5,
            262_143..262_145,
            1_000_000..2_500_000,
            end - 1..end,
        ] {
            let part = &put[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
            assert!(
                read(&place, "k", Some(range.clone())).await == part,
                "{} {range:?}",
                place.name
            );
        }
    }
}

#[tokio::test]
async fn more_than_the_limit_keeps_nothing() {
    for place in both().await {
        for (size, limit) in [(1, 0), (11, 10), (9 * MIB, 9 * MIB - 1), (40 * MIB, 8 * MIB)] {
            let refused = place.store.put("k", content(&bytes(size, 1)), limit as u64).await;
            assert_eq!(refused.unwrap_err().code, "storage.too_large", "{}", place.name);
            assert!(is_missing(&place, "k").await, "{}", place.name);
        }
        place.store.put("k", content(&bytes(10, 1)), 10).await.unwrap();
    }
}

#[tokio::test]
async fn content_that_breaks_off_keeps_nothing_and_leaves_what_was_there() {
    for place in both().await {
        place.store.put("there", content(b"before"), 100).await.unwrap();
        let before = files(&place);
        for size in [0, 10, 3 * MIB, 12 * MIB] {
            for key in ["k", "there"] {
                let refused = place.store.put(key, broken(&bytes(size, 1)), u64::MAX).await;
                assert_eq!(refused.unwrap_err().code, "storage.incomplete", "{}", place.name);
            }
            assert!(is_missing(&place, "k").await);
            assert_eq!(read(&place, "there", None).await, b"before");
        }
        if place.name == "local" {
            // Drafts go in the background.
            while files(&place) > before {
                tokio::task::yield_now().await;
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_missing_and_can_be_deleted() {
    for place in both().await {
        assert!(is_missing(&place, "nothing/here").await, "{}", place.name);
        place.store.delete(&["nothing/here".to_owned()]).await.unwrap();
        place.store.delete(&[]).await.unwrap();
        let copied = place.store.copy("nothing/here", "there").await;
        assert_eq!(copied.unwrap_err().code, "storage.content_missing");
        assert!(is_missing(&place, "there").await);
    }
}

#[tokio::test]
async fn a_copy_outlives_what_it_was_made_of() {
    for place in both().await {
        place
            .store
            .put("a/one", content(b"something"), 100)
            .await
            .unwrap();
        place.store.copy("a/one", "b/two").await.unwrap();
        place.store.copy("a/one", "b/two").await.unwrap();
        let both = ["a/one".to_owned(), "not/there".to_owned()];
        place.store.delete(&both).await.unwrap();
        assert!(is_missing(&place, "a/one").await);
        assert_eq!(read(&place, "b/two", None).await, b"something", "{}", place.name);
        place.store.delete(&["b/two".to_owned()]).await.unwrap();
        assert!(is_missing(&place, "b/two").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_come_and_go_in_one_folder_without_hindering_each_other() {
    let place = super::back_ends::local();
    let mut running = tokio::task::JoinSet::new();
    for number in 0..200 {
        let store = place.store.clone();
        running.spawn(async move {
            // The folders above are made and taken away by all of them.
            let key = format!("shared/{}/{number}", number % 3);
            for _ in 0..5 {
                store.put(&key, content(b"x"), 10).await.unwrap();
                store.delete(std::slice::from_ref(&key)).await.unwrap();
            }
        });
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
    assert_eq!(files(&place), 0);
}
