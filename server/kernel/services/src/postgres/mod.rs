//! The private PostgreSQL cluster: found, made, started, watched and stopped by the server itself.
//!
//! It lives in the data directory, listens on a unix socket in a folder that only its owner may enter (no
//! port, no password), keeps fsync on, and ends with the server. In development it may listen on this machine's own
//! address besides ([`Listen`]). What is inside the database is not the business of this module, and a server named by
//! `DATABASE_URL` needs none of it.

mod account;
mod binaries;
mod error;
mod home;
mod init;
mod lock;
mod orphan;
mod process;

use std::ffi::OsString;
use std::fs;
use std::iter;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls};

pub use binaries::{SUPPORTED, Version};
pub use error::ClusterError;
pub use lock::abandoned_by;

use binaries::Binaries;
use error::IoContext;
use home::Home;
use lock::Lock;
use process::{Launch, Postmaster, State};

/// The role that owns a new cluster.
pub const SUPERUSER: &str = "postgres";

/// How long a postmaster may be silent at start. One that says that it is recovering gets [`RECOVERY`].
const SILENCE: Duration = Duration::from_mins(1);
const RECOVERY: Duration = Duration::from_mins(30);
/// How long a fast shutdown, and then an immediate one, may take.
const FAST_STOP: Duration = Duration::from_mins(1);
const IMMEDIATE_STOP: Duration = Duration::from_secs(10);

/// The port of a cluster that only listens on its socket, where it is part of a name.
const PORT: u16 = 5432;

/// Listening on 127.0.0.1 besides the socket, for development: whoever knows the password is the superuser.
#[derive(Clone)]
pub struct Listen {
    /// The TCP port.
    pub port: u16,
    /// The password of [`SUPERUSER`], by TCP.
    pub password: String,
}

impl std::fmt::Debug for Listen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Listen")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Whether commits survive a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// fsync on.
    #[default]
    Full,
    /// fsync off, for tests: fast, and lost when the machine stops.
    TestOnlyUnsafe,
}

/// What to start and where.
#[derive(Debug, Clone, Default)]
pub struct ClusterOptions {
    /// The server's data directory; made when missing. The cluster is `postgres/` in it.
    pub data_dir: PathBuf,
    /// The folder of `postgres` and `initdb`; without it `TENON_PG_BIN` is looked at, then `candidates`,
    /// `pg_config` and the usual folders.
    pub bin_dir: Option<PathBuf>,
    /// Folders to look at first when none is named, best first; those that do not exist are passed over.
    pub candidates: Vec<PathBuf>,
    /// Whether commits survive a crash of the machine.
    pub durability: Durability,
    /// Further settings of `postgresql.conf`, as name and value.
    pub extra_settings: Vec<(String, String)>,
    /// Listening by TCP as well; without it there is only the socket.
    pub listen: Option<Listen>,
}

impl ClusterOptions {
    /// Durable, with whatever PostgreSQL is found.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            ..Self::default()
        }
    }
}

/// A running cluster. Dropping it asks PostgreSQL to stop; [`Cluster::stop`] also waits for the end.
#[derive(Debug)]
pub struct Cluster {
    postmaster: Postmaster,
    home: Home,
    port: u16,
    version: Version,
    bin_dir: PathBuf,
}

impl Cluster {
    /// Starts PostgreSQL on the data directory and returns when it answers. Once it has, a postmaster that
    /// ends by itself is started again, with growing pauses, until [`Cluster::stop`].
    pub async fn start(options: ClusterOptions) -> Result<Self, ClusterError> {
        let listen = options.listen.clone();
        let prepared = tokio::task::spawn_blocking(move || Self::prepare(&options)).await;
        let cluster = prepared.map_err(|error| ClusterError::Access(error.to_string()))??;
        let ready = async {
            cluster.ready().await?;
            match listen {
                Some(listen) => cluster.set_password(&listen.password).await,
                None => Ok(()),
            }
        };
        match ready.await {
            Ok(()) => {
                cluster.postmaster.set_proven();
                Ok(cluster)
            }
            Err(error) => {
                cluster.stop().await;
                Err(error)
            }
        }
    }

    fn prepare(options: &ClusterOptions) -> Result<Self, ClusterError> {
        fs::create_dir_all(&options.data_dir).context("create", &options.data_dir)?;
        let data_dir = options
            .data_dir
            .canonicalize()
            .context("read", &options.data_dir)?;
        let lock = Lock::take(&data_dir)?;
        let home = Home::prepare(&data_dir)?;
        let data = home.data();

        let made_by = home.made_by()?;
        let binaries = Binaries::find(
            options.bin_dir.as_deref(),
            &options.candidates,
            made_by.as_deref().and_then(|text| text.parse().ok()),
        )?
        .reachable_by(home.account.as_ref(), &home.root)?;
        match made_by {
            Some(found) if found != binaries.version.major.to_string() => {
                return Err(ClusterError::OtherVersion {
                    dir: home.root,
                    found,
                    wanted: binaries.version.major,
                    from: format!(" (in {})", binaries.bin_dir.display()),
                });
            }
            Some(_) => orphan::stop(&data)?,
            None => init::make(&home, &binaries, options.durability)?,
        }
        init::configure(&home, options.durability, &options.extra_settings)?;
        let port = options.listen.as_ref().map_or(PORT, |listen| listen.port);
        if options.listen.is_some() {
            init::admit(&home)?;
        }

        let launch = Launch {
            program: binaries.bin_dir.join("postgres"),
            arguments: arguments(&home, options.durability, options.listen.as_ref()),
            account: home.account.clone(),
        };
        let postmaster = Postmaster::start(launch, lock).context("start", &binaries.bin_dir)?;
        Ok(Self {
            postmaster,
            home,
            port,
            version: binaries.version,
            bin_dir: binaries.bin_dir,
        })
    }

    /// Waits until a connection is answered.
    async fn ready(&self) -> Result<(), ClusterError> {
        let started = Instant::now();
        let state = self.postmaster.state();
        loop {
            let Err(failure) = self.connection(SUPERUSER, "postgres").connect(NoTls).await else {
                return Ok(());
            };
            if let State::Ended(how) = &*state.borrow() {
                return Err(self.not_ready(how));
            }
            let recovering = failure.code() == Some(&SqlState::CANNOT_CONNECT_NOW);
            if started.elapsed() > if recovering { RECOVERY } else { SILENCE } {
                return Err(self.not_ready(&format!("it did not answer in time: {failure}")));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The superuser's password, which is asked for by TCP only.
    async fn set_password(&self, password: &str) -> Result<(), ClusterError> {
        let (client, connection) = self.connection(SUPERUSER, "postgres").connect(NoTls).await?;
        let connection = tokio::spawn(connection);
        let quoted = password.replace('\'', "\'\'");
        client
            .batch_execute(&format!(
                "set log_statement = 'none'; set log_min_error_statement = 'panic'; set standard_conforming_strings = on; \
                 alter role {SUPERUSER} password '{quoted}'"
            ))
            .await?;
        drop(client);
        _ = connection.await;
        Ok(())
    }

    fn not_ready(&self, reason: &str) -> ClusterError {
        ClusterError::NotReady {
            reason: reason.to_owned(),
            log: self.log_tail(),
        }
    }

    /// How to connect as `user` to `database`: through the unix socket, without a password.
    pub fn connection(&self, user: &str, database: &str) -> Config {
        let mut config = Config::new();
        config
            .host_path(&self.home.socket)
            .port(self.port)
            .user(user)
            .dbname(database);
        config
    }

    /// How to connect to the cluster of a data directory that another process runs; none if nothing listens there.
    pub fn running(data_dir: &Path, user: &str, database: &str) -> Option<Config> {
        let data_dir = data_dir.canonicalize().ok()?;
        let socket = home::socket_of(&data_dir)?;
        let port = home::port_of(&data_dir).unwrap_or(PORT);
        std::os::unix::net::UnixStream::connect(socket.join(format!(".s.PGSQL.{port}"))).ok()?;
        let mut config = Config::new();
        config.host_path(&socket).port(port).user(user).dbname(database);
        Some(config)
    }

    /// Makes the database `name` unless it exists.
    pub async fn ensure_database(&self, name: &str) -> Result<(), ClusterError> {
        let (client, connection) = self.connection(SUPERUSER, "postgres").connect(NoTls).await?;
        let connection = tokio::spawn(connection);
        if client
            .query_opt("select 1 from pg_database where datname = $1", &[&name])
            .await?
            .is_none()
        {
            client
                .batch_execute(&format!("create database \"{}\"", name.replace('"', "\"\"")))
                .await?;
        }
        drop(client);
        _ = connection.await;
        Ok(())
    }

    /// The folder of the unix socket: `psql -h <folder> -U postgres` connects to it.
    pub fn socket_dir(&self) -> &Path {
        &self.home.socket
    }

    /// The version that runs.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The folder of the programs that run.
    pub fn bin_dir(&self) -> &Path {
        &self.bin_dir
    }

    /// The postmaster's process id, while one runs.
    pub fn pid(&self) -> Option<u32> {
        self.postmaster.pid()
    }

    /// How often PostgreSQL was started again after it had ended by itself.
    pub fn restarts(&self) -> u64 {
        self.postmaster.restarts()
    }

    /// Returns when PostgreSQL has ended for good, that is after a stop, with the way it ended.
    pub async fn wait_exit(&self) -> String {
        let mut state = self.postmaster.state();
        let ended = state.wait_for(|state| matches!(state, State::Ended(_))).await;
        match ended.as_deref() {
            Ok(State::Ended(how)) => how.clone(),
            _ => "its thread ended".to_owned(),
        }
    }

    /// The last lines that PostgreSQL printed or logged.
    pub fn log_tail(&self) -> String {
        let mut lines = self.postmaster.printed();
        lines.extend(
            newest_log(&self.home.log())
                .map(|text| last_lines(&text, 30))
                .unwrap_or_default(),
        );
        lines.join("\n")
    }

    /// Stops PostgreSQL and waits for its end: open transactions are rolled back, committed ones are on disk.
    pub async fn stop(self) {
        for (signal, patience) in [
            (Signal::SIGINT, FAST_STOP),
            (Signal::SIGQUIT, IMMEDIATE_STOP),
            (Signal::SIGKILL, IMMEDIATE_STOP),
        ] {
            self.postmaster.stop(signal);
            if tokio::time::timeout(patience, self.wait_exit()).await.is_ok() {
                break;
            }
            tracing::error!(%signal, "PostgreSQL did not stop in time");
        }
        if self.home.socket_is_temporary {
            _ = fs::remove_dir_all(&self.home.socket);
        }
    }
}

/// The postmaster's arguments: what no setting in a file may change.
fn arguments(home: &Home, durability: Durability, listen: Option<&Listen>) -> Vec<OsString> {
    let on = if durability == Durability::Full {
        "on"
    } else {
        "off"
    };
    // A list of folders, in which a comma or a space would otherwise end the name.
    let folder = home.socket.as_os_str().as_bytes().to_vec();
    let quoted = folder
        .into_iter()
        .flat_map(|byte| iter::repeat_n(byte, if byte == b'"' { 2 } else { 1 }));
    let sockets = [
        b"unix_socket_directories=\"",
        quoted.collect::<Vec<_>>().as_slice(),
        b"\"",
    ]
    .concat();
    let address = if listen.is_some() { "127.0.0.1" } else { "" };
    let fixed = [
        format!("listen_addresses={address}"),
        "unix_socket_permissions=0700".to_owned(),
    ];
    let durable = [format!("fsync={on}"), format!("full_page_writes={on}")];
    let mut arguments = vec![
        "-D".into(),
        home.data().into_os_string(),
        "-p".into(),
        listen.map_or(PORT, |listen| listen.port).to_string().into(),
    ];
    if listen.is_some() {
        let rules = [b"hba_file=".as_slice(), init::rules(home).as_os_str().as_bytes()].concat();
        arguments.extend(["-c".into(), OsString::from_vec(rules)]);
    }
    for setting in fixed
        .into_iter()
        .chain(durable)
        .map(OsString::from)
        .chain([OsString::from_vec(sockets)])
    {
        arguments.extend(["-c".into(), setting]);
    }
    arguments
}

fn newest_log(folder: &Path) -> Option<String> {
    let newest = fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .max_by_key(|entry| entry.metadata().and_then(|found| found.modified()).ok())?;
    Some(String::from_utf8_lossy(&fs::read(newest.path()).ok()?).into_owned())
}

fn last_lines(text: &str, count: usize) -> Vec<String> {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..]
        .iter()
        .map(ToString::to_string)
        .collect()
}
