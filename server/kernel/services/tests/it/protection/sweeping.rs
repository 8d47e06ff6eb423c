//! What has had its time goes.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tenon_testkit::{PASSWORD, TestServer, TestServerOptions};

use super::{ADA, HOME, behind_proxy, mailbox, post, server, sign_in, sign_up};

#[tokio::test]
async fn what_has_had_its_time_is_swept_and_nothing_else() {
    let server = server(behind_proxy).await;
    sign_up(&server).await;
    post(&server, HOME, "recover", json!({ "email": ADA })).await;
    post(&server, HOME, "recover", json!({ "email": "nobody@example.com" })).await;
    assert_eq!(
        tenon_services::identity::sweep::sweep(server.kernel())
            .await
            .unwrap(),
        0
    );
    server.advance(SignedDuration::from_hours(4));
    // The proof and the decoy.
    assert_eq!(
        tenon_services::identity::sweep::sweep(server.kernel())
            .await
            .unwrap(),
        2
    );
    server.advance(SignedDuration::from_hours(24 * 181));
    // The place.
    assert_eq!(
        tenon_services::identity::sweep::sweep(server.kernel())
            .await
            .unwrap(),
        1
    );
    assert_eq!(mailbox(&server).await.len(), 1);
    assert_eq!(sign_in(&server, HOME, PASSWORD).await, 200);
}

#[tokio::test]
async fn visitors_who_stay_away_are_swept_where_the_operator_says_so() {
    let server = server(|config| {
        behind_proxy(config);
        config.auth.anonymous_users = true;
        config.auth.anonymous_days = 30;
    })
    .await;
    let forever = server.beside(vec![], TestServerOptions::default()).await;
    sign_up(&server).await;
    let sweep = async |server: &TestServer| {
        tenon_services::identity::sweep::sweep(server.kernel())
            .await
            .unwrap()
    };
    let visit = async || post(&server, HOME, "signup", json!({})).await.1;
    let refresh = async |session: &Value| {
        let body = json!({ "refresh_token": session["refresh_token"] });
        post(&server, HOME, "token?grant_type=refresh_token", body).await
    };
    let (gone, back, kept, named) = (visit().await, visit().await, visit().await, visit().await);
    let admin = server.admin().await;
    let id = |session: &Value| session["user"]["id"].as_str().unwrap().to_owned();
    admin
        .batch_execute(&format!(
            "create table public.carts (owner uuid references auth.users); insert into public.carts values ('{}'); \
             update auth.users set email = 'named@example.com', is_anonymous = false where id = '{}'",
            id(&kept),
            id(&named)
        ))
        .await
        .unwrap();
    server.advance(SignedDuration::from_hours(24 * 20));
    let (status, again) = refresh(&back).await;
    assert_eq!(status, 200, "{again}");
    server.advance(SignedDuration::from_hours(24 * 11));
    forever.advance(SignedDuration::from_hours(24 * 31));
    assert_eq!(sweep(&forever).await, 0, "0 days: never");
    assert_eq!(sweep(&server).await, 1);
    let left = admin.query("select id::text from auth.users", &[]).await.unwrap();
    let left: Vec<String> = left.iter().map(|row| row.get(0)).collect();
    assert!(
        !left.contains(&id(&gone)) && left.contains(&id(&back)),
        "{left:?}"
    );
    // What refers to one keeps it; whoever said who they are is no visitor.
    assert!(
        left.contains(&id(&kept)) && left.contains(&id(&named)),
        "{left:?}"
    );
    assert_eq!(refresh(&gone).await.0, 400);
    assert_eq!(refresh(&again).await.0, 200);
    let log = "select count(*) from auth.audit_log_entries where payload ->> 'action' = 'user_deleted'";
    let told: i64 = admin.query_one(log, &[]).await.unwrap().get(0);
    assert_eq!(told, 1);
}
