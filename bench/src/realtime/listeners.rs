//! Many connections read by one thread: the least that can say when each message came, since it shares the cores with what is
//! measured.

use std::io::{ErrorKind, Read as _};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use tokio::task::JoinHandle;

use super::frames::{self, CLOSE, Frame};
use super::socket::Socket;

/// What is done with what comes.
pub trait Ear: Send + 'static {
    /// A frame came on a connection, which are numbered as they were given.
    fn hear(&mut self, socket: usize, frame: &Frame<'_>, at: Instant);
    /// Whether all came that was sent.
    fn has_all(&self) -> bool;
}

/// Connections that are being listened to.
pub struct Listening<E>(JoinHandle<Result<(Vec<Socket>, E)>>);

impl<E> Listening<E> {
    /// Waits for the end; gives the connections back.
    pub async fn end(self) -> Result<(Vec<Socket>, E)> {
        self.0.await?
    }
}

/// Listens until all came, and at most until `patience`.
pub fn listen<E: Ear>(mut sockets: Vec<Socket>, mut ear: E, patience: Instant) -> Result<Listening<E>> {
    let epoll = Epoll::new(EpollCreateFlags::empty())?;
    for (number, socket) in sockets.iter().enumerate() {
        epoll.add(
            &socket.stream,
            EpollEvent::new(EpollFlags::EPOLLIN, number as u64),
        )?;
    }
    let thread = tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; 64 << 10];
        let mut events = vec![EpollEvent::empty(); 1024];
        while !ear.has_all() && Instant::now() < patience {
            let ready = epoll.wait(&mut events, 100_u8)?;
            for event in &events[..ready] {
                let number = usize::try_from(event.data())?;
                let socket = sockets.get_mut(number).context("no such connection")?;
                read(number, socket, &mut buffer, &mut ear)?;
            }
        }
        for socket in &sockets {
            epoll.delete(&socket.stream)?;
        }
        Ok((sockets, ear))
    });
    Ok(Listening(thread))
}

fn read(number: usize, socket: &mut Socket, buffer: &mut [u8], ear: &mut impl Ear) -> Result<()> {
    let count = match (&socket.stream).read(buffer) {
        Ok(0) => bail!("the server closed a connection"),
        Ok(count) => count,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let at = Instant::now();
    // Most of the time nothing is left of what came before, and what came is whole.
    let mut joined = std::mem::take(&mut socket.pending);
    let mut bytes = if joined.is_empty() {
        &buffer[..count]
    } else {
        joined.extend_from_slice(&buffer[..count]);
        &joined[..]
    };
    while let Some(frame) = frames::read(bytes) {
        if frame.kind == CLOSE {
            bail!(
                "the server closed a connection: {}",
                String::from_utf8_lossy(frame.payload)
            );
        }
        ear.hear(number, &frame, at);
        bytes = &bytes[frame.length..];
    }
    socket.pending = bytes.to_vec();
    Ok(())
}
