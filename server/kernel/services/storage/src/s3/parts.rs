//! Uploads in parts. Nothing of one is seen before it is complete.

use jiff::Timestamp;
use s3s::{
    S3Request, S3Response, S3Result,
    dto::{
        Checksum, CopyPartResult, CreateMultipartUploadInput, CreateMultipartUploadOutput, StreamingBlob,
        UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
    },
    s3_error,
};
use serde_json::{Value, json};
use tenon_sdk::{Result, SystemTx};

use super::{
    Doors,
    answers::{at, etag, no_such_upload, told, told_metadata},
    checks::{Checks, Promised, Trailers},
    copying::source,
};
use crate::{
    asker::Asker,
    errors,
    objects::{Upload, Wish, limited, wish},
    store::{Content, Kept},
};

/// The largest number of a part.
const LAST_PART: i32 = 10_000;

/// An upload on its way.
#[derive(Debug)]
pub(super) struct Begun {
    /// Where its content will be.
    pub(super) version: String,
    pub(super) store_upload: String,
    pub(super) kind: String,
    cache_control: String,
    user_metadata: Option<Value>,
    /// Bytes of the parts that are there.
    pub(super) so_far: u64,
}

impl Doors {
    pub(super) async fn begin(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let asker = super::asker(&request.extensions)?;
        if !asker.is_known() {
            return Err(s3_error!(AccessDenied));
        }
        let input = request.input;
        let begin = async {
            let bucket = self.bucket(&input.bucket).await?;
            let mut wish = wish(bucket, input.key.clone(), asker.owner(), true);
            if let Some(kind) = input.content_type.filter(|kind| !kind.is_empty()) {
                wish.kind = kind;
            }
            if let Some(cache_control) = input.cache_control {
                wish.cache_control = cache_control;
            }
            wish.user_metadata = told_metadata(input.metadata);
            Upload::by(
                &self.0,
                &asker,
                "storage.s3.upload.create_multipart",
                wish.clone(),
            )
            .await?;
            let env = self.0.kernel.env();
            let (id, version) = (env.new_secret::<24>(), env.new_id().to_string());
            let store_upload = self.0.store.begin_parts(&version).await?;
            let metadata = json!({ "mimetype": wish.kind, "cacheControl": wish.cache_control });
            let tx = SystemTx::begin(self.0.kernel.db(), "upload in parts").await?;
            tx.execute(
                "insert into storage.s3_multipart_uploads \
                 (id, bucket_id, key, version, owner_id, user_metadata, metadata, store_upload, created_at, began_by) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                &[
                    &id,
                    &wish.bucket.id,
                    &wish.name,
                    &version,
                    &wish.owner,
                    &wish.user_metadata,
                    &metadata,
                    &store_upload,
                    &env.now(),
                    &asker.name(),
                ],
            )
            .await?;
            tx.commit().await?;
            Ok(id)
        };
        Ok(S3Response::new(CreateMultipartUploadOutput {
            upload_id: Some(begin.await.map_err(told)?),
            bucket: Some(input.bucket),
            key: Some(input.key),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    /// An upload of the caller's; those of others are not there.
    pub(super) async fn begun(&self, asker: &Asker, bucket: &str, key: &str, id: &str) -> S3Result<Begun> {
        let find = async {
            let tx = SystemTx::begin(self.0.kernel.db(), "upload in parts").await?;
            let row = tx
                .query_opt(
                    "select version, store_upload, metadata, user_metadata, \
                        (select coalesce(sum(size), 0)::bigint from storage.s3_multipart_uploads_parts p where p.upload_id = u.id) \
                     from storage.s3_multipart_uploads u \
                     where id = $1 and bucket_id = $2 and key = $3 and began_by = $4",
                    &[&id, &bucket, &key, &asker.name()],
                )
                .await?;
            tx.commit().await?;
            let Some(row) = row else { return Ok(None) };
            let metadata: Option<Value> = row.try_get(2)?;
            let metadata = metadata.unwrap_or_default();
            let word = |name: &str, usual: &str| metadata[name].as_str().unwrap_or(usual).to_owned();
            let so_far: i64 = row.try_get(4)?;
            Result::<_>::Ok(Some(Begun {
                version: row.try_get(0)?,
                store_upload: row.try_get::<_, Option<String>>(1)?.unwrap_or_default(),
                kind: word("mimetype", "application/octet-stream"),
                cache_control: word("cacheControl", "no-cache"),
                user_metadata: row.try_get(3)?,
                so_far: so_far.unsigned_abs(),
            }))
        };
        // A visitor's upload could be any visitor's.
        if !asker.is_known() {
            return Err(s3_error!(AccessDenied));
        }
        find.await.map_err(told)?.ok_or_else(no_such_upload)
    }

    pub(super) async fn wish_of(
        &self,
        asker: &Asker,
        bucket: &str,
        key: &str,
        begun: &Begun,
        length: u64,
    ) -> Result<Wish> {
        let bucket = self.bucket(bucket).await?;
        let mut wish = wish(bucket, key.to_owned(), asker.owner(), true);
        wish.kind.clone_from(&begun.kind);
        wish.cache_control.clone_from(&begun.cache_control);
        wish.user_metadata.clone_from(&begun.user_metadata);
        wish.length = Some(length);
        Ok(wish)
    }

    /// Keeps a part, and writes it down. `length` is what the client says of it.
    async fn keep_part(
        &self,
        asker: &Asker,
        place: (&str, &str, &str),
        number: i32,
        content: Content,
        length: u64,
        checks: Option<&Checks>,
    ) -> S3Result<Kept> {
        let (bucket, key, id) = place;
        let number = u16::try_from(number)
            .ok()
            .filter(|number| (1..=LAST_PART).contains(&i32::from(*number)))
            .ok_or_else(|| s3_error!(InvalidArgument, "Part numbers are 1 to 10000"))?;
        let begun = self.begun(asker, bucket, key, id).await?;
        let keep = async {
            let whole = begun.so_far.saturating_add(length);
            let wish = self.wish_of(asker, bucket, key, &begun, whole).await?;
            let upload = Upload::by(&self.0, asker, "storage.s3.upload.part", wish).await?;
            let limit = upload.limit().saturating_sub(begun.so_far);
            let (content, fate) = limited(content, limit);
            let kept = self
                .0
                .store
                .put_part(&begun.version, &begun.store_upload, number, content, limit)
                .await
                .map_err(|error| fate.error().unwrap_or(error))?;
            let tx = SystemTx::begin(self.0.kernel.db(), "part of an upload").await?;
            let size = i64::try_from(kept.size).map_err(|_| errors::too_large())?;
            // The upload may be over by now.
            tx.execute(
                "insert into storage.s3_multipart_uploads_parts \
                    (id, upload_id, size, part_number, bucket_id, key, etag, owner_id, version, created_at) \
                 select $1, u.id, $3, $4, u.bucket_id, u.key, $5, u.owner_id, u.version, $6 \
                 from storage.s3_multipart_uploads u where u.id = $2 \
                 on conflict (upload_id, part_number) do update set size = excluded.size, etag = excluded.etag, \
                    created_at = excluded.created_at",
                &[
                    &self.0.kernel.env().new_id(),
                    &id,
                    &size,
                    &i32::from(number),
                    &kept.etag,
                    &self.0.kernel.env().now(),
                ],
            )
            .await?;
            tx.commit().await?;
            Ok(kept)
        };
        keep.await.map_err(|error| match checks {
            Some(checks) => checks.error(error),
            None => told(error),
        })
    }

    pub(super) async fn part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        let length = input.content_length.and_then(|length| u64::try_from(length).ok());
        let body = input
            .body
            .unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
        let promised = Promised {
            length: input.content_length,
            md5: input.content_md5,
            sums: Checksum {
                checksum_crc32: input.checksum_crc32,
                checksum_crc32c: input.checksum_crc32c,
                checksum_crc64nvme: input.checksum_crc64nvme,
                checksum_sha1: input.checksum_sha1,
                checksum_sha256: input.checksum_sha256,
                ..Checksum::default()
            },
        };
        let checks = Checks::new(promised, &request.headers, request.extensions.get::<Trailers>())?;
        let place = (
            input.bucket.as_str(),
            input.key.as_str(),
            input.upload_id.as_str(),
        );
        let content = checks.watch(body);
        let length = length.unwrap_or(0);
        let kept = self
            .keep_part(&asker, place, input.part_number, content, length, Some(&checks))
            .await?;
        let found = checks.found();
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(etag(&kept.etag)),
            checksum_crc32: found.checksum_crc32,
            checksum_crc32c: found.checksum_crc32c,
            checksum_crc64nvme: found.checksum_crc64nvme,
            checksum_sha1: found.checksum_sha1,
            checksum_sha256: found.checksum_sha256,
            ..UploadPartOutput::default()
        }))
    }

    pub(super) async fn part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        let (from, key) = source(&input.copy_source)?;
        let object = self
            .readable(&asker, "storage.s3.upload.part_copy", from, key)
            .await?;
        let size = object.size();
        let range = input
            .copy_source_range
            .as_deref()
            .map(|range| copied(range, size))
            .transpose()?;
        let length = range.as_ref().map_or(size, |part| part.end - part.start);
        let content = self
            .0
            .store
            .get(object.content().map_err(told)?, range)
            .await
            .map_err(told)?;
        let place = (
            input.bucket.as_str(),
            input.key.as_str(),
            input.upload_id.as_str(),
        );
        let kept = self
            .keep_part(&asker, place, input.part_number, content, length, None)
            .await?;
        Ok(S3Response::new(UploadPartCopyOutput {
            copy_part_result: Some(CopyPartResult {
                e_tag: Some(etag(&kept.etag)),
                last_modified: Some(at(self.0.kernel.env().now())),
                ..CopyPartResult::default()
            }),
            ..UploadPartCopyOutput::default()
        }))
    }
}

/// `bytes=0-9`, both ends named and there.
fn copied(range: &str, size: u64) -> S3Result<std::ops::Range<u64>> {
    let wrong = || s3_error!(InvalidArgument, "The range of a copied part is bytes=first-last");
    let (first, last) = range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .ok_or_else(wrong)?;
    let (first, last): (u64, u64) = (
        first.parse().map_err(|_| wrong())?,
        last.parse().map_err(|_| wrong())?,
    );
    if first > last {
        return Err(wrong());
    }
    if last >= size {
        return Err(s3_error!(InvalidRange));
    }
    Ok(first..last + 1)
}

/// When something began, if that is known.
pub(super) fn since(time: Option<Timestamp>) -> Option<s3s::dto::Timestamp> {
    time.map(at)
}
