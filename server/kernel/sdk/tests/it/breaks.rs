//! What happens around a connection while it is in use: tables change, servers end it, statements take too long.

use std::time::Duration;

use tenon_sdk::error::Kind;

use crate::support::{House, eventually, house, house_with, row, statement, who, with};

const ALL: &str = "select * from notes.items where org_id = tenancy.org_id()";

#[tokio::test]
async fn statements_that_were_prepared_survive_a_change_of_their_table() {
    let House { server, ada, .. } = house_with(|options| options.pipeline_connections = 3).await;
    let (db, admin) = (server.kernel().db(), server.admin().await);
    let columns = async || {
        db.run(&ada.context(), statement(ALL))
            .await
            .map(|reply| row(&reply).len())
    };
    for _ in 0..3 {
        assert_eq!(columns().await.unwrap(), 3);
    }
    for n in 1..4 {
        admin
            .batch_execute(&format!("alter table notes.items add column more_{n} text"))
            .await
            .unwrap();
        for _ in 0..6 {
            assert_eq!(columns().await.unwrap(), 3 + n);
        }
    }
}

#[tokio::test]
async fn many_requests_at_once_survive_a_change_of_their_table() {
    let House { server, ada, bea } = house().await;
    let (db, admin) = (server.kernel().db().clone(), server.admin().await);
    db.run(&ada.context(), statement(ALL)).await.unwrap();
    let contexts = [ada.context(), bea.context()];
    let mut requests = tokio::task::JoinSet::new();
    for n in 0..200 {
        let (db, context) = (db.clone(), contexts[n % 2].clone());
        requests.spawn(async move {
            db.run(&context, statement(ALL))
                .await
                .map(|reply| row(&reply).len())
        });
        if n == 60 {
            admin
                .batch_execute("alter table notes.items add column more text")
                .await
                .unwrap();
        }
    }
    while let Some(finished) = requests.join_next().await {
        assert!([3, 4].contains(&finished.unwrap().unwrap()));
    }
}

#[tokio::test]
async fn a_transaction_whose_statement_became_stale_fails_once_and_the_next_one_works() {
    let House { server, ada, .. } = house_with(|options| options.pool_size = 2).await;
    let columns = async || {
        let tx = ada.ctx().begin().await?;
        tx.query("select * from notes.items where org_id = $1", &[&ada.org])
            .await
            .map(|rows| rows[0].len())
    };
    assert_eq!(columns().await.unwrap(), 3);
    server
        .admin()
        .await
        .batch_execute("alter table notes.items add column more text")
        .await
        .unwrap();
    // Which connection the next one gets is not said; only one of them knows the statement from before.
    let mut refused = 0;
    for _ in 0..6 {
        match columns().await {
            Ok(columns) => assert_eq!(columns, 4),
            Err(error) => {
                assert_eq!(
                    error.kind,
                    Kind::Unavailable,
                    "the caller is told to try again: {error:?}"
                );
                refused += 1;
            }
        }
    }
    assert!(refused <= 1, "{refused}");
}

#[tokio::test]
async fn connections_that_were_ended_are_replaced_and_reading_goes_on_at_once() {
    let house = house_with(|options| options.pipeline_connections = 3).await;
    let (db, ada) = (house.db(), &house.ada);
    // Several at once, so that there are several connections.
    let all = async || {
        let context = ada.context();
        let three = tokio::join!(who(db, &context), who(db, &context), who(db, &context));
        for one in [three.0, three.1, three.2] {
            assert_eq!(one.unwrap(), ada.identity());
        }
    };
    all().await;
    for _ in 0..5 {
        house.kill_connections().await;
        for _ in 0..6 {
            assert_eq!(who(db, &ada.reading()).await.unwrap(), ada.identity());
        }
    }
}

#[tokio::test]
async fn writing_goes_on_after_connections_were_ended_and_no_write_happens_twice() {
    let house = house_with(|options| options.pipeline_connections = 2).await;
    let (db, ada, env) = (house.db(), &house.ada, house.server.kernel().env());
    let insert =
        "insert into notes.items (org_id, id, body) values (tenancy.org_id(), $1::uuid, 'x') returning 1";
    let mut sure = 0;
    for _ in 0..5 {
        for _ in 0..4 {
            let written = db
                .run(&ada.context(), with(insert, &[&env.new_id().to_string()]))
                .await;
            match written {
                Ok(_) => sure += 1,
                Err(error) => assert_eq!(error.kind, Kind::Unavailable, "{error:?}"),
            }
        }
        house.kill_connections().await;
        // The task that reads the connection hears of its end in its own time; until then a write may be refused.
        eventually("writing works again", async || {
            let written = db
                .run(&ada.context(), with(insert, &[&env.new_id().to_string()]))
                .await
                .is_ok();
            sure += i64::from(written);
            written
        })
        .await;
    }
    assert_eq!(
        house.notes().await,
        2 + sure,
        "what was reported as written is there, once, and nothing else"
    );
}

#[tokio::test]
async fn transactions_go_on_after_connections_were_ended() {
    let house = house().await;
    for _ in 0..3 {
        let open = house.ada.ctx().begin().await.unwrap();
        house.kill_connections().await;
        let error = open.query("select 1", &[]).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unavailable, "{error:?}");
        assert!(open.commit().await.is_err());
        for _ in 0..3 {
            house.ada.ctx().begin().await.unwrap().commit().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_given_up_and_its_connection_goes_on() {
    let House { server, ada, bea } = house_with(|options| {
        options.pipeline_connections = 1;
        options.pipeline_timeout = Duration::from_millis(300);
    })
    .await;
    let db = server.kernel().db();
    let contexts = [ada.context(), bea.context()];
    let (slow, after) = tokio::join!(
        db.run(&contexts[0], statement("select pg_sleep(600)")),
        // Waits behind it on the same connection.
        who(db, &contexts[1]),
    );
    assert_eq!(slow.unwrap_err().code, "57014");
    assert_eq!(after.unwrap(), bea.identity());
}
