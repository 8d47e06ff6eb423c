//! Changes as the server's log has them, streamed over the replication protocol by `pgwire-replication`.

use std::time::Duration;

pub use pgwire_replication::{Lsn, ReplicationClient, ReplicationEvent};
use pgwire_replication::{
    config::{ReplicationConfig, TlsConfig},
    error::PgWireError,
};
use tokio_postgres::config::{Config as PgConfig, Host, SslMode};

use crate::error::{Error, Result};

/// Events that wait to be taken; the server waits with the rest.
const BUFFERED: usize = 1_024;
/// Largest message: a row with all of its values.
const LARGEST: usize = 256 << 20;
/// Where Debian and most others keep the certificates of authorities.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

pub(super) async fn connect(
    login: &PgConfig,
    slot: &str,
    publications: &[&str],
) -> Result<ReplicationClient> {
    let mut last = Error::invalid("config.database_url", "The database address names no host.");
    for (index, host) in login.get_hosts().iter().enumerate() {
        let ports = login.get_ports();
        let port = ports
            .get(index)
            .or_else(|| ports.first())
            .copied()
            .unwrap_or(5432);
        match ReplicationClient::connect_gated(config(login, host, port, slot, publications)).await {
            Ok(client) => return Ok(client),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

fn config(login: &PgConfig, host: &Host, port: u16, slot: &str, publications: &[&str]) -> ReplicationConfig {
    let (host, tls) = match host {
        Host::Unix(folder) => (folder.display().to_string(), TlsConfig::disabled()),
        Host::Tcp(name) => (name.clone(), tls(login.get_ssl_mode())),
    };
    let user = login.get_user().unwrap_or("postgres");
    let password = login
        .get_password()
        .map(|password| String::from_utf8_lossy(password).into_owned());
    let publications: Vec<&str> = publications.to_vec();
    let mut config = ReplicationConfig::new(
        host,
        user,
        password.unwrap_or_default(),
        login.get_dbname().unwrap_or(user),
        slot,
        publications,
    );
    config.port = port;
    config.tls = tls;
    config.buffer_events = BUFFERED;
    config.max_message_size = LARGEST;
    config.status_interval = Duration::from_secs(1);
    config.application_name = Some("tenon realtime".to_owned());
    config
}

fn tls(mode: SslMode) -> TlsConfig {
    match mode {
        SslMode::Disable => TlsConfig::disabled(),
        SslMode::Require => {
            let authorities = std::path::PathBuf::from(AUTHORITIES);
            TlsConfig::verify_full(authorities.exists().then_some(authorities))
        }
        _ => TlsConfig {
            mode: pgwire_replication::config::SslMode::Prefer,
            ..TlsConfig::disabled()
        },
    }
}

impl From<PgWireError> for Error {
    fn from(error: PgWireError) -> Self {
        Self::unavailable(
            "database.unavailable",
            "The database does not stream its changes at the moment.",
        )
        .details(error.to_string())
        .hint("Row changes need wal_level = logical and a login that may replicate.")
    }
}
