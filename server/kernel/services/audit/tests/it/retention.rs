//! How long entries are kept.

use tenon_audit::{make_ahead, retire, verify::verify};
use tenon_testkit::{TestOrg, TestServer};
use tokio_postgres::Client;

use crate::support::{seal_all, server};

/// An entry of long ago, in a partition of its month.
async fn old(admin: &Client, org: &TestOrg, class: &str) {
    admin
        .batch_execute("select audit.make_ahead(now() - interval '4 months', 1)")
        .await
        .unwrap();
    let sql = "insert into audit.entries (org_id, class, at, actor_kind, action) \
               values ($1, $2, date_trunc('month', now() - interval '4 months') + interval '1 day', 'server', 't.old')";
    admin.execute(sql, &[&org.id, &class]).await.unwrap();
}

async fn count(admin: &Client, org: &TestOrg) -> i64 {
    let sql = "select count(*) from audit.entries where org_id = $1 and action = 't.old'";
    admin.query_one(sql, &[&org.id]).await.unwrap().get(0)
}

async fn faults(server: &TestServer, org: &TestOrg) -> Vec<String> {
    let mut admin = server.admin().await;
    verify(&mut admin, Some(org.id.0), None)
        .await
        .unwrap()
        .remove(0)
        .faults
}

#[tokio::test]
async fn a_month_goes_as_a_whole_when_its_class_is_over_and_the_chain_stays_good() {
    let server = server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let admin = server.admin().await;
    old(&admin, &ours, "standard").await;
    old(&admin, &theirs, "regulated").await;
    // What has no seal is kept.
    assert_eq!(
        retire(server.kernel()).await.unwrap(),
        1,
        "the other month has no entries"
    );
    assert_eq!(count(&admin, &ours).await, 1);
    seal_all(&server).await;
    assert_eq!(retire(server.kernel()).await.unwrap(), 1);
    assert_eq!((count(&admin, &ours).await, count(&admin, &theirs).await), (0, 1));
    assert_eq!(faults(&server, &ours).await, Vec::<String>::new());
    assert_eq!(faults(&server, &theirs).await, Vec::<String>::new());
    assert_eq!(retire(server.kernel()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_clock_that_is_ahead_drops_nothing() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    seal_all(&server).await;
    server.advance(jiff::SignedDuration::from_hours(24 * 4000));
    assert_eq!(retire(server.kernel()).await.unwrap(), 0);
    assert_eq!(faults(&server, &org).await, Vec::<String>::new());
}

#[tokio::test]
async fn entries_without_a_partition_are_kept_and_move_when_there_is_one() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    let sql = "insert into audit.entries (org_id, class, at, actor_kind, action) \
               values ($1, 'standard', now() + interval '20 years', 'server', 't.old')";
    admin.execute(sql, &[&org.id]).await.unwrap();
    let place = "select tableoid::regclass::text from audit.entries where org_id = $1 and action = 't.old'";
    let table: String = admin.query_one(place, &[&org.id]).await.unwrap().get(0);
    assert_eq!(table, "audit.entries_standard_default");
    admin
        .batch_execute("select audit.make_ahead(now() + interval '20 years', 0)")
        .await
        .unwrap();
    let table: String = admin.query_one(place, &[&org.id]).await.unwrap().get(0);
    assert_ne!(table, "audit.entries_standard_default");
}

#[tokio::test]
async fn several_servers_make_partitions_at_once() {
    let server = server().await;
    let kernel = server.kernel();
    server.advance(jiff::SignedDuration::from_hours(24 * 365 * 30));
    let (one, other) = tokio::join!(make_ahead(kernel), make_ahead(kernel));
    let made = [one.unwrap(), other.unwrap()];
    assert!(made.contains(&0) && made.iter().sum::<i32>() == 12, "{made:?}");
}

#[tokio::test]
async fn how_long_entries_are_kept_follows_the_plan_and_the_operators_word() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    let class = async || -> String {
        let sql = "select trail from tenancy.organizations where id = $1";
        admin.query_one(sql, &[&org.id]).await.unwrap().get(0)
    };
    assert_eq!(class().await, "standard");
    admin
        .batch_execute("update tenancy.plans set features = features || '{audit_year}'")
        .await
        .unwrap();
    assert_eq!(class().await, "year");
    let sql = "update tenancy.organizations set settings = '{\"flags\": {\"audit_regulated\": true}}' where id = $1";
    admin.execute(sql, &[&org.id]).await.unwrap();
    assert_eq!(class().await, "regulated");
    let sql = "select distinct class from audit.entries where org_id = $1 and at > now() - interval '1 minute' \
               and action = 'update' and changes ? 'settings'";
    let kept: String = admin.query_one(sql, &[&org.id]).await.unwrap().get(0);
    assert_eq!(kept, "regulated");
}
