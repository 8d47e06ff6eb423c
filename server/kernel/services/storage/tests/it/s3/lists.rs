//! Lists, with every delimiter and spelling.

use reqwest::Method;
use serde_json::json;

use super::{server, signing::Signer};
use crate::support::{bucket, put};

/// What stands between all tags of this name.
fn between<'a>(xml: &'a str, tag: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    xml.split(&open)
        .skip(1)
        .filter_map(|rest| rest.split_once(&close).map(|(text, _)| text))
        .collect()
}

#[tokio::test]
async fn names_are_grouped_by_any_delimiter_and_come_in_pages() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let names = ["a-1", "a-2", "b", "c-x-1", "c-x-2", "c-y", "d/e", "ü b"];
    for name in names {
        put(&server, &format!("b/{name}"), name).await;
    }
    let signer = Signer::program(&server);
    let list = async |query: &str| {
        let asked = signer.request(Method::GET, &format!("/b?{query}"), &[], "");
        let told = asked.send().await.unwrap();
        let status = told.status().as_u16();
        (status, told.text().await.unwrap())
    };
    let (_, all) = list("list-type=2").await;
    assert_eq!(between(&all, "Key"), names);
    let (_, grouped) = list("delimiter=-&list-type=2").await;
    assert_eq!(between(&grouped, "Key"), ["b", "d/e", "ü b"]);
    let folders: Vec<&str> = between(&grouped, "CommonPrefixes")
        .iter()
        .flat_map(|folder| between(folder, "Prefix"))
        .collect();
    assert_eq!(folders, ["a-", "c-"]);
    let (_, within) = list("delimiter=-&list-type=2&prefix=c-").await;
    assert_eq!(between(&within, "Key"), ["c-y"]);
    assert!(within.contains("<CommonPrefixes><Prefix>c-x-</Prefix></CommonPrefixes>"));
    // One entry a page, each of them once.
    let (mut seen, mut token) = (0, String::new());
    for _ in 0..20 {
        let (_, page) = list(&format!("{token}delimiter=-&list-type=2&max-keys=1")).await;
        seen += between(&page, "KeyCount")[0].parse::<u32>().unwrap();
        match between(&page, "NextContinuationToken").first() {
            Some(next) => token = format!("continuation-token={next}&"),
            None => break,
        }
    }
    assert_eq!(seen, 5);
    let (_, first) = list("delimiter=-&max-keys=1").await;
    assert_eq!(between(&first, "NextMarker"), ["a-"]);
    let (_, second) = list("delimiter=-&marker=a-&max-keys=1").await;
    assert_eq!(between(&second, "Key"), ["b"]);
    let (_, encoded) = list("encoding-type=url&list-type=2&start-after=d").await;
    assert_eq!(between(&encoded, "Key"), ["d/e", "%C3%BC%20b"]);
    let (_, none) = list("list-type=2&max-keys=0").await;
    assert_eq!(
        (between(&none, "Key").len(), between(&none, "IsTruncated")),
        (0, vec!["false"])
    );
    for wrong in [
        "continuation-token=%25&list-type=2",
        "encoding-type=rot13",
        "list-type=2&max-keys=many",
    ] {
        assert_eq!(list(wrong).await.0, 400, "{wrong}");
    }
}
