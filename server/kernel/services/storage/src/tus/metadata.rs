//! `Upload-Metadata`: names, each with a text in base64.

use std::collections::HashMap;

use axum::http::HeaderMap;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use tenon_sdk::Result;

use super::answer;

/// What a client tells about a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Metadata {
    /// As it came.
    pub(super) told: String,
    pub(super) bucket: String,
    pub(super) name: String,
    pub(super) kind: Option<String>,
    pub(super) cache_control: String,
    pub(super) user: Option<Value>,
}

impl Metadata {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self> {
        let wrong = || answer::header("Upload-Metadata");
        let told = headers
            .get("upload-metadata")
            .ok_or_else(wrong)?
            .to_str()
            .map_err(|_| wrong())?;
        let mut found = HashMap::new();
        for pair in told.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = BASE64_STANDARD.decode(value.trim()).map_err(|_| wrong())?;
            found.insert(name, String::from_utf8(value).map_err(|_| wrong())?);
        }
        let mut take = |name: &str| found.remove(name);
        Ok(Self {
            bucket: take("bucketName").ok_or_else(wrong)?,
            name: take("objectName").ok_or_else(wrong)?,
            kind: take("contentType").filter(|kind| !kind.is_empty()),
            cache_control: cache_control(take("cacheControl").as_deref()),
            // What cannot be read is passed over, as elsewhere.
            user: take("metadata")
                .and_then(|text| serde_json::from_str(&text).ok())
                .filter(Value::is_object),
            told: told.to_owned(),
        })
    }
}

/// A number of seconds; everything else is no word about caches.
fn cache_control(told: Option<&str>) -> String {
    match told.map(str::parse::<i64>) {
        Some(Ok(seconds)) => format!("max-age={seconds}"),
        _ => "no-cache".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(text: &str) -> Option<Metadata> {
        let mut headers = HeaderMap::new();
        headers.insert("upload-metadata", HeaderValue::from_bytes(text.as_bytes()).ok()?);
        Metadata::of(&headers).ok()
    }

    fn pair(name: &str, value: &str) -> String {
        format!("{name} {}", BASE64_STANDARD.encode(value))
    }

    #[test]
    fn what_is_told_is_read() {
        let told = [
            pair("bucketName", "b"),
            pair("objectName", "folder/ä.txt"),
            pair("contentType", "text/plain"),
            pair("cacheControl", "3600"),
            pair("metadata", r#"{"a":1}"#),
            "flag".to_owned(),
        ]
        .join(",");
        let found = of(&told).unwrap();
        assert_eq!(
            (found.bucket.as_str(), found.name.as_str()),
            ("b", "folder/ä.txt")
        );
        assert_eq!(found.kind.as_deref(), Some("text/plain"));
        assert_eq!(found.cache_control, "max-age=3600");
        assert_eq!(found.user, Some(serde_json::json!({ "a": 1 })));
        assert_eq!(found.told, told);
    }

    #[test]
    fn what_is_missing_or_no_text_is_refused_and_what_does_not_matter_passed_over() {
        let both = [pair("bucketName", "b"), pair("objectName", "o")].join(", ");
        let found = of(&format!(
            "{both},{},{}",
            pair("metadata", "[]"),
            pair("cacheControl", "a, b")
        ))
        .unwrap();
        assert_eq!((found.user, found.cache_control.as_str()), (None, "no-cache"));
        for bad in [
            "",
            "bucketName YQ==",
            "objectName YQ==",
            "bucketName %,objectName YQ==",
            "bucketName /w==,objectName YQ==",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
