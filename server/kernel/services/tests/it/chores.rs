//! An app whose jobs do as they are told, and leave a mark whenever they run.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenon_sdk::{
    Ctx, Error, Module, Result,
    db::{Migration, TenantTx},
    jobs::{Job, JobCtx},
};
use tenon_testkit::{TestOrg, TestServer, TestServerOptions};
use tokio_postgres::Client;

tenon_sdk::permissions! {
    pub ChoresRead = "chores.items.read", from Viewer, "See chores";
    pub ChoresWrite = "chores.items.write", from Member, "Do chores";
    pub SecretsRead = "chores.secrets.read", from Admin, "See secrets";
}

const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_marks",
    sql: "create table chores.marks (org_id uuid not null, id uuid not null, label text not null, \
          attempt int not null, by uuid, at timestamptz not null default clock_timestamp(), primary key (org_id, id)); \
          select kernel.tenant_table('chores.marks', read => 'chores.items.read', write => 'chores.items.write', \
              api => '{}');",
}];

/// What a chore does when it runs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Manner {
    /// Leaves its mark.
    Well,
    /// Fails in a way that may pass, up to and including this attempt.
    BadlyUntil(i32),
    /// Fails in a way that will not pass.
    Hopelessly,
    /// Panics on its first attempt.
    Panicking,
    /// Never ends on its first attempt.
    Forever,
    /// Waits on its first attempt until a later one has left its mark, then goes on as if nothing had happened.
    Overtaken,
    /// Fails, once, with words that a database cannot hold.
    Oddly,
    /// Ends in the transaction in which it leaves its mark.
    InOne,
    /// Leaves its mark and waits until it is cancelled, then leaves another.
    UntilCancelled,
    /// Is told to come again in so many seconds, on its first attempt.
    NotBefore(u64),
    /// Leaves its mark and takes so many milliseconds.
    Slowly(u64),
}

/// A job of at most three attempts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Chore {
    pub label: String,
    pub manner: Manner,
}

impl Job for Chore {
    const NAME: &'static str = "chores.do";
    const MAX_ATTEMPTS: i32 = 3;

    async fn run(self, job: JobCtx) -> Result<()> {
        let first = job.attempt() == 1;
        if matches!(self.manner, Manner::Overtaken) && first {
            while marks_of(&job.ctx(), &self.label).await? == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let refused = job.progress("chores:1", 1, 1, "too late").await.unwrap_err();
            return mark(&job, &format!("{}: {}", self.label, refused.code)).await;
        }
        if matches!(self.manner, Manner::InOne) {
            let tx = job.ctx().begin().await?;
            mark_in(&tx, &job, &self.label).await?;
            return job.finish(tx).await;
        }
        mark(&job, &self.label).await?;
        match self.manner {
            Manner::UntilCancelled => {
                job.cancelled().cancelled().await;
                mark(&job, "tidied up").await?;
                Err(Error::unavailable("chores.tired", "Stopped."))
            }
            Manner::NotBefore(seconds) if first => {
                Err(Error::rate_limited("chores.too_fast", "Not so fast.").retry_after(seconds))
            }
            Manner::Oddly if first => {
                Err(Error::unavailable("chores.odd", "a\0b").details("\u{202e}\0\u{1f6a2}"))
            }
            Manner::Slowly(ms) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                Ok(())
            }
            Manner::BadlyUntil(last) if job.attempt() <= last => {
                Err(Error::unavailable("chores.tired", "Not now.")
                    .details(format!("attempt {}", job.attempt())))
            }
            Manner::Hopelessly => Err(Error::unprocessable("chores.impossible", "Never.")),
            Manner::Panicking if first => panic!("a chore panics"),
            Manner::Forever if first => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

/// A job of one attempt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OnlyChance;

impl Job for OnlyChance {
    const NAME: &'static str = "chores.only_chance";
    const MAX_ATTEMPTS: i32 = 1;

    async fn run(self, job: JobCtx) -> Result<()> {
        assert!(job.is_last_attempt());
        mark(&job, "only chance").await?;
        std::future::pending().await
    }
}

async fn mark(job: &JobCtx, label: &str) -> Result<()> {
    let tx = job.ctx().begin().await?;
    mark_in(&tx, job, label).await?;
    tx.commit().await
}

async fn mark_in(tx: &TenantTx, job: &JobCtx, label: &str) -> Result<()> {
    let sql = "insert into chores.marks (org_id, id, label, attempt, by) values ($1, $2, $3, $4, tenancy.user_id())";
    tx.execute(sql, &[&tx.org_id(), &tx.env().new_id(), &label, &job.attempt()])
        .await
        .map(drop)
}

async fn marks_of(ctx: &Ctx, label: &str) -> Result<usize> {
    let tx = ctx.begin().await?;
    let sql = "select 1 from chores.marks where org_id = $1 and label = $2";
    tx.query(sql, &[&tx.org_id(), &label])
        .await
        .map(|rows| rows.len())
}

/// The app.
pub fn app() -> Module {
    Module::app("chores", "Chores")
        .tables("chores", MIGRATIONS)
        .permissions(ALL)
        .job::<Chore>()
        .job::<OnlyChance>()
        .topic("chores", "chores.items.read")
        .topic("secrets", "chores.secrets.read")
}

/// A server with the app.
pub async fn server() -> TestServer {
    TestServer::start(vec![app()]).await
}

/// A server with the app whose jobs stay in the queue.
pub async fn idle_server() -> TestServer {
    let options = TestServerOptions {
        no_workers: true,
        ..TestServerOptions::default()
    };
    TestServer::start_with(vec![app()], options).await
}

/// The organisation's owner at work in it.
pub fn at_work(server: &TestServer, org: &TestOrg) -> Ctx {
    Ctx::for_job(server.kernel().clone(), org.id, Some(org.owner.id))
}

/// Enqueues a chore in a transaction of its own.
pub async fn enqueue(server: &TestServer, org: &TestOrg, label: &str, manner: Manner) {
    let tx = at_work(server, org).begin().await.unwrap();
    let chore = Chore {
        label: label.to_owned(),
        manner,
    };
    tx.enqueue(&chore).await.unwrap().expect("it is enqueued");
    tx.commit().await.unwrap();
}

/// Labels and attempts of all marks, in the order they were made.
pub async fn marks(admin: &Client) -> Vec<(String, i32)> {
    let rows = admin
        .query("select label, attempt from chores.marks order by at", &[])
        .await
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// The first value of a query's only row.
pub async fn one<T: for<'a> tokio_postgres::types::FromSql<'a>>(admin: &Client, sql: &str) -> T {
    admin.query_one(sql, &[]).await.unwrap().get(0)
}

/// Waits for something that must become true soon.
pub async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if check().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("within half a minute: {what}");
}

/// Waits until a query of a truth value says yes.
pub async fn until(admin: &Client, sql: &str) {
    eventually(sql, async || one::<bool>(admin, sql).await).await;
}
