//! The outbox.

use serde_json::json;
use tenon_sdk::events::Event;

use crate::chores::{at_work, idle_server};

#[tokio::test]
async fn events_are_numbered_without_gaps_in_each_organisation_however_many_write_at_once() {
    let server = idle_server().await;
    let orgs = [
        server.organization("Harbour").await,
        server.organization("Yard").await,
    ];
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..40 {
        let ctx = at_work(&server, &orgs[n % 2]);
        writers.spawn(async move {
            let tx = ctx.begin().await.unwrap();
            let event =
                |step: usize| Event::new("chores.done", tx.env().new_id(), json!({ "n": n, "step": step }));
            tx.emit(&event(0)).await.unwrap();
            tx.emit_all(&[event(1), event(2)]).await.unwrap();
            // Every third one changes its mind.
            if n % 3 == 0 {
                tx.rollback().await.unwrap();
            } else {
                tx.commit().await.unwrap();
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let admin = server.admin().await;
    for org in &orgs {
        let sql = "select seq, (payload ->> 'n')::int, (payload ->> 'step')::int, actor, kind from events.outbox \
                   where org_id = $1 order by seq";
        let all = admin.query(sql, &[&org.id]).await.unwrap();
        for (place, row) in all.iter().enumerate() {
            assert_eq!(
                row.get::<_, i64>(0),
                i64::try_from(place).unwrap() + 1,
                "no gap and no double"
            );
        }
        let ours: Vec<_> = all
            .iter()
            .filter(|row| row.get::<_, &str>(4) == "chores.done")
            .collect();
        assert_eq!(ours.len() % 3, 0);
        for transaction in ours.chunks(3) {
            let steps: Vec<i32> = transaction.iter().map(|row| row.get(2)).collect();
            assert_eq!(steps, [0, 1, 2], "the events of a transaction stand together");
            assert!(
                transaction
                    .iter()
                    .all(|row| row.get::<_, i32>(1) == transaction[0].get::<_, i32>(1))
            );
            assert_ne!(
                transaction[0].get::<_, i32>(1) % 3,
                0,
                "what was undone is not told"
            );
            assert_eq!(
                transaction[0].get::<_, Option<uuid::Uuid>>(3),
                Some(org.owner.id.0)
            );
        }
    }
}
