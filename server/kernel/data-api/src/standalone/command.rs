//! What can be asked without serving: the settings as they are understood, the schema as it is read, and whether a server
//! with these settings is ready.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use super::config::{Config, ConfigError, KEYS, Sources};
use super::jwt::Verifier;
use super::{StartError, database};

/// The longest that a server may take to say whether it is ready.
const PATIENCE: Duration = Duration::from_secs(10);

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// All settings, the database's among them if it can be reached, in the form of the file.
    Settings,
    /// What is read from the catalogues, as JSON.
    Schema,
    /// A file with all settings, each at its default.
    Example,
    /// Whether the server with these settings is ready; asked of its admin server.
    Ready,
}

/// Answers it, with settings from the environment, from `file` and, where they matter, from the database.
pub async fn answer(file: Option<PathBuf>, question: Question) -> Result<String, StartError> {
    if question == Question::Example {
        return Ok(example());
    }
    let sources = Sources::read(file, std::env::vars())?;
    let config = checked(Config::new(&sources.settings())?)?;
    match question {
        Question::Example => Ok(example()),
        Question::Ready => ready(&config).await,
        Question::Settings => Ok(with_database(&sources, config).await?.to_text(true)?),
        Question::Schema => {
            let config = with_database(&sources, config).await?;
            let db = database::open(&config)?;
            let catalogue = database::catalogue(&db, &config).await;
            catalogue.map_err(|trouble| StartError::Database(trouble.to_string()))
        }
    }
}

/// The keys of tokens can be used, too.
fn checked(config: Config) -> Result<Config, ConfigError> {
    Verifier::new(&config)?;
    Ok(config)
}

/// The configuration with what the database says of it; without, if it does not answer.
async fn with_database(sources: &Sources, config: Config) -> Result<Config, StartError> {
    if !config.in_database {
        return Ok(config);
    }
    let db = database::open(&config)?;
    match database::settings(&db, config.pre_config.as_ref()).await {
        Ok(said) => Ok(checked(Config::new(&sources.with(said))?)?),
        Err(trouble) => {
            tracing::warn!(%trouble, "the settings in the database could not be read");
            Ok(config)
        }
    }
}

fn example() -> String {
    let mut text =
        "# Settings of the stand-alone data API. What is not said is as it is here.\n\n".to_owned();
    for key in KEYS {
        let value = match key.default {
            bare if key.bare && !bare.is_empty() => bare.to_owned(),
            text => super::config::quote(text),
        };
        let _ = writeln!(text, "# {} = {value}", key.name);
    }
    text.push_str("# app.settings.name = \"what functions see as current_setting('app.settings.name')\"\n");
    text
}

async fn ready(config: &Config) -> Result<String, StartError> {
    let (address, status) = if let Some(path) = &config.admin_unix_socket {
        let asked = async { status(UnixStream::connect(path).await?).await };
        (path.clone(), tokio::time::timeout(PATIENCE, asked).await)
    } else if let Some(port) = config.admin_port {
        let host = match config.admin_host.as_str() {
            "*" | "*4" | "!4" => "127.0.0.1",
            "*6" | "!6" => "::1",
            other => other,
        };
        let shown = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        let asked = async { status(TcpStream::connect((host, port)).await?).await };
        let asked = tokio::time::timeout(PATIENCE, asked).await;
        (format!("http://{shown}:{port}/ready"), asked)
    } else {
        let reason = "Admin server is not running. Please check admin-server-port config.";
        return Err(StartError::NotReady(reason.to_owned()));
    };
    match status {
        Ok(Ok(200)) => Ok(format!("OK: {address}\n")),
        Ok(Ok(_)) => Err(StartError::NotReady(address)),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Err(StartError::NotReady(format!("connection refused to {address}")))
        }
        Ok(Err(error)) => Err(StartError::NotReady(format!("{address}: {error}"))),
        Err(_) => Err(StartError::NotReady(format!("{address}: no answer in time"))),
    }
}

/// The status of the answer to `GET /ready`.
async fn status(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<u16> {
    stream.write_all(b"GET /ready HTTP/1.0\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.take(512).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer
        .split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.ok_or_else(|| std::io::Error::other("no HTTP answer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_file_that_changes_nothing() {
        let commented = example();
        let said: String = commented
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| line.contains(" = ") && !line.starts_with("app."))
            .map(|line| line.to_owned() + "\n")
            .collect();
        let folder = tempfile();
        std::fs::write(&folder, said).expect("written");
        let read = |file| {
            let sources = Sources::read(file, std::iter::empty()).expect("readable");
            let config = Config::new(&sources.settings()).expect("understood");
            config.to_text(true).expect("printable")
        };
        assert_eq!(read(Some(folder.clone())), read(None));
        std::fs::remove_file(folder).expect("removed");
    }

    fn tempfile() -> PathBuf {
        std::env::temp_dir().join(format!("tenon-example-{}.conf", std::process::id()))
    }
}
