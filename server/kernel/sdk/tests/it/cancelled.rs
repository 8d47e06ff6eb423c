//! Requests that end half-way: the client left, a time-out struck, a task was aborted. Nobody inherits what they were.

use std::time::Duration;

use crate::support::{House, eventually, house, who, with};

const SLOW_INSERT: &str = "with made as (insert into notes.items (org_id, id, body) \
    values (tenancy.org_id(), $1::uuid, 'half') returning 1) select pg_sleep(0.002) from made";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipelined_request_that_is_dropped_leaves_nothing_to_the_next_one() {
    let House { server, ada, bea } = house().await;
    let (db, env) = (server.kernel().db(), server.kernel().env());
    let mut cut_off = 0;
    for n in 0..150_u64 {
        let id = env.new_id().to_string();
        let context = ada.context();
        let cut = tokio::time::timeout(
            Duration::from_micros(n * 40),
            db.run(&context, with(SLOW_INSERT, &[&id])),
        );
        cut_off += u32::from(cut.await.is_err());
        assert_eq!(
            who(db, &bea.context()).await.unwrap(),
            bea.identity(),
            "after {n}"
        );
    }
    assert!(cut_off > 0, "some were cut off");
    assert_eq!(who(db, &ada.context()).await.unwrap()[..4], ada.identity()[..4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_is_aborted_anywhere_is_undone_and_its_connection_forgets_it() {
    let house = house().await;
    let (ada, bea) = (&house.ada, &house.bea);
    for n in 0..120_u64 {
        let (ctx, id) = (ada.ctx(), house.server.kernel().env().new_id());
        let work = tokio::spawn(async move {
            let tx = ctx.begin().await.unwrap();
            let sql = "insert into notes.items (org_id, id, body) values ($1, $2, 'half')";
            tx.execute(sql, &[&tx.org_id(), &id]).await.unwrap();
            tx.query("select pg_sleep(0.02)", &[]).await.unwrap();
            std::future::pending::<()>().await;
        });
        // From before the first byte until inside the last statement.
        tokio::time::sleep(Duration::from_micros(n * 80)).await;
        work.abort();
        let tx = bea.ctx().begin().await.unwrap();
        let row = tx
            .query_one(
                "select tenancy.org_id(), tenancy.user_id(), current_user::text, count(*), count(*) filter \
                 (where body = 'bea') from notes.items where org_id = $1",
                &[&bea.org],
            )
            .await
            .unwrap();
        assert_eq!((row.get(0), row.get(1)), (bea.org.0, bea.user.id.0), "after {n}");
        assert_eq!(
            (
                row.get::<_, String>(2),
                row.get::<_, i64>(3),
                row.get::<_, i64>(4)
            ),
            ("service_role".into(), 1, 1)
        );
        drop(tx);
    }
    eventually("every connection is idle outside of a transaction", async || {
        let sql = "select count(*) from pg_stat_activity where datname = current_database() \
                   and usename = 'tenon_authenticator' and state <> 'idle'";
        house
            .server
            .admin()
            .await
            .query_one(sql, &[])
            .await
            .unwrap()
            .get::<_, i64>(0)
            == 0
    })
    .await;
    assert_eq!(house.notes().await, 2, "nothing of the aborted work stays");
}

#[tokio::test]
async fn a_transaction_that_is_dropped_without_commit_is_undone() {
    let house = house().await;
    for commit in [false, true] {
        let tx = house.ada.ctx().begin().await.unwrap();
        let id = tx.env().new_id();
        let sql = "insert into notes.items (org_id, id, body) values ($1, $2, 'x')";
        tx.execute(sql, &[&tx.org_id(), &id]).await.unwrap();
        if commit {
            tx.commit().await.unwrap();
        }
    }
    assert_eq!(house.notes().await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_statement_whose_caller_left_is_cancelled_and_frees_its_place() {
    let house = house().await;
    let sleeping = async || {
        let sql = "select count(*) from pg_stat_activity where datname = current_database() \
                   and state = 'active' and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()";
        house
            .server
            .admin()
            .await
            .query_one(sql, &[])
            .await
            .unwrap()
            .get::<_, i64>(0)
    };
    // As many as there are connections: the pool would be empty for ten minutes.
    let work: Vec<_> = (0..2)
        .map(|_| {
            let ctx = house.ada.ctx();
            tokio::spawn(async move {
                let tx = ctx.begin().await.unwrap();
                tx.query("select pg_sleep(600)", &[]).await.unwrap();
            })
        })
        .collect();
    eventually("both statements run", async || sleeping().await == 2).await;
    for task in &work {
        task.abort();
    }
    eventually("both statements are cancelled", async || sleeping().await == 0).await;
    for _ in 0..4 {
        house.bea.ctx().begin().await.unwrap().commit().await.unwrap();
    }
}
