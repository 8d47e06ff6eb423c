//! Uploads by a form.

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tenon_testkit::TestServer;

use super::{program, read, server, signing::Signer};
use crate::support::{bucket, kept, path};

fn conditions(extra: &[Value]) -> Value {
    let mut all = vec![json!({ "bucket": "b" }), json!(["starts-with", "$key", "in/"])];
    all.extend_from_slice(extra);
    Value::from(all)
}

async fn send(server: &TestServer, fields: Vec<(String, String)>, key: &str, file: Vec<u8>) -> (u16, String) {
    let form = fields
        .into_iter()
        .fold(Form::new(), |form, (name, value)| form.text(name, value));
    let form = form
        .text("key", key.to_owned())
        .part("file", Part::bytes(file).file_name("x.txt"));
    let told = server
        .anonymous(reqwest::Method::POST, &path("/s3/b"))
        .multipart(form)
        .send()
        .await
        .unwrap();
    (told.status().as_u16(), told.text().await.unwrap())
}

#[tokio::test]
async fn a_form_uploads_what_its_policy_allows_and_nothing_else() {
    let server = server().await;
    bucket(&server, "b", json!({ "file_size_limit": 3_000_000 })).await;
    let signer = Signer::program(&server);
    let good = || signer.form(&conditions(&[]), 60);
    assert_eq!(send(&server, good(), "in/a.txt", b"hello".to_vec()).await.0, 200);
    assert_eq!(read(&program(&server, "b"), "in/a.txt").await, "hello");
    let sized = || signer.form(&conditions(&[json!(["content-length-range", 10, 1000])]), 60);
    let at_least = || {
        signer.form(
            &conditions(&[json!(["content-length-range", 2_000_000, 9_000_000])]),
            60,
        )
    };
    let altered = |name: &str, value: &str| {
        let mut fields = good();
        fields.retain(|(field, _)| field != name);
        if !value.is_empty() {
            fields.push((name.to_owned(), value.to_owned()));
        }
        fields
    };
    let many = (0..300).map(|at| (format!("x-ignore-{at}"), String::new()));
    let cases = [
        ("another key", good(), "out/a.txt", 5, "InvalidPolicyDocument"),
        (
            "over",
            signer.form(&conditions(&[]), -60),
            "in/b",
            5,
            "AccessDenied",
        ),
        ("too small", sized(), "in/b", 9, "EntityTooSmall"),
        ("too large", sized(), "in/b", 1001, "EntityTooLarge"),
        (
            "too large for the bucket",
            at_least(),
            "in/b",
            3_000_001,
            "EntityTooLarge",
        ),
        ("too small by much", at_least(), "in/b", 1, "EntityTooSmall"),
        (
            "another signature",
            altered("x-amz-signature", &"0".repeat(64)),
            "in/b",
            5,
            "SignatureDoesNotMatch",
        ),
        (
            "no signature",
            altered("x-amz-signature", ""),
            "in/b",
            5,
            "AccessDenied",
        ),
        (
            "no policy",
            altered("policy", ""),
            "in/b",
            5,
            "InvalidPolicyDocument",
        ),
        (
            "a field beside the policy",
            altered("acl", "public-read"),
            "in/b",
            5,
            "AccessDenied",
        ),
        (
            "a field with a NUL",
            altered("x-ignore-me", "a\0b"),
            "in/b",
            5,
            "MalformedPOSTRequest",
        ),
        (
            "fields without end",
            good().into_iter().chain(many).collect(),
            "in/b",
            5,
            "MalformedPOSTRequest",
        ),
        (
            "a field too long",
            altered("x-ignore-me", &"x".repeat(2_000_000)),
            "in/b",
            5,
            "MaxPostPreDataLengthExceeded",
        ),
        (
            "a name that leads elsewhere",
            good(),
            "in/../b",
            5,
            "InvalidArgument",
        ),
    ];
    for (name, fields, key, size, code) in cases {
        let (status, told) = send(&server, fields, key, vec![b'x'; size]).await;
        assert!((400..500).contains(&status), "{name}: {status} {told}");
        assert!(told.contains(code), "{name}: {told}");
    }
    assert_eq!(kept(&server).await, 1);
    let (status, told) = send(&server, at_least(), "in/b", vec![b'x'; 2_500_000]).await;
    assert_eq!(status, 200, "{told}");
}
