//! Finds the targets of requests in what a client sends, and percent-encodes what cannot stand there.
//!
//! It follows the framing of HTTP/1 only as far as it has to: whatever it does not understand ends its work on the
//! connection, and the rest goes through as it is.

/// Of a header line so much is looked at.
const LOOKED_AT: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The method, or empty lines before it.
    Method,
    /// The target; `query` after the question mark.
    Target { query: bool },
    /// What follows the target.
    Version,
    /// Headers.
    Head,
    /// So many bytes of a body.
    Body(u64),
    /// The size of a chunk; `digits` while it is being read.
    Size { size: u64, digits: bool },
    /// So many bytes of a chunk.
    Chunk(u64),
    /// The end of a chunk's line.
    ChunkEnd,
    /// Headers after the chunks; `empty` while the line is.
    Trailer { empty: bool },
    /// Nothing is looked at any more.
    Opaque,
}

/// What a client sends on one connection.
#[derive(Debug)]
pub(super) struct Targets {
    state: State,
    /// The method or the header line so far.
    line: Vec<u8>,
    head: bool,
    length: Option<u64>,
    chunked: bool,
    strange: bool,
}

impl Default for Targets {
    fn default() -> Self {
        Self {
            state: State::Method,
            line: Vec::new(),
            head: false,
            length: None,
            chunked: false,
            strange: false,
        }
    }
}

impl Targets {
    /// The last request was HEAD.
    pub(super) fn is_head(&self) -> bool {
        self.head
    }

    /// So many bytes need not be looked at.
    pub(super) fn passes(&self) -> u64 {
        match self.state {
            State::Body(left) => left,
            State::Opaque => u64::MAX,
            _ => 0,
        }
    }

    /// Bytes that were not looked at.
    pub(super) fn passed(&mut self, count: u64) {
        if let State::Body(left) = self.state {
            self.state = match left.saturating_sub(count) {
                0 => State::Method,
                left => State::Body(left),
            };
        }
    }

    /// Takes what came and appends what is made of it.
    pub(super) fn encode(&mut self, mut data: &[u8], out: &mut Vec<u8>) {
        out.reserve(data.len());
        while let Some((&byte, rest)) = data.split_first() {
            let whole = match self.state {
                State::Body(left) | State::Chunk(left) => left,
                State::Opaque => u64::MAX,
                _ => 0,
            };
            if whole > 0 {
                let count = usize::try_from(whole).unwrap_or(usize::MAX).min(data.len());
                out.extend_from_slice(&data[..count]);
                data = &data[count..];
                match self.state {
                    State::Chunk(left) if left == count as u64 => self.state = State::ChunkEnd,
                    State::Chunk(left) => self.state = State::Chunk(left - count as u64),
                    _ => self.passed(count as u64),
                }
                continue;
            }
            let plain = self.plain(data);
            if plain > 0 {
                out.extend_from_slice(&data[..plain]);
                data = &data[plain..];
                continue;
            }
            data = rest;
            self.byte(byte, out);
        }
    }

    /// How many bytes change nothing but what is known of a header line.
    fn plain(&mut self, data: &[u8]) -> usize {
        match self.state {
            State::Head => {
                let line = first(data, |byte| byte == b'\n');
                let room = LOOKED_AT.saturating_sub(self.line.len());
                self.line.extend_from_slice(&data[..line.min(room)]);
                line
            }
            State::Version => first(data, |byte| byte == b'\n'),
            State::Target { query } => first(data, |byte| {
                matches!(byte, b' ' | b'\n') || !query && byte == b'?' || must_be_encoded(byte, query)
            }),
            _ => 0,
        }
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        if let State::Target { query } = self.state
            && must_be_encoded(byte, query)
        {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            out.extend([
                b'%',
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]);
            return;
        }
        out.push(byte);
        self.state = match (self.state, byte) {
            (State::Method, b'\r' | b'\n') if self.line.is_empty() => State::Method,
            (State::Method, b' ') => {
                self.head = self.line == b"HEAD";
                self.line.clear();
                (self.length, self.chunked, self.strange) = (None, false, false);
                State::Target { query: false }
            }
            (State::Method, b'\r' | b'\n') | (State::Target { .. }, b'\n') => State::Opaque,
            (State::Method, _) => {
                self.keep(byte);
                State::Method
            }
            (State::Target { .. }, b' ') => State::Version,
            (State::Target { query }, _) => State::Target {
                query: query || byte == b'?',
            },
            (State::Version, b'\n') => State::Head,
            (State::Head, b'\n') => self.header(),
            (State::Size { size, .. }, b'\n') => match size {
                0 => State::Trailer { empty: true },
                size => State::Chunk(size),
            },
            (State::Size { size, digits: true }, _) => match char::from(byte).to_digit(16) {
                Some(digit) => match size.checked_mul(16) {
                    Some(size) => State::Size {
                        size: size + u64::from(digit),
                        digits: true,
                    },
                    None => State::Opaque,
                },
                None => State::Size { size, digits: false },
            },
            (State::ChunkEnd, b'\n') => State::Size {
                size: 0,
                digits: true,
            },
            (State::ChunkEnd, b'\r') => State::ChunkEnd,
            (State::ChunkEnd, _) => State::Opaque,
            (State::Trailer { empty: true }, b'\n') => State::Method,
            (State::Trailer { .. }, b'\n') => State::Trailer { empty: true },
            (State::Trailer { empty }, _) => State::Trailer {
                empty: empty && byte == b'\r',
            },
            (state, _) => state,
        };
    }

    fn keep(&mut self, byte: u8) {
        if self.line.len() < LOOKED_AT {
            self.line.push(byte);
        }
    }

    /// The end of a header line, or of all of them.
    fn header(&mut self) -> State {
        let line = std::mem::take(&mut self.line);
        let line = line.trim_ascii_end();
        if line.is_empty() {
            return match (self.strange, self.chunked, self.length) {
                (true, ..) | (_, true, Some(_)) => State::Opaque,
                (_, true, None) => State::Size {
                    size: 0,
                    digits: true,
                },
                (_, false, Some(length)) if length > 0 => State::Body(length),
                _ => State::Method,
            };
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        if is("content-length") {
            let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            self.strange |= length.is_none() || self.length.is_some_and(|known| Some(known) != length);
            self.length = length;
        } else if is("transfer-encoding") {
            self.strange |= self.chunked || !value.eq_ignore_ascii_case(b"chunked");
            self.chunked = true;
        } else if is("upgrade") || colon.is_none() || name.first().is_some_and(u8::is_ascii_whitespace) {
            self.strange = true;
        }
        State::Head
    }
}

/// How many bytes come before the first like that.
fn first(data: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    data.iter().position(|byte| wanted(*byte)).unwrap_or(data.len())
}

/// Whether a byte cannot stand in a path or query as it is. Control characters are for nobody to send.
fn must_be_encoded(byte: u8, query: bool) -> bool {
    match byte {
        // A fragment stays with the client, so a `#` that arrives is one of the address.
        b'<' | b'>' | b'#' | 0x7f.. => true,
        b'"' => query,
        b'`' => !query,
        _ => false,
    }
}
