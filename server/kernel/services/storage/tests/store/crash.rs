//! What is left of a process that dies while it writes.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use futures_util::{StreamExt, stream};
use tenon_sdk::{config::Config, env::Env};
use tenon_storage::store;

use super::back_ends::{Place, bytes, content, files, local, read};

const FOLDER: &str = "TENON_TEST_STORAGE_FOLDER";
const SIZE: usize = 3 << 20;

/// No test of its own: the process that the test below kills.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs until it is killed"]
async fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let mut config = Config::defaults();
    config.storage.folder = folder.into();
    let store = store::open(&config, &Env::real()).unwrap();
    for worker in 0..4_u32 {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let key = format!("w{worker}/n{number}");
                let kept = store
                    .put(&key, content(&bytes(SIZE, worker)), u64::MAX)
                    .await
                    .unwrap();
                println!("kept {key} {}", kept.etag);
            }
        });
    }
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_killed_process_leaves_what_it_acknowledged_and_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::writes_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder.path().join("storage"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    let mut note = |line: String| {
        let kept = line.split("kept ").nth(1).and_then(|kept| kept.split_once(' '));
        acknowledged.extend(kept.map(|(key, _)| key.to_owned()));
        acknowledged.len()
    };
    while note(lines.next().unwrap().unwrap()) < 20 {}
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines {
        note(line.unwrap());
    }

    let mut config = Config::defaults();
    config.storage.folder = folder.path().join("storage");
    let place = Place {
        store: store::open(&config, &Env::real()).unwrap(),
        folder,
        name: "local",
    };
    let listed = place.store.list(None, usize::MAX).await.unwrap();
    for one in &listed {
        assert_eq!(one.size, SIZE as u64, "{}", one.key);
        let worker = one.key[1..2].parse().unwrap();
        assert!(
            read(&place, &one.key, None).await == bytes(SIZE, worker),
            "{}",
            one.key
        );
    }
    for key in acknowledged {
        assert!(listed.iter().any(|one| one.key == key), "{key} was acknowledged");
    }
    assert_eq!(files(&place), listed.len(), "drafts of the dead are cleared away");
}

#[tokio::test]
async fn another_process_that_starts_does_not_touch_what_is_being_written() {
    let place = local();
    let mut config = Config::defaults();
    config.storage.folder = place.folder.path().join("storage");
    let (more, comes) = tokio::sync::mpsc::unbounded_channel();
    let comes = stream::unfold(comes, async |mut comes| Some((Ok(comes.recv().await?), comes))).boxed();
    let store = place.store.clone();
    let putting = tokio::spawn(async move { store.put("k", comes, u64::MAX).await });
    more.send(vec![1; 2 << 20].into()).unwrap();
    while files(&place) == 0 {
        tokio::task::yield_now().await;
    }
    let other = store::open(&config, &Env::real()).unwrap();
    more.send(vec![2; 10].into()).unwrap();
    drop(more);
    putting.await.unwrap().unwrap();
    let found = other.list(None, 10).await.unwrap();
    assert_eq!(found[0].size, (2 << 20) + 10);
}

#[tokio::test]
async fn an_upload_that_is_dropped_leaves_nothing() {
    let place = local();
    let comes = stream::iter([Ok(vec![1; 2 << 20].into())])
        .chain(stream::pending())
        .boxed();
    let store = place.store.clone();
    let putting = tokio::spawn(async move { store.put("k", comes, u64::MAX).await });
    while files(&place) == 0 {
        tokio::task::yield_now().await;
    }
    putting.abort();
    assert!(putting.await.unwrap_err().is_cancelled());
    while files(&place) > 0 {
        tokio::task::yield_now().await;
    }
}
