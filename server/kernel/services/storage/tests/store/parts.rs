use super::back_ends::{both, broken, bytes, content, files, is_missing, read};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn parts_come_in_any_order_and_are_replaced_by_their_number() {
    for place in both().await {
        let (one, two, three) = (bytes(5 * MIB, 1), bytes(6 * MIB, 2), bytes(3, 3));
        let upload = place.store.begin_parts("whole").await.unwrap();
        let put = async |number, bytes: &[u8]| {
            let kept = place
                .store
                .put_part("whole", &upload, number, content(bytes), u64::MAX)
                .await;
            kept.unwrap()
        };
        let third = put(3, &three).await;
        put(1, &bytes(5 * MIB, 9)).await;
        let second = put(2, &two).await;
        let first = put(1, &one).await;
        assert_eq!(second.size, two.len() as u64);
        assert!(is_missing(&place, "whole").await);
        let parts = [(1, first.etag), (2, second.etag), (3, third.etag)];
        let kept = place.store.finish_parts("whole", &upload, &parts).await.unwrap();
        assert!(
            read(&place, "whole", None).await == [one, two, three].concat(),
            "{}",
            place.name
        );
        assert_eq!(kept.size, 11 * MIB as u64 + 3);
        assert!(
            kept.etag.ends_with("-3") && kept.etag.len() == 34,
            "{}",
            kept.etag
        );
        let again = place
            .store
            .put_part("whole", &upload, 1, content(b"late"), 10)
            .await;
        assert!(again.is_err(), "{}", place.name);
    }
}

#[tokio::test]
async fn the_etag_of_parts_is_as_s3_makes_it() {
    for place in both().await {
        let upload = place.store.begin_parts("k").await.unwrap();
        let kept = place
            .store
            .put_part("k", &upload, 1, content(b"hello"), 5)
            .await
            .unwrap();
        let kept = place
            .store
            .finish_parts("k", &upload, &[(1, kept.etag)])
            .await
            .unwrap();
        // md5(md5("hello") as bytes)
        assert_eq!(kept.etag, "62109206880d38a4010a98e11243924a-1", "{}", place.name);
    }
}

#[tokio::test]
async fn a_part_that_is_too_large_or_breaks_off_is_none() {
    for place in both().await {
        let upload = place.store.begin_parts("k").await.unwrap();
        let too_large = place
            .store
            .put_part("k", &upload, 1, content(&bytes(11, 1)), 10)
            .await;
        assert_eq!(too_large.unwrap_err().code, "storage.too_large");
        let broke_off = place
            .store
            .put_part("k", &upload, 1, broken(&bytes(2 * MIB, 1)), u64::MAX)
            .await;
        assert_eq!(broke_off.unwrap_err().code, "storage.incomplete");
        let parts = [(1, "5d41402abc4b2a76b9719d911017c592".to_owned())];
        assert!(
            place.store.finish_parts("k", &upload, &parts).await.is_err(),
            "{}",
            place.name
        );
        assert!(is_missing(&place, "k").await);
    }
}

#[tokio::test]
async fn parts_given_up_are_gone() {
    for place in both().await {
        let upload = place.store.begin_parts("k").await.unwrap();
        place
            .store
            .put_part("k", &upload, 1, content(b"hello"), 5)
            .await
            .unwrap();
        place.store.abort_parts("k", &upload).await.unwrap();
        let parts = [(1, "5d41402abc4b2a76b9719d911017c592".to_owned())];
        assert!(place.store.finish_parts("k", &upload, &parts).await.is_err());
        assert!(is_missing(&place, "k").await, "{}", place.name);
        if place.name == "local" {
            assert_eq!(files(&place), 0);
            place.store.abort_parts("k", &upload).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_upload_belongs_to_its_key() {
    let place = super::back_ends::local();
    let upload = place.store.begin_parts("mine").await.unwrap();
    let foreign = place
        .store
        .put_part("yours", &upload, 1, content(b"hello"), 5)
        .await;
    assert_eq!(foreign.unwrap_err().code, "storage.no_such_upload");
    for hostile in ["", ".", "..", "../objects", "a/b", "a\0b"] {
        let refused = place
            .store
            .put_part("mine", hostile, 1, content(b"hello"), 5)
            .await;
        assert_eq!(refused.unwrap_err().code, "storage.no_such_upload");
        assert!(place.store.abort_parts("mine", hostile).await.is_err());
    }
    let stolen = [(1, "/../../../etc/passwd".to_owned())];
    let refused = place.store.finish_parts("mine", &upload, &stolen).await;
    assert_eq!(refused.unwrap_err().code, "storage.no_such_part");
}
