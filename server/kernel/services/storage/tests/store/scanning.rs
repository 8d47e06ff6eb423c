//! A stand-in that speaks clamd's protocol as its manual describes it, and finds the harmless test virus.

use std::sync::Arc;

use tenon_sdk::{config::Config, env::Env};
use tenon_storage::store::{self, Growing, Store};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UnixListener},
};

use super::back_ends::{Place, bytes, content, files, is_missing, read};

// Split, so that scanners of this machine leave the file alone.
const VIRUS: [&str; 2] = [
    r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-",
    "ANTIVIRUS-TEST-FILE!$H+H*",
];
const MOST: usize = 3 << 20;

async fn serve(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin) -> std::io::Result<()> {
    let mut command = [0; 10];
    stream.read_exact(&mut command).await?;
    assert_eq!(&command, b"zINSTREAM\0");
    let mut file = Vec::new();
    loop {
        let mut chunk = vec![0; usize::try_from(stream.read_u32().await?).unwrap()];
        if chunk.is_empty() {
            break;
        }
        stream.read_exact(&mut chunk).await?;
        file.append(&mut chunk);
        if file.len() > MOST {
            return stream.write_all(b"INSTREAM size limit exceeded. ERROR\0").await;
        }
    }
    let virus = VIRUS.concat();
    let found = file.windows(virus.len()).any(|part| part == virus.as_bytes());
    let said: &[u8] = if found {
        b"stream: Eicar-Test-Signature FOUND\0"
    } else {
        b"stream: OK\0"
    };
    stream.write_all(said).await
}

async fn scanner() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

fn place(clamd: &str, required: bool) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::defaults();
    config.storage.folder = folder.path().join("storage");
    clamd.clone_into(&mut config.storage.scan.clamd);
    config.storage.scan.required = required;
    Place {
        store: store::open(&config, &Env::real()).unwrap(),
        folder,
        name: "local",
    }
}

#[tokio::test]
async fn what_has_a_virus_is_refused_on_every_road_and_not_kept() {
    let place = place(&scanner().await, false);
    let store: &Arc<dyn Store> = &place.store;
    let mut sick = bytes(2 << 20, 1);
    sick.extend_from_slice(VIRUS.concat().as_bytes());
    let refused = store.put("a", content(&sick), u64::MAX).await.unwrap_err();
    assert_eq!(
        (refused.code.as_ref(), refused.status()),
        ("storage.infected", 422)
    );
    assert_eq!(refused.details.as_deref(), Some("Eicar-Test-Signature"));

    // In two parts of which neither has it whole.
    let [one, two] = VIRUS.map(str::as_bytes);
    let upload = store.begin_parts("b").await.unwrap();
    let first = store.put_part("b", &upload, 1, content(one), 100).await.unwrap();
    let second = store.put_part("b", &upload, 2, content(two), 100).await.unwrap();
    let parts = [(1, first.etag), (2, second.etag)];
    let refused = store.finish_parts("b", &upload, &parts).await.unwrap_err();
    assert_eq!(refused.code, "storage.infected");

    let grown = store
        .grow("c", &Growing::new(68), content(one), 100)
        .await
        .unwrap();
    let grown = store.grow("c", &grown, content(two), 100).await.unwrap();
    let refused = store.finish_growing("c", &grown).await.unwrap_err();
    assert_eq!(refused.code, "storage.infected");

    for key in ["a", "b", "c"] {
        assert!(is_missing(&place, key).await, "{key}");
    }
    assert_eq!(files(&place), 0);
}

#[tokio::test]
async fn what_is_clean_is_kept() {
    let place = place(&scanner().await, true);
    for size in [0, 10, 2 << 20] {
        place
            .store
            .put("k", content(&bytes(size, 1)), u64::MAX)
            .await
            .unwrap();
        assert!(read(&place, "k", None).await == bytes(size, 1));
    }
}

#[tokio::test]
async fn what_cannot_be_scanned_is_refused_or_kept_as_the_settings_say() {
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("tcp://{}", listener.local_addr().unwrap())
    };
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hangs_up = format!("tcp://{}", silent.local_addr().unwrap());
    tokio::spawn(async move { while silent.accept().await.is_ok() {} });
    for clamd in [gone, hangs_up, scanner().await] {
        // The last one takes no file as long as this.
        let file = bytes(MOST + 1, 1);
        let strict = place(&clamd, true);
        let refused = strict.store.put("k", content(&file), u64::MAX).await.unwrap_err();
        assert_eq!(
            (refused.code.as_ref(), refused.status()),
            ("storage.scan_unavailable", 503)
        );
        assert!(is_missing(&strict, "k").await);
        let lenient = place(&clamd, false);
        lenient.store.put("k", content(&file), u64::MAX).await.unwrap();
        assert!(read(&lenient, "k", None).await == file);
    }
}

#[tokio::test]
async fn the_scanner_is_reached_by_a_socket_of_the_machine_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clamd.ctl");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    let place = place(&format!("unix://{}", path.display()), true);
    place.store.put("k", content(b"clean"), 10).await.unwrap();
    let sick = VIRUS.concat();
    let refused = place.store.put("s", content(sick.as_bytes()), 100).await;
    assert_eq!(refused.unwrap_err().code, "storage.infected");
}

#[test]
fn an_address_that_is_none_is_a_wrong_setting() {
    for clamd in [
        "clamd",
        "http://127.0.0.1:3310",
        "unix://clamd.ctl",
        "tcp://127.0.0.1",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        config.storage.folder = folder.path().to_owned();
        clamd.clone_into(&mut config.storage.scan.clamd);
        let refused = store::open(&config, &Env::real()).unwrap_err();
        assert_eq!(refused.code, "config.invalid", "{clamd}");
    }
}
