//! What the chain of seals finds, and where.

use tenon_audit::{
    seal,
    verify::{Head, Report, verify},
};
use tenon_sdk::audit::Action;
use tenon_testkit::{TestOrg, TestServer};

use crate::support::{job, seal_all, server, tamper};

async fn act(server: &TestServer, org: &TestOrg, names: &[&str]) {
    let tx = job(server, org).await;
    for name in names {
        tx.audit(&Action::new(name)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn report(server: &TestServer, org: &TestOrg, noted: Option<&Head>) -> Report {
    let mut admin = server.admin().await;
    verify(&mut admin, Some(org.id.0), noted).await.unwrap().remove(0)
}

/// Three seals of an organisation with the actions a to f.
async fn sealed(server: &TestServer) -> TestOrg {
    let org = server.organization("Harbour").await;
    for names in [["t.a", "t.b", "t.c"].as_slice(), &["t.d"], &["t.e", "t.f"]] {
        act(server, &org, names).await;
        seal_all(server).await;
    }
    org
}

/// What is wrong after the owner of the database did this.
async fn faults_after(sql: &str) -> Vec<String> {
    let server = server().await;
    let org = sealed(&server).await;
    let admin = server.admin().await;
    let sql = sql.replace("$org", &format!("'{}'", org.id));
    assert!(tamper(&admin, &sql).await > 0, "{sql}");
    report(&server, &org, None).await.faults
}

fn one(faults: &[String], part: &str) {
    assert!(
        faults.len() == 1 && faults[0].contains(part),
        "{part}: {faults:?}"
    );
}

#[tokio::test]
async fn a_trail_that_nobody_touched_has_no_faults_and_new_entries_wait_for_a_seal() {
    let server = server().await;
    let org = sealed(&server).await;
    let before = report(&server, &org, None).await;
    assert_eq!(before.faults, Vec::<String>::new());
    assert!(before.seals >= 3 && before.entries >= 6, "{before:?}");
    assert_eq!(before.waiting, 0);
    act(&server, &org, &["t.g"]).await;
    let after = report(&server, &org, before.head.as_ref()).await;
    assert_eq!(
        (after.faults.len(), after.waiting, after.head),
        (0, 1, before.head)
    );
}

#[tokio::test]
async fn nothing_is_sealed_twice_and_open_transactions_are_sealed_when_they_end() {
    let server = server().await;
    let org = sealed(&server).await;
    let open = job(&server, &org).await;
    open.audit(&Action::new("t.late")).await.unwrap();
    act(&server, &org, &["t.after"]).await;
    assert_eq!(
        seal(server.kernel()).await.unwrap(),
        0,
        "what began before may still come"
    );
    open.commit().await.unwrap();
    let (one, other) = tokio::join!(seal_all(&server), seal_all(&server));
    assert_eq!(one + other, 2);
    assert_eq!(seal_all(&server).await, 0);
    let report = report(&server, &org, None).await;
    assert_eq!(
        (report.faults.len(), report.waiting),
        (0, 0),
        "{:?}",
        report.faults
    );
}

#[tokio::test]
async fn a_changed_entry_is_found_and_named_whatever_column_it_was() {
    let server = server().await;
    let org = sealed(&server).await;
    let admin = server.admin().await;
    admin
        .batch_execute("create temp table kept as select * from audit.entries where action = 't.d'")
        .await
        .unwrap();
    for change in [
        "actor_kind = 'user'",
        "actor = null",
        "visit = gen_random_uuid()",
        "action = 't.x'",
        "relation = ''",
        "row_key = 'x'",
        "changes = '{\"a\": [1, 2]}'",
        "details = '1'",
        "tags = '{x}'",
        "origin = '{\"address\": \"::1\"}'",
        "at = at + interval '1 microsecond'",
        "class = 'regulated'",
    ] {
        let sql = format!("update audit.entries set {change} where id = (select id from kept)");
        assert_eq!(tamper(&admin, &sql).await, 1);
        let faults = report(&server, &org, None).await.faults;
        one(&faults, "was changed");
        assert!(faults[0].starts_with("in seal "), "{change}: {faults:?}");
        admin
            .batch_execute(
                "delete from audit.entries where id = (select id from kept); insert into audit.entries select * from kept",
            )
            .await
            .unwrap();
    }
    assert!(report(&server, &org, None).await.faults.is_empty());
}

#[tokio::test]
async fn a_removed_entry_is_found_where_it_was() {
    let faults = faults_after("delete from audit.entries where org_id = $org and action = 't.b'").await;
    one(&faults, "was removed");
    assert!(faults[0].starts_with("in seal "), "{faults:?}");
}

#[tokio::test]
async fn two_entries_that_changed_places_are_found() {
    let swap = "with two as (select array_agg(id order by action) ids from audit.entries \
                where org_id = $org and action in ('t.a', 't.c')) \
                update audit.entries e set action = case e.action when 't.a' then 't.c' else 't.a' end, \
                at = (select o.at from audit.entries o where o.org_id = e.org_id and o.action in ('t.a', 't.c') and o.id <> e.id) \
                from two where e.org_id = $org and e.id = any (two.ids)";
    let faults = faults_after(swap).await;
    assert!(
        faults.len() == 2 && faults.iter().all(|fault| fault.contains("reordered")),
        "{faults:?}"
    );
}

#[tokio::test]
async fn an_entry_that_was_put_in_afterwards_is_found() {
    let faults = faults_after(
        "insert into audit.entries (org_id, class, at, tx, actor_kind, action) \
         select org_id, class, at - interval '1 microsecond', tx, 'user', 't.false' from audit.entries \
         where org_id = $org and action = 't.d'",
    )
    .await;
    one(&faults, "was added");
}

#[tokio::test]
async fn a_seal_that_is_gone_is_found_in_the_middle_and_at_the_end() {
    let gone = "delete from audit.seals where org_id = $org and seq = (select max(seq) - 1 from audit.seals where org_id = $org)";
    let faults = faults_after(gone).await;
    assert!(faults[0].contains("are gone"), "{faults:?}");
    let gone = "delete from audit.seals where org_id = $org and seq = (select max(seq) from audit.seals where org_id = $org)";
    let faults = faults_after(gone).await;
    assert!(
        faults.iter().any(|fault| fault.contains("the trail ends")),
        "{faults:?}"
    );
}

#[tokio::test]
async fn a_list_or_a_particular_of_a_seal_that_was_changed_is_found() {
    for (change, found) in [
        ("digests = digests || digests", "list of entries was changed"),
        ("ids = ids[2:] || ids[1]", "list of entries was changed"),
        ("sealed_at = now() - interval '1 year'", "does not follow"),
        ("ids = null, digests = null", "taken away"),
        ("hash = sha256(hash)", "does not follow"),
    ] {
        let sql = format!(
            "update audit.seals set {change} where org_id = $org and seq = (select max(seq) from audit.seals where org_id = $org) - 2"
        );
        let faults = faults_after(&sql).await;
        assert!(
            faults.iter().any(|fault| fault.contains(found)),
            "{change}: {faults:?}"
        );
    }
}

#[tokio::test]
async fn a_trail_that_was_written_anew_is_not_the_one_whose_seal_was_noted() {
    let server = server().await;
    let org = sealed(&server).await;
    let head = report(&server, &org, None).await.head.unwrap();
    assert_eq!(Head::parse(&head.to_string()), Some(head.clone()));
    let admin = server.admin().await;
    let org_id = org.id;
    for sql in [
        format!("update audit.entries set action = 't.x' where org_id = '{org_id}' and action = 't.a'"),
        format!("delete from audit.seals where org_id = '{org_id}'"),
        format!("delete from audit.heads where org_id = '{org_id}'"),
        "update audit.sealing set horizon = 0".to_owned(),
    ] {
        tamper(&admin, &sql).await;
    }
    seal_all(&server).await;
    assert!(report(&server, &org, None).await.faults.is_empty());
    let faults = report(&server, &org, Some(&head)).await.faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("noted"), "{faults:?}");
}

#[tokio::test]
async fn after_a_restore_into_a_younger_cluster_what_is_old_stays_sealed_and_what_is_new_gets_a_seal() {
    let server = server().await;
    let org = sealed(&server).await;
    let admin = server.admin().await;
    act(&server, &org, &["t.unsealed"]).await;
    tamper(&admin, "update audit.entries set tx = tx + 4000000000000").await;
    tamper(
        &admin,
        "update audit.sealing set horizon = horizon + 4000000000000",
    )
    .await;
    seal_all(&server).await;
    act(&server, &org, &["t.new"]).await;
    seal_all(&server).await;
    let report = report(&server, &org, None).await;
    assert_eq!(
        (report.faults.len(), report.waiting),
        (0, 0),
        "{:?}",
        report.faults
    );
    assert_eq!(seal_all(&server).await, 0);
}
