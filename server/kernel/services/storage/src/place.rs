//! The bucket and the name in an address. Each part is decoded once, and what comes of it is looked at as it is.

use std::collections::HashMap;

use axum::{
    RequestPartsExt,
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use tenon_sdk::{Error, Result};

use crate::{errors, names};

/// Both, and good.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) bucket: String,
    pub(crate) name: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let Path(mut found): Path<HashMap<String, String>> =
            parts.extract().await.map_err(|_| errors::invalid_key(""))?;
        let mut take = |key: &str| found.remove(key).unwrap_or_default();
        let place = Self {
            bucket: take("bucket"),
            name: take("name"),
        };
        names::bucket(&place.bucket)?;
        names::object(&place.name)?;
        Ok(place)
    }
}

impl Place {
    pub(crate) fn both(&self) -> (&str, &str) {
        (&self.bucket, &self.name)
    }
}

/// The bucket alone.
#[derive(Clone, Debug)]
pub(crate) struct InBucket(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for InBucket {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let Path(mut found): Path<HashMap<String, String>> =
            parts.extract().await.map_err(|_| errors::invalid_bucket_name())?;
        let bucket = found.remove("bucket").unwrap_or_default();
        names::bucket(&bucket)?;
        Ok(Self(bucket))
    }
}

/// A JSON body in which something is missing is refused as upstream does; an empty one counts as `{}`.
pub(crate) struct Body<T>(pub(crate) T);

/// Longest JSON body in bytes: a thousand names and their metadata.
const LONGEST: usize = 2 * 1024 * 1024;

impl<T: serde::de::DeserializeOwned, S: Send + Sync> axum::extract::FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: axum::extract::Request, _: &S) -> Result<Self> {
        let bytes = axum::body::to_bytes(request.into_body(), LONGEST)
            .await
            .map_err(|error| {
                if crate::objects::is_stalled(&error) {
                    errors::stalled()
                } else {
                    errors::invalid_request("The body cannot be read")
                }
            })?;
        let bytes = if bytes.trim_ascii().is_empty() {
            b"{}"
        } else {
            &bytes[..]
        };
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|error| errors::invalid_request(format!("body is not as expected: {error}")))
    }
}
