//! Answers that are handed out while they arrive.

use tenon_sdk::{
    Error,
    db::{Rest, TextRow},
};

use crate::support::{House, eventually, house, statement, who};

/// One large value, and what is known before it.
const LARGE: &str = "select 7, repeat('0123456789', 1000000)";

/// More rows than there is room for on the way.
const MANY: &str = "select n, repeat('x', 1000) from generate_series(1, 1000000) n";

async fn parts(mut rest: Rest) -> Vec<u8> {
    let mut value = Vec::new();
    while let Some(part) = rest.part().await.unwrap() {
        value.extend_from_slice(&part);
    }
    value
}

fn text(row: &TextRow, index: usize) -> &str {
    std::str::from_utf8(row[index].as_deref().unwrap()).unwrap()
}

impl House {
    /// Connections that run this statement.
    async fn running(&self, sql: &str) -> i64 {
        let admin = self.server.admin().await;
        let count = "select count(*) from pg_stat_activity \
                     where datname = current_database() and state = 'active' and query = $1";
        admin.query_one(count, &[&sql]).await.unwrap().get(0)
    }
}

#[tokio::test]
async fn a_large_value_is_handed_out_while_it_arrives() {
    let house = house().await;
    let reply = house
        .db()
        .run_feeding(&house.ada.reading(), vec![statement(LARGE)])
        .await
        .unwrap();
    assert_eq!(text(&reply.rows[0], 0), "7");
    assert_eq!(text(&reply.rows[0], 1), "", "still on its way");
    let rest = reply.rest.unwrap();
    assert_eq!(rest.length(), Some(10_000_000));
    assert!(parts(rest).await == b"0123456789".repeat(1_000_000));
    let small = house
        .db()
        .run_feeding(&house.ada.reading(), vec![statement("select 7, 'x'")])
        .await
        .unwrap();
    assert_eq!((text(&small.rows[0], 1), small.rest.is_none()), ("x", true));
}

#[tokio::test]
async fn a_slow_reader_of_a_large_value_holds_up_nobody_on_the_same_connection() {
    let house = house().await;
    let (db, bea) = (house.db(), &house.bea);
    let slow = db
        .run_feeding(&house.ada.reading(), vec![statement(LARGE)])
        .await
        .unwrap();
    let leaver = db
        .run_feeding(&house.ada.reading(), vec![statement(LARGE)])
        .await
        .unwrap();
    drop(leaver);
    for _ in 0..3 {
        assert_eq!(who(db, &bea.reading()).await.unwrap(), bea.identity());
    }
    // Its transaction is over; the value waits beside the wire, whole.
    assert_eq!(house.running(LARGE).await, 0);
    assert!(parts(slow.rest.unwrap()).await == b"0123456789".repeat(1_000_000));
}

#[tokio::test]
async fn rows_are_handed_out_while_they_arrive_and_wait_for_their_reader() {
    let house = house().await;
    let before = statement("select 'before'");
    let reply = house
        .db()
        .stream(&house.ada.reading(), Some(before), statement(MANY))
        .await
        .unwrap();
    assert_eq!(text(&reply.rows[0], 0), "before");
    let mut rest = reply.rest.unwrap();
    for n in 1..=1000 {
        let row = match rest.row_at_hand() {
            Some(row) => row,
            None => rest.row().await.unwrap().unwrap(),
        };
        assert_eq!(text(&row, 0), n.to_string());
    }
    eventually("PostgreSQL waits for the reader", async || {
        let admin = house.server.admin().await;
        let sql = "select count(*) from pg_stat_activity \
                   where datname = current_database() and query = $1 and wait_event = 'ClientWrite'";
        admin.query_one(sql, &[&MANY]).await.unwrap().get::<_, i64>(0) == 1
    })
    .await;
}

#[tokio::test]
async fn who_leaves_a_stream_ends_its_statement_and_frees_its_connection() {
    let house = house().await;
    // Busy without a word: its end is not noticed by writing.
    let quiet =
        "select n, repeat('x', 20000) from generate_series(1, 20) n where n < 3 or pg_sleep(30) is not null";
    for sql in [MANY, quiet] {
        for _ in 0..3 {
            let reply = house
                .db()
                .stream(&house.ada.reading(), None, statement(sql))
                .await
                .unwrap();
            let mut rest = reply.rest.unwrap();
            assert!(rest.row().await.unwrap().is_some());
            drop(rest);
            eventually("nothing runs any more", async || house.running(sql).await == 0).await;
        }
    }
}

#[tokio::test]
async fn an_error_after_the_first_rows_is_not_taken_for_the_end() {
    let house = house().await;
    let sql = "select 1 / (500 - n) from generate_series(1, 1000) n";
    for _ in 0..3 {
        let reply = house
            .db()
            .stream(&house.ada.reading(), None, statement(sql))
            .await
            .unwrap();
        let mut rest = reply.rest.unwrap();
        let mut rows = 0;
        let end = loop {
            match rest.row().await {
                Ok(Some(_)) => rows += 1,
                end => break end,
            }
        };
        assert_eq!(
            (rows, Error::from(end.unwrap_err()).code.as_ref()),
            (499, "22012")
        );
    }
    let reply = house
        .db()
        .stream(&house.ada.reading(), None, statement("select 1 / 0"))
        .await;
    assert_eq!(
        reply.unwrap_err().code,
        "22012",
        "before the first row: no answer at all"
    );
    let none = house
        .db()
        .stream(&house.ada.reading(), None, statement("select 1 where false"))
        .await
        .unwrap();
    assert!(none.rest.is_none());
}

#[tokio::test]
async fn a_connection_that_breaks_breaks_the_stream() {
    let house = house().await;
    let reply = house
        .db()
        .stream(&house.ada.reading(), None, statement(MANY))
        .await
        .unwrap();
    let mut rest = reply.rest.unwrap();
    house.kill_connections().await;
    let end = loop {
        match rest.row().await {
            Ok(Some(_)) => {}
            end => break end,
        }
    };
    assert!(["57P01", "database.unavailable"].contains(&Error::from(end.unwrap_err()).code.as_ref()));
}
