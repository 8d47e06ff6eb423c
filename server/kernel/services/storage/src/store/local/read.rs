//! Reading a file as a stream. What the system has in memory is read where it is sent from, which costs a copy and no more;
//! for the rest a thread waits that serves nobody.

use std::{
    fs::File,
    io,
    ops::Range,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::Content;

/// What is read at once: large enough that the way between threads does not count, small enough for a processor's cache.
const PIECE: usize = 256 << 10;

/// A file's content, or a part of it.
pub(super) fn open(place: &Path, range: Option<Range<u64>>) -> io::Result<Content> {
    let file = File::open(place)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let Range { start, end } = range.unwrap_or(0..about.len());
    let reader = Reader {
        file: Arc::new(file),
        at: start,
        end,
    };
    Ok(stream::try_unfold(reader, Reader::next).boxed())
}

struct Reader {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Reader {
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let left = self.end.saturating_sub(self.at);
        if left == 0 {
            return Ok(None);
        }
        let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let mut buffer = Buffer::take();
        let found = at_once(&self.file, &mut buffer.0[..wanted], self.at);
        let size = if let Some(size) = found {
            size
        } else {
            let (file, at) = (self.file.clone(), self.at);
            let reading = tokio::task::spawn_blocking(move || {
                let read = file.read_at(&mut buffer.0[..wanted], at);
                (read, buffer)
            });
            let (read, filled) = reading.await.map_err(io::Error::other)?;
            buffer = filled;
            read?
        };
        if size == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += size as u64;
        Ok(Some((Bytes::from_owner(buffer).slice(..size), self)))
    }
}

/// Reads what is in memory; nothing if that would mean waiting, or cannot be asked of this file system.
#[cfg(target_os = "linux")]
fn at_once(file: &File, buffer: &mut [u8], at: u64) -> Option<usize> {
    use rustix::io::{ReadWriteFlags, preadv2};
    let mut buffers = [io::IoSliceMut::new(buffer)];
    match preadv2(file, &mut buffers, at, ReadWriteFlags::NOWAIT) {
        Ok(size) if size > 0 => Some(size),
        _ => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn at_once(_: &File, _: &mut [u8], _: u64) -> Option<usize> {
    None
}

/// Buffers that were sent, for those who read next: fresh memory would have to be cleared each time.
static USED: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());
const MOST_USED: usize = 32;

struct Buffer(Box<[u8]>);

impl Buffer {
    fn take() -> Self {
        let used = USED.lock().ok().and_then(|mut used| used.pop());
        Self(used.unwrap_or_else(|| vec![0; PIECE].into_boxed_slice()))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Ok(mut used) = USED.lock()
            && used.len() < MOST_USED
        {
            used.push(std::mem::take(&mut self.0));
        }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
