//! The two stores, and content for them.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tempfile::TempDir;
use tenon_sdk::{
    config::{Config, Secret, StorageBackend},
    env::Env,
};
use tenon_storage::store::{self, Content, Store};
use tokio::net::TcpListener;

/// A store and what it lives on.
pub struct Place {
    pub store: Arc<dyn Store>,
    pub folder: TempDir,
    pub name: &'static str,
}

/// One of each.
pub async fn both() -> Vec<Place> {
    vec![local(), s3().await]
}

pub fn local() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::defaults();
    config.storage.folder = folder.path().join("storage");
    Place {
        store: store::open(&config, &Env::real()).unwrap(),
        folder,
        name: "local",
    }
}

pub async fn s3() -> Place {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("files")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = Config::defaults();
    config.storage.backend = StorageBackend::S3;
    let s3 = &mut config.storage.s3;
    s3.endpoint = format!("http://{}", listener.local_addr().unwrap());
    "files".clone_into(&mut s3.bucket);
    "tenon/files".clone_into(&mut s3.prefix);
    "somebody".clone_into(&mut s3.access_key_id);
    s3.secret_access_key = Secret::from("something");
    let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
    service.set_auth(SimpleAuth::from_single("somebody", "something"));
    let service = service.build();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let service = service.clone();
            tokio::spawn(async move {
                let server = Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    Place {
        store: store::open(&config, &Env::real()).unwrap(),
        folder,
        name: "s3",
    }
}

/// Bytes that do not repeat soon.
pub fn bytes(size: usize, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    (0..size)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[1]
        })
        .collect()
}

/// Content in pieces of an odd size.
pub fn content(bytes: &[u8]) -> Content {
    let pieces: Vec<_> = bytes
        .chunks(70_001)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    stream::iter(pieces).boxed()
}

/// Content that breaks off.
pub fn broken(bytes: &[u8]) -> Content {
    content(bytes)
        .chain(stream::iter([Err(io::Error::other("the client is gone"))]))
        .boxed()
}

pub async fn read(place: &Place, key: &str, range: Option<std::ops::Range<u64>>) -> Vec<u8> {
    let content = place.store.get(key, range).await.unwrap();
    content.try_collect::<Vec<_>>().await.unwrap().concat()
}

pub async fn is_missing(place: &Place, key: &str) -> bool {
    match place.store.get(key, None).await {
        Err(error) => error.code == "storage.content_missing",
        Ok(_) => false,
    }
}

/// How many files lie in the folder, whatever they are, without those of the server and of locks.
pub fn files(place: &Place) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                if entry.file_type().unwrap().is_dir() {
                    count(&entry.path())
                } else {
                    usize::from(name != "lock" && !name.starts_with('.'))
                }
            })
            .sum()
    }
    count(place.folder.path())
}
