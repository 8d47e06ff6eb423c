//! `tenon doctor` and `tenon migrate`, with the real binary beside a server.

use std::{os::unix::fs::PermissionsExt, path::Path};

use serde_json::Value;
use tenon_services::postgres::{Cluster, SUPERUSER};

use crate::process::{Process, folder, tenon};

/// What it says; whether all is well.
async fn doctor(data_dir: &Path, more: &[&str]) -> (bool, String) {
    let arguments = [&["doctor", "--data-dir", data_dir.to_str().unwrap()], more].concat();
    let done = tenon(&arguments).output().await.unwrap();
    (
        done.status.success(),
        String::from_utf8_lossy(&done.stdout).into_owned(),
    )
}

#[tokio::test]
async fn a_new_installation_is_well_and_each_fault_is_named_with_its_remedy() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let server = Process::serve(&data_dir).await;
    let (well, said) = doctor(&data_dir, &[]).await;
    assert!(well, "{said}");
    for expected in [
        "PostgreSQL 1",
        "All are applied.",
        "Row-level security holds on all",
        "opens all",
        "A file was written, read and deleted.",
        " 0 bad",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let (_, json) = doctor(&data_dir, &["--json"]).await;
    let found: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert!(
        found
            .iter()
            .all(|one| one["check"].is_string() && one["verdict"] != "bad")
    );

    let (client, connection) = Cluster::running(&data_dir, SUPERUSER, "tenon")
        .unwrap()
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let keys = data_dir.join("master.keys");
    client
        .batch_execute(
            "alter table purchasing.orders disable row level security;
            create table public.open (id int);
            grant usage on schema public to anon;
            grant select on public.open to anon;
            delete from kernel.migrations where module = 'purchasing' and name like '0006%'",
        )
        .await
        .unwrap();
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (well, said) = doctor(&data_dir, &["--set", "server.bind=0.0.0.0"]).await;
    assert!(!well, "{said}");
    for expected in [
        "purchasing.orders",
        "public.open",
        "chmod 600",
        "1 are not applied",
        "server.site_url",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let plan = ["migrate", "--plan", "--data-dir", data_dir.to_str().unwrap()];
    let done = tenon(&plan).output().await.unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(said, "purchasing/0006_trail\n1 to be applied\n");

    std::fs::remove_file(&keys).unwrap();
    let (well, said) = doctor(&data_dir, &[]).await;
    assert!(
        !well && said.contains("The file of master keys is not there"),
        "{said}"
    );
    assert!(!keys.exists(), "nothing was made in its place");
    assert!(server.terminate().await);
    let (well, said) = doctor(&folder.path().join("none"), &[]).await;
    assert!(!well && said.contains("--data-dir"), "{said}");
}
