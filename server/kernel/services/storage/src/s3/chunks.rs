//! `aws-chunked` bodies on their way to `s3s`, which holds each chunk as a whole in memory. Chunks without signatures are cut into small
//! ones, since some clients send all there is as a single one; one with a signature must not be cut, and may have so many bytes.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::body::{Body, BodyDataStream};
use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt, stream};

/// Largest chunk with a signature; clients send 64 KiB to 1 MiB.
const LARGEST: u64 = 16 * 1024 * 1024;
/// How much of a chunk without one goes on at a time.
const PIECE: usize = 64 * 1024;
/// Longest line before a chunk.
const LONGEST_LINE: usize = 1024;

/// How much came in since anything came out.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(Arc<AtomicU64>);

impl Waiting {
    /// Counts what comes in; too much of it is an error.
    pub(super) fn comes(&self, body: Body) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
        let waiting = self.0.clone();
        body.into_data_stream().map(move |piece| {
            let piece = piece.map_err(io::Error::other)?;
            let size = piece.len() as u64;
            if waiting.fetch_add(size, Ordering::Relaxed) + size > LARGEST {
                return Err(io::Error::other("a chunk is too large"));
            }
            Ok(piece)
        })
    }

    /// Forgets what came out.
    pub(super) fn goes(&self, body: s3s::Body) -> s3s::Body {
        let waiting = self.0.clone();
        let body = body.map(move |piece| {
            waiting.store(0, Ordering::Relaxed);
            piece.map_err(io::Error::other)
        });
        s3s::Body::http_body_unsync(Body::from_stream(body))
    }
}

#[derive(Debug)]
enum At {
    Line(Vec<u8>),
    Data(u64),
    /// The line's end after so many bytes.
    Gap(usize),
    /// After the last chunk: trailers.
    Rest,
}

/// Cuts chunks without signatures.
pub(super) fn cut(body: Body) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let start = (body.into_data_stream(), At::Line(Vec::new()));
    stream::try_unfold(start, |(mut body, mut at): (BodyDataStream, At)| async move {
        let Some(piece) = body.next().await else {
            return Ok(None);
        };
        let pieces = step(&mut at, piece.map_err(io::Error::other)?)?;
        Ok::<_, io::Error>(Some((
            stream::iter(pieces.into_iter().map(Ok::<_, io::Error>)),
            (body, at),
        )))
    })
    .flat_map(|pieces| match pieces {
        Ok(pieces) => pieces.left_stream(),
        Err(error) => stream::iter([Err(error)]).right_stream(),
    })
}

fn step(at: &mut At, mut piece: Bytes) -> io::Result<Vec<Bytes>> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "no chunk");
    let mut out = Vec::new();
    while !piece.is_empty() {
        match at {
            At::Line(line) => {
                let end = piece.iter().position(|byte| *byte == b'\n');
                let taken = piece.split_to(end.map_or(piece.len(), |end| end + 1));
                line.extend_from_slice(&taken);
                if line.len() > LONGEST_LINE {
                    return Err(wrong());
                }
                if end.is_some() {
                    let size = std::str::from_utf8(line).ok();
                    let size = size.and_then(|line| line.trim_end().split(';').next());
                    let size = size.and_then(|size| u64::from_str_radix(size, 16).ok());
                    *at = match size.ok_or_else(wrong)? {
                        0 => {
                            out.push(Bytes::from_static(b"0\r\n"));
                            At::Rest
                        }
                        size => At::Data(size),
                    };
                }
            }
            At::Data(left) => {
                let size = usize::try_from(*left).unwrap_or(usize::MAX);
                let data = piece.split_to(size.min(PIECE).min(piece.len()));
                *left -= data.len() as u64;
                out.push(format!("{:x}\r\n", data.len()).into());
                out.push(data);
                out.push(Bytes::from_static(b"\r\n"));
                if *left == 0 {
                    *at = At::Gap(0);
                }
            }
            At::Gap(seen) => {
                if piece[0] != b"\r\n"[*seen] {
                    return Err(wrong());
                }
                piece.advance(1);
                *at = if *seen == 0 {
                    At::Gap(1)
                } else {
                    At::Line(Vec::new())
                };
            }
            At::Rest => out.push(std::mem::take(&mut piece)),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;
    use proptest::prelude::*;

    use super::*;

    fn cut_at(body: &[u8], size: usize) -> io::Result<Vec<u8>> {
        let mut at = At::Line(Vec::new());
        let mut all = Vec::new();
        for piece in body.chunks(size.max(1)) {
            for out in step(&mut at, Bytes::copy_from_slice(piece))? {
                all.extend_from_slice(&out);
            }
        }
        Ok(all)
    }

    /// What a body of chunks says, and what comes after them.
    fn read(mut body: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut data = Vec::new();
        loop {
            let end = body.iter().position(|byte| *byte == b'\n').unwrap();
            let size = usize::from_str_radix(std::str::from_utf8(&body[..end - 1]).unwrap(), 16).unwrap();
            assert!(size <= PIECE);
            body = &body[end + 1..];
            if size == 0 {
                return (data, body.to_vec());
            }
            data.extend_from_slice(&body[..size]);
            assert_eq!(&body[size..size + 2], b"\r\n");
            body = &body[size + 2..];
        }
    }

    proptest! {
        #[test]
        fn cut_chunks_say_the_same(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..5),
            size in 1_usize..50,
        ) {
            let mut body = Vec::new();
            for chunk in &chunks {
                body.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
                body.extend_from_slice(chunk);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n");
            let (data, rest) = read(&cut_at(&body, size).unwrap());
            prop_assert_eq!(data, chunks.concat());
            prop_assert_eq!(rest, b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n");
        }

        #[test]
        fn whatever_comes_is_cut_or_refused(body in proptest::collection::vec(any::<u8>(), 0..2000), size in 1_usize..100) {
            _ = cut_at(&body, size);
        }
    }

    #[tokio::test]
    async fn a_chunk_that_stays_inside_is_refused_when_it_is_too_large() {
        let pieces = (0..40).map(|_| Ok::<_, io::Error>(Bytes::from(vec![0; 1024 * 1024])));
        let body = Body::from_stream(stream::iter(pieces));
        let taken: Result<Vec<Bytes>, _> = Waiting::default().comes(body).try_collect().await;
        assert!(taken.is_err());
    }
}
