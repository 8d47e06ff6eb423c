//! Starting and stopping the binary: one server on a data directory, many on an outside database.

use std::path::Path;

use nix::sys::signal::{Signal, kill};
use reqwest::Method;
use tenon_sdk::env::Env;
use tenon_testkit::postgres::{self, PostgresHandle};
use tokio::process::Command;
use tokio_postgres::{Client, NoTls};

use crate::{
    crash::postmaster,
    process::{Person, Process, folder, tenon},
    support::REGISTER,
};

#[tokio::test]
async fn a_second_server_on_the_same_data_directory_is_refused_and_says_why() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let server = Process::serve(&data_dir).await;
    let second = tenon(&["serve", "--port", "0", "--data-dir", data_dir.to_str().unwrap()])
        .output()
        .await
        .unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    let holder = format!("in use by another Tenon server (process {})", server.pid());
    assert!(
        said.contains(&holder) && said.contains("choose another data directory"),
        "{said}"
    );
    assert!(said.contains(data_dir.to_str().unwrap()), "{said}");
    Person::new(&server, "undisturbed").await;
    assert!(server.terminate().await);
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_ends_in_order_with_its_database_and_starts_again() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let server = Process::serve(&data_dir).await;
    let person = Person::new(&server, "harbour").await;
    let database = postmaster(&data_dir);
    assert!(server.terminate().await, "it ends with code 0");
    assert!(
        kill(database, None::<Signal>).is_err(),
        "the database has ended too"
    );
    assert!(
        !data_dir.join("postgres/data/postmaster.pid").exists(),
        "the database was shut down, not killed"
    );
    let server = Process::serve(&data_dir).await;
    let session = person.get(&server, "/api/v1/tenancy/session").await;
    assert_eq!(
        session["organization"]["name"], "harbour",
        "tokens and data are as before"
    );
    assert!(server.terminate().await);
}

/// A new database on the test server, for servers outside of this process.
struct Outside {
    server: PostgresHandle,
    name: String,
    admin: Client,
}

impl Outside {
    async fn new() -> Self {
        let server = tokio::task::spawn_blocking(postgres::shared).await.unwrap();
        let (admin, connection) = server.superuser("postgres").connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        let name = format!("outside_{}", Env::real().new_id().simple());
        admin
            .batch_execute(&format!("create database {name}"))
            .await
            .unwrap();
        Self { server, name, admin }
    }

    /// A command on this database; a later word of the address overrides an earlier one.
    fn tenon(&self, arguments: &[&str]) -> Command {
        let mut command = tenon(arguments);
        command.env(
            "DATABASE_URL",
            format!("{} dbname={}", self.server.url(), self.name),
        );
        command
    }

    async fn end(self) {
        self.admin
            .batch_execute(&format!("drop database {} with (force)", self.name))
            .await
            .unwrap();
    }
}

const SERVE: &[&str] = &["serve", "--port", "0"];

#[tokio::test]
async fn servers_on_an_outside_database_start_at_once_and_share_its_people_and_its_work() {
    let (outside, folder) = (Outside::new().await, folder());
    let log = |name: &str| folder.path().join(name);
    let mut idle = outside.tenon(SERVE);
    idle.env("TENON_JOBS__WORKERS", "0");
    let (one_log, two_log) = (log("one"), log("two"));
    let (one, two) = tokio::join!(
        Process::start(idle, &one_log),
        Process::start(outside.tenon(SERVE), &two_log)
    );
    // The first takes the file and works on nothing; the second does the work; both know everything.
    let person = Person::new(&one, "harbour").await;
    let checked = person.upload(&one, "register.xlsx", REGISTER).await;
    person.confirm(&two, &checked).await;
    let done = person.settled(&one, checked["id"].as_str().unwrap()).await;
    assert_eq!(done["state"], "committed", "{done}");
    let path = "/api/v1/purchasing/board";
    assert_eq!(person.get(&one, path).await, person.get(&two, path).await);
    assert!(one.terminate().await && two.terminate().await);
    outside.end().await;
}

#[tokio::test]
async fn types_are_printed_of_a_servers_own_database_and_of_any_other() {
    let outside = Outside::new().await;
    let types = async |command: &mut Command| {
        let output = command.output().await.unwrap();
        let (text, log) = (output.stdout, output.stderr);
        let log = String::from_utf8_lossy(&log).into_owned();
        (output.status.success(), String::from_utf8(text).unwrap(), log)
    };
    let database = outside.server.superuser(&outside.name);
    let (client, connection) = database.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
        .batch_execute("create table public.crates (id int primary key)")
        .await
        .unwrap();
    let (fine, text, log) = types(&mut outside.tenon(&["types", "typescript"])).await;
    assert!(
        fine && text.contains("  public: {\n") && text.contains("crates: {"),
        "{log}{text}"
    );
    let (fine, text, log) = types(&mut outside.tenon(&["types", "rust"])).await;
    assert!(fine && text.contains("pub struct CratesRow {"), "{log}{text}");
    let (fine, _, log) = types(&mut outside.tenon(&["types", "rust", "--schema", "nowhere"])).await;
    assert!(!fine && log.contains("There is no schema \"nowhere\""), "{log}");
    outside.end().await;

    let (folder, logs) = (folder(), folder());
    let data_dir = folder.path().join("data");
    let place = ("TENON_DATABASE__DATA_DIR", data_dir.to_str().unwrap());
    let (fine, _, log) = types(tenon(&["types", "typescript"]).env(place.0, place.1)).await;
    assert!(!fine && log.contains("there is no database"), "{log}");
    let mut command = tenon(SERVE);
    command.env(place.0, place.1);
    let server = Process::start(command, &logs.path().join("log")).await;
    let (fine, text, log) = types(tenon(&["types", "typescript"]).env(place.0, place.1)).await;
    assert!(fine && text.contains("  purchasing: {\n"), "{log}{text}");
    assert!(server.terminate().await);
}

#[tokio::test]
async fn a_worker_beside_a_server_does_its_work() {
    let (outside, folder) = (Outside::new().await, folder());
    let mut idle = outside.tenon(SERVE);
    idle.env("TENON_JOBS__WORKERS", "0");
    let server = Process::start(idle, &folder.path().join("server")).await;
    let mut worker = outside.tenon(&["work"]).spawn().unwrap();
    let person = Person::new(&server, "harbour").await;
    let checked = person.upload(&server, "register.xlsx", REGISTER).await;
    assert_eq!(checked["state"], "validated");
    worker.kill().await.unwrap();
    assert!(server.terminate().await);
    outside.end().await;
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_ends_the_start_with_a_clear_message() {
    let refused = |url: &'static str| async move {
        let output = tenon(SERVE).env("DATABASE_URL", url).output().await.unwrap();
        assert!(!output.status.success(), "{url}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = refused("postgresql://tenon@127.0.0.1:9/tenon").await;
    assert!(
        said.contains("database.unavailable") && said.contains("refused"),
        "{said}"
    );
    let said = refused("this is no address").await;
    assert!(said.contains("config.database_url"), "{said}");
}

#[tokio::test]
async fn the_server_answers_that_it_lives_and_that_it_is_ready() {
    let folder = folder();
    let server = Process::serve(Path::new(&folder.path().join("data"))).await;
    for (path, text) in [("/healthz", "ok"), ("/readyz", "ready")] {
        let answer = server.request(Method::GET, path).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.text().await.unwrap().as_str()),
            (200, text)
        );
    }
    assert!(server.terminate().await);
}

#[tokio::test]
async fn schemas_of_the_operators_own_are_shown_warned_of_and_never_the_kernels() {
    let (outside, folder) = (Outside::new().await, folder());
    for schemas in [
        "[\"public\", \"kernel\"]",
        "[\"auth\"]",
        "[\"pg_catalog\"]",
        "[\"information_schema\"]",
    ] {
        let output = outside
            .tenon(SERVE)
            .args(["--set", &format!("rest.schemas={schemas}")])
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains("The setting rest.schemas must not contain"),
            "{schemas}: {said}"
        );
    }
    let output = outside
        .tenon(SERVE)
        .args(["--set", "rest.schema=x"])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("unknown field"), "{said}");

    let mut command = outside.tenon(SERVE);
    command.args(["--set", "rest.schemas=[\"club\"]"]);
    let server = Process::start(command, &folder.path().join("log")).await;
    let (club, connection) = outside
        .server
        .superuser(&outside.name)
        .connect(NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    club.batch_execute(
        "create schema club; grant usage on schema club to anon; \
         create table club.notices (id int primary key, body text); grant select on club.notices to anon; \
         insert into club.notices values (1, 'open');
         create table club.kept (id int primary key); \
         create table club.walled (id int primary key); alter table club.walled enable row level security; \
         grant select on club.walled to anon",
    )
    .await
    .unwrap();
    let mut shown = serde_json::Value::Null;
    for _ in 0..100 {
        let request = server.request(Method::GET, "/rest/v1/notices?select=body");
        let (status, body) = tenon_testkit::answer(request.header("accept-profile", "club")).await;
        shown = body;
        if status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(shown, serde_json::json!([{ "body": "open" }]), "{}", server.log());
    let log = server.log();
    assert!(
        log.contains("club.notices") && log.contains("row-level security is not enabled"),
        "{log}"
    );
    assert!(
        !log.contains("club.kept") && !log.contains("club.walled"),
        "{log}"
    );
    drop(club);
    assert!(server.terminate().await);
    outside.end().await;
}
