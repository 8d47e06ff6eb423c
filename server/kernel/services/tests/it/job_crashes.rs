//! Workers that are killed, in whatever they are doing: no job is lost, and none runs again after its end was committed.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tenon_sdk::{
    Module,
    config::Config,
    db::{DbOptions, EnqueueOptions, JobLimit},
    env::Env,
};
use tenon_services::server::Server;
use tenon_testkit::TestServer;
use tokio_postgres::{Config as PgConfig, config::Host};

use crate::chores::{Chore, Manner, OnlyChance, app, at_work, enqueue, idle_server, marks, one, until};

/// How the process below finds the database.
const DATABASE: &str = "TENON_TEST_WORKER_DATABASE";

fn written(config: &PgConfig) -> Value {
    let hosts: Vec<_> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Unix(path) => path.display().to_string(),
            Host::Tcp(name) => name.clone(),
        })
        .collect();
    json!({ "hosts": hosts, "ports": config.get_ports(), "database": config.get_dbname(), "user": config.get_user(),
        "password": config.get_password().map(|word| String::from_utf8_lossy(word).into_owned()) })
}

fn read(value: &Value) -> PgConfig {
    let mut config = PgConfig::new();
    for host in value["hosts"].as_array().unwrap() {
        config.host(host.as_str().unwrap());
    }
    for port in value["ports"].as_array().unwrap() {
        config.port(port.as_u64().unwrap().try_into().unwrap());
    }
    config
        .dbname(value["database"].as_str().unwrap())
        .user(value["user"].as_str().unwrap());
    if let Some(password) = value["password"].as_str() {
        config.password(password);
    }
    config
}

/// A worker in a process of its own.
pub struct Worker(Child);

impl Worker {
    fn start(server: &TestServer, workers: usize) -> Self {
        Self::start_as("job_crashes::a_worker_of_its_own", server, workers)
    }

    /// Started as one of the tests that are none, which calls [`work_in_process`].
    pub fn start_as(test: &str, server: &TestServer, workers: usize) -> Self {
        let options = server.database().options();
        let database = json!({ "admin": written(&options.admin), "runtime": written(&options.runtime.unwrap()),
            "workers": workers });
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .env(DATABASE, database.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// No test: what the tests here start and kill.
#[tokio::test]
#[ignore = "a process that tests start"]
async fn a_worker_of_its_own() {
    work_in_process(app()).await;
}

/// Works with an app until the process is killed. Does nothing where no test has started the process.
pub async fn work_in_process(app: Module) {
    let Ok(database) = std::env::var(DATABASE) else {
        return;
    };
    let database: Value = serde_json::from_str(&database).unwrap();
    let mut config = Config::defaults();
    config.secrets.master_keys = tenon_testkit::MASTER_KEY.into();
    config.jobs.lease_seconds = 2;
    config.jobs.poll_seconds = 1;
    config.jobs.workers = usize::try_from(database["workers"].as_u64().unwrap()).unwrap();
    let options = DbOptions {
        admin: read(&database["admin"]),
        runtime: Some(read(&database["runtime"])),
        pool_size: 6,
        pipeline_connections: 1,
        pipeline_write_connections: 0,
        pipeline_timeout: Duration::from_secs(30),
        record_statements: false,
    };
    // As the server that the database was made by, in front of the app.
    let modules = vec![app];
    let mut server = Server::start(Env::real(), config, options, std::sync::Arc::default(), modules)
        .await
        .unwrap();
    server.start_workers();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn jobs_that_were_taken_and_not_begun_keep_their_last_attempt_when_the_worker_is_killed() {
    let server = idle_server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    // Short ones, so that the worker takes the others ahead; then one that never ends, and one chance for those behind it.
    let well = Chore {
        label: "well".to_owned(),
        manner: Manner::Well,
    };
    let tx = at_work(&server, &org).begin().await.unwrap();
    tx.enqueue_all(&vec![(&well, EnqueueOptions::default()); 300])
        .await
        .unwrap();
    let stuck = Chore {
        label: "stuck".to_owned(),
        manner: Manner::Forever,
    };
    tx.enqueue(&stuck).await.unwrap();
    for _ in 0..5 {
        tx.enqueue(&OnlyChance).await.unwrap();
    }
    tx.commit().await.unwrap();
    let worker = Worker::start(&server, 1);
    until(
        &admin,
        "select exists (select from chores.marks where label = 'stuck')",
    )
    .await;
    worker.kill();
    let _next = Worker::start(&server, 1);
    // The first of them hangs and holds the only hand; none is put aside that was not begun.
    until(
        &admin,
        "select exists (select from chores.marks where label = 'only chance')",
    )
    .await;
    assert_eq!(
        one::<i64>(&admin, "select count(*) from jobs.queue where state = 'dead'").await,
        0
    );
    assert_eq!(
        one::<i64>(
            &admin,
            "select count(*) from jobs.queue where name = 'chores.only_chance'"
        )
        .await,
        5
    );
}

#[tokio::test]
async fn a_job_that_ends_in_its_own_transaction_leaves_one_mark_however_often_its_worker_is_killed() {
    let server = idle_server().await;
    let (harbour, yard) = (
        server.organization("Harbour").await,
        server.organization("Yard").await,
    );
    let admin = server.admin().await;
    for (org, name) in [(&harbour, "h"), (&yard, "y")] {
        let jobs: Vec<Chore> = (0..700)
            .map(|n| Chore {
                label: format!("{name}{n}"),
                manner: Manner::InOne,
            })
            .collect();
        let options = |n: usize| EnqueueOptions {
            delay: Duration::from_millis(if n.is_multiple_of(10) { 1500 } else { 0 }),
            limit: n.is_multiple_of(7).then(|| JobLimit {
                key: "few".to_owned(),
                concurrent: Some(2),
                rate: None,
            }),
            ..EnqueueOptions::default()
        };
        let each: Vec<_> = jobs
            .iter()
            .enumerate()
            .map(|(n, job)| (job, options(n)))
            .collect();
        let tx = at_work(&server, org).begin().await.unwrap();
        tx.enqueue_all(&each).await.unwrap();
        tx.commit().await.unwrap();
    }
    for n in [40, 300, 600, 900, 1200] {
        let worker = Worker::start(&server, 3);
        until(&admin, &format!("select count(*) >= {n} from jobs.history")).await;
        worker.kill();
    }
    let _last = [Worker::start(&server, 3), Worker::start(&server, 3)];
    until(&admin, "select count(*) = 1400 from jobs.history").await;
    assert_eq!(one::<i64>(&admin, "select count(*) from jobs.queue").await, 0);
    assert_eq!(
        one::<i64>(&admin, "select count(distinct id) from jobs.history").await,
        1400
    );
    assert_eq!(marks(&admin).await.len(), 1400);
    assert_eq!(
        one::<i64>(&admin, "select count(distinct (org_id, label)) from chores.marks").await,
        1400
    );
}

#[tokio::test]
async fn a_job_whose_end_was_written_never_runs_again_and_none_is_lost() {
    let server = idle_server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    let jobs: Vec<Chore> = (0..1500)
        .map(|n| Chore {
            label: n.to_string(),
            manner: Manner::Well,
        })
        .collect();
    let each: Vec<_> = jobs.iter().map(|job| (job, EnqueueOptions::default())).collect();
    let tx = at_work(&server, &org).begin().await.unwrap();
    tx.enqueue_all(&each).await.unwrap();
    tx.commit().await.unwrap();
    for n in [100, 500, 900] {
        let worker = Worker::start(&server, 2);
        until(&admin, &format!("select count(*) >= {n} from jobs.history")).await;
        worker.kill();
    }
    let _last = Worker::start(&server, 2);
    until(
        &admin,
        "select count(*) + (select count(*) from jobs.queue where state = 'dead') = 1500 from jobs.history",
    )
    .await;
    assert_eq!(
        one::<i64>(&admin, "select count(distinct id) from jobs.history").await,
        1500
    );
    assert_eq!(one::<i64>(&admin, "select count(*) from jobs.queue").await, 0);
    assert_eq!(
        one::<i64>(&admin, "select count(distinct label) from chores.marks").await,
        1500
    );
    // Whatever ran after its end was committed would have left a mark after it.
    let late = "select count(*) from chores.marks m join jobs.history h on h.org_id = m.org_id \
        where m.at > h.finished_at + interval '1 minute'";
    assert_eq!(one::<i64>(&admin, late).await, 0);
}

#[tokio::test]
async fn a_cancelled_job_whose_worker_is_killed_stays_cancelled() {
    let server = idle_server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    enqueue(&server, &org, "stuck", Manner::Forever).await;
    let worker = Worker::start(&server, 1);
    until(&admin, "select exists (select from chores.marks)").await;
    worker.kill();
    admin
        .batch_execute("update jobs.queue set cancel_at = now()")
        .await
        .unwrap();
    let _next = Worker::start(&server, 1);
    until(
        &admin,
        "select exists (select from jobs.history where outcome = 'cancelled')",
    )
    .await;
    assert_eq!(one::<i64>(&admin, "select count(*) from jobs.queue").await, 0);
    assert_eq!(marks(&admin).await.len(), 1);
}
