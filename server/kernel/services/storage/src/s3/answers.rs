//! Our words in those of S3.

use std::collections::HashMap;

use s3s::{
    S3Error, S3ErrorCode,
    dto::{ETag, Metadata, Timestamp},
};
use serde_json::{Value, json};
use tenon_sdk::error::{Error, Kind};

/// An error as S3 has it.
pub(super) fn told(error: Error) -> S3Error {
    let code = match &*error.code {
        "NoSuchBucket" => S3ErrorCode::NoSuchBucket,
        "NoSuchKey" | "NotFound" => S3ErrorCode::NoSuchKey,
        "BucketAlreadyExists" => S3ErrorCode::BucketAlreadyExists,
        "BucketNotEmpty" => S3ErrorCode::BucketNotEmpty,
        "KeyAlreadyExists" => S3ErrorCode::PreconditionFailed,
        "AccessDenied" => S3ErrorCode::AccessDenied,
        "InvalidBucketName" => S3ErrorCode::InvalidBucketName,
        "EntityTooLarge" | "QuotaExceeded" => S3ErrorCode::EntityTooLarge,
        "IncompleteBody" => S3ErrorCode::IncompleteBody,
        "InvalidRange" => S3ErrorCode::InvalidRange,
        "RequestTimeout" => S3ErrorCode::RequestTimeout,
        "storage.no_such_upload" => S3ErrorCode::NoSuchUpload,
        "storage.no_such_part" => S3ErrorCode::InvalidPart,
        "auth.token_expired" => S3ErrorCode::ExpiredToken,
        _ => match error.kind {
            Kind::Unauthenticated => S3ErrorCode::InvalidToken,
            Kind::Forbidden => S3ErrorCode::AccessDenied,
            Kind::NotFound => S3ErrorCode::NoSuchKey,
            Kind::Unavailable | Kind::RateLimited => S3ErrorCode::SlowDown,
            Kind::Internal => S3ErrorCode::InternalError,
            _ => S3ErrorCode::InvalidArgument,
        },
    };
    S3Error::with_message(code, error.message)
}

pub(super) fn no_such_upload() -> S3Error {
    S3Error::new(S3ErrorCode::NoSuchUpload)
}

/// A hash as it stands in a header.
pub(super) fn etag(hash: &str) -> ETag {
    ETag::Strong(hash.trim_matches('"').to_owned())
}

pub(super) fn at(time: jiff::Timestamp) -> Timestamp {
    // To the second, as HTTP has it in headers.
    let seconds = u64::try_from(time.as_second()).unwrap_or(0);
    let since = std::time::Duration::from_secs(seconds);
    Timestamp::from(std::time::UNIX_EPOCH + since)
}

pub(super) fn length(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// `x-amz-meta-…` as what people tell of a file.
pub(super) fn told_metadata(metadata: Option<Metadata>) -> Option<Value> {
    metadata
        .filter(|metadata| !metadata.is_empty())
        .map(|metadata| json!(metadata))
}

/// The other way round, as far as headers can carry it.
pub(super) fn headers_of(metadata: Option<&Value>) -> Option<Metadata> {
    let told = metadata?.as_object()?;
    let fits = |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b));
    let metadata: HashMap<String, String> = told
        .iter()
        .map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.to_ascii_lowercase(), value)
        })
        .filter(|(name, value)| {
            fits(value)
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        })
        .collect();
    Some(metadata)
}
