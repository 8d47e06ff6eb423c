//! Opening connections, over a unix socket or TCP, with TLS where the server offers it.

use std::sync::Arc;

use rustls::ClientConfig;
use tokio_postgres::{
    Client, Config as PgConfig, Connection,
    config::{Host, SslMode},
    tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{Error, Result};

pub(super) type RawStream = tokio_postgres::Socket;
pub(super) type RawTlsStream = <MakeRustlsConnect as MakeTlsConnect<RawStream>>::Stream;

/// TLS for the driver. It asks for a server name even where there is none, on a unix socket.
#[derive(Clone)]
pub(super) struct Tls(MakeRustlsConnect);

impl MakeTlsConnect<RawStream> for Tls {
    type Stream = RawTlsStream;
    type TlsConnect = <MakeRustlsConnect as MakeTlsConnect<RawStream>>::TlsConnect;
    type Error = <MakeRustlsConnect as MakeTlsConnect<RawStream>>::Error;

    fn make_tls_connect(&mut self, host: &str) -> Result<Self::TlsConnect, Self::Error> {
        let host = if host.is_empty() { "localhost" } else { host };
        MakeTlsConnect::<RawStream>::make_tls_connect(&mut self.0, host)
    }
}

/// Reads a connection URL or keyword string.
pub fn parse_url(url: &str) -> Result<PgConfig> {
    url.parse().map_err(|error| {
        Error::invalid(
            "config.database_url",
            format!("The database address cannot be read: {error}"),
        )
        .hint("It looks like postgresql://user:password@host:5432/database.")
    })
}

/// The TLS settings of connections to the database and to others outside: the system's certificate authorities.
pub(crate) fn tls_config() -> Result<Arc<ClientConfig>> {
    let mut roots = rustls::RootCertStore::empty();
    let (_, _unusable) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

pub(super) fn tls() -> Result<Tls> {
    Ok(Tls(MakeRustlsConnect::new(tls_config()?.as_ref().clone())))
}

pub(super) fn add_option(config: &mut PgConfig, setting: &str) {
    let options = match config.get_options() {
        Some(before) => format!("{before} -c {setting}"),
        None => format!("-c {setting}"),
    };
    config.options(options);
}

pub(super) async fn connect_raw(config: &PgConfig) -> Result<(Client, Connection<RawStream, RawTlsStream>)> {
    Ok(config.connect(tls()?).await?)
}

/// Connects and drives the connection in a task, which ends with the client.
pub async fn connect(config: &PgConfig) -> Result<(Client, tokio::task::JoinHandle<()>)> {
    let (client, connection) = connect_raw(config).await?;
    let task = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(%error, "database connection ended");
        }
    });
    Ok((client, task))
}

/// A byte stream to the server, before and after TLS.
pub(super) trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for T {}

/// Opens the bare stream of the pipelining client: the first host of the configuration that answers.
pub(super) async fn open_stream(config: &PgConfig, tls: &Arc<ClientConfig>) -> Result<Box<dyn Stream>> {
    let mut last = Error::invalid("config.database_url", "The database address names no host.");
    for (index, host) in config.get_hosts().iter().enumerate() {
        let ports = config.get_ports();
        let port = ports
            .get(index)
            .or_else(|| ports.first())
            .copied()
            .unwrap_or(5432);
        match open_host(config, host, port, tls).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn open_host(
    config: &PgConfig,
    host: &Host,
    port: u16,
    tls: &Arc<ClientConfig>,
) -> Result<Box<dyn Stream>> {
    let unreachable = |error: std::io::Error| {
        Error::unavailable(
            "database.unavailable",
            "The database is not reachable at the moment.",
        )
        .details(error.to_string())
    };
    match host {
        Host::Unix(folder) => {
            let path = folder.join(format!(".s.PGSQL.{port}"));
            Ok(Box::new(
                tokio::net::UnixStream::connect(path).await.map_err(unreachable)?,
            ))
        }
        Host::Tcp(name) => {
            let mut stream = tokio::net::TcpStream::connect((name.as_str(), port))
                .await
                .map_err(unreachable)?;
            stream.set_nodelay(true).map_err(unreachable)?;
            if config.get_ssl_mode() == SslMode::Disable {
                return Ok(Box::new(stream));
            }
            if !super::pipeline::request_tls(&mut stream)
                .await
                .map_err(unreachable)?
            {
                if config.get_ssl_mode() == SslMode::Require {
                    return Err(Error::unavailable(
                        "database.no_tls",
                        "The database offers no encryption.",
                    ));
                }
                return Ok(Box::new(stream));
            }
            let server = rustls::pki_types::ServerName::try_from(name.clone()).map_err(Error::internal)?;
            let connector = tokio_rustls::TlsConnector::from(tls.clone());
            Ok(Box::new(
                connector.connect(server, stream).await.map_err(unreachable)?,
            ))
        }
    }
}
