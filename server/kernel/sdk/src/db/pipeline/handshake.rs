//! Start-up of a connection: encryption, authentication, session settings.

use std::io;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::{
    authentication::{md5_hash, sasl},
    message::{backend::Message, frontend},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_postgres::Config as PgConfig;

use super::{super::connect::Stream, ServerError};
use crate::error::{Error, Result};

/// Class of the SQLSTATEs by which the server says that it does not know the login, or not this password.
const INVALID_AUTHORIZATION: &str = "28";

/// A stream that has authenticated, with what was read beyond.
pub(super) struct Ready {
    pub(super) stream: Box<dyn Stream>,
    pub(super) read: BytesMut,
    /// Process and secret, for [`super::cancel`].
    pub(super) key: Option<(i32, i32)>,
}

/// Asks the server for encryption; whether it agreed.
pub(in crate::db) async fn request_tls(stream: &mut tokio::net::TcpStream) -> io::Result<bool> {
    let mut buffer = BytesMut::new();
    frontend::ssl_request(&mut buffer);
    stream.write_all(&buffer).await?;
    Ok(stream.read_u8().await? == b'S')
}

pub(super) async fn start(mut stream: Box<dyn Stream>, config: &PgConfig) -> Result<Ready> {
    let user = config.get_user().unwrap_or("postgres");
    let mut parameters = vec![("user", user), ("client_encoding", "UTF8")];
    if let Some(database) = config.get_dbname() {
        parameters.push(("database", database));
    }
    if let Some(name) = config.get_application_name() {
        parameters.push(("application_name", name));
    }
    if let Some(options) = config.get_options() {
        parameters.push(("options", options));
    }
    let mut out = BytesMut::new();
    frontend::startup_message(parameters, &mut out).map_err(Error::internal)?;
    let mut read = BytesMut::with_capacity(16 * 1024);
    let mut key = None;
    let mut scram: Option<sasl::ScramSha256> = None;
    loop {
        if !out.is_empty() {
            stream.write_all(&out).await.map_err(lost)?;
            out.clear();
        }
        let password = || {
            config.get_password().ok_or_else(|| {
                Error::unavailable(
                    "database.password",
                    "The database asks for a password and none is set.",
                )
            })
        };
        match next(&mut stream, &mut read).await? {
            Message::AuthenticationCleartextPassword => {
                frontend::password_message(password()?, &mut out).map_err(Error::internal)?;
            }
            Message::AuthenticationMd5Password(body) => {
                let hash = md5_hash(user.as_bytes(), password()?, body.salt());
                frontend::password_message(hash.as_bytes(), &mut out).map_err(Error::internal)?;
            }
            Message::AuthenticationSasl(body) => {
                let offered: Vec<String> = body
                    .mechanisms()
                    .map(|name| Ok(name.to_owned()))
                    .collect()
                    .map_err(Error::internal)?;
                if !offered.iter().any(|name| name == sasl::SCRAM_SHA_256) {
                    return Err(Error::unavailable(
                        "database.authentication",
                        "The database wants a way of signing in that is not known here.",
                    )
                    .details(offered.join(", ")));
                }
                let client = sasl::ScramSha256::new(password()?, sasl::ChannelBinding::unsupported());
                frontend::sasl_initial_response(sasl::SCRAM_SHA_256, client.message(), &mut out)
                    .map_err(Error::internal)?;
                scram = Some(client);
            }
            Message::AuthenticationSaslContinue(body) => {
                let client = scram
                    .as_mut()
                    .ok_or_else(|| Error::internal("SASL out of order"))?;
                client.update(body.data()).map_err(Error::internal)?;
                frontend::sasl_response(client.message(), &mut out).map_err(Error::internal)?;
            }
            Message::AuthenticationSaslFinal(body) => {
                let client = scram
                    .as_mut()
                    .ok_or_else(|| Error::internal("SASL out of order"))?;
                client.finish(body.data()).map_err(Error::internal)?;
            }
            Message::ReadyForQuery(_) => return Ok(Ready { stream, read, key }),
            Message::ErrorResponse(body) => {
                let error = ServerError::read(&body);
                let refusal = if error.code.starts_with(INVALID_AUTHORIZATION) {
                    Error::unavailable(
                        "database.authentication",
                        "The database does not let this login in.",
                    )
                } else {
                    Error::unavailable("database.unavailable", "The database refused the connection.")
                };
                return Err(refusal.details(error.message));
            }
            Message::BackendKeyData(body) => key = Some((body.process_id(), body.secret_key())),
            Message::AuthenticationOk | Message::ParameterStatus(_) | Message::NoticeResponse(_) => {}
            _ => {
                return Err(Error::internal(
                    "unexpected message while connecting to the database",
                ));
            }
        }
    }
}

async fn next(stream: &mut Box<dyn Stream>, read: &mut BytesMut) -> Result<Message> {
    loop {
        if let Some(message) = Message::parse(read).map_err(lost)? {
            return Ok(message);
        }
        if stream.read_buf(read).await.map_err(lost)? == 0 {
            return Err(lost(io::ErrorKind::UnexpectedEof.into()));
        }
    }
}

#[allow(clippy::needless_pass_by_value)] // the shape that map_err wants
fn lost(error: io::Error) -> Error {
    Error::unavailable("database.unavailable", "The connection to the database was lost.")
        .details(error.to_string())
}

/// The server took too long to let anybody in.
pub(super) fn slow() -> Error {
    Error::unavailable("database.unavailable", "The database did not answer in time.")
}
