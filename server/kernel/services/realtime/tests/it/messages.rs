//! Broadcasts that SQL sends.

use serde_json::json;

use crate::{client::Client, notes};

const POLICIES: &str = "
    create policy all_read on realtime.messages for select to authenticated using (true);
    create policy all_write on realtime.messages for insert to authenticated with check (true);
";

#[tokio::test]
async fn what_sql_sends_reaches_the_topic_of_its_organisation() {
    let server = notes::server().await;
    let admin = server.admin().await;
    admin.batch_execute(POLICIES).await.unwrap();
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let config = json!({ "private": true, "broadcast": { "replication_ready": true } });
    let mut us = Client::connect(&server, "").await;
    let mut them = Client::connect(&server, "").await;
    for (client, org) in [(&mut us, &ours), (&mut them, &theirs)] {
        client.join("room", config.clone(), Some(&org.owner.token)).await;
        let system = client.event("system").await;
        assert_eq!(
            (system["extension"].clone(), system["status"].clone()),
            (json!("system"), json!("ok"))
        );
    }
    let send = format!(
        "begin; set local tenancy.org_id = '{}'; select realtime.send('{{\"x\": 1}}', 'told', 'room'); \
         select realtime.send_binary('\\x00ff', 'raw', 'room'); commit",
        ours.id.0
    );
    admin.batch_execute(&send).await.unwrap();
    let message = us.event("broadcast").await;
    assert_eq!(
        (message["event"].clone(), message["payload"]["x"].clone()),
        (json!("told"), json!(1))
    );
    assert_eq!(message["meta"]["id"], message["payload"]["id"]);
    assert_eq!(us.event("broadcast").await["payload"], json!([0, 255]));
    assert!(them.so_far().await.iter().all(|(_, event)| event != "broadcast"));
}

#[tokio::test]
async fn a_trigger_tells_of_changes() {
    let server = notes::server().await;
    let admin = server.admin().await;
    admin.batch_execute(POLICIES).await.unwrap();
    admin
        .batch_execute(
            "create function public.tell() returns trigger language plpgsql as $$ begin \
             perform realtime.broadcast_changes('board', tg_op, tg_op, tg_table_name, tg_table_schema, new, old); return null; end $$; \
             create trigger tell after insert or update or delete on public.board for each row execute function public.tell()",
        )
        .await
        .unwrap();
    let user = server.user("ada").await;
    let mut ada = Client::connect(&server, "").await;
    let config = json!({ "private": true, "broadcast": { "replication_ready": true } });
    ada.join("board", config, Some(&user.token)).await;
    ada.event("system").await;
    admin
        .batch_execute("insert into public.board (id, body) values (1, 'x')")
        .await
        .unwrap();
    admin
        .batch_execute("update public.board set body = 'y'")
        .await
        .unwrap();
    let (insert, update) = (ada.event("broadcast").await, ada.event("broadcast").await);
    assert_eq!(insert["payload"]["record"]["body"], "x");
    assert_eq!(insert["payload"]["old_record"], json!(null));
    assert_eq!(
        (
            update["event"].clone(),
            update["payload"]["old_record"]["body"].clone()
        ),
        (json!("UPDATE"), json!("x"))
    );
}

#[tokio::test]
async fn sending_that_fails_leaves_the_change_alone() {
    let server = notes::server().await;
    let admin = server.admin().await;
    // Nobody has a policy to write, so that it is refused.
    admin
        .batch_execute("begin; set local role authenticated; select realtime.send('{}', 'e', 'room'); commit")
        .await
        .unwrap();
    let sent: i64 = admin
        .query_one("select count(*) from realtime.messages", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(sent, 0);
}

#[tokio::test]
async fn who_joins_later_gets_the_last_messages_once() {
    let server = notes::server().await;
    let admin = server.admin().await;
    admin.batch_execute(POLICIES).await.unwrap();
    let user = server.user("ada").await;
    for number in 0..30 {
        let sql = format!("select realtime.send(jsonb_build_object('n', {number}), 'e', 'room')");
        admin.batch_execute(&sql).await.unwrap();
    }
    admin
        .batch_execute("select realtime.send('{\"n\": 99}', 'e', 'other')")
        .await
        .unwrap();
    let config = |replay| json!({ "private": true, "broadcast": { "replay": replay } });
    let mut ada = Client::connect(&server, "").await;
    ada.join(
        "room",
        config(json!({ "since": 0, "limit": 3 })),
        Some(&user.token),
    )
    .await;
    for number in 27..30 {
        let message = ada.event("broadcast").await;
        assert_eq!(
            (
                message["payload"]["n"].clone(),
                message["meta"]["replayed"].clone()
            ),
            (json!(number), json!(true))
        );
    }
    let mut later = Client::connect(&server, "").await;
    later
        .join(
            "room",
            config(json!({ "since": 4_102_444_800_000_i64 })),
            Some(&user.token),
        )
        .await;
    assert!(later.so_far().await.iter().all(|(_, event)| event != "broadcast"));
    for wrong in [json!({ "since": "x" }), json!({ "limit": 0 }), json!(5)] {
        assert_eq!(
            later.join("room", config(wrong), Some(&user.token)).await["status"],
            "error"
        );
    }
    let public = json!({ "broadcast": { "replay": { "since": 0 } } });
    assert_eq!(
        later.join("room", public, Some(&user.token)).await["status"],
        "error",
        "not for public channels"
    );
}
