//! A database that is not Tenon's: each request has a connection for itself and leaves nothing on it.

use std::{sync::Arc, time::Duration};

use tenon_sdk::db::{Isolation, Param, PlainContext, PlainDb, PlainError, PlainOptions, Statement, TextRow};
use tenon_testkit::TestDatabase;

/// Two roles of no rights, and a table of which both may do anything.
const SETUP: &str = "
do $$ begin create role plain_one; exception when duplicate_object or unique_violation then null; end $$;
do $$ begin create role plain_two; exception when duplicate_object or unique_violation then null; end $$;
create table public.things (name text);
grant select, insert on public.things to plain_one, plain_two;";

async fn plain(size: usize) -> (TestDatabase, PlainDb) {
    let database = TestDatabase::create(&[]).await;
    database.admin().await.batch_execute(SETUP).await.unwrap();
    let db = PlainDb::new(PlainOptions {
        config: database.options().admin,
        pool_size: size,
        wait: Duration::from_secs(10),
        idle: Duration::from_mins(1),
        life: Duration::from_mins(1),
        prepared: true,
    });
    (database, db.unwrap())
}

fn context(role: &str, isolation: Isolation) -> PlainContext {
    PlainContext {
        role: role.into(),
        opener: Statement {
            sql: "select set_config('role', $1, true), set_config('test.mark', $2, true)".into(),
            params: vec![Param::text(role), Param::text(format!("mark of {role}"))],
        },
        isolation,
        read_only: false,
        roll_back: false,
    }
}

fn insert() -> Statement {
    Statement::new(
        "with made as (insert into public.things values ('half') returning 1) select pg_sleep(0.003) from made",
    )
}

async fn who(db: &PlainDb, role: &str) -> Result<Vec<TextRow>, PlainError> {
    let sql = "select current_user::text, current_setting('test.mark', true)";
    let results = db
        .run(
            &context(role, Isolation::ReadCommitted),
            vec![Statement::new(sql)],
        )
        .await?;
    Ok(results.into_iter().next().unwrap())
}

fn identity(role: &str) -> Vec<TextRow> {
    vec![vec![
        Some(role.to_owned().into()),
        Some(format!("mark of {role}").into()),
    ]]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_dropped_anywhere_leaves_its_connection_to_the_next_one_as_new() {
    let (database, db) = plain(1).await;
    let mut cut_off = 0;
    for n in 0..120_u64 {
        let isolation = match n % 3 {
            0 => Isolation::ReadCommitted,
            1 => Isolation::RepeatableRead,
            _ => Isolation::Serializable,
        };
        let one = context("plain_one", isolation);
        let cut = Duration::from_micros(n * 50);
        cut_off += if n % 2 == 0 {
            let dropped = tokio::time::timeout(cut, db.run(&one, vec![insert(), insert()])).await;
            u32::from(dropped.is_err())
        } else {
            // A transaction that waits for its end is undone.
            let begun = tokio::time::timeout(cut, db.begin(&one, vec![insert()])).await;
            drop(begun);
            1
        };
        assert_eq!(
            who(&db, "plain_two").await.unwrap(),
            identity("plain_two"),
            "after {n}"
        );
    }
    assert!(cut_off > 60, "some were cut off");
    let figures = db.figures();
    assert_eq!((figures.most, figures.idle, figures.waiting), (1, 1, 0));
    let admin = database.admin().await;
    let open: i64 = admin
        .query_one(
            "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(open, 0);
    // What was sent in one go is kept as a whole or not at all.
    let rows: i64 = admin
        .query_one("select count(*) from public.things", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(rows % 2, 0);
}

#[tokio::test]
async fn nothing_runs_after_an_opener_that_failed() {
    let (database, db) = plain(1).await;
    for isolation in [Isolation::ReadCommitted, Isolation::RepeatableRead] {
        let nobody = context("no such role", isolation);
        let refused = db.run(&nobody, vec![insert()]).await;
        assert!(matches!(refused, Err(PlainError::Refused(_))), "{refused:?}");
        let refused = db.begin(&nobody, vec![insert()]).await;
        assert!(matches!(refused, Err(PlainError::Refused(_))));
        assert_eq!(who(&db, "plain_one").await.unwrap(), identity("plain_one"));
    }
    let admin = database.admin().await;
    let rows = admin.query("select from public.things", &[]).await.unwrap();
    assert!(rows.is_empty());
}

#[tokio::test]
async fn a_statement_runs_in_its_role_when_it_is_seen_for_the_first_time() {
    let (_database, db) = plain(1).await;
    for n in 0..20 {
        for role in ["plain_one", "plain_two"] {
            let statement = Statement::new(Arc::from(format!("select current_user::text /* {n} */")));
            let results = db
                .run(&context(role, Isolation::ReadCommitted), vec![statement])
                .await
                .unwrap();
            assert_eq!(results[0][0][0].as_deref(), Some(role.as_bytes()));
        }
    }
}
