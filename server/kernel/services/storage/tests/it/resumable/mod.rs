//! Uploads that come in several requests, asked as TUS clients ask.

mod adding;
mod beginning;
mod breaks;
mod refusals;
mod rights;

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{Method, RequestBuilder, Response};
use tenon_testkit::TestServer;

use crate::support::service;

const AT: &str = "/upload/resumable";

fn metadata(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{name} {}", BASE64_STANDARD.encode(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join(",")
}

fn beginning(request: RequestBuilder, name: &str, length: u64) -> RequestBuilder {
    let told = metadata(&[
        ("bucketName", "b"),
        ("objectName", name),
        ("contentType", "text/plain"),
        ("cacheControl", "3600"),
        ("metadata", r#"{"from":"a test"}"#),
    ]);
    request
        .header("tus-resumable", "1.0.0")
        .header("upload-length", length)
        .header("upload-metadata", told)
}

async fn begin(server: &TestServer, name: &str, length: u64) -> String {
    let begun = beginning(service(server, Method::POST, AT), name, length)
        .send()
        .await
        .unwrap();
    assert_eq!(begun.status(), 201);
    below(&header(&begun, "location"))
}

/// What comes after `/storage/v1`.
fn below(location: &str) -> String {
    location.split_once("/storage/v1").unwrap().1.to_owned()
}

fn header(response: &Response, name: &str) -> String {
    response.headers()[name].to_str().unwrap().to_owned()
}

fn adding(request: RequestBuilder, offset: u64, body: impl Into<reqwest::Body>) -> RequestBuilder {
    request
        .header("tus-resumable", "1.0.0")
        .header("upload-offset", offset)
        .header("content-type", "application/offset+octet-stream")
        .body(body)
}

async fn add(server: &TestServer, at: &str, offset: u64, body: &str) -> (u16, String) {
    let added = adding(service(server, Method::PATCH, at), offset, body.to_owned())
        .send()
        .await
        .unwrap();
    let offset = added
        .headers()
        .get("upload-offset")
        .map(|value| value.to_str().unwrap().to_owned());
    (added.status().as_u16(), offset.unwrap_or_default())
}

async fn offset(server: &TestServer, at: &str) -> (u16, String) {
    let asked = service(server, Method::HEAD, at)
        .header("tus-resumable", "1.0.0")
        .send()
        .await
        .unwrap();
    let offset = asked
        .headers()
        .get("upload-offset")
        .map(|value| value.to_str().unwrap().to_owned());
    (asked.status().as_u16(), offset.unwrap_or_default())
}

async fn content(server: &TestServer, name: &str) -> String {
    let request = service(server, Method::GET, &format!("/object/b/{name}"));
    request.send().await.unwrap().text().await.unwrap()
}
