//! Which connection a request gets: none waits behind a slow one while another connection has nothing to do.

use super::support::{House, eventually, house_with, statement, who};

/// Holds up a request until the first transaction ends, and asks others meanwhile.
async fn others_are_answered_while_one_waits(house: House, writes: bool) {
    let db = house.server.kernel().db().clone();
    let holder = house.bea.ctx().begin().await.unwrap();
    holder
        .query("select pg_advisory_xact_lock(4711)", &[])
        .await
        .unwrap();
    let context = if writes {
        house.ada.context()
    } else {
        house.ada.reading()
    };
    let slow = tokio::spawn({
        let db = db.clone();
        async move {
            let wait = statement("select pg_advisory_xact_lock(4711)::text");
            db.run(&context, wait).await
        }
    });
    let admin = house.server.admin().await;
    eventually("the request waits", async || {
        // The server of the tests has other databases, too.
        let waiting = "select count(*) from pg_locks l join pg_database d on d.oid = l.database \
                       where d.datname = current_database() and l.locktype = 'advisory' and not l.granted";
        admin.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 1
    })
    .await;
    for _ in 0..6 {
        let reading = house.ada.reading();
        let (one, other) = tokio::join!(who(&db, &reading), who(&db, &reading));
        assert_eq!(one.unwrap(), house.ada.identity());
        assert_eq!(other.unwrap(), house.ada.identity());
    }
    assert!(!slow.is_finished());
    holder.commit().await.unwrap();
    slow.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_slow_read_is_passed_on_another_connection() {
    let house = house_with(|options| options.pipeline_connections = 2).await;
    others_are_answered_while_one_waits(house, false).await;
}

#[tokio::test]
async fn a_read_does_not_wait_behind_a_write() {
    let house = house_with(|options| {
        options.pipeline_connections = 1;
        options.pipeline_write_connections = 1;
    })
    .await;
    others_are_answered_while_one_waits(house, true).await;
}
