//! `tenon backup` and `tenon restore`, with the real binary on clusters of its own.

use std::{collections::BTreeMap, path::Path};

use reqwest::Method;
use serde_json::{Value, json};
use tenon_services::postgres::{Cluster, ClusterOptions, SUPERUSER};

use crate::process::{Person, Process, folder, send, tenon};
use crate::support::REGISTER;

const PASSPHRASE: &str = "three plain words";

/// Runs it; whether it went well, and all that it said.
async fn run(arguments: &[&str], passphrase: &str) -> (bool, String) {
    let done = tenon(arguments)
        .env("TENON_BACKUP_PASSPHRASE", passphrase)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.success(), said)
}

async fn well(arguments: &[&str]) -> String {
    let (well, said) = run(arguments, PASSPHRASE).await;
    assert!(well, "{arguments:?}: {said}");
    said
}

async fn refused(arguments: &[&str], passphrase: &str, why: &str) {
    let (well, said) = run(arguments, passphrase).await;
    assert!(!well && said.contains(why), "{arguments:?}: {said}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Everything in the tables of a cluster that nobody serves: how many rows, and a hash of them.
async fn rows(data_dir: &Path) -> BTreeMap<String, (i64, String)> {
    let cluster = Cluster::start(ClusterOptions::new(data_dir)).await.unwrap();
    let (client, connection) = cluster
        .connection(SUPERUSER, "tenon")
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let sql = "select n.nspname || '.' || c.relname from kernel.tables t join pg_class c on c.oid = t.relation \
               join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and not c.relispartition";
    let mut found = BTreeMap::new();
    for row in client.query(sql, &[]).await.unwrap() {
        let table: String = row.get(0);
        let sql = format!(
            "select count(*), coalesce(md5(string_agg(t::text, e'\\n' order by t::text)), '') from {table} t"
        );
        let row = client.query_one(&sql, &[]).await.unwrap();
        found.insert(table, (row.get(0), row.get(1)));
    }
    drop(client);
    _ = connection.await;
    cluster.stop().await;
    found
}

async fn put(server: &Process, person: &Person, name: &str, content: Vec<u8>) {
    let path = format!("/storage/v1/object/files/{}/{name}", person.org());
    let request = person.request(server, Method::POST, &path);
    let request = request.header("content-type", "application/octet-stream");
    send(request.header("x-upsert", "true").body(content)).await;
}

async fn content(server: &Process, person: &Person, name: &str) -> Vec<u8> {
    let path = format!("/storage/v1/object/files/{}/{name}", person.org());
    let answer = person.request(server, Method::GET, &path).send().await.unwrap();
    assert!(answer.status().is_success(), "{name}: {}", answer.status());
    answer.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn a_backup_restored_elsewhere_has_every_row_and_every_file() {
    let folder = folder();
    let (here, there, file) = (
        folder.path().join("here"),
        folder.path().join("there"),
        folder.path().join("all.backup"),
    );
    let server = Process::serve(&here).await;
    let person = Person::new(&server, "harbour").await;
    let checked = person.upload(&server, "register.xlsx", REGISTER).await;
    person.confirm(&server, &checked).await;
    person.settled(&server, checked["id"].as_str().unwrap()).await;
    // More than one piece, nothing at all, and a name in another alphabet.
    let large: Vec<u8> = (0..9_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    put(&server, &person, "large.bin", large.clone()).await;
    put(&server, &person, "empty.bin", Vec::new()).await;
    put(
        &server,
        &person,
        "Übersicht/план.txt".replace('Ü', "%C3%9C").as_str(),
        b"plan".to_vec(),
    )
    .await;
    assert!(server.terminate().await);

    let said = well(&["backup", text(&file), "--data-dir", text(&here)]).await;
    assert!(
        said.contains("3 files of 9000004 bytes") && said.contains("master.keys"),
        "{said}"
    );
    let sealed = std::fs::read(&file).unwrap();
    assert!(sealed.starts_with(b"age-encryption.org/"));
    assert!(
        well(&["restore", "--check", text(&file)])
            .await
            .contains("3 files of 9000004 bytes")
    );

    let restore = ["restore", text(&file), "--data-dir", text(&there)];
    refused(&restore, PASSPHRASE, "backup.master_keys_missing").await;
    std::fs::create_dir_all(&there).unwrap();
    std::fs::copy(here.join("master.keys"), there.join("master.keys")).unwrap();
    well(&restore).await;
    refused(&restore, PASSPHRASE, "backup.not_empty").await;

    let (mut before, mut after) = (rows(&here).await, rows(&there).await);
    for table in [
        "kernel.tables",
        "kernel.migrations",
        "audit.parts",
        "audit.tracked",
        "audit.classes",
        "jobs.workers",
    ] {
        before.remove(table);
        after.remove(table);
    }
    assert_eq!(after, before);
    assert!(
        before["purchasing.orders"].0 > 10 && before["audit.entries"].0 > 3,
        "{before:?}"
    );

    let server = Process::serve(&there).await;
    assert_eq!(content(&server, &person, "large.bin").await, large);
    assert_eq!(content(&server, &person, "empty.bin").await, b"");
    assert_eq!(
        content(&server, &person, "%C3%9Cbersicht/%D0%BF%D0%BB%D0%B0%D0%BD.txt").await,
        b"plan"
    );
    let account = json!({ "email": "harbour@example.com", "password": "correct horse battery" });
    let session = send(
        server
            .request(Method::POST, "/auth/v1/token?grant_type=password")
            .json(&account),
    )
    .await;
    assert!(session["access_token"].is_string());
    let said = well(&["audit", "--data-dir", text(&there), "verify"]).await;
    assert!(said.contains("trails are as they were sealed"), "{said}");
    assert!(server.terminate().await);
}

#[tokio::test]
async fn a_backup_made_beside_a_server_at_work_is_of_one_moment() {
    let folder = folder();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let server = Process::serve(&here).await;
    let person = Person::new(&server, "harbour").await;
    let file = folder.path().join("busy.backup");
    let backup = [
        "backup",
        text(&file),
        "--data-dir",
        text(&here),
        "--with-master-key",
    ];
    let writing = async {
        for round in 0..60_u8 {
            // Replaced again and again: the content of the snapshot has to be there still.
            put(&server, &person, "one.bin", vec![round; 100_000]).await;
            put(&server, &person, &format!("{round}.bin"), vec![round; 10]).await;
        }
    };
    let (said, ()) = tokio::join!(well(&backup), writing);
    assert!(!said.contains("MISSING"), "{said}");
    assert!(server.terminate().await);
    well(&["restore", text(&file), "--data-dir", text(&there)]).await;
    let server = Process::serve(&there).await;
    let listed = person
        .request(&server, Method::POST, "/storage/v1/object/list/files")
        .json(&json!({ "prefix": person.org(), "limit": 1000 }));
    let listed: Value = send(listed).await;
    for object in listed.as_array().unwrap() {
        let found = content(&server, &person, object["name"].as_str().unwrap()).await;
        assert_eq!(
            found.len() as u64,
            object["metadata"]["size"].as_u64().unwrap(),
            "{object}"
        );
    }
    assert!(server.terminate().await);
}

#[tokio::test]
async fn what_is_no_whole_backup_or_has_another_key_restores_nothing() {
    let folder = folder();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let server = Process::serve(&here).await;
    let person = Person::new(&server, "harbour").await;
    put(&server, &person, "a.bin", vec![7; 100_000]).await;
    let file = folder.path().join("a.backup");
    let backup = |to| ["backup", to, "--data-dir", text(&here), "--with-master-key"];
    refused(&backup(text(&file)), "", "--recipient").await;
    well(&backup(text(&file))).await;
    refused(&backup(text(&file)), PASSPHRASE, "backup.exists").await;
    let open = folder.path().join("open.backup");
    let unsealed = ["backup", text(&open), "--data-dir", text(&here), "--unsealed"];
    refused(
        &[&unsealed[..], &["--with-master-key"]].concat(),
        PASSPHRASE,
        "backup.key_in_the_open",
    )
    .await;
    well(&unsealed).await;

    let sealed = std::fs::read(&file).unwrap();
    let broken = folder.path().join("broken.backup");
    let half = sealed[..sealed.len() / 2].to_vec();
    let mut flipped = sealed.clone();
    flipped[sealed.len() / 2] ^= 1;
    let plain = std::fs::read(&open).unwrap();
    for (what, bytes) in [
        ("half", half),
        ("flipped", flipped),
        ("half, unsealed", plain[..plain.len() / 2].to_vec()),
        ("nothing", Vec::new()),
        ("something else", b"PK\x03\x04 not a backup".to_vec()),
    ] {
        std::fs::write(&broken, bytes).unwrap();
        let (well, said) = run(&["restore", "--check", text(&broken)], PASSPHRASE).await;
        assert!(!well && said.contains("backup.broken"), "{what}: {said}");
    }
    std::fs::write(&broken, &sealed[..sealed.len() - 100]).unwrap();
    let restore = |from| ["restore", from, "--data-dir", text(&there)];
    refused(&restore(text(&broken)), PASSPHRASE, "backup.broken").await;
    refused(&restore(text(&file)), "other words", "backup.sealed").await;
    let none = folder.path().join("none");
    refused(&restore(text(&none)), PASSPHRASE, "backup.file").await;
    // After all of that, the database is as empty as it was.
    well(&restore(text(&file))).await;

    let (client, connection) = Cluster::running(&here, SUPERUSER, "tenon")
        .unwrap()
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
        .batch_execute("create table public.by_hand (id int)")
        .await
        .unwrap();
    let other = folder.path().join("other.backup");
    refused(&backup(text(&other)), PASSPHRASE, "by_hand").await;
    assert!(!other.exists());
    well(&[&backup(text(&other))[..], &["--without-other-tables"]].concat()).await;
    assert!(server.terminate().await);
}
