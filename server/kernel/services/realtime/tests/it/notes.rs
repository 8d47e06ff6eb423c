//! An app with a published table of notes, and a board that belongs to nobody.

use std::time::Duration;

use tenon_sdk::{Module, db::Migration};
use tenon_testkit::{TestOrg, TestServer, TestServerOptions};
use tokio_postgres::Client;
use uuid::Uuid;

tenon_sdk::permissions! {
    pub NotesRead = "notes.items.read", from Member, "See notes";
    pub NotesWrite = "notes.items.write", from Member, "Write notes";
}

const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_notes",
    sql: "create table notes.items (org_id uuid not null, id uuid not null, body text, stars int, author uuid, \
          primary key (org_id, id)); \
          select kernel.tenant_table('notes.items', read => 'notes.items.read', write => 'notes.items.write', \
              api => '{select,insert,update,delete}'); \
          alter publication supabase_realtime add table notes.items; \
          create table public.board (id int primary key, owner uuid, body text); \
          grant usage on schema public to anon, authenticated; \
          grant select on public.board to anon, authenticated; \
          alter publication supabase_realtime add table public.board;",
}];

/// A server with notes.
pub async fn server() -> TestServer {
    TestServer::start(modules()).await
}

/// Another process on the same database.
pub async fn beside(server: &TestServer) -> TestServer {
    server.beside(modules(), TestServerOptions::default()).await
}

/// A server with notes and other settings.
pub async fn server_with(config: fn(&mut tenon_sdk::config::Config)) -> TestServer {
    let options = TestServerOptions {
        config: Some(config),
        ..TestServerOptions::default()
    };
    TestServer::start_with(modules(), options).await
}

fn modules() -> Vec<Module> {
    let notes = Module::app("notes", "Notes")
        .tables("notes", MIGRATIONS)
        .permissions(ALL);
    vec![tenon_realtime::module(), notes]
}

/// Writes a note as nobody, past all walls.
pub async fn note(admin: &Client, org: &TestOrg, body: &str) -> Uuid {
    let id = Uuid::from_u128(rand_of(body));
    admin
        .execute(
            "insert into notes.items (org_id, id, body) values ($1, $2, $3)",
            &[&org.id, &id, &body],
        )
        .await
        .expect("a note");
    id
}

fn rand_of(body: &str) -> u128 {
    body.bytes().fold(7, |sum, byte| sum * 131 + u128::from(byte))
}

/// Waits until something holds, for at most a while.
pub async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..300 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came to hold");
}
