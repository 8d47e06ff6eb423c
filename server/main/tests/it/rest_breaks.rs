//! The data API when the database breaks or is too busy, and when functions and rows try to write headers: on both servers,
//! Tenon's own and `tenon rest`.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Client as Http, Method, RequestBuilder};
use serde_json::{Value, json};
use tenon_testkit::postgres::TestCluster;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio_postgres::NoTls;

use crate::crash::postmaster;
use crate::process::{Person, Process, folder, tenon};

/// Longer than any request may take while the database is away.
const PATIENCE: Duration = Duration::from_secs(30);

const TABLES: &str = "create role web_anon; create schema api; grant usage on schema api to web_anon;
    create table api.keys (name text primary key, size int); grant select, insert on api.keys to web_anon;
    insert into api.keys values ('one', 1);
    create function api.nap(seconds numeric) returns int language plpgsql as $$
      begin perform pg_sleep(seconds); return 1; end $$;
    create function api.say(headers text) returns text language sql as
      $$ select set_config('response.headers', headers, true); select 'said' $$;";

/// `tenon rest` in front of a cluster of its own.
struct Alone {
    cluster: TestCluster,
    base: String,
    _child: Child,
}

impl Alone {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let cluster = TestCluster::start(None).await.unwrap();
        let config: tokio_postgres::Config = cluster.url().parse().unwrap();
        let (admin, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        admin.batch_execute(TABLES).await.unwrap();
        // Clusters of tests write behind; what is to survive a crash is on the disk first.
        admin.batch_execute("checkpoint").await.unwrap();
        // Taken and given back, since the server does not tell its port.
        let port = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        // The file may be a pipe, which can be read once.
        let mut command = tenon(&["rest", "/dev/stdin"]);
        command
            .env("PGRST_DB_URI", cluster.url())
            .env("PGRST_DB_SCHEMAS", "api")
            .env("PGRST_SERVER_HOST", "127.0.0.1")
            .env("PGRST_SERVER_PORT", port.to_string())
            .envs(settings.iter().copied())
            .stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut file = child.stdin.take().unwrap();
        file.write_all(b"db-anon-role = \"web_anon\"\n").await.unwrap();
        drop(file);
        let alone = Self {
            cluster,
            base: format!("http://127.0.0.1:{port}"),
            _child: child,
        };
        for _ in 0..200 {
            if alone
                .get("/keys")
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
            {
                return alone;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("tenon rest did not come up");
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        Http::new()
            .request(method, format!("{}{path}", self.base))
            .timeout(PATIENCE)
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }
}

/// Asks without a pause while the database is broken, until it answers well again; nothing but well-formed refusals may come
/// in between, and nothing may hang.
async fn recovers(ask: impl Fn() -> RequestBuilder + Clone + Send + 'static, break_it: impl AsyncFn()) {
    let broken = Arc::new(AtomicBool::new(false));
    let asking: Vec<_> = (0..6)
        .map(|_| tokio::spawn(until_well(ask.clone(), broken.clone())))
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    break_it().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    broken.store(true, Ordering::Relaxed);
    let mut refused = 0;
    for task in asking {
        refused += task.await.unwrap();
    }
    assert!(refused > 0, "nobody noticed");
}

/// Asks until the database was broken and has answered ten times since; how often it did not answer.
async fn until_well(ask: impl Fn() -> RequestBuilder, broken: Arc<AtomicBool>) -> u32 {
    let (mut refused, mut well) = (0, 0);
    let began = Instant::now();
    while well < 10 {
        assert!(began.elapsed() < PATIENCE * 2, "it does not become well");
        let asked = Instant::now();
        let answer = ask().send().await.expect("an answer, and not too late");
        let status = answer.status().as_u16();
        let wait = answer.headers().get("retry-after").cloned();
        let body: Value = answer.json().await.expect("JSON");
        assert!(asked.elapsed() < PATIENCE);
        if status == 200 {
            well += u32::from(broken.load(Ordering::Relaxed));
            continue;
        }
        let told = body["code"].is_string() && body["message"].is_string() && wait.is_some();
        assert!([503, 504].contains(&status) && told, "{status}: {body}");
        (refused, well) = (refused + 1, 0);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    refused
}

#[tokio::test]
async fn a_database_that_is_restarted_under_load_is_found_again_by_tenon_rest() {
    let alone = Alone::start(&[]).await;
    let client = Http::new();
    let address = format!("{}/keys?name=eq.one", alone.base);
    let ask = move || client.get(&address).timeout(PATIENCE);
    for how in [Signal::SIGKILL, Signal::SIGQUIT, Signal::SIGINT] {
        recovers(ask.clone(), async || {
            let pid = alone.cluster.cluster().pid().unwrap();
            kill(Pid::from_raw(pid.try_into().unwrap()), how).unwrap();
        })
        .await;
    }
}

#[tokio::test]
async fn a_database_that_is_restarted_under_load_is_found_again_by_the_server() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let server = Process::serve(&data_dir).await;
    let person = Person::new(&server, "harbour").await;
    let server = Arc::new(server);
    let ask = {
        let (server, person) = (server.clone(), Arc::new(person));
        move || {
            person
                .request(&server, Method::GET, "/rest/v1/orders?select=number")
                .header("accept-profile", "purchasing")
        }
    };
    recovers(ask, async || {
        kill(postmaster(Path::new(&data_dir)), Signal::SIGKILL).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_pool_without_a_free_connection_is_a_504_that_says_when_to_come_back() {
    let alone = Alone::start(&[("PGRST_DB_POOL", "1"), ("PGRST_DB_POOL_ACQUISITION_TIMEOUT", "1")]).await;
    let napping = tokio::spawn(alone.get("/rpc/nap?seconds=4").send());
    tokio::time::sleep(Duration::from_millis(500)).await;
    let refused = alone.get("/keys").send().await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (504, &"1".parse().unwrap())
    );
    let body: Value = refused.json().await.unwrap();
    let message = "Timed out acquiring connection from connection pool.";
    assert_eq!(
        body,
        json!({ "code": "PGRST003", "message": message, "details": null, "hint": null })
    );
    assert_eq!(napping.await.unwrap().unwrap().status(), 200);
    assert_eq!(alone.get("/keys").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn neither_functions_nor_rows_nor_wishes_write_a_line_of_their_own_into_the_headers() {
    let alone = Alone::start(&[]).await;
    for (headers, status) in [
        (json!([{ "x-good": "fine" }]), 200),
        (json!([{ "x-bad": "a\r\nset-cookie: stolen=1" }]), 500),
        (json!([{ "x-bad": "a\nset-cookie: stolen=1" }]), 500),
        (json!([{ "x-bad\r\nset-cookie": "stolen=1" }]), 500),
        (json!([{ "x bad": "a" }]), 500),
        (json!([{ "": "a" }]), 500),
        (json!([{ "x-bad": "a\u{0}b" }]), 500),
    ] {
        let call = alone.request(Method::POST, "/rpc/say");
        let answer = call
            .json(&json!({ "headers": headers.to_string() }))
            .send()
            .await
            .unwrap();
        let (found, cookie) = (
            answer.status().as_u16(),
            answer.headers().get("set-cookie").cloned(),
        );
        let body: Value = answer.json().await.unwrap();
        // PostgreSQL itself refuses a text with a null character in a setting.
        assert_eq!((found, cookie), (status, None), "{headers}: {body}");
    }
    // The key of a row in Location.
    let name = "x\r\nset-cookie: stolen=1\r\n\r\n<html>";
    let made = alone
        .request(Method::POST, "/keys")
        .header("prefer", "return=headers-only")
        .json(&json!({ "name": name, "size": 1 }))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (made.status().as_u16(), made.headers().get("set-cookie")),
        (201, None)
    );
    let location = made.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.starts_with("/keys?name=eq.x%0D%0A"), "{location}");
    let found: Value = alone.get(&location).send().await.unwrap().json().await.unwrap();
    assert_eq!(found, json!([{ "name": name, "size": 1 }]), "{location}");
    // Bytes that are no line break but might become one somewhere: they are refused, or echoed nowhere.
    for (header, value) in [
        ("accept-profile", "api\u{85}x"),
        ("accept-profile", "api\u{2028}x"),
        ("content-profile", "api\u{10d}x"),
        ("prefer", "timezone=UTC\u{10d}\u{10a}set-cookie: stolen=1"),
        ("prefer", "handling=strict, \u{10d}\u{10a}x"),
    ] {
        let answer = alone
            .get("/keys")
            .header(header, value.as_bytes())
            .send()
            .await
            .unwrap();
        assert!(answer.status().as_u16() < 500, "{header}: {value:?}");
        assert_eq!(answer.headers().get("set-cookie"), None);
        let echoed = answer.headers().get("preference-applied");
        assert!(
            echoed.is_none_or(|echoed| echoed.to_str().is_ok_and(str::is_ascii)),
            "{echoed:?}"
        );
    }
}
