//! The way in for many surveys at once does for all of them what the foreign key to orders does row by row.

use std::time::Duration;

use jiff::civil::date;
use rust_decimal::Decimal;
use tenon_sdk::{Result, TenantTx};
use uuid::Uuid;

use crate::books::Books;

/// Surveys of one each, by the places of their orders.
async fn load(tx: &TenantTx, org: Uuid, orders: &[Uuid], places: &[i32]) -> Result<i64> {
    let ids: Vec<Uuid> = places.iter().map(|_| tx.env().new_id()).collect();
    let numbers: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let days = vec![date(2026, 2, 28); places.len()];
    let amounts = vec![Decimal::ONE; places.len()];
    let none: Vec<Option<&str>> = vec![None; places.len()];
    let row = tx
        .query_one(
            "select purchasing.load_entries($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            &[
                &org,
                &tx.env().new_id(),
                &tx.env().now(),
                &orders,
                &ids,
                &numbers,
                &places,
                &none,
                &days,
                &amounts,
                &none,
            ],
        )
        .await?;
    Ok(row.try_get(0)?)
}

async fn order(books: &Books, number: &str) -> Uuid {
    books
        .ask("select id from purchasing.orders where number = $1", &[&number])
        .await
}

#[tokio::test]
async fn surveys_of_an_order_that_is_not_there_do_not_arrive() {
    let books = Books::open().await;
    books.import(&[("A", "100"), ("B", "100")], &[]).await;
    let (a, b) = (order(&books, "A").await, order(&books, "B").await);
    let gone = books.server.kernel().env().new_id();
    let org = books.org.id;
    for (orders, places, arrived) in [
        (vec![a, b], vec![1, 2, 1], 3),
        (vec![a, gone], vec![1, 2], 0),
        (vec![a, gone], vec![1, 1], 0),
        (vec![a, a], vec![1, 2], 0),
        (vec![], vec![], 0),
    ] {
        let tx = books.tx().await;
        let result = load(&tx, org.0, &orders, &places).await.unwrap();
        assert_eq!(result, arrived, "{orders:?} {places:?}");
        tx.rollback().await.unwrap();
    }
    let tx = books.tx().await;
    let error = load(&tx, org.0, &[a], &[2]).await.unwrap_err();
    assert_eq!(error.code, "23502", "a place that no order has: {error:?}");
}

#[tokio::test]
async fn nothing_is_loaded_into_another_organisation_or_for_its_orders() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[]).await;
    let theirs = order(&books, "A").await;
    let other = books.server.organization("Other").await;

    let tx = books.tx_of(&other).await;
    assert_eq!(load(&tx, other.id.0, &[theirs], &[1]).await.unwrap(), 0);
    assert_eq!(load(&tx, books.org.id.0, &[theirs], &[1]).await.unwrap(), 0);
    // Without an order to look for, the wall of the surveys themselves is left.
    let sql = "set local role tenon_loader";
    let admin = books.server.admin().await;
    admin.batch_execute("begin").await.unwrap();
    admin
        .execute(
            "select set_config('tenancy.org_id', $1::uuid::text, true), \
             set_config('tenancy.permissions', ',purchasing.orders.import,purchasing.orders.read,', true)",
            &[&other.id.0],
        )
        .await
        .unwrap();
    admin.batch_execute(sql).await.unwrap();
    let forged = "insert into purchasing.entries (org_id, id, number, order_id, survey_date, amount, state, created_at) \
                  values ($1, $2, 'X', $2, '2026-01-01', 1, 'certified', now())";
    let error = admin
        .execute(forged, &[&books.org.id.0, &theirs])
        .await
        .unwrap_err();
    assert_eq!(error.code().unwrap().code(), "42501");
}

#[tokio::test]
async fn an_order_cannot_go_while_surveys_are_being_loaded_and_not_after() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[]).await;
    let a = order(&books, "A").await;
    let loading = books.tx().await;
    assert_eq!(load(&loading, books.org.id.0, &[a], &[1]).await.unwrap(), 1);

    let deleting = books.tx().await;
    let sql = "delete from purchasing.orders where org_id = $1 and id = $2";
    let org = books.org.id;
    let deleted = async { deleting.execute(sql, &[&org, &a]).await };
    let committed = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        loading.commit().await.unwrap();
    };
    let (deleted, ()) = tokio::join!(deleted, committed);
    assert_eq!(deleted.unwrap_err().code, "23503");
    assert_eq!(books.count("entries").await, 1);
}

#[tokio::test]
async fn surveys_wait_for_an_order_that_is_going_and_then_do_not_arrive() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[]).await;
    let a = order(&books, "A").await;
    let deleting = books.tx().await;
    let sql = "delete from purchasing.orders where org_id = $1 and id = $2";
    deleting.execute(sql, &[&books.org.id, &a]).await.unwrap();

    let loading = books.tx().await;
    let loaded = async { load(&loading, books.org.id.0, &[a], &[1]).await };
    let committed = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        deleting.commit().await.unwrap();
    };
    let (loaded, ()) = tokio::join!(loaded, committed);
    assert_eq!(loaded.unwrap(), 0);
}

#[tokio::test]
async fn other_ways_in_still_meet_the_foreign_key() {
    let books = Books::open().await;
    books.import(&[("A", "100")], &[]).await;
    let a = order(&books, "A").await;
    let tx = books.tx().await;
    load(&tx, books.org.id.0, &[a], &[1]).await.unwrap();
    let sql = "insert into purchasing.entries (org_id, id, number, order_id, survey_date, amount, state, created_at) \
               values ($1, $2, 'X', $2, '2026-01-01', 1, 'certified', now())";
    let id = tx.env().new_id();
    let error = tx.execute(sql, &[&tx.org_id(), &id]).await.unwrap_err();
    assert_eq!(error.code, "23503");
}
