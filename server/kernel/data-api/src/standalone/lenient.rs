//! Request lines as clients write them. Some leave characters as they are that an address has to escape, double quotes
//! above all; other servers take them, so they are escaped here before anybody judges the address.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most of a header's line that is looked at; what tells the body's length is shorter.
const LOOKED_AT: usize = 64;

/// A listener whose connections are read leniently.
pub(super) struct LenientListener<L>(pub(super) L);

impl<L: Listener<Addr = SocketAddr>> Listener for LenientListener<L> {
    type Io = Lenient<L::Io>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = self.0.accept().await;
        (Lenient::new(stream), address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A connection.
pub(super) struct Lenient<S> {
    stream: S,
    place: Place,
    /// What was read and did not fit since it has been escaped.
    left: Vec<u8>,
}

impl<S> Lenient<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            place: Place::default(),
            left: Vec::new(),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lenient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left.is_empty() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
            let Some(escaped) = self.place.follow(&buffer.filled()[before..]) else {
                return Poll::Ready(Ok(()));
            };
            buffer.set_filled(before);
            self.left = escaped;
        }
        let fits = self.left.len().min(buffer.remaining());
        buffer.put_slice(&self.left[..fits]);
        self.left.drain(..fits);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lenient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Where in the requests of a connection the next byte stands.
#[derive(Debug, Default)]
struct Place {
    kind: Kind,
    /// The beginning of the line, in small letters.
    line: Vec<u8>,
    /// Bytes of the body, or of its chunk, that are still to come.
    rest: u64,
    chunked: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    /// In a request's first line.
    #[default]
    Request,
    /// In a header.
    Header,
    /// In a body, or a chunk of one.
    Body,
    /// In the line before a chunk.
    Size,
    /// In the line after a chunk.
    End,
    /// In the lines after the last chunk.
    Trailer,
    /// In something that is not understood here, and is left as it is.
    Unknown,
}

impl Place {
    /// Goes on over these bytes; what to read in their place, if something had to be escaped.
    fn follow(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut escaped: Option<Vec<u8>> = None;
        let mut at = 0;
        while at < bytes.len() {
            let span = match self.kind {
                Kind::Unknown => bytes.len() - at,
                Kind::Body => usize::try_from(self.rest)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len() - at),
                _ => 1,
            };
            let part = &bytes[at..at + span];
            if self.kind == Kind::Request
                && let Some(code) = code(part[0])
            {
                escaped
                    .get_or_insert_with(|| bytes[..at].to_vec())
                    .extend_from_slice(code);
            } else if let Some(escaped) = &mut escaped {
                escaped.extend_from_slice(part);
            }
            match self.kind {
                Kind::Unknown => {}
                Kind::Body => {
                    self.rest -= span as u64;
                    if self.rest == 0 {
                        self.kind = if self.chunked { Kind::End } else { Kind::Request };
                    }
                }
                _ => self.byte(part[0]),
            }
            at += span;
        }
        escaped
    }

    fn byte(&mut self, byte: u8) {
        match byte {
            b'\n' => {
                self.kind = self.next();
                self.line.clear();
            }
            b'\r' => {}
            _ if self.line.len() < LOOKED_AT => self.line.push(byte.to_ascii_lowercase()),
            _ => {}
        }
    }

    /// What comes after the line that has just ended.
    fn next(&mut self) -> Kind {
        let line = std::mem::take(&mut self.line);
        let text = std::str::from_utf8(&line).unwrap_or_default();
        match self.kind {
            // Lines without anything may stand between requests.
            Kind::Request | Kind::Trailer if line.is_empty() => Kind::Request,
            Kind::Request if text.starts_with("pri * http/2") => Kind::Unknown,
            Kind::Request => {
                (self.rest, self.chunked) = (0, false);
                Kind::Header
            }
            Kind::Header => match text.split_once(':').map(|(name, value)| (name, value.trim())) {
                None if !line.is_empty() => Kind::Header,
                None if self.chunked => Kind::Size,
                None if self.rest > 0 => Kind::Body,
                None => Kind::Request,
                Some(("upgrade", _)) => Kind::Unknown,
                Some(("content-length", length)) => match length.parse() {
                    Ok(length) => {
                        self.rest = length;
                        Kind::Header
                    }
                    Err(_) => Kind::Unknown,
                },
                Some(("transfer-encoding", coding)) => {
                    self.chunked |= coding.ends_with("chunked");
                    Kind::Header
                }
                Some(_) => Kind::Header,
            },
            Kind::Size => {
                let size = text.split(';').next().unwrap_or_default().trim();
                match u64::from_str_radix(size, 16) {
                    Ok(0) => Kind::Trailer,
                    Ok(size) => {
                        self.rest = size;
                        Kind::Body
                    }
                    Err(_) => Kind::Unknown,
                }
            }
            Kind::End => Kind::Size,
            Kind::Trailer => Kind::Trailer,
            Kind::Body | Kind::Unknown => self.kind,
        }
    }
}

/// How a character of an address is escaped that has to be.
fn code(byte: u8) -> Option<&'static [u8]> {
    Some(match byte {
        b'"' => b"%22",
        b'<' => b"%3C",
        b'>' => b"%3E",
        b'`' => b"%60",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    /// What is read, however the bytes arrive.
    fn read(text: &str) -> String {
        let whole = |size: usize| {
            let mut place = Place::default();
            let mut read = Vec::new();
            for part in text.as_bytes().chunks(size) {
                read.extend(place.follow(part).unwrap_or_else(|| part.to_vec()));
            }
            String::from_utf8(read).expect("text")
        };
        let at_once = whole(text.len().max(1));
        for size in 1..8 {
            assert_eq!(whole(size), at_once, "in pieces of {size}");
        }
        at_once
    }

    #[test]
    fn quotes_in_addresses_are_escaped_and_those_in_headers_and_bodies_stay() {
        assert_eq!(
            read("GET /a?b=in.(\"x\",<y>) HTTP/1.1\r\nETag: \"z\"\r\n\r\n"),
            "GET /a?b=in.(%22x%22,%3Cy%3E) HTTP/1.1\r\nETag: \"z\"\r\n\r\n"
        );
        let post = "POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\n{\"a\":\"\n\"}";
        assert_eq!(
            read(&format!("{post}\r\nGET /\" HTTP/1.1\r\n\r\n")),
            format!("{post}\r\nGET /%22 HTTP/1.1\r\n\r\n")
        );
    }

    #[test]
    fn chunks_are_left_alone_up_to_the_last_one() {
        let chunked = "POST /a HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3;x=\"\r\n\"\n\"\r\n1\r\n\"\r\n0\r\nT: \"\r\n\r\n";
        assert_eq!(read(chunked), chunked);
        assert_eq!(
            read(&format!("{chunked}GET /\" HTTP/1.1\r\n\r\n")),
            format!("{chunked}GET /%22 HTTP/1.1\r\n\r\n")
        );
    }

    #[test]
    fn what_is_not_understood_passes_as_it_is() {
        for text in [
            "PRI * HTTP/2.0\r\n\r\n\"\"",
            "GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n\"",
            "POST / HTTP/1.1\r\nContent-Length: much\r\n\r\n\"",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n\"",
        ] {
            assert_eq!(read(text), text);
        }
    }

    #[tokio::test]
    async fn a_small_buffer_gets_everything_in_turn() {
        let mut stream = Lenient::new(&b"GET /\"\"\" HTTP/1.1\r\n\r\n"[..]);
        let mut read = Vec::new();
        let mut buffer = [0; 7];
        loop {
            let count = stream.read(&mut buffer).await.expect("reads");
            if count == 0 {
                break;
            }
            read.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(read, b"GET /%22%22%22 HTTP/1.1\r\n\r\n");
    }
}
