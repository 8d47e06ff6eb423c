//! Server and database are killed while files come in and while changes are listened to.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use futures_util::{SinkExt, StreamExt};
use nix::sys::signal::{Signal, kill};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_postgres::{Client, NoTls};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{
    crash::postmaster,
    process::{Process, folder, tenon},
};

const KEY: &str = "sb_secret_of_these_tests_and_of_nothing_else";
/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_mins(2);

/// A server that a program of the operator's may use.
async fn serve(data_dir: &Path) -> Process {
    let mut command = tenon(&["serve", "--data-dir", data_dir.to_str().unwrap(), "--port", "0"]);
    command.env("TENON_AUTH__SECRET_KEY", KEY);
    Process::start(command, &data_dir.with_extension("log")).await
}

async fn superuser(data_dir: &Path) -> Option<Client> {
    let mut config = tokio_postgres::Config::new();
    config
        .host_path(data_dir.join("postgres/socket"))
        .user("postgres")
        .dbname("tenon");
    let (client, connection) = config.connect(NoTls).await.ok()?;
    tokio::spawn(connection);
    Some(client)
}

/// Waits until something holds.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    found.unwrap_or_else(|_| panic!("it never came to be that {what}"));
}

fn storage(server: &Process, method: Method, path: &str) -> RequestBuilder {
    server
        .request(method, &format!("/storage/v1{path}"))
        .bearer_auth(KEY)
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

async fn bucket(server: &Process) {
    let about = json!({ "id": "b", "name": "b" });
    let (status, made) = answer(storage(server, Method::POST, "/bucket").json(&about)).await;
    assert_eq!(status, 200, "{made}");
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Content that is whole.
fn kept(data_dir: &Path) -> Vec<PathBuf> {
    files(&data_dir.join("storage/objects"))
}

/// Makes what is kept so old that no upload can still be about to write its row.
fn age(data_dir: &Path) {
    for content in kept(data_dir) {
        let file = std::fs::File::options().write(true).open(content).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
}

/// The bytes that came so far of what is not whole.
fn drafted(data_dir: &Path) -> u64 {
    files(&data_dir.join("storage/drafts"))
        .iter()
        .filter_map(|file| file.metadata().ok())
        .map(|about| about.len())
        .sum()
}

/// An upload whose client sends one half and waits before it sends the other.
struct Upload {
    stream: TcpStream,
    content: Vec<u8>,
}

const HALF: usize = 3 << 20;

impl Upload {
    async fn begin(server: &Process) -> Self {
        let content: Vec<u8> = (0..2 * HALF).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let address = server
            .base()
            .strip_prefix("http://")
            .unwrap()
            .trim_end_matches('/');
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /storage/v1/object/b/large HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {KEY}\r\n\
             Content-Type: application/octet-stream\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            content.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&content[..HALF]).await.unwrap();
        Self { stream, content }
    }

    async fn send_the_rest(&mut self) {
        self.stream.write_all(&self.content[HALF..]).await.unwrap();
    }

    /// Status and body.
    async fn answer(mut self) -> (u16, Value) {
        let mut text = String::new();
        let reading = tokio::time::timeout(PATIENCE, self.stream.read_to_string(&mut text));
        reading.await.unwrap().unwrap();
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        let body = text.split_once("\r\n\r\n").unwrap().1;
        (status, serde_json::from_str(body).unwrap_or_default())
    }
}

/// The object is there whole, with its content and no other.
async fn is_whole(server: &Process, data_dir: &Path) {
    let content = storage(server, Method::GET, "/object/b/large")
        .send()
        .await
        .unwrap();
    assert_eq!(content.status(), 200);
    let bytes = content.bytes().await.unwrap();
    assert!(bytes.len() == 2 * HALF && bytes.iter().zip(0..).all(|(byte, n)| u32::from(*byte) == n % 251));
    eventually("one object has one content", async || {
        kept(data_dir).len() == 1 && drafted(data_dir) == 0
    })
    .await;
}

async fn succeeds(server: &Process, data_dir: &Path) {
    let mut again = Upload::begin(server).await;
    again.send_the_rest().await;
    let (status, told) = again.answer().await;
    assert_eq!(status, 200, "{told}");
    is_whole(server, data_dir).await;
}

#[tokio::test]
async fn a_server_killed_between_the_bytes_and_the_row_of_an_upload_leaves_no_object_and_later_no_bytes() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let server = serve(&data_dir).await;
    bucket(&server).await;
    let mut upload = Upload::begin(&server).await;
    // Policies have been asked, and bytes are on the disk.
    eventually("bytes are on the disk", async || drafted(&data_dir) > 0).await;
    let holder = superuser(&data_dir).await.unwrap();
    holder
        .batch_execute("begin; lock table storage.objects in exclusive mode")
        .await
        .unwrap();
    upload.send_the_rest().await;
    let looking = superuser(&data_dir).await.unwrap();
    eventually("the row waits", async || {
        let sql = "select from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'insert into storage.objects'";
        !looking.query(sql, &[]).await.unwrap().is_empty()
    })
    .await;
    assert_eq!(kept(&data_dir).len(), 1, "the content is whole");
    server.kill().await;
    drop((holder, looking, upload));

    age(&data_dir);
    let server = serve(&data_dir).await;
    let (status, told) = answer(storage(&server, Method::GET, "/object/info/b/large")).await;
    assert_eq!((status, &told["error"]), (400, &json!("not_found")), "{told}");
    eventually("the sweeper has come by", async || kept(&data_dir).is_empty()).await;
    succeeds(&server, &data_dir).await;
    assert!(server.terminate().await);
}

#[tokio::test]
async fn an_upload_during_which_the_database_is_killed_becomes_a_whole_object_or_none_and_can_be_sent_again()
{
    let folder = folder();
    let data_dir = folder.path().join("data");
    let mut server = serve(&data_dir).await;
    bucket(&server).await;
    let mut upload = Upload::begin(&server).await;
    eventually("bytes are on the disk", async || drafted(&data_dir) > 0).await;
    let before = postmaster(&data_dir);
    kill(before, Signal::SIGKILL).unwrap();
    upload.send_the_rest().await;
    let (status, told) = upload.answer().await;
    if status != 200 {
        // Where nothing is wrong with the upload, it says so and asks for another try.
        assert_eq!((status, &told["statusCode"]), (503, &json!("503")), "{told}");
        assert!(
            told["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{told}"
        );
    }
    eventually("the database is back", async || {
        superuser(&data_dir).await.is_some()
            && storage(&server, Method::GET, "/bucket/b")
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
    })
    .await;
    assert_ne!(postmaster(&data_dir), before);
    if status == 200 {
        is_whole(&server, &data_dir).await;
    } else {
        let (status, told) = answer(storage(&server, Method::GET, "/object/info/b/large")).await;
        assert_eq!((status, &told["error"]), (400, &json!("not_found")), "{told}");
        assert_eq!(drafted(&data_dir), 0);
        // Content stays where nobody knew whether its row was written.
        if !kept(&data_dir).is_empty() {
            assert!(server.terminate().await);
            age(&data_dir);
            server = serve(&data_dir).await;
            eventually("the sweeper has come by", async || kept(&data_dir).is_empty()).await;
        }
        succeeds(&server, &data_dir).await;
    }
    assert!(server.terminate().await);
}

/// A channel that listens to the table `public.board`.
struct Listener(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Listener {
    async fn new(server: &Process) -> Self {
        let url = server.base().replacen("http", "ws", 1) + "/realtime/v1/websocket?vsn=2.0.0";
        let mut listener = Self(connect_async(url).await.unwrap().0);
        let changes = json!([{ "event": "*", "schema": "public", "table": "board" }]);
        let join =
            json!(["1", "1", "realtime:board", "phx_join", { "config": { "postgres_changes": changes } }]);
        listener
            .0
            .send(Message::Text(join.to_string().into()))
            .await
            .unwrap();
        let system = listener.next("system").await;
        assert_eq!(system["status"], "ok", "{system}");
        listener
    }

    /// The next message of a kind; fails if the connection or the channel ends.
    async fn next(&mut self, event: &str) -> Value {
        loop {
            let came = tokio::time::timeout(PATIENCE, self.0.next()).await;
            let came = came
                .expect("something comes")
                .expect("the connection stays")
                .unwrap();
            let Message::Text(text) = came else { continue };
            let frame: Value = serde_json::from_str(&text).unwrap();
            assert_ne!(frame[3], "phx_error", "{frame}");
            if frame[3] == event {
                return frame[4].clone();
            }
        }
    }
}

#[tokio::test]
async fn changes_of_before_and_after_the_database_is_killed_come_once_each_to_those_who_listen() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let server = serve(&data_dir).await;
    let database = superuser(&data_dir).await.unwrap();
    database
        .batch_execute(
            "create table public.board (id int primary key); grant usage on schema public to anon; \
             grant select on public.board to anon; alter publication supabase_realtime add table public.board",
        )
        .await
        .unwrap();
    let mut listener = Listener::new(&server).await;
    let mut wanted = Vec::new();
    for round in 0..3 {
        for id in round * 100..round * 100 + 5 {
            eventually("the database takes a row", async || {
                let Some(database) = superuser(&data_dir).await else {
                    return false;
                };
                // A row of which nobody knows whether it was written is there when it is written again.
                database
                    .execute(
                        "insert into public.board values ($1) on conflict do nothing",
                        &[&id],
                    )
                    .await
                    .is_ok()
            })
            .await;
            wanted.push(id);
        }
        // Some of them are still on their way.
        kill(postmaster(&data_dir), Signal::SIGKILL).unwrap();
    }
    eventually("the database takes the last row", async || {
        let Some(database) = superuser(&data_dir).await else {
            return false;
        };
        database
            .execute(
                "insert into public.board values (1000) on conflict do nothing",
                &[],
            )
            .await
            .is_ok()
    })
    .await;
    wanted.push(1000);
    let mut came = Vec::new();
    while came.last() != Some(&1000) {
        let change = listener.next("postgres_changes").await;
        came.push(i32::try_from(change["data"]["record"]["id"].as_i64().unwrap()).unwrap());
    }
    assert_eq!(came, wanted);
    assert!(server.terminate().await);
}
