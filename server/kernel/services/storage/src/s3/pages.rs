//! Lists of uploads in parts, and of their parts.

use jiff::Timestamp;
use s3s::{
    S3Request, S3Response, S3Result,
    dto::{
        ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput,
        MultipartUpload, Part,
    },
    s3_error,
};
use tenon_sdk::{Result, SystemTx};

use super::{
    Doors,
    answers::{etag, told},
    parts::since,
};

/// Entries of a page, as S3 has it.
const MOST: i32 = 1000;

impl Doors {
    pub(super) async fn uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        if input
            .delimiter
            .as_deref()
            .is_some_and(|delimiter| !delimiter.is_empty())
        {
            return Err(s3_error!(
                NotImplemented,
                "Uploads are listed without a delimiter"
            ));
        }
        self.is_there(&asker, "storage.s3.upload.list_multipart", &input.bucket)
            .await?;
        let limit = input.max_uploads.unwrap_or(MOST).clamp(0, MOST);
        let prefix = input.prefix.clone().unwrap_or_default();
        let key = input.key_marker.clone().unwrap_or_default();
        let id = input.upload_id_marker.clone().unwrap_or_default();
        let read = async {
            let tx = SystemTx::begin(self.0.kernel.db(), "uploads in parts").await?;
            let rows = tx
                .query(
                    "select key, id, created_at from storage.s3_multipart_uploads \
                     where bucket_id = $1 and starts_with(key, $2) and began_by = $3 \
                        and ($4 = '' or key > $4 or key = $4 and $5 <> '' and id collate \"C\" > $5) \
                     order by key, id collate \"C\" limit $6",
                    &[
                        &input.bucket,
                        &prefix,
                        &asker.name(),
                        &key,
                        &id,
                        &(i64::from(limit) + 1),
                    ],
                )
                .await?;
            tx.commit().await?;
            rows.iter()
                .map(|row| {
                    let began: Option<Timestamp> = row.try_get(2)?;
                    Ok(MultipartUpload {
                        key: Some(row.try_get(0)?),
                        upload_id: Some(row.try_get(1)?),
                        initiated: since(began),
                        ..MultipartUpload::default()
                    })
                })
                .collect::<Result<Vec<_>>>()
        };
        let mut found = read.await.map_err(told)?;
        let wanted = usize::try_from(limit).unwrap_or(0);
        let more = found.len() > wanted;
        found.truncate(wanted);
        let last = found.last().filter(|_| more);
        Ok(S3Response::new(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            prefix: input.prefix,
            key_marker: input.key_marker,
            upload_id_marker: input.upload_id_marker,
            max_uploads: Some(limit),
            is_truncated: Some(more),
            next_key_marker: last.and_then(|upload| upload.key.clone()),
            next_upload_id_marker: last.and_then(|upload| upload.upload_id.clone()),
            uploads: Some(found),
            ..ListMultipartUploadsOutput::default()
        }))
    }

    pub(super) async fn list_parts_of(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        self.begun(&asker, &input.bucket, &input.key, &input.upload_id)
            .await?;
        let limit = input.max_parts.unwrap_or(MOST).clamp(0, MOST);
        let read = async {
            let tx = SystemTx::begin(self.0.kernel.db(), "parts of an upload").await?;
            let rows = tx
                .query(
                    "select part_number, etag, size, created_at from storage.s3_multipart_uploads_parts \
                     where upload_id = $1 and part_number > $2 order by part_number limit $3",
                    &[
                        &input.upload_id,
                        &input.part_number_marker.unwrap_or(0),
                        &(i64::from(limit) + 1),
                    ],
                )
                .await?;
            tx.commit().await?;
            rows.iter()
                .map(|row| {
                    let (tag, at): (String, Option<Timestamp>) = (row.try_get(1)?, row.try_get(3)?);
                    Ok(Part {
                        part_number: Some(row.try_get(0)?),
                        e_tag: Some(etag(&tag)),
                        size: Some(row.try_get(2)?),
                        last_modified: since(at),
                        ..Part::default()
                    })
                })
                .collect::<Result<Vec<_>>>()
        };
        let mut found = read.await.map_err(told)?;
        let wanted = usize::try_from(limit).unwrap_or(0);
        let more = found.len() > wanted;
        found.truncate(wanted);
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            max_parts: Some(limit),
            part_number_marker: input.part_number_marker,
            is_truncated: Some(more),
            next_part_number_marker: found.last().filter(|_| more).and_then(|part| part.part_number),
            parts: Some(found),
            ..ListPartsOutput::default()
        }))
    }
}
