//! Lists of objects, both versions.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::{
    S3Request, S3Response, S3Result,
    dto::{
        CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
        ListObjectsV2Output, Object, ObjectStorageClass,
    },
    s3_error,
};
use tenon_sdk::{Result, db::RequestTx};

use super::{
    Doors,
    answers::{at, etag, told},
};
use crate::{
    asker::Asker,
    list::{Entry, Page, Sorting, page, plain},
};

/// Keys of a page, as S3 has it.
const MOST: i32 = 1000;
/// What stands as it is in an encoded key.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

struct Found {
    contents: Vec<Object>,
    folders: Vec<CommonPrefix>,
    /// The last entry, if there is more after it.
    next: Option<String>,
}

/// Whether keys are to be encoded, which some clients ask for since XML cannot have every character.
struct Spelling(bool);

impl Spelling {
    fn of(wanted: Option<&EncodingType>) -> S3Result<Self> {
        match wanted.map(EncodingType::as_str) {
            None => Ok(Self(false)),
            Some(EncodingType::URL) => Ok(Self(true)),
            Some(_) => Err(s3_error!(InvalidArgument, "The encoding type is url")),
        }
    }

    fn spell(&self, text: Option<String>) -> Option<String> {
        if self.0 {
            text.map(|text| utf8_percent_encode(&text, ENCODED).to_string())
        } else {
            text
        }
    }

    fn all(&self, mut found: Found) -> Found {
        if self.0 {
            for object in &mut found.contents {
                object.key = self.spell(object.key.take());
            }
            for folder in &mut found.folders {
                folder.prefix = self.spell(folder.prefix.take());
            }
        }
        found
    }

    fn told(&self) -> Option<EncodingType> {
        self.0.then(|| EncodingType::from_static(EncodingType::URL))
    }
}

/// What an object's metadata say that S3 tells.
#[derive(Default, serde::Deserialize)]
struct About {
    #[serde(rename = "eTag")]
    etag: Option<String>,
    size: Option<i64>,
}

fn object(entry: Entry) -> Object {
    let about = entry
        .metadata
        .and_then(|json| serde_json::from_str::<About>(json.get()).ok())
        .unwrap_or_default();
    Object {
        key: Some(entry.name),
        e_tag: about.etag.as_deref().map(etag),
        size: about.size,
        last_modified: entry.updated_at.map(at),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Object::default()
    }
}

/// A page with another delimiter than `/`: what shares a beginning is one entry, and stepped over as a whole.
async fn grouped(tx: &RequestTx, wanted: &Page<'_>, delimiter: &str) -> Result<(Vec<Entry>, bool)> {
    let most = usize::try_from(wanted.limit).unwrap_or(0);
    let mut after = wanted.after.to_owned();
    // A page that ended with a beginning goes on after all that has it.
    let rest = after.strip_prefix(wanted.prefix).unwrap_or_default();
    if rest.ends_with(delimiter) && rest.find(delimiter) == Some(rest.len() - delimiter.len()) {
        after.push(char::MAX);
    }
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let next = Page {
            after: &after,
            limit: MOST,
            ..wanted.clone()
        };
        let (entries, more) = page(tx, &next).await?;
        let mut last = after.clone();
        for mut entry in entries {
            if entry.name.as_bytes() <= last.as_bytes() {
                continue;
            }
            if all.len() == most {
                return Ok((all, true));
            }
            last.clone_from(&entry.name);
            let within = entry.name.get(wanted.prefix.len()..).unwrap_or_default();
            if let Some(end) = within.find(delimiter) {
                entry.name.truncate(wanted.prefix.len() + end + delimiter.len());
                last.clone_from(&entry.name);
                last.push(char::MAX);
                entry.id = None;
            }
            all.push(entry);
        }
        if !more {
            return Ok((all, false));
        }
        after = last;
    }
}

impl Doors {
    async fn found(
        &self,
        asker: &Asker,
        bucket: &str,
        prefix: &str,
        delimiter: Option<&str>,
        after: &str,
        limit: i32,
    ) -> S3Result<Found> {
        let delimiter = delimiter.unwrap_or_default();
        if !plain(prefix) || !plain(after) || !plain(delimiter) {
            return Err(s3_error!(InvalidArgument));
        }
        self.is_there(asker, "storage.s3.object.list", bucket).await?;
        let read = async {
            let tx = asker
                .begin(
                    &self.0.kernel,
                    "storage.s3.object.list",
                    Some((bucket, prefix)),
                    true,
                )
                .await?;
            let wanted = Page {
                bucket,
                prefix,
                delimited: delimiter == "/",
                after,
                after_at: None,
                sorting: Sorting::default(),
                limit,
            };
            let found = match delimiter {
                _ if limit == 0 => (Vec::new(), false),
                "" | "/" => page(&tx, &wanted).await?,
                other => grouped(&tx, &wanted, other).await?,
            };
            tx.commit().await?;
            Ok(found)
        };
        let (entries, more) = read.await.map_err(told)?;
        let next = entries.last().filter(|_| more).map(|entry| entry.name.clone());
        let (mut contents, mut folders) = (Vec::new(), Vec::new());
        for entry in entries {
            if entry.id.is_some() {
                contents.push(object(entry));
            } else {
                folders.push(CommonPrefix {
                    prefix: Some(entry.name),
                });
            }
        }
        Ok(Found {
            contents,
            folders,
            next,
        })
    }

    pub(super) async fn list_one(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        let spelling = Spelling::of(input.encoding_type.as_ref())?;
        let limit = input.max_keys.unwrap_or(MOST).clamp(0, MOST);
        let found = self
            .found(
                &asker,
                &input.bucket,
                input.prefix.as_deref().unwrap_or_default(),
                input.delimiter.as_deref(),
                input.marker.as_deref().unwrap_or_default(),
                limit,
            )
            .await?;
        let found = spelling.all(found);
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: spelling.spell(input.prefix),
            marker: spelling.spell(input.marker),
            encoding_type: spelling.told(),
            max_keys: Some(limit),
            is_truncated: Some(found.next.is_some()),
            contents: Some(found.contents),
            common_prefixes: Some(found.folders),
            delimiter: spelling.spell(input.delimiter),
            next_marker: spelling.spell(found.next),
            ..ListObjectsOutput::default()
        }))
    }

    pub(super) async fn list_two(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        let spelling = Spelling::of(input.encoding_type.as_ref())?;
        let limit = input.max_keys.unwrap_or(MOST).clamp(0, MOST);
        let token = input
            .continuation_token
            .as_deref()
            .filter(|token| !token.is_empty());
        let after = match token {
            Some(token) => BASE64_URL_SAFE_NO_PAD
                .decode(token)
                .ok()
                .and_then(|name| String::from_utf8(name).ok())
                .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token is not good"))?,
            None => input.start_after.clone().unwrap_or_default(),
        };
        let found = self
            .found(
                &asker,
                &input.bucket,
                input.prefix.as_deref().unwrap_or_default(),
                input.delimiter.as_deref(),
                &after,
                limit,
            )
            .await?;
        let found = spelling.all(found);
        let count = found.contents.len() + found.folders.len();
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: spelling.spell(input.prefix),
            encoding_type: spelling.told(),
            max_keys: Some(limit),
            key_count: i32::try_from(count).ok(),
            continuation_token: input.continuation_token,
            is_truncated: Some(found.next.is_some()),
            next_continuation_token: found.next.map(|name| BASE64_URL_SAFE_NO_PAD.encode(name)),
            contents: Some(found.contents),
            common_prefixes: Some(found.folders),
            delimiter: spelling.spell(input.delimiter),
            start_after: spelling.spell(input.start_after),
            ..ListObjectsV2Output::default()
        }))
    }
}
