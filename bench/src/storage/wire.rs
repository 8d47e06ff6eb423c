//! One connection that asks again and again and reads as fast as it can, or sends, without keeping what passes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// Large enough that calls of the system do not count.
const BUFFER: usize = 1 << 20;

#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// The beginning of an answer.
#[derive(Debug)]
pub struct Head {
    pub text: String,
    pub length: u64,
}

impl Wire {
    pub fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; BUFFER],
        })
    }

    /// Sends a request, reads the answer and forgets its body. Any status but 2xx is an error.
    pub fn ask(&mut self, request: &[u8]) -> Result<Head> {
        self.stream.write_all(request)?;
        self.answer()
    }

    /// Sends a request and so many bytes after it.
    pub fn send(&mut self, request: &[u8], length: u64) -> Result<Head> {
        self.stream.write_all(request)?;
        for (number, byte) in self.buffer.iter_mut().enumerate() {
            *byte = u8::try_from(number % 251).unwrap_or_default();
        }
        let mut left = length;
        while left > 0 {
            let piece = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
            self.stream.write_all(&self.buffer[..piece])?;
            left -= piece as u64;
        }
        self.answer()
    }

    fn answer(&mut self) -> Result<Head> {
        let mut filled = 0;
        let end = loop {
            let count = self.stream.read(&mut self.buffer[filled..])?;
            ensure!(count > 0, "the server closed the connection");
            filled += count;
            if let Some(end) = self.buffer[..filled]
                .windows(4)
                .position(|four| four == b"\r\n\r\n")
            {
                break end + 4;
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<u64>().ok())?
        });
        // 204 has none.
        let length = length.unwrap_or(0);
        let mut left = length
            .checked_sub((filled - end) as u64)
            .context("more came than was announced")?;
        while left > 0 {
            let count = self.stream.read(&mut self.buffer)?;
            ensure!(count > 0, "the server closed the connection");
            left = left
                .checked_sub(count as u64)
                .context("more came than was announced")?;
        }
        ensure!(text.starts_with("HTTP/1.1 2"), "the server answered:\n{text}");
        Ok(Head { text, length })
    }

    /// Asks for so long; gives the megabytes a second.
    #[expect(clippy::cast_precision_loss, reason = "bytes of seconds are far below 2^52")]
    pub fn rate(&mut self, request: &[u8], length: Duration) -> Result<f64> {
        let (began, mut bytes) = (Instant::now(), 0);
        while began.elapsed() < length {
            bytes += self.ask(request)?.length;
        }
        Ok(bytes as f64 / 1e6 / began.elapsed().as_secs_f64())
    }
}
