//! The HTTP connection itself, a little more forgiving than hyper and never without words.
//!
//! Clients that do not escape what they put into the query (`data->>key`, `in.("a,b")`) are understood: the bytes that
//! cannot stand in a request's target are percent-encoded on the way in. And what hyper refuses before there is a request
//! gets the body that every other refusal has.

mod refusal;
mod target;

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

use target::Targets;

/// Bytes read at once.
const CHUNK: usize = 4 * 1024;

/// A listener whose connections are forgiving.
#[derive(Debug)]
pub struct Forgiving<L>(pub L);

impl<L: Listener> Listener for Forgiving<L> {
    type Io = Connection<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (io, address) = self.0.accept().await;
        (Connection::new(io), address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A TCP listener whose connections send at once what they are given. Otherwise the end of an answer, or the second of two messages,
/// waits until the client has acknowledged what came before it, which clients put off for up to 40 ms.
#[derive(Debug)]
pub struct Prompt(pub TcpListener);

impl Listener for Prompt {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was closed as soon as it was accepted");
        }
        (stream, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A connection to a client.
#[derive(Debug)]
pub struct Connection<Io> {
    io: Io,
    targets: Targets,
    /// Read and made acceptable, not yet handed on.
    read: Vec<u8>,
    handed_on: usize,
    /// A refusal with its body, not yet written.
    to_write: Vec<u8>,
    written: usize,
}

impl<Io> Connection<Io> {
    fn new(io: Io) -> Self {
        Self {
            io,
            targets: Targets::default(),
            read: Vec::new(),
            handed_on: 0,
            to_write: Vec::new(),
            written: 0,
        }
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Connection<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            let waiting = this.read.get(this.handed_on..).unwrap_or_default();
            if !waiting.is_empty() {
                let count = waiting.len().min(out.remaining());
                out.put_slice(&waiting[..count]);
                this.handed_on += count;
                return Poll::Ready(Ok(()));
            }
            // What is certain to be a body is handed on as it comes.
            let before = out.filled().len();
            if this.targets.passes() >= out.remaining() as u64 {
                ready!(Pin::new(&mut this.io).poll_read(context, out))?;
                this.targets.passed((out.filled().len() - before) as u64);
                return Poll::Ready(Ok(()));
            }
            let mut chunk = [0; CHUNK];
            let mut buffer = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.io).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.read.clear();
            this.handed_on = 0;
            this.targets.encode(buffer.filled(), &mut this.read);
        }
    }
}

impl<Io: AsyncWrite + Unpin> Connection<Io> {
    /// Writes the refusal that waits, if one does.
    fn poll_refusal(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(left) = self.to_write.get(self.written..).filter(|left| !left.is_empty()) {
            let count = ready!(Pin::new(&mut self.io).poll_write(context, left))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
        }
        self.to_write.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Connection<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_refusal(context))?;
        let Some(refusal) = refusal::with_body(data, self.targets.is_head()) else {
            return Pin::new(&mut self.io).poll_write(context, data);
        };
        self.to_write = refusal;
        Poll::Ready(Ok(data.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [only] = parts {
            return self.poll_write(context, only);
        }
        ready!(self.poll_refusal(context))?;
        Pin::new(&mut self.io).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_refusal(context))?;
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_refusal(context))?;
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
