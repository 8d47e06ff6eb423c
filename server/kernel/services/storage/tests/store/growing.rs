use tenon_storage::store::Growing;

use super::back_ends::{Place, both, broken, bytes, content, files, is_missing, read};

const MIB: usize = 1 << 20;

async fn grow(place: &Place, so_far: &Growing, more: &[u8]) -> Growing {
    place
        .store
        .grow("k", so_far, content(more), u64::MAX)
        .await
        .unwrap()
}

#[tokio::test]
async fn content_grows_by_whatever_comes_and_is_made_whole() {
    for place in both().await {
        let whole = bytes(23 * MIB + 5, 4);
        let mut grown = Growing::new(whole.len() as u64);
        let mut from = 0;
        // Less than a part of S3's, several, much more, nothing, and a rest.
        for size in [3, MIB, 2 * MIB, 9 * MIB, 0, 6 * MIB, 1] {
            grown = grow(&place, &grown, &whole[from..from + size]).await;
            from += size;
            assert_eq!(grown.size, from as u64);
            // What is known of it outlasts the process.
            let text = serde_json::to_string(&grown).unwrap();
            grown = serde_json::from_str(&text).unwrap();
        }
        grown = grow(&place, &grown, &whole[from..]).await;
        assert!(is_missing(&place, "k").await);
        let kept = place.store.finish_growing("k", &grown).await.unwrap();
        assert_eq!(kept.size, whole.len() as u64);
        assert!(read(&place, "k", None).await == whole, "{}", place.name);
        let again = place.store.finish_growing("k", &grown).await.unwrap();
        assert_eq!(kept, again, "{}", place.name);
        place.store.abort_growing("k", &grown).await.ok();
        assert!(read(&place, "k", None).await == whole, "{}", place.name);
    }
}

#[tokio::test]
async fn content_of_which_little_or_nothing_came_is_whole_too() {
    for place in both().await {
        let grown = grow(&place, &Growing::new(5), b"hello").await;
        place.store.finish_growing("k", &grown).await.unwrap();
        assert_eq!(read(&place, "k", None).await, b"hello", "{}", place.name);
    }
}

#[tokio::test]
async fn an_addition_that_fails_leaves_what_was_there() {
    for place in both().await {
        let whole = bytes(16 * MIB, 5);
        let half = grow(&place, &Growing::new(16 << 20), &whole[..8 * MIB]).await;
        let more = &whole[8 * MIB..];
        let broke_off = place.store.grow("k", &half, broken(more), u64::MAX).await;
        assert_eq!(broke_off.unwrap_err().code, "storage.incomplete");
        let too_much = place.store.grow("k", &half, content(more), 100).await;
        assert_eq!(too_much.unwrap_err().code, "storage.too_large");
        // One that was kept, and of which nobody heard any more.
        grow(&place, &half, &bytes(7 * MIB, 6)).await;
        let grown = grow(&place, &half, more).await;
        place.store.finish_growing("k", &grown).await.unwrap();
        assert!(read(&place, "k", None).await == whole, "{}", place.name);
    }
}

#[tokio::test]
async fn the_end_that_is_too_short_for_a_part_survives_an_addition_nobody_heard_of() {
    for place in both().await {
        let few = grow(&place, &Growing::new(9), b"abc").await;
        grow(&place, &few, b"lost").await;
        let grown = grow(&place, &few, b"defghi").await;
        place.store.finish_growing("k", &grown).await.unwrap();
        assert_eq!(read(&place, "k", None).await, b"abcdefghi", "{}", place.name);
    }
}

#[tokio::test]
async fn growing_content_that_is_given_up_is_gone() {
    for place in both().await {
        let before = files(&place);
        let grown = grow(&place, &Growing::new(100), b"some").await;
        place.store.abort_growing("k", &grown).await.unwrap();
        assert_eq!(files(&place), before, "{}", place.name);
        assert!(is_missing(&place, "k").await);
    }
}
