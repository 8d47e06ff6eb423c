//! Content in a bucket of an S3 service: below the prefix, `objects/` has what is kept, `growing/` the ends of what is not whole
//! yet and too short for a part. The service itself keeps all of an object or none.

mod growing;
mod http;
mod upload;

use std::{io, ops::Range, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload,
    aws::{AmazonS3, AmazonS3Builder},
    multipart::{MultipartStore, PartId},
    path::Path,
};
use tenon_sdk::{Error, Result, config::StorageS3};

use self::upload::Gathered;
use super::{Content, Growing, Kept, Store, Stored, digest, key, missing, no_such_part, no_such_upload};

/// What S3 copies at once at most.
const LARGEST_COPY: u64 = 5 << 30;

/// A bucket that keeps content.
#[derive(Debug)]
pub(super) struct S3 {
    service: Arc<AmazonS3>,
    prefix: String,
}

impl S3 {
    /// A client of the service that the settings name; nothing is asked of it yet.
    pub(super) fn open(settings: &StorageS3) -> Result<Self> {
        let wrong = |cause: String| {
            Error::invalid(
                "config.invalid",
                format!("A setting is wrong: storage.s3: {cause}"),
            )
            .hint("tenon.default.toml lists every setting with its default.")
        };
        if settings.bucket.is_empty() {
            return Err(wrong("bucket is empty".to_owned()));
        }
        let mut builder = AmazonS3Builder::new()
            .with_http_connector(http::Connector)
            .with_region(&settings.region)
            .with_bucket_name(&settings.bucket)
            .with_virtual_hosted_style_request(!settings.path_style)
            // What is sent is protected by TLS, where there is any.
            .with_unsigned_payload(settings.endpoint.starts_with("https://"));
        if !settings.endpoint.is_empty() {
            builder = builder
                .with_endpoint(endpoint(settings))
                .with_allow_http(settings.endpoint.starts_with("http://"));
        }
        if !settings.access_key_id.is_empty() {
            builder = builder
                .with_access_key_id(&settings.access_key_id)
                .with_secret_access_key(settings.secret_access_key.expose());
        }
        let service = builder.build().map_err(|cause| wrong(cause.to_string()))?;
        let prefix = match settings.prefix.trim_matches('/') {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        Ok(Self {
            service: Arc::new(service),
            prefix,
        })
    }

    /// Where a key's content lies.
    fn place(&self, key: &str) -> Result<Path> {
        self.below("objects", key)
    }

    fn below(&self, kind: &str, key: &str) -> Result<Path> {
        key::check(key)?;
        Path::parse(format!("{}{kind}/{key}", self.prefix)).map_err(Error::internal)
    }

    async fn size(&self, place: &Path) -> Result<u64> {
        Ok(self.service.head(place).await.map_err(of_service)?.size)
    }
}

/// The crate wants the bucket in the address where it stands in the host's name.
fn endpoint(settings: &StorageS3) -> String {
    match settings.endpoint.split_once("://") {
        Some((scheme, host)) if !settings.path_style => {
            format!("{scheme}://{}.{host}", settings.bucket)
        }
        _ => settings.endpoint.clone(),
    }
}

/// What a failure of the service means.
fn of_service(cause: object_store::Error) -> Error {
    match cause {
        object_store::Error::NotFound { .. } => missing(),
        other => {
            tracing::warn!(error = %other, "the S3 service failed");
            Error::unavailable(
                "storage.service_unavailable",
                "The service that keeps the files does not answer as it should.",
            )
            .hint("Try again in a moment.")
        }
    }
}

/// The same, where what is not found is the upload.
fn of_upload(cause: object_store::Error) -> Error {
    match cause {
        object_store::Error::NotFound { .. } => no_such_upload(),
        other => of_service(other),
    }
}

#[async_trait::async_trait]
impl Store for S3 {
    async fn put(&self, key: &str, mut content: Content, limit: u64) -> Result<Kept> {
        let place = self.place(key)?;
        let first = Gathered::from(&mut content, upload::piece(limit), limit).await?;
        if !first.is_last {
            return upload::in_parts(&self.service, place, first, content, limit).await;
        }
        let kept = Kept {
            size: first.size,
            etag: digest::of(&first.bytes),
        };
        let payload = PutPayload::from(first.bytes);
        self.service.put(&place, payload).await.map_err(of_service)?;
        Ok(kept)
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Content> {
        let place = self.place(key)?;
        // A range of no bytes cannot be asked for.
        if range.as_ref().is_some_and(Range::is_empty) {
            self.size(&place).await?;
            return Ok(stream::empty().boxed());
        }
        let options = GetOptions {
            range: range.map(GetRange::Bounded),
            ..GetOptions::default()
        };
        let found = self.service.get_opts(&place, options).await.map_err(of_service)?;
        Ok(found.into_stream().map_err(io::Error::from).boxed())
    }

    async fn copy(&self, from: &str, to: &str) -> Result<()> {
        let (source, target) = (self.place(from)?, self.place(to)?);
        if self.size(&source).await? <= LARGEST_COPY {
            return self.service.copy(&source, &target).await.map_err(of_service);
        }
        let content = self.get(from, None).await?;
        self.put(to, content, u64::MAX).await.map(drop)
    }

    async fn delete(&self, keys: &[String]) -> Result<()> {
        let places = keys
            .iter()
            .map(|key| self.place(key))
            .collect::<Result<Vec<_>>>()?;
        let mut gone = self.service.delete_stream(stream::iter(places).map(Ok).boxed());
        while let Some(one) = gone.next().await {
            match one {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(cause) => return Err(of_service(cause)),
            }
        }
        Ok(())
    }

    async fn begin_parts(&self, key: &str) -> Result<String> {
        let place = self.place(key)?;
        self.service.create_multipart(&place).await.map_err(of_service)
    }

    async fn put_part(
        &self,
        key: &str,
        upload: &str,
        number: u16,
        mut content: Content,
        limit: u64,
    ) -> Result<Kept> {
        let place = self.place(key)?;
        let index = usize::from(number.checked_sub(1).ok_or_else(no_such_part)?);
        let part = Gathered::from(&mut content, usize::MAX, limit).await?;
        let size = part.size;
        let kept = self
            .service
            .put_part(&place, &upload.to_owned(), index, part.bytes.into())
            .await
            .map_err(of_upload)?;
        Ok(Kept {
            size,
            etag: upload::plain(&kept.content_id),
        })
    }

    async fn finish_parts(&self, key: &str, upload: &str, parts: &[(u16, String)]) -> Result<Kept> {
        let place = self.place(key)?;
        if parts.iter().zip(1..).any(|((number, _), due)| *number != due) {
            return Err(no_such_part().details("The parts are not numbered 1, 2, 3 and so on."));
        }
        let parts = parts.iter().map(|(_, etag)| etag.clone()).collect();
        upload::finish(&self.service, &place, upload, parts).await
    }

    async fn abort_parts(&self, key: &str, upload: &str) -> Result<()> {
        let place = self.place(key)?;
        upload::abort(&self.service, &place, upload).await
    }

    async fn grow(&self, key: &str, so_far: &Growing, content: Content, limit: u64) -> Result<Growing> {
        self.grow_parts(key, so_far, content, limit).await
    }

    async fn finish_growing(&self, key: &str, grown: &Growing) -> Result<Kept> {
        self.finish_grown(key, grown).await
    }

    async fn abort_growing(&self, key: &str, grown: &Growing) -> Result<()> {
        if let Some(upload) = &grown.upload {
            self.abort_parts(key, upload).await?;
        }
        self.forget_tail(key).await
    }

    async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<Stored>> {
        let objects = format!("{}objects", self.prefix);
        let all = Path::parse(&objects).map_err(Error::internal)?;
        let found = match after {
            Some(key) => self.service.list_with_offset(Some(&all), &self.place(key)?),
            None => self.service.list(Some(&all)),
        };
        let found = found
            .take(limit)
            .try_collect::<Vec<_>>()
            .await
            .map_err(of_service)?;
        Ok(found
            .into_iter()
            .filter_map(|one| {
                let key = one.location.as_ref().strip_prefix(&objects)?.strip_prefix('/')?;
                Some(Stored {
                    key: key.to_owned(),
                    size: one.size,
                    written: jiff::Timestamp::from_millisecond(one.last_modified.timestamp_millis()).ok()?,
                })
            })
            .collect())
    }

    async fn sweep(&self, since: jiff::Timestamp) -> Result<()> {
        let tails = Path::parse(format!("{}growing", self.prefix)).map_err(Error::internal)?;
        let mut found = self.service.list(Some(&tails));
        while let Some(tail) = found.try_next().await.map_err(of_service)? {
            if tail.last_modified.timestamp_millis() < since.as_millisecond() {
                self.service.delete(&tail.location).await.map_err(of_service)?;
            }
        }
        Ok(())
    }
}

/// A part's digest as the service wants it named.
fn part_id(etag: &str) -> PartId {
    PartId {
        content_id: format!("\"{etag}\""),
    }
}
