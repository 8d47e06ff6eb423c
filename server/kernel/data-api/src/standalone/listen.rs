//! Ports and sockets.

use std::fmt;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use axum::Router;
use tenon_sdk::http::{Forgiving, Prompt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream, lookup_host};

use super::StartError;
use super::config::Config;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 2048;

/// Something that accepts connections.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, String),
}

/// Where a listener can be reached.
#[derive(Debug, Clone)]
pub(super) enum Address {
    Tcp(SocketAddr),
    Unix(String),
}

/// The listener of the API.
pub(super) async fn main(config: &Config) -> Result<Listener, StartError> {
    match &config.unix_socket {
        Some(path) => unix(path, config.unix_socket_mode),
        None => tcp(&config.host, config.port, config.reuse_port).await,
    }
}

/// The listener of the admin server, if there is to be one.
pub(super) async fn admin(config: &Config) -> Result<Option<Listener>, StartError> {
    match (&config.admin_unix_socket, config.admin_port) {
        (Some(path), _) => unix(path, config.admin_unix_socket_mode).map(Some),
        (None, Some(port)) => tcp(&config.admin_host, port, config.reuse_port).await.map(Some),
        (None, None) => Ok(None),
    }
}

fn unix(path: &str, mode: u32) -> Result<Listener, StartError> {
    let failed = |error| StartError::Listen(path.to_owned(), error);
    // What a process before this one left; one that still listens keeps its socket.
    if std::os::unix::net::UnixStream::connect(path).is_err() {
        let _ = std::fs::remove_file(path);
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(failed)?;
    Ok(Listener::Unix(listener, path.to_owned()))
}

async fn tcp(host: &str, port: u16, reuse: bool) -> Result<Listener, StartError> {
    let failed = |error| StartError::Listen(format!("{host}:{port}"), error);
    let hosts: &[&str] = match host {
        "*" | "*6" => &["::", "0.0.0.0"],
        "*4" => &["0.0.0.0", "::"],
        "!4" => &["0.0.0.0"],
        "!6" => &["::"],
        other => &[other],
    };
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    for host in hosts {
        let addresses = match lookup_host((*host, port)).await {
            Ok(addresses) => addresses,
            Err(error) => {
                last = error;
                continue;
            }
        };
        for address in addresses {
            match open(address, reuse) {
                Ok(listener) => return Ok(Listener::Tcp(listener)),
                Err(error) => last = error,
            }
        }
    }
    Err(failed(last))
}

fn open(address: SocketAddr, reuse: bool) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(reuse)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Listener {
    pub(super) fn address(&self) -> Address {
        match self {
            Self::Tcp(listener) => listener
                .local_addr()
                .map_or_else(|_| Address::Unix(String::new()), Address::Tcp),
            Self::Unix(_, path) => Address::Unix(path.clone()),
        }
    }

    pub(super) async fn serve(
        self,
        router: Router,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        match self {
            Self::Tcp(listener) => {
                axum::serve(Forgiving(Prompt(listener)), router)
                    .with_graceful_shutdown(stop)
                    .await
            }
            Self::Unix(listener, path) => {
                let served = axum::serve(Forgiving(listener), router)
                    .with_graceful_shutdown(stop)
                    .await;
                let _ = std::fs::remove_file(path);
                served
            }
        }
    }
}

impl Address {
    /// Whether somebody accepts connections there.
    pub(super) async fn answers(&self) -> bool {
        match self {
            Self::Tcp(address) => {
                let mut address = *address;
                if address.ip().is_unspecified() {
                    address.set_ip(match address {
                        SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                        SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
                    });
                }
                TcpStream::connect(address).await.is_ok()
            }
            Self::Unix(path) => UnixStream::connect(path).await.is_ok(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => f.write_str(path),
        }
    }
}
