//! What a client promises of content: its length, its MD5, a checksum in a header or after the content. It is held against what comes,
//! before any of it counts: content that is not what was promised breaks off like one that was cut short.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use s3s::{
    S3Error, S3Result, StdError, TrailingHeaders,
    checksum::ChecksumHasher,
    crypto::{Checksum as _, Md5},
    dto::Checksum,
    s3_error,
};
use tenon_sdk::Error;

use super::{answers::told, forms::Misfit};
use crate::store::Content;

const NAMES: [&str; 5] = [
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
];

/// What was promised before the content.
#[derive(Debug, Default)]
pub(super) struct Promised {
    pub(super) length: Option<i64>,
    pub(super) md5: Option<String>,
    pub(super) sums: Checksum,
}

/// Headers that come after the content, as the outer service hands them on.
#[derive(Clone, Debug)]
pub(super) struct Trailers(pub(super) Option<TrailingHeaders>);

/// Watches over content on its way in.
#[derive(Clone)]
pub(super) struct Checks(Arc<Mutex<State>>);

struct State {
    promised: Promised,
    trailers: Option<TrailingHeaders>,
    /// Whether a checksum was announced to come after the content.
    announced: Vec<&'static str>,
    bytes: u64,
    hasher: ChecksumHasher,
    md5: Option<Md5>,
    found: Checksum,
    failed: Option<S3Error>,
}

/// The five sums in the order of `NAMES`.
fn each(sums: &Checksum) -> [Option<&String>; 5] {
    [
        sums.checksum_crc32.as_ref(),
        sums.checksum_crc32c.as_ref(),
        sums.checksum_crc64nvme.as_ref(),
        sums.checksum_sha1.as_ref(),
        sums.checksum_sha256.as_ref(),
    ]
}

/// Which checksums `x-amz-trailer` announces.
fn announced(headers: &HeaderMap) -> S3Result<Vec<&'static str>> {
    let mut found = Vec::new();
    for name in headers
        .get_all("x-amz-trailer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .map(str::trim)
    {
        match NAMES.iter().find(|known| known.eq_ignore_ascii_case(name)) {
            Some(known) => found.push(*known),
            None if name.to_ascii_lowercase().starts_with("x-amz-checksum-") => return Err(unknown(name)),
            None => {}
        }
    }
    Ok(found)
}

fn unknown(name: &str) -> S3Error {
    s3_error!(NotImplemented, "{name} is not known here")
}

impl Checks {
    /// Errors: a checksum of a kind that is not known.
    pub(super) fn new(
        promised: Promised,
        headers: &HeaderMap,
        trailers: Option<&Trailers>,
    ) -> S3Result<Self> {
        let strange = headers.keys().map(axum::http::HeaderName::as_str).find(|name| {
            name.starts_with("x-amz-checksum-")
                && !NAMES.contains(name)
                && !matches!(*name, "x-amz-checksum-algorithm" | "x-amz-checksum-type")
        });
        if let Some(name) = strange {
            return Err(unknown(name));
        }
        let announced = announced(headers)?;
        let given = each(&promised.sums);
        let wanted = |name| {
            announced.contains(&name)
                || NAMES
                    .iter()
                    .zip(given)
                    .any(|(known, sum)| *known == name && sum.is_some())
        };
        let hasher = ChecksumHasher {
            crc32: wanted(NAMES[0]).then(Default::default),
            crc32c: wanted(NAMES[1]).then(Default::default),
            crc64nvme: wanted(NAMES[2]).then(Default::default),
            sha1: wanted(NAMES[3]).then(Default::default),
            sha256: wanted(NAMES[4]).then(Default::default),
        };
        Ok(Self(Arc::new(Mutex::new(State {
            md5: promised.md5.is_some().then(Md5::new),
            promised,
            trailers: trailers.and_then(|Trailers(trailers)| trailers.clone()),
            announced,
            bytes: 0,
            hasher,
            found: Checksum::default(),
            failed: None,
        }))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same content, which ends in an error if it is not what was promised.
    pub(super) fn watch(
        &self,
        content: impl Stream<Item = Result<Bytes, StdError>> + Send + 'static,
    ) -> Content {
        let (watching, ending) = (self.clone(), self.clone());
        let pieces = content.map(move |piece| {
            let piece = piece.map_err(|error| {
                if let Some(misfit) = error.downcast_ref::<Misfit>() {
                    watching.state().failed = Some((*misfit).into());
                }
                std::io::Error::other(error)
            })?;
            watching.state().take(&piece);
            Ok(piece)
        });
        let end = stream::once(async move { ending.state().end() }).filter_map(|end| async move {
            end.err()
                .map(|()| Err(std::io::Error::other("not what was promised")))
        });
        pieces.chain(end).boxed()
    }

    /// What to tell of content that was not kept.
    pub(super) fn error(&self, error: Error) -> S3Error {
        self.state().failed.take().unwrap_or_else(|| told(error))
    }

    /// The sums of content that was kept.
    pub(super) fn found(&self) -> Checksum {
        std::mem::take(&mut self.state().found)
    }
}

impl State {
    fn take(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        self.hasher.update(piece);
        if let Some(md5) = &mut self.md5 {
            md5.update(piece);
        }
    }

    fn end(&mut self) -> Result<(), ()> {
        self.found = std::mem::take(&mut self.hasher).finalize();
        let judged = self.judge();
        judged.map_err(|error| self.failed = Some(error))
    }

    fn judge(&mut self) -> S3Result<()> {
        if let Some(length) = self.promised.length
            && u64::try_from(length) != Ok(self.bytes)
        {
            return Err(s3_error!(IncompleteBody));
        }
        if let (Some(promised), Some(md5)) = (&self.promised.md5, self.md5.take())
            && BASE64_STANDARD.decode(promised).ok().as_deref() != Some(&md5.finalize()[..])
        {
            return Err(s3_error!(BadDigest));
        }
        let after = self.trailers.as_ref().and_then(TrailingHeaders::take);
        let after = after.unwrap_or_default();
        let (given, found) = (each(&self.promised.sums), each(&self.found));
        for ((name, given), found) in NAMES.iter().zip(given).zip(found) {
            let late = after.get(*name).and_then(|value| value.to_str().ok());
            if self.announced.contains(name) && late.is_none() {
                return Err(s3_error!(InvalidRequest, "{name} was announced and did not come"));
            }
            let wrong = |promised: &str| found.is_none_or(|found| found != promised.trim());
            if given.is_some_and(|given| wrong(given)) || late.is_some_and(wrong) {
                return Err(s3_error!(BadDigest, "{name} is another"));
            }
        }
        Ok(())
    }
}
