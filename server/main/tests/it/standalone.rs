//! `tenon rest` as an operator meets it: what it prints, when it does not start, what it takes up while it serves.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio_postgres::{Client, NoTls};

use crate::process::{folder, tenon};

const SECRET: &str = "an old secret that is long enough";

/// `{"role": "…", "exp": …}` signed with [`SECRET`] is made by the database, which knows how.
const SIGN: &str = "select payload || '.' || translate(rtrim(encode(hmac(payload, $2, 'sha256'), 'base64'), '='), \
                    E'+/\\n', '-_') from (select translate(rtrim(encode('{\"alg\":\"HS256\",\"typ\":\"JWT\"}'::bytea, \
                    'base64'), '='), E'+/\\n', '-_') || '.' || translate(rtrim(encode(convert_to($1, 'UTF8'), 'base64'), \
                    '='), E'+/\\n', '-_') as payload) p";

/// A database with a table and roles of its own.
struct Place {
    admin: Client,
    client: Client,
    database: String,
    login: String,
    anonymous: String,
    uri: String,
}

async fn connect(config: &tokio_postgres::Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Place {
    async fn new() -> Self {
        let postgres = tenon_testkit::postgres::shared();
        let admin = connect(&postgres.superuser("postgres")).await;
        let id = tenon_sdk::env::Env::real().new_id().simple().to_string();
        let (database, login) = (format!("standalone_{id}"), format!("login_{id}"));
        let anonymous = format!("anonymous_{id}");
        admin
            .batch_execute(&format!("create database {database}"))
            .await
            .unwrap();
        admin
            .batch_execute(&format!(
                "create role {login} login noinherit; create role {anonymous}; grant {anonymous} to {login}"
            ))
            .await
            .unwrap();
        let client = connect(&postgres.superuser(&database)).await;
        client
            .batch_execute(&format!(
                "create table plants (id int primary key, name text); insert into plants values (1, 'fern'), (2, 'moss'); \
                 create function setting(name text) returns text language sql stable as 'select current_setting(name, true)'; \
                 grant select on plants to {anonymous}"
            ))
            .await
            .unwrap();
        let uri = format!(
            "{} dbname={database}",
            without(postgres.url(), &["dbname", "user"])
        );
        Self {
            admin,
            client,
            uri: format!("{uri} user={login}"),
            database,
            login,
            anonymous,
        }
    }

    async fn execute(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap();
    }

    async fn token(&self, claims: &str, secret: &str) -> String {
        self.execute("create extension if not exists pgcrypto").await;
        let row = self.client.query_one(SIGN, &[&claims, &secret]).await.unwrap();
        row.get(0)
    }

    /// A command with the settings of this place.
    fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut all = vec!["rest"];
        all.extend(arguments);
        let mut command = tenon(&all);
        command
            .env("PGRST_DB_URI", &self.uri)
            .env("PGRST_DB_ANON_ROLE", &self.anonymous)
            .env("PGRST_SERVER_UNIX_SOCKET", folder.join("api"))
            .env("PGRST_ADMIN_SERVER_UNIX_SOCKET", folder.join("admin"))
            .env("RUST_LOG", "info");
        command
    }

    async fn clean(self) {
        drop(self.client);
        let Self {
            database,
            login,
            anonymous,
            admin,
            ..
        } = self;
        admin
            .batch_execute(&format!("drop database {database} with (force)"))
            .await
            .unwrap();
        admin
            .batch_execute(&format!("drop role {login}; drop role {anonymous}"))
            .await
            .unwrap();
    }
}

/// A keyword string without some of its keywords.
fn without(text: &str, keywords: &[&str]) -> String {
    let parts = text.split_whitespace().filter(|part| {
        let name = part.split('=').next().unwrap_or_default();
        !keywords.contains(&name)
    });
    parts.collect::<Vec<_>>().join(" ")
}

/// Status, head and body of an answer on a socket.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

async fn ask(socket: &Path, request: &str) -> Option<Answer> {
    let mut stream = UnixStream::connect(socket).await.ok()?;
    stream
        .write_all(format!("{request} HTTP/1.0\r\n\r\n").as_bytes())
        .await
        .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split_whitespace().nth(1)?.parse().ok()?,
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    })
}

/// A running server.
struct Server {
    child: Child,
    folder: TempDir,
}

impl Server {
    async fn start(place: &Place, change: impl FnOnce(&mut Command, &Path)) -> Self {
        let folder = folder();
        let mut command = place.command(folder.path(), &[]);
        command.stdin(Stdio::null());
        change(&mut command, folder.path());
        let child = command.stderr(Stdio::null()).spawn().unwrap();
        let server = Self { child, folder };
        server
            .until("it is ready", async || {
                server.admin("GET /ready").await.status == 200
            })
            .await;
        server
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn get(&self, request: &str) -> Answer {
        ask(&self.path("api"), request).await.expect("the API answers")
    }

    async fn admin(&self, request: &str) -> Answer {
        let nothing = Answer {
            status: 0,
            head: String::new(),
            body: String::new(),
        };
        ask(&self.path("admin"), request).await.unwrap_or(nothing)
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().unwrap().try_into().unwrap());
        kill(pid, signal).unwrap();
    }

    /// Waits for something that comes soon.
    async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        for _ in 0..400 {
            if holds().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("within 20 s: {what}");
    }

    async fn stop(mut self) {
        self.child.kill().await.unwrap();
    }
}

async fn output(mut command: Command) -> (bool, String, String) {
    command.stdin(Stdio::null());
    let output = tokio::time::timeout(Duration::from_mins(1), command.output()).await;
    let output = output.expect("it ends").unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.success(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_named_before_anything_is_served() {
    for (name, value, reason) in [
        (
            "PGRST_JWT_SECRET",
            "short",
            "The JWT secret must be at least 32 characters long.",
        ),
        (
            "PGRST_JWT_ROLE_CLAIM_KEY",
            ".role.other",
            "failed to parse role-claim-key value (.role.other)",
        ),
        (
            "PGRST_OPENAPI_MODE",
            "open",
            "Invalid openapi-mode. Check your configuration.",
        ),
        (
            "PGRST_DB_SCHEMAS",
            "public, pg_catalog",
            "db-schemas does not allow schema: 'pg_catalog'",
        ),
        (
            "PGRST_JWT_AUD",
            "foo://%%$$^^.com",
            "jwt-aud should be a string or a valid URI",
        ),
        (
            "PGRST_ADMIN_SERVER_PORT",
            "3000",
            "admin-server-port cannot be the same as server-port",
        ),
    ] {
        let mut command = tenon(&["rest", "--dump-config"]);
        command
            .env(name, value)
            .env("PGRST_DB_CONFIG", "false")
            .env("RUST_LOG", "error");
        let (well, printed, said) = output(command).await;
        assert!(
            !well && printed.is_empty() && said.contains(reason),
            "{name}: {said}"
        );
    }
    let (well, _, _) = output(tenon(&["rest", "/there/is/no/such/file"])).await;
    assert!(!well);
}

#[tokio::test]
async fn the_operator_asks_for_settings_schema_example_and_version() {
    let place = Place::new().await;
    let folder = folder();
    let (well, example, _) = output(tenon(&["rest", "--example"])).await;
    assert!(
        well && example.contains("# db-schemas = \"public\"\n"),
        "{example}"
    );
    let (well, version, _) = output(tenon(&["rest", "--version"])).await;
    assert!(well && version.starts_with("tenon"), "{version}");

    place
        .execute(&format!("alter role {} set pgrst.db_max_rows = '7'", place.login))
        .await;
    let (well, settings, said) = output(place.command(folder.path(), &["--dump-config"])).await;
    assert!(
        well && settings.contains("\ndb-max-rows = 7\n"),
        "{settings}{said}"
    );
    let file = folder.path().join("settings");
    std::fs::write(&file, &settings).unwrap();
    let mut again = tenon(&["rest", "--dump-config", file.to_str().unwrap()]);
    again.env("RUST_LOG", "error");
    assert_eq!(output(again).await.1, settings);

    let (well, schema, _) = output(place.command(folder.path(), &["--dump-schema"])).await;
    assert!(well && schema.contains("\"plants\""), "{schema}");
    let (well, _, said) = output(place.command(folder.path(), &["--ready"])).await;
    assert!(!well && said.contains("ERROR"), "{said}");
    place.clean().await;
}

#[tokio::test]
async fn the_admin_server_tells_how_it_goes_and_no_secrets() {
    let place = Place::new().await;
    let server = Server::start(&place, |command, _| {
        command.env("PGRST_JWT_SECRET", SECRET);
    })
    .await;
    let (well, said, _) = output(place.command(server.folder.path(), &["--ready"])).await;
    assert!(well && said.starts_with("OK: "), "{said}");
    assert_eq!(server.admin("GET /live").await.status, 200);
    assert_eq!(server.admin("GET /nothing").await.status, 404);
    let metrics = server.admin("GET /metrics").await.body;
    assert!(
        metrics.contains("pgrst_schema_cache_loads_total{status=\"SUCCESS\"} 1"),
        "{metrics}"
    );
    let settings = server.admin("GET /config").await.body;
    assert!(
        settings.contains("db-pool = 10") && !settings.contains(SECRET),
        "{settings}"
    );
    assert!(server.admin("GET /schema_cache").await.body.contains("plants"));

    std::fs::remove_file(server.path("api")).unwrap();
    assert_eq!(server.admin("GET /live").await.status, 500);
    assert_eq!(server.admin("GET /ready").await.status, 500);
    server.stop().await;
    place.clean().await;
}

#[tokio::test]
async fn signals_and_announcements_bring_in_what_changed() {
    let place = Place::new().await;
    let server = Server::start(&place, |command, folder| {
        let file = folder.join("settings");
        std::fs::write(&file, "app.settings.gardener = \"Ada\"\n").unwrap();
        command.arg(file);
    })
    .await;
    let setting = async |name: &str| server.get(&format!("GET /rpc/setting?name={name}")).await.body;
    assert_eq!(setting("app.settings.gardener").await, "\"Ada\"");

    std::fs::write(
        server.path("settings"),
        "app.settings.gardener = \"Bo\"\ndb-max-rows = 1\n",
    )
    .unwrap();
    server.signal(Signal::SIGUSR2);
    server
        .until("the file is read again", async || {
            setting("app.settings.gardener").await == "\"Bo\""
        })
        .await;
    let rows = server.get("GET /plants").await;
    assert!(rows.head.contains("content-range: 0-0/*"), "{}", rows.head);

    place
        .execute(&format!(
            "alter role {} set statement_timeout = '8s'; notify pgrst, 'reload config'",
            place.anonymous
        ))
        .await;
    server
        .until("settings of roles are read again", async || {
            setting("statement_timeout").await == "\"8s\""
        })
        .await;

    place
        .execute(&format!(
            "create table pots (id int); grant select on pots to {}; notify pgrst, 'reload schema'",
            place.anonymous
        ))
        .await;
    server
        .until("the table is known", async || {
            server.get("GET /pots").await.status == 200
        })
        .await;
    place.execute("drop table pots").await;
    server.signal(Signal::SIGUSR1);
    server
        .until("the table is forgotten", async || {
            server.get("GET /pots").await.body.contains("PGRST205")
        })
        .await;
    server.stop().await;
    place.clean().await;
}

#[tokio::test]
async fn a_secret_comes_from_a_file_or_the_standard_input() {
    let place = Place::new().await;
    let token = place
        .token(&format!("{{\"role\":\"{}\"}}", place.anonymous), SECRET)
        .await;
    let request = format!("GET /plants HTTP/1.0\r\nAuthorization: Bearer {token}\r\nX: ");
    let server = Server::start(&place, |command, folder| {
        let file = folder.join("secret");
        std::fs::write(&file, SECRET.to_owned() + "\n").unwrap();
        command.env("PGRST_JWT_SECRET", format!("@{}", file.display()));
    })
    .await;
    assert_eq!(server.get(&request).await.status, 200);
    std::fs::write(server.path("secret"), "another secret, of the same length").unwrap();
    server.signal(Signal::SIGUSR2);
    server
        .until("the secret is another", async || {
            server.get(&request).await.status == 401
        })
        .await;
    server.stop().await;

    let server = Server::start(&place, |command, folder| {
        let input = folder.join("input");
        std::fs::write(&input, SECRET).unwrap();
        command
            .env("PGRST_JWT_SECRET", "@/dev/stdin")
            .stdin(std::fs::File::open(input).unwrap());
    })
    .await;
    assert_eq!(server.get(&request).await.status, 200);
    server.stop().await;
    place.clean().await;
}

#[tokio::test]
async fn a_login_that_the_database_does_not_know_ends_the_server() {
    let place = Place::new().await;
    let folder = folder();
    let mut command = place.command(folder.path(), &[]);
    command.env(
        "PGRST_DB_URI",
        format!("{} user=nobody_at_all", without(&place.uri, &["user"])),
    );
    let (well, _, said) = output(command).await;
    assert!(!well && said.contains("the database cannot be reached"), "{said}");
    place.clean().await;
}
