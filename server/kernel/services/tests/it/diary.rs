//! An app whose consumers write down what they are handed, and do what an event says.

use serde_json::{Value, json};
use tenon_sdk::{
    Error, Kernel, Module, Result, TenantTx,
    db::Migration,
    events::{Beginning, Consumer, Event, Recorded},
};
use tenon_testkit::{TestOrg, TestServer};
use tokio_postgres::Client;

use crate::chores::at_work;

tenon_sdk::permissions! {
    pub DiaryRead = "diary.entries.read", from Viewer, "See the diary";
    pub DiaryWrite = "diary.entries.write", from Member, "Write the diary";
}

const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_entries",
    sql: "create table diary.entries (org_id uuid not null, consumer text not null, place int not null, seq bigint not null, \
          kind text not null, actor uuid, primary key (org_id, consumer, place)); \
          select kernel.tenant_table('diary.entries', read => 'diary.entries.read', write => 'diary.entries.write', \
              api => '{}'); \
          create table diary.cures (org_id uuid not null, seq bigint not null, primary key (org_id, seq)); \
          select kernel.tenant_table('diary.cures', read => 'diary.entries.read', write => 'diary.entries.write', \
              api => '{}');",
}];

/// A number that whoever wants to hold up a handler locks.
pub const GATE: i64 = 4711;

async fn write_down(tx: &TenantTx, consumer: &str, events: &[Recorded]) -> Result<()> {
    for event in events {
        tx.execute(
            "insert into diary.entries (org_id, consumer, place, seq, kind, actor) \
             select $1, $2, coalesce(max(place), 0) + 1, $3, $4, $5 from diary.entries where org_id = $1 and consumer = $2",
            &[&tx.org_id(), &consumer, &event.seq, &event.kind, &event.actor],
        )
        .await?;
        match event.payload["manner"].as_str() {
            Some("badly") => {
                let sql = "select from diary.cures where org_id = $1 and seq = $2";
                if tx.query(sql, &[&tx.org_id(), &event.seq]).await?.is_empty() {
                    return Err(Error::unavailable("diary.illegible", "Nobody can read this\0."));
                }
            }
            Some("panicking") => panic!("a consumer panics"),
            Some("wrong") => drop(tx.query("select 1 / 0", &[]).await),
            Some("held up") => drop(
                tx.query("select pg_advisory_xact_lock_shared($1)", &[&GATE])
                    .await?,
            ),
            _ => {}
        }
    }
    Ok(())
}

/// Hears of everything in the diary.
pub struct Keeper;

impl Consumer for Keeper {
    const NAME: &'static str = "diary.keeper";
    const EVENTS: &'static [&'static str] = &["diary.*"];
    const MAX_ATTEMPTS: i32 = 3;
    const BATCH: i64 = 10;

    async fn handle(_: &Kernel, tx: &TenantTx, events: &[Recorded]) -> Result<()> {
        write_down(tx, Self::NAME, events).await
    }
}

/// Hears of visits alone, and of those before it was there.
pub struct Porter;

impl Consumer for Porter {
    const NAME: &'static str = "diary.porter";
    const EVENTS: &'static [&'static str] = &["diary.visited"];
    const BEGINNING: Beginning = Beginning::Oldest;

    async fn handle(_: &Kernel, tx: &TenantTx, events: &[Recorded]) -> Result<()> {
        let visits = events
            .iter()
            .filter(|event| event.kind == "diary.visited")
            .count();
        assert_eq!(visits, events.len());
        let tame: Vec<Recorded> = events
            .iter()
            .map(|event| Recorded {
                payload: Value::Null,
                ..event.clone()
            })
            .collect();
        write_down(tx, Self::NAME, &tame).await
    }
}

/// The app without anybody who hears of anything.
pub fn quiet() -> Module {
    Module::app("diary", "Diary")
        .tables("diary", MIGRATIONS)
        .permissions(ALL)
}

/// The app.
pub fn app() -> Module {
    quiet().consumer::<Keeper>().consumer::<Porter>()
}

/// Records events of one transaction.
pub async fn record(server: &TestServer, org: &TestOrg, events: &[(&'static str, &str)]) {
    let tx = at_work(server, org).begin().await.unwrap();
    let events: Vec<Event> = events
        .iter()
        .map(|(kind, manner)| Event::new(kind, tx.env().new_id(), json!({ "manner": manner })))
        .collect();
    tx.emit_all(&events).await.unwrap();
    tx.commit().await.unwrap();
}

/// Numbers of events in the order in which a consumer wrote them down.
pub async fn entries(admin: &Client, org: &TestOrg, consumer: &str) -> Vec<i64> {
    let sql = "select seq from diary.entries where org_id = $1 and consumer = $2 order by place";
    let rows = admin.query(sql, &[&org.id, &consumer]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Numbers of an organisation's events of a kind, in their order.
pub async fn numbers(admin: &Client, org: &TestOrg, kind: &str) -> Vec<i64> {
    let sql = "select seq from events.outbox where org_id = $1 and kind like $2 order by seq";
    let rows = admin.query(sql, &[&org.id, &kind]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
