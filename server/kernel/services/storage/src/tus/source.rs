//! A request's body, cut into pieces that are kept one after the other. A body that breaks off ends a piece, and loses nothing of it.

use std::{io, pin::Pin, sync::Arc, task::Poll, time::Duration};

use axum::body::Body;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;
use tenon_sdk::{Error, Result};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::answer;
use crate::{errors, objects::is_stalled, store::Content};

/// How long a piece that has begun waits for more, so that a slow client's bytes are kept while they come.
const GATHERING: Duration = Duration::from_secs(5);

/// A body that is read by pieces.
#[derive(Clone)]
pub(super) struct Source(Arc<Mutex<Inner>>);

struct Inner {
    body: Pin<Box<dyn Stream<Item = Result<Bytes, axum::Error>> + Send>>,
    rest: Bytes,
    ended: bool,
    failed: Option<Error>,
}

impl Source {
    /// A body, until it ends, or the token fires and nothing more is there at that moment.
    pub(super) fn new(body: Body, stop: CancellationToken) -> Self {
        let mut body = body.into_data_stream();
        let mut stopped = Box::pin(stop.cancelled_owned());
        let body = stream::poll_fn(move |context| match body.poll_next_unpin(context) {
            Poll::Pending => stopped.as_mut().poll(context).map(|()| None),
            ready @ Poll::Ready(_) => ready,
        });
        Self(Arc::new(Mutex::new(Inner {
            body: Box::pin(body),
            rest: Bytes::new(),
            ended: false,
            failed: None,
        })))
    }

    /// The next piece: no more than so many bytes.
    pub(super) fn piece(&self, most: u64) -> Content {
        let state = (self.0.clone(), most, None);
        stream::unfold(state, |(source, left, deadline)| async move {
            let bytes = source.lock().await.next(left, deadline).await?;
            let deadline = deadline.or_else(|| Some(Instant::now() + GATHERING));
            let left = left - bytes.len() as u64;
            Some((Ok(bytes), (source, left, deadline)))
        })
        .boxed()
    }

    /// All of the body as one piece that is nothing unless it has the checksum.
    pub(super) fn checked(&self, most: u64, mut checksum: Checksum) -> Content {
        let source = self.0.clone();
        let all = stream::unfold((source, most), |(source, left)| async move {
            let bytes = source.lock().await.next(left, None).await?;
            let left = left - bytes.len() as u64;
            Some((bytes, (source, left)))
        });
        let all = all.map(Some).chain(stream::iter([None]));
        all.filter_map(move |bytes| {
            std::future::ready(if let Some(bytes) = bytes {
                checksum.add(&bytes);
                Some(Ok(bytes))
            } else {
                (!checksum.is_right()).then(|| Err(io::Error::other("another checksum")))
            })
        })
        .boxed()
    }

    /// Whether nothing more comes.
    pub(super) async fn has_ended(&self) -> bool {
        self.0.lock().await.ended
    }

    /// What it broke off with.
    pub(super) async fn failure(&self) -> Option<Error> {
        self.0.lock().await.failed.take()
    }
}

impl Inner {
    async fn next(&mut self, left: u64, deadline: Option<Instant>) -> Option<Bytes> {
        if left == 0 {
            return None;
        }
        while self.rest.is_empty() {
            if self.ended {
                return None;
            }
            let next = match deadline {
                Some(deadline) => timeout_at(deadline, self.body.next()).await.ok()?,
                None => self.body.next().await,
            };
            match next {
                Some(Ok(bytes)) => self.rest = bytes,
                Some(Err(error)) => {
                    self.ended = true;
                    self.failed = Some(if is_stalled(&error) {
                        errors::stalled()
                    } else {
                        errors::incomplete()
                    });
                }
                None => self.ended = true,
            }
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX);
        Some(self.rest.split_to(most.min(self.rest.len())))
    }
}

/// A checksum that was told of a body.
pub(super) struct Checksum {
    expected: Vec<u8>,
    digest: Algorithm,
}

enum Algorithm {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Checksum {
    /// `sha1 <base64>`.
    pub(super) fn of(text: &str) -> Result<Self> {
        let wrong = || answer::header("Upload-Checksum");
        let (algorithm, expected) = text.split_once(' ').ok_or_else(wrong)?;
        Ok(Self {
            digest: match algorithm {
                "md5" => Algorithm::Md5(Md5::new()),
                "sha1" => Algorithm::Sha1(Sha1::new()),
                "sha256" => Algorithm::Sha256(Sha256::new()),
                _ => return Err(wrong()),
            },
            expected: BASE64_STANDARD.decode(expected).map_err(|_| wrong())?,
        })
    }

    fn add(&mut self, bytes: &[u8]) {
        match &mut self.digest {
            Algorithm::Md5(digest) => digest.update(bytes),
            Algorithm::Sha1(digest) => digest.update(bytes),
            Algorithm::Sha256(digest) => digest.update(bytes),
        }
    }

    fn is_right(&mut self) -> bool {
        let found = match &mut self.digest {
            Algorithm::Md5(digest) => digest.finalize_reset().to_vec(),
            Algorithm::Sha1(digest) => digest.finalize_reset().to_vec(),
            Algorithm::Sha256(digest) => digest.finalize_reset().to_vec(),
        };
        found == self.expected
    }
}
