use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tenon_sdk::env::Env;
use tenon_storage::store::Growing;

use super::back_ends::{both, content, files};

#[tokio::test]
async fn all_keys_are_listed_once_some_at_a_time() {
    for place in both().await {
        let mut put = BTreeMap::new();
        for number in 0..120_u64 {
            let key = match number % 4 {
                0 => format!("flat-{number}"),
                1 => format!("a/{number}"),
                2 => format!("a.b/{number}/c"),
                _ => format!("a-b/{number}"),
            };
            let size = usize::try_from(number).unwrap();
            place
                .store
                .put(&key, content(&vec![1; size]), 1000)
                .await
                .unwrap();
            put.insert(key, number);
        }
        // What is not whole is no key.
        let upload = place.store.begin_parts("not-whole").await.unwrap();
        place
            .store
            .put_part("not-whole", &upload, 1, content(b"x"), 1)
            .await
            .unwrap();
        place
            .store
            .grow("growing", &Growing::new(3), content(b"x"), 1)
            .await
            .unwrap();
        for step in [1000, 7, 1] {
            let mut listed = BTreeMap::new();
            let mut after: Option<String> = None;
            loop {
                let found = place.store.list(after.as_deref(), step).await.unwrap();
                assert!(found.len() <= step);
                let Some(last) = found.last() else { break };
                after = Some(last.key.clone());
                for one in found {
                    assert!(one.written > Timestamp::UNIX_EPOCH);
                    assert_eq!(listed.insert(one.key, one.size), None, "{}", place.name);
                }
            }
            assert_eq!(listed, put, "{} {step}", place.name);
        }
        // A key that is gone still says where to go on.
        let all = place.store.list(None, 1000).await.unwrap();
        place.store.delete(&[all[50].key.clone()]).await.unwrap();
        let rest = place.store.list(Some(&all[50].key), 1000).await.unwrap();
        assert_eq!(rest, all[51..], "{}", place.name);
    }
}

#[tokio::test]
async fn an_empty_store_lists_nothing() {
    for place in both().await {
        assert_eq!(place.store.list(None, 10).await.unwrap(), [], "{}", place.name);
    }
}

#[tokio::test]
async fn what_nobody_added_to_goes_and_what_is_kept_stays() {
    for place in both().await {
        place.store.put("kept", content(b"x"), 1).await.unwrap();
        let kept = files(&place);
        place
            .store
            .grow("k", &Growing::new(3), content(b"x"), 1)
            .await
            .unwrap();
        if place.name == "local" {
            let upload = place.store.begin_parts("p").await.unwrap();
            place
                .store
                .put_part("p", &upload, 1, content(b"x"), 1)
                .await
                .unwrap();
        }
        let growing = files(&place);
        let now = Env::real().now();
        place
            .store
            .sweep(now - SignedDuration::from_hours(1))
            .await
            .unwrap();
        assert_eq!(files(&place), growing);
        place
            .store
            .sweep(now + SignedDuration::from_hours(1))
            .await
            .unwrap();
        assert_eq!(files(&place), kept, "{}", place.name);
        assert_eq!(place.store.list(None, 10).await.unwrap().len(), 1);
    }
}
