//! Transactions of server code: bound to one organisation, honest about failure.

use bytes::Bytes;
use futures_util::SinkExt;
use tenon_sdk::{SystemTx, error::Kind};

use crate::support::{House, house};

const INSERT: &str = "insert into notes.items (org_id, id, body) values ($1, $2, 'x')";
// PostgreSQL copies into no table under row-level security; rows come in through one of the transaction's own.
const STAGE: &str = "create temporary table stage (n int) on commit drop";

#[tokio::test]
async fn committing_a_transaction_in_which_a_statement_failed_is_an_error() {
    let house = house().await;
    for broken in ["select 1 / 0", "selec", "insert into notes.items values (null)"] {
        let tx = house.ada.ctx().begin().await.unwrap();
        tx.execute(INSERT, &[&tx.org_id(), &tx.env().new_id()])
            .await
            .unwrap();
        assert!(tx.query(broken, &[]).await.is_err(), "{broken}");
        assert!(
            tx.commit().await.is_err(),
            "{broken}: the caller must not believe that the insert is kept"
        );
    }
    assert_eq!(house.notes().await, 2);
}

#[tokio::test]
async fn committing_after_a_copy_that_failed_is_an_error() {
    let house = house().await;
    let tx = house.ada.ctx().begin().await.unwrap();
    tx.execute(INSERT, &[&tx.org_id(), &tx.env().new_id()])
        .await
        .unwrap();
    tx.query(STAGE, &[]).await.unwrap();
    let mut copy = Box::pin(tx.copy_in("copy stage from stdin").await.unwrap());
    let sent = async {
        copy.send(Bytes::from_static(b"this is no number\n")).await?;
        copy.as_mut().finish().await
    };
    assert!(sent.await.is_err());
    assert!(
        tx.commit().await.is_err(),
        "the caller must not believe that the insert is kept"
    );
    assert_eq!(house.notes().await, 2);
}

#[tokio::test]
async fn a_copy_that_is_dropped_half_way_ends_its_transaction() {
    let house = house().await;
    let tx = house.ada.ctx().begin().await.unwrap();
    tx.execute(INSERT, &[&tx.org_id(), &tx.env().new_id()])
        .await
        .unwrap();
    tx.query(STAGE, &[]).await.unwrap();
    let mut copy = Box::pin(tx.copy_in("copy stage from stdin").await.unwrap());
    copy.send(Bytes::from_static(
        b"1
",
    ))
    .await
    .unwrap();
    drop(copy);
    assert!(
        tx.commit().await.is_err(),
        "PostgreSQL has given the transaction up"
    );
    assert_eq!(house.notes().await, 2);
}

#[tokio::test]
async fn a_job_writes_only_into_the_organisation_that_enqueued_it() {
    let House { server, ada, bea } = house().await;
    let tx = ada.ctx().begin().await.unwrap();
    tx.execute(INSERT, &[&ada.org, &tx.env().new_id()]).await.unwrap();
    let error = tx
        .execute(INSERT, &[&bea.org, &tx.env().new_id()])
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (Kind::Forbidden, "42501"));
    drop(tx);
    let tx = bea.ctx().begin().await.unwrap();
    let seen = tx
        .query("select body from notes.items where org_id = $1", &[&ada.org])
        .await
        .unwrap();
    assert!(seen.is_empty());
    assert!(
        tx.has("notes.items.write") && tx.has("tenancy.members.invite"),
        "the server has all permissions"
    );
    drop((tx, server));
}

#[tokio::test]
async fn the_kernels_own_work_does_not_reach_tenants_tables() {
    let house = house().await;
    for sql in [
        "select * from notes.items",
        "delete from notes.items",
        "insert into notes.items values (null)",
    ] {
        let tx = SystemTx::begin(house.db(), "test").await.unwrap();
        assert_eq!(tx.query(sql, &[]).await.unwrap_err().code, "42501", "{sql}");
    }
    let tx = SystemTx::begin(house.db(), "test of the reason").await.unwrap();
    let row = tx
        .query_one("select current_setting('tenancy.reason'), tenancy.org_id()", &[])
        .await
        .unwrap();
    assert_eq!(
        (row.get(0), row.get(1)),
        ("test of the reason", None::<uuid::Uuid>)
    );
}

#[tokio::test]
async fn a_first_statement_goes_with_the_beginning_and_a_last_one_with_the_end() {
    let house = house().await;
    let name = "select raw_user_meta_data ->> 'name' from auth.users where id = $1";
    let rename =
        "update auth.users set raw_user_meta_data = jsonb_build_object('name', $2::text) where id = $1";
    let (ada, nobody) = (house.ada.user.id, uuid::Uuid::nil());
    for wanted in ["Ada Prima", "Ada Secunda"] {
        let (tx, row) = SystemTx::begin_query_opt(house.db(), "test", name, &[&ada])
            .await
            .unwrap();
        assert!(row.is_some());
        assert_eq!(tx.execute_and_commit(rename, &[&ada, &wanted]).await.unwrap(), 1);
        let (tx, row) = SystemTx::begin_query_opt(house.db(), "test", name, &[&ada])
            .await
            .unwrap();
        assert_eq!(row.unwrap().get::<_, String>(0), wanted);
        tx.rollback().await.unwrap();
    }
    let (tx, row) = SystemTx::begin_query_opt(house.db(), "test", name, &[&nobody])
        .await
        .unwrap();
    assert!(row.is_none());
    assert_eq!(tx.execute_and_commit(rename, &[&nobody, &"x"]).await.unwrap(), 0);
}

#[tokio::test]
async fn what_came_before_a_last_statement_that_failed_is_undone() {
    let house = house().await;
    let (rename, ada) = (
        "update auth.users set raw_user_meta_data = jsonb_build_object('name', $2::text) where id = $1",
        house.ada.user.id,
    );
    let tx = SystemTx::begin(house.db(), "test").await.unwrap();
    tx.execute(rename, &[&ada, &"Lost"]).await.unwrap();
    let error = tx
        .execute_and_commit("select 1 / $1::int", &[&0])
        .await
        .unwrap_err();
    assert_eq!(error.code, "22012");
    let refused = SystemTx::begin_query_opt(house.db(), "test", "select * from notes.items", &[]).await;
    assert_eq!(refused.unwrap_err().code, "42501");
    let tx = SystemTx::begin(house.db(), "test").await.unwrap();
    assert!(tx.query("select 1 / 0", &[]).await.is_err());
    assert!(
        tx.execute_and_commit(rename, &[&ada, &"Lost"]).await.is_err(),
        "the transaction had failed before"
    );
    let (_, row) = SystemTx::begin_query_opt(
        house.db(),
        "test",
        "select raw_user_meta_data ->> 'name' from auth.users where id = $1",
        &[&ada],
    )
    .await
    .unwrap();
    assert_ne!(row.unwrap().get::<_, String>(0), "Lost");
}

#[tokio::test]
async fn a_statement_outside_of_any_transaction_runs_as_a_login_without_rights() {
    let House { server, ada, .. } = house().await;
    let (client, connection) = server.kernel().db().listen_connection().await.unwrap();
    tokio::spawn(connection);
    let refused = |error: tokio_postgres::Error| error.code().map(|code| code.code().to_owned());
    for sql in [
        "select * from notes.items",
        "insert into notes.items values (gen_random_uuid(), gen_random_uuid(), 'x')",
        "select * from tenancy.memberships",
        "select * from auth.users",
        "create table public.mine ()",
        "create schema mine",
    ] {
        assert_eq!(
            refused(client.batch_execute(sql).await.unwrap_err()).as_deref(),
            Some("42501"),
            "{sql}"
        );
    }
    // The context lasts for its transaction only, and here that is the statement itself.
    let begin = "select * from kernel.begin_request('authenticated', $1, '{}', $2, null, null, null, false)";
    client.query_one(begin, &[&ada.user.id, &ada.org]).await.unwrap();
    let row = client
        .query_one("select current_user::text, tenancy.org_id()", &[])
        .await
        .unwrap();
    assert_eq!(
        (row.get(0), row.get(1)),
        ("tenon_authenticator", None::<uuid::Uuid>)
    );
    assert!(client.query("select * from notes.items", &[]).await.is_err());
}

#[tokio::test]
async fn more_transactions_than_connections_wait_for_their_turn() {
    let House { server, ada, bea } = house().await;
    let mut work = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (ctx, org) = if n % 2 == 0 {
            (ada.ctx(), ada.org)
        } else {
            (bea.ctx(), bea.org)
        };
        work.spawn(async move {
            let tx = ctx.begin().await.unwrap();
            let id = tx.env().new_id();
            tx.execute(INSERT, &[&org, &id]).await.unwrap();
            tx.commit().await.unwrap();
        });
    }
    while let Some(done) = work.join_next().await {
        done.unwrap();
    }
    let counted = "select count(*) from notes.items group by org_id";
    let rows = server.admin().await.query(counted, &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<i64>>(), [11, 11]);
}

#[tokio::test]
async fn a_copy_that_went_well_is_committed() {
    let house = house().await;
    let tx = house.ada.ctx().begin().await.unwrap();
    tx.query(STAGE, &[]).await.unwrap();
    let mut copy = Box::pin(tx.copy_in("copy stage from stdin").await.unwrap());
    copy.send(Bytes::from_static(b"1\n2\n")).await.unwrap();
    assert_eq!(copy.as_mut().finish().await.unwrap(), 2);
    let insert =
        "insert into notes.items (org_id, id, body) select $1, gen_random_uuid(), n::text from stage";
    tx.execute(insert, &[&tx.org_id()]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(house.notes().await, 4);
}
