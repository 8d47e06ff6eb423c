//! The part of clamd's protocol that is needed: `INSTREAM`, a file in chunks with their lengths before them, and one line back.

use std::{path::PathBuf, time::Duration};

use futures_util::StreamExt;
use tenon_sdk::{Error, Result, config::StorageScan};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    time::timeout,
};

use crate::store::Content;

const CONNECTING: Duration = Duration::from_secs(5);
const LONGEST_ANSWER: u64 = 4096;

/// What the scanner says of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Clean,
    /// The name of what was found.
    Infected(String),
}

/// A scanner.
#[derive(Debug)]
pub(super) struct Clamd {
    address: Address,
    patience: Duration,
}

#[derive(Debug)]
enum Address {
    Tcp(String),
    Unix(PathBuf),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Clamd {
    pub(super) fn new(settings: &StorageScan) -> Result<Self> {
        let address = match settings.clamd.split_once("://") {
            Some(("tcp", address)) if address.contains(':') => Address::Tcp(address.to_owned()),
            Some(("unix", path)) if path.starts_with('/') => Address::Unix(path.into()),
            _ => {
                return Err(Error::invalid(
                    "config.invalid",
                    "A setting is wrong: storage.scan.clamd is neither tcp://host:port nor unix:///path",
                )
                .hint("tenon.default.toml lists every setting with its default."));
            }
        };
        Ok(Self {
            address,
            patience: Duration::from_secs(settings.timeout_seconds),
        })
    }

    /// Shows it a file.
    pub(super) async fn scan(&self, content: Content) -> Result<Verdict> {
        let mut stream = self.connect().await?;
        // One that refuses in the middle says why before it hangs up.
        let sent = self.send(&mut stream, content).await;
        let answer = self.answer(&mut stream).await;
        match (verdict(&answer), sent) {
            (Some(verdict @ Verdict::Infected(_)), _) | (Some(verdict), Ok(())) => Ok(verdict),
            (_, Err(cause)) if answer.is_empty() => Err(cause),
            (None, Ok(())) | (_, Err(_)) => Err(unavailable(&answer)),
        }
    }

    async fn connect(&self) -> Result<Box<dyn Stream>> {
        let connecting = async {
            let stream: Box<dyn Stream> = match &self.address {
                Address::Tcp(address) => Box::new(TcpStream::connect(address).await?),
                Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
            };
            std::io::Result::Ok(stream)
        };
        timeout(CONNECTING, connecting)
            .await
            .map_err(|_| unavailable("It does not answer."))?
            .map_err(|cause| unavailable(&cause.to_string()))
    }

    async fn send(&self, stream: &mut dyn Stream, mut content: Content) -> Result<()> {
        self.write(stream, b"zINSTREAM\0").await?;
        while let Some(bytes) = content.next().await {
            let bytes = bytes.map_err(Error::internal)?;
            for chunk in bytes.chunks(1 << 20) {
                let length = u32::try_from(chunk.len()).map_err(Error::internal)?;
                self.write(stream, &length.to_be_bytes()).await?;
                self.write(stream, chunk).await?;
            }
        }
        self.write(stream, &[0; 4]).await
    }

    async fn write(&self, stream: &mut dyn Stream, bytes: &[u8]) -> Result<()> {
        let writing = async {
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        timeout(self.patience, writing)
            .await
            .map_err(|_| unavailable("It does not take the file."))?
            .map_err(|cause| unavailable(&cause.to_string()))
    }

    /// Its line, as far as it comes in time.
    async fn answer(&self, stream: &mut dyn Stream) -> String {
        let mut answer = Vec::new();
        let mut limited = stream.take(LONGEST_ANSWER);
        let _ = timeout(self.patience, limited.read_to_end(&mut answer)).await;
        let text = String::from_utf8_lossy(&answer);
        text.trim_end_matches(['\0', '\n']).to_owned()
    }
}

/// `stream: OK`, `stream: Eicar-Signature FOUND`; anything else is none.
fn verdict(answer: &str) -> Option<Verdict> {
    let said = answer.strip_prefix("stream: ")?;
    if said == "OK" {
        return Some(Verdict::Clean);
    }
    let name = said.strip_suffix(" FOUND")?;
    Some(Verdict::Infected(name.to_owned()))
}

fn unavailable(cause: &str) -> Error {
    tracing::warn!(cause, "the virus scanner cannot say what a file is");
    Error::unavailable(
        "storage.scan_unavailable",
        "The file could not be scanned for viruses and was refused.",
    )
    .hint("Try again later; ask whoever runs the installation.")
    .details(cause)
}
