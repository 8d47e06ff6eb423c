//! Signatures: the outer service checks them over a request as it came, and what stands inside reads it without the prefix.

use std::borrow::Cow;

use axum::http::{Extensions, HeaderMap, HeaderValue, Method, Uri, header, uri::PathAndQuery};
use s3s::{
    Body, S3Error, S3Request, S3Response, S3Result,
    access::{S3Access, S3AccessContext},
    route::S3Route,
    s3_error,
    service::S3Service,
    validation::NameValidation,
};

use super::{PREFIX, checks::Trailers, chunks::Waiting, keys::Keys};
use crate::{asker::Asker, names};

/// Whether a request is a form.
#[derive(Clone, Copy, Debug)]
pub(super) struct IsForm(pub(super) bool);

const TOKEN: &str = "x-amz-security-token";
const DECODED_LENGTH: &str = "x-amz-decoded-content-length";
/// Seconds that an address may be good for.
const LONGEST_SECONDS: u32 = 604_800;

/// Leads requests whose signatures are good inside, without the prefix.
pub(super) struct Inside {
    pub(super) auth: Keys,
    pub(super) service: S3Service,
}

impl std::fmt::Debug for Inside {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Inside")
    }
}

/// What signs a request and is not needed inside.
fn is_signature(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-signedheaders",
        "x-amz-signature",
        "x-amz-security-token",
        "x-amz-content-sha256",
    ]
    .contains(&name.as_str())
}

pub(super) fn without_prefix(uri: &Uri) -> S3Result<Uri> {
    // PostgreSQL takes no NUL, and no name has one.
    if uri.path().contains("%00") || uri.query().is_some_and(|query| query.contains("%00")) {
        return Err(s3_error!(InvalidURI));
    }
    let path = uri
        .path()
        .strip_prefix(PREFIX)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .ok_or_else(|| s3_error!(InvalidURI))?;
    let path = if path.is_empty() { "/" } else { path };
    // "bucket/" is the bucket.
    let path = match path.strip_suffix('/') {
        Some(bucket) if bucket.len() > 1 && !bucket[1..].contains('/') => bucket,
        _ => path,
    };
    let query: Vec<&str> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty() && !is_signature(pair.split('=').next().unwrap_or_default()))
        .collect();
    let text = if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", query.join("&"))
    };
    let path: PathAndQuery = text.parse().map_err(|_| s3_error!(InvalidURI))?;
    Ok(path.into())
}

/// A parameter of the query, whatever its case.
fn parameter<'a>(uri: &'a Uri, wanted: &str) -> Option<Cow<'a, str>> {
    let (_, value) = uri
        .query()?
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
    percent_encoding::percent_decode_str(value).decode_utf8().ok()
}

fn token(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    match headers.get(TOKEN) {
        Some(token) => token.to_str().ok().map(str::to_owned),
        None => parameter(uri, TOKEN).map(Cow::into_owned),
    }
}

/// What the signature covers: `x-amz-` headers that it does not could make another request of it, a copy of an upload.
fn is_covered(uri: &Uri, headers: &HeaderMap) -> bool {
    let signed = match headers.get(header::AUTHORIZATION).map(HeaderValue::to_str) {
        Some(Ok(text)) => text
            .split("SignedHeaders=")
            .nth(1)
            .and_then(|rest| rest.split(',').next())
            .map(Cow::Borrowed),
        Some(Err(_)) => None,
        None => parameter(uri, "x-amz-signedheaders"),
    };
    let signed = signed.unwrap_or_default();
    headers.keys().map(header::HeaderName::as_str).all(|name| {
        !name.starts_with("x-amz-")
            || matches!(name, "x-amz-content-sha256" | "x-amz-user-agent" | "x-amz-cf-id")
            || signed
                .split(';')
                .any(|signed| signed.trim().eq_ignore_ascii_case(name))
    })
}

#[async_trait::async_trait]
impl S3Route for Inside {
    fn is_match(&self, _: &Method, _: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        true
    }

    async fn check_access(&self, request: &mut S3Request<Body>) -> S3Result<()> {
        let credentials = request.credentials.as_ref();
        let credentials = credentials.ok_or_else(|| s3_error!(AccessDenied, "Signature is required"))?;
        // The old signatures cover neither all headers nor a time.
        if request.region.is_none() || request.service.as_deref() != Some("s3") {
            return Err(s3_error!(
                InvalidRequest,
                "Use AWS4-HMAC-SHA256, with a region and the service s3"
            ));
        }
        if !is_covered(&request.uri, &request.headers) {
            return Err(s3_error!(AccessDenied, "There are headers that are not signed"));
        }
        let seconds = parameter(&request.uri, "x-amz-expires");
        if seconds.is_some_and(|text| text.parse().is_ok_and(|seconds: u32| seconds > LONGEST_SECONDS)) {
            return Err(s3_error!(AuthorizationQueryParametersError));
        }
        let token = token(&request.uri, &request.headers);
        let identity = self
            .auth
            .identity(&credentials.access_key, token.as_deref())
            .await?;
        let asker = request.extensions.remove::<Asker>();
        let asker = asker.ok_or_else(|| s3_error!(InternalError))?;
        request.extensions.insert(asker.with_identity(identity));
        Ok(())
    }

    async fn call(&self, mut request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        request.headers.remove(header::AUTHORIZATION);
        if let Some(length) = request.headers.remove(DECODED_LENGTH) {
            request.headers.insert(header::CONTENT_LENGTH, length);
        }
        if let Some(waiting) = request.extensions.remove::<Waiting>() {
            request.input = waiting.goes(request.input);
        }
        let trailers = Trailers(request.trailing_headers.take());
        request.extensions.insert(trailers);
        let signing: Vec<_> = request
            .headers
            .keys()
            .filter(|name| is_signature(name.as_str()))
            .cloned()
            .collect();
        for name in signing {
            request.headers.remove(name);
        }
        inside(&self.service, request).await
    }
}

/// Hands a request on without its prefix.
async fn inside(service: &S3Service, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
    let mut builder = axum::http::Request::builder()
        .method(request.method)
        .uri(without_prefix(&request.uri)?);
    if let Some(headers) = builder.headers_mut() {
        *headers = request.headers;
    }
    if let Some(extensions) = builder.extensions_mut() {
        *extensions = request.extensions;
    }
    let request = builder.body(request.input).map_err(S3Error::internal_error)?;
    let response = service.call(request).await.map_err(|error| {
        let error: s3s::StdError = error.into();
        S3Error::with_source(s3s::S3ErrorCode::InternalError, error)
    })?;
    let (parts, body) = response.into_parts();
    Ok(S3Response {
        output: body,
        status: Some(parts.status),
        headers: parts.headers,
        extensions: parts.extensions,
    })
}

/// Inside, whoever was known outside is known; a form brings its signature here.
#[derive(Debug)]
pub(super) struct Known(pub(super) Keys);

#[async_trait::async_trait]
impl S3Access for Known {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let is_form = context
            .extensions_mut()
            .get::<IsForm>()
            .is_some_and(|IsForm(is_form)| *is_form);
        if !is_form {
            return Ok(());
        }
        let access_key = context
            .credentials()
            .map(|credentials| credentials.access_key.clone());
        let access_key = access_key.ok_or_else(|| s3_error!(AccessDenied, "Signature is required"))?;
        let identity = self.0.identity(&access_key, None).await?;
        let asker = context.extensions_mut().remove::<Asker>();
        let asker = asker.ok_or_else(|| s3_error!(InternalError))?;
        context.extensions_mut().insert(asker.with_identity(identity));
        Ok(())
    }
}

/// Names of buckets are looked at where they are used.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnyName;

impl NameValidation for AnyName {
    fn validate_bucket_name(&self, name: &str) -> bool {
        names::bucket(name).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_say_something_are_signed() {
        let ask = |uri: &str, headers: &[(&'static str, &str)]| {
            let headers = headers
                .iter()
                .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()));
            is_covered(&uri.parse().unwrap(), &headers.collect())
        };
        let copy = ("x-amz-copy-source", "b/a");
        let by = |signed: &'static str| ("authorization", signed);
        assert!(ask(
            "/",
            &[
                by("AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host;x-amz-copy-source, Signature=y"),
                copy
            ]
        ));
        assert!(!ask(
            "/",
            &[
                by("AWS4-HMAC-SHA256 Credential=x,SignedHeaders=host,Signature=x-amz-copy-source"),
                copy
            ]
        ));
        assert!(!ask("/", &[by(""), copy]));
        assert!(ask("/?X-Amz-SignedHeaders=host%3Bx-amz-copy-source", &[copy]));
        assert!(!ask("/?X-Amz-SignedHeaders=host", &[copy]));
        assert!(ask(
            "/?X-Amz-SignedHeaders=host",
            &[("x-amz-content-sha256", "x"), ("range", "bytes=0-1")]
        ));
        assert!(!ask("/", &[copy]));
    }

    #[test]
    fn inside_there_is_no_prefix_and_no_signature() {
        for (outside, inside) in [
            ("/storage/v1/s3", Some("/")),
            ("/storage/v1/s3/", Some("/")),
            ("/storage/v1/s3/b", Some("/b")),
            ("/storage/v1/s3/b/", Some("/b")),
            ("/storage/v1/s3/b/folder/", Some("/b/folder/")),
            (
                "/storage/v1/s3/b/a%20b?x-id=GetObject",
                Some("/b/a%20b?x-id=GetObject"),
            ),
            (
                "/storage/v1/s3/b/a?X-Amz-Signature=0&partNumber=1&X-Amz-Date=1&uploads",
                Some("/b/a?partNumber=1&uploads"),
            ),
            ("/storage/v1/s3/b/a%00b", None),
            ("/storage/v1/s3/b?prefix=%00", None),
            ("/storage/v1/s3x", None),
            ("/other", None),
        ] {
            let found = without_prefix(&outside.parse().unwrap())
                .ok()
                .map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), inside, "{outside}");
        }
    }
}
