//! Stand-alone mode: the data API alone, in front of any PostgreSQL database, configured as `PostgREST` is.
//!
//! [`config`] reads settings from a file, the environment and the database; `jwt` says who is asking; `session` turns
//! that into role and settings of a transaction; `answer` runs the stages that every request has; `state` is what requests
//! need, swapped as one when the configuration or the schema changes (`database`, `listener`, `signals`); `server` speaks HTTP (with
//! `listen`, `cors`, `timing`), `admin` and `command` speak to the operator.

pub mod config;

mod admin;
mod answer;
mod batch;
mod command;
mod cors;
mod database;
mod figures;
mod jwt;
mod listen;
mod listener;
mod server;
mod session;
mod signals;
mod state;
mod timing;

use tenon_sdk::env::Env;
use tokio_postgres::config::Host;

#[cfg(any(test, feature = "fuzz"))]
pub use jwt::fuzz as fuzz_token;

use config::Config;

pub use command::{Question, answer};

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    /// The port or socket cannot be had.
    #[error("cannot listen on {0}: {1}")]
    Listen(String, std::io::Error),
    /// The database is gone, and the operator wants the process to end then.
    #[error("the database cannot be reached: {0}")]
    Database(String),
    /// The server asked for is not ready, or not there.
    #[error("ERROR: {0}")]
    NotReady(String),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] tenon_sdk::Error),
}

/// Serves until `stop` is done. Settings come from the environment, from `file` and from the database.
pub async fn serve(
    env: Env,
    file: Option<std::path::PathBuf>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), StartError> {
    Prepared::read(file)?.serve(env, stop).await
}

/// What the environment and the file say, read once: the file may be a pipe.
pub struct Prepared {
    sources: config::Sources,
    config: Config,
}

impl Prepared {
    /// Reads the environment and `file`.
    pub fn read(file: Option<std::path::PathBuf>) -> Result<Self, StartError> {
        let sources = config::Sources::read(file, std::env::vars())?;
        let config = Config::new(&sources.settings())?;
        Ok(Self { sources, config })
    }

    /// Whether the database is on this machine: its address names a socket's folder or this host. One that cannot be read
    /// is not; [`Self::serve`] says what is wrong with it.
    pub fn database_is_here(&self) -> bool {
        database::address(&self.config).is_ok_and(|address| address.get_hosts().iter().all(is_here))
    }

    /// Serves until `stop` is done.
    pub async fn serve(
        self,
        env: Env,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), StartError> {
        let shared = state::Shared::start(env, self.sources, self.config)?;
        signals::follow(&shared);
        server::run(shared, stop).await
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_here_by_socket_or_by_this_host_only() {
        let here = |address: &str| {
            let address: tokio_postgres::Config = address.parse().unwrap();
            address.get_hosts().iter().all(is_here)
        };
        for address in [
            "host=/run/postgresql",
            "host=localhost",
            "host=127.0.0.1",
            "host=::1",
        ] {
            assert!(here(address), "{address}");
        }
        for address in [
            "host=db.example.com",
            "host=192.0.2.7",
            "host=localhost,db.example.com",
        ] {
            assert!(!here(address), "{address}");
        }
    }
}
