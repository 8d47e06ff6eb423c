//! The end of an organisation: all of its data as a file before, nothing of it afterwards, and every other organisation as it was.

use std::{collections::BTreeMap, io::Read};

use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_services::tenancy;
use tenon_testkit::{TestOrg, TestServer, TestServerOptions};
use tokio_postgres::Client;

use crate::support::{REGISTER, import, modules, server};

const DELETION: &str = "/api/v1/tenancy/organization/deletion";
const EXPORT: &str = "/api/v1/tenancy/organization/export";

/// How many rows of an organisation each table has that knows of organisations.
async fn rows(admin: &Client, org: &TestOrg) -> BTreeMap<String, i64> {
    let tables = admin
        .query(
            "select t.relation::text, t.kind from kernel.tables t join pg_attribute a on a.attrelid = t.relation \
             and a.attname = 'org_id' and not a.attisdropped \
             and t.relation not in ('audit.seals'::regclass, 'audit.heads'::regclass) order by 1",
            &[],
        )
        .await
        .unwrap();
    let mut counted = BTreeMap::new();
    for table in tables {
        let name: String = table.get(0);
        let sql = format!("select count(*) from {name} where org_id = $1");
        let count: i64 = admin.query_one(&sql, &[&org.id]).await.unwrap().get(0);
        counted.insert(name, count);
    }
    let sql = "select count(*) from tenancy.organizations where id = $1";
    let own: i64 = admin.query_one(sql, &[&org.id]).await.unwrap().get(0);
    counted.insert("tenancy.organizations".to_owned(), own);
    counted
}

async fn with_everything(server: &TestServer, name: &str) -> TestOrg {
    let org = server.organization(name).await;
    import(&org.owner, "register.xlsx", REGISTER).await;
    server.member(&org, Role::Viewer).await;
    let owner = &org.owner;
    owner
        .post_json("/api/v1/tenancy/departments", &json!({ "name": "Supply" }))
        .await;
    let invitation = json!({ "role": "viewer", "department": "Supply" });
    owner.post_json("/api/v1/tenancy/invitations", &invitation).await;
    org
}

async fn time_is_over(admin: &Client, org: &TestOrg) {
    let sql = "update tenancy.organizations set delete_after = now() - interval '1 hour' where id = $1";
    assert_eq!(admin.execute(sql, &[&org.id]).await.unwrap(), 1);
}

#[tokio::test]
async fn nothing_of_a_deleted_organisation_remains_and_others_are_untouched() {
    let server = server().await;
    let admin = server.admin().await;
    let (ours, theirs) = (
        with_everything(&server, "Ours").await,
        with_everything(&server, "Theirs").await,
    );
    server.drain_jobs().await;
    let (status, _) = ours.owner.post_json(DELETION, &json!({ "name": "Ours" })).await;
    assert_eq!(status, 200);
    // Nothing happens before its time.
    tenancy::sweep(server.kernel()).await.unwrap();
    server.drain_jobs().await;
    let before = rows(&admin, &ours).await;
    assert!(
        before["purchasing.orders"] > 0 && before["imports.runs"] > 0,
        "{before:?}"
    );
    let untouched = rows(&admin, &theirs).await;

    time_is_over(&admin, &ours).await;
    tenancy::sweep(server.kernel()).await.unwrap();
    tenancy::sweep(server.kernel()).await.unwrap();
    server.drain_jobs().await;
    let mut after = rows(&admin, &ours).await;
    // That it was done stands in the history of jobs.
    assert_eq!(after.remove("jobs.history"), Some(1));
    assert!(after.values().all(|count| *count == 0), "{after:?}");
    assert_eq!(rows(&admin, &theirs).await, untouched);
    assert_eq!(ours.owner.get_json("/api/v1/tenancy/session").await.0, 404);
    assert_eq!(theirs.owner.get_json("/api/v1/tenancy/session").await.0, 200);
    let (status, orders) = theirs
        .owner
        .get_json("/rest/v1/orders?select=number&limit=1")
        .await;
    assert_eq!((status, orders.as_array().unwrap().len()), (200, 1));
}

#[tokio::test]
async fn a_deletion_that_breaks_off_deletes_nothing_and_one_after_it_everything() {
    let server = server().await;
    let admin = server.admin().await;
    let org = with_everything(&server, "Harbour").await;
    server.drain_jobs().await;
    time_is_over(&admin, &org).await;
    let before = rows(&admin, &org).await;
    // The last table that is emptied refuses.
    admin
        .batch_execute(
            "create function public.fail() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$; \
             create trigger fail before delete on purchasing.suppliers for each row execute function public.fail()",
        )
        .await
        .unwrap();
    tenancy::sweep(server.kernel()).await.unwrap();
    let failed = "select exists (select from jobs.queue where name = 'tenancy.delete_organization' and error is not null)";
    for _ in 0..600 {
        if admin.query_one(failed, &[]).await.unwrap().get(0) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let mut now = rows(&admin, &org).await;
    now.remove("jobs.queue");
    assert!(
        now.iter().all(|(table, count)| before[table] == *count),
        "{now:?}"
    );
    admin
        .batch_execute("drop trigger fail on purchasing.suppliers; update jobs.queue set run_at = now(), state = 'waiting'")
        .await
        .unwrap();
    server.drain_jobs().await;
    let mut after = rows(&admin, &org).await;
    after.remove("jobs.history");
    assert!(after.values().all(|count| *count == 0), "{after:?}");
}

#[tokio::test]
async fn one_who_changes_their_mind_in_time_keeps_everything() {
    let server = TestServer::start_with(
        modules(),
        TestServerOptions {
            no_workers: true,
            ..TestServerOptions::default()
        },
    )
    .await;
    let admin = server.admin().await;
    let org = server.organization("Harbour").await;
    time_is_over(&admin, &org).await;
    tenancy::sweep(server.kernel()).await.unwrap();
    // The operator gave it back before the job ran.
    let sql = "update tenancy.organizations set delete_after = null where id = $1";
    admin.execute(sql, &[&org.id]).await.unwrap();
    let working = server.beside(modules(), TestServerOptions::default()).await;
    working.drain_jobs().await;
    assert_eq!(org.owner.get_json("/api/v1/tenancy/session").await.0, 200);
}

#[tokio::test]
async fn server_code_cannot_empty_an_organisation_whose_time_is_not_over() {
    let server = server().await;
    let admin = server.admin().await;
    let org = with_everything(&server, "Harbour").await;
    let tx = tenon_sdk::Ctx::for_job(server.kernel().clone(), org.id, None)
        .begin()
        .await
        .unwrap();
    let refused = tx.query("select tenancy.delete_rows()", &[]).await.unwrap_err();
    assert_eq!(refused.code, "tenancy.not_to_be_deleted");
    drop(tx);
    assert!(rows(&admin, &org).await["purchasing.orders"] > 0);
}

#[tokio::test]
async fn tenant_tables_refer_to_one_another_in_no_circle_so_that_they_can_be_emptied() {
    let database = crate::support::database().await;
    crate::catalogue::none(
        &database.admin().await,
        "tenancy.delete_rows empties tables one by one: let no chain of foreign keys lead back to where it began.",
        "with recursive chain (origin, relation, depth) as ( \
             select c.conrelid, c.confrelid, 1 from pg_constraint c join kernel.tables t on t.relation = c.conrelid \
             where c.contype = 'f' and t.kind = 'tenant' and c.conrelid <> c.confrelid \
             union select chain.origin, c.confrelid, depth + 1 from chain join pg_constraint c on c.conrelid = chain.relation \
             where c.contype = 'f' and c.conrelid <> c.confrelid and depth < 50) \
         select distinct origin::regclass::text from chain where origin = relation",
    )
    .await;
}

fn lines(archive: &mut zip::ZipArchive<std::io::Cursor<Vec<u8>>>, name: &str) -> Vec<Value> {
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn an_owner_takes_all_data_away_as_one_file_with_no_secrets_and_nobody_elses() {
    let server = server().await;
    let admin = server.admin().await;
    let (ours, theirs) = (
        with_everything(&server, "Ours").await,
        with_everything(&server, "Theirs").await,
    );
    server.drain_jobs().await;
    let token = json!({ "name": "private words", "organization": ours.id.0 });
    let (status, _) = ours.owner.post_json("/api/v1/access/tokens", &token).await;
    assert_eq!(status, 201);
    let response = ours.owner.get(EXPORT).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/zip");
    let name = response.headers()["content-disposition"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(name.contains("ours-") && name.contains(".zip"), "{name}");
    let bytes = response.bytes().await.unwrap().to_vec();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let counted = rows(&admin, &ours).await;
    let tenant = admin
        .query(
            "select relation::text from kernel.tables where kind = 'tenant' \
             and relation <> 'notifications.notices'::regclass order by 1",
            &[],
        )
        .await
        .unwrap();
    assert!(tenant.len() > 5);
    // What each member was told by the bell is theirs.
    assert!(counted["notifications.notices"] > 0);
    assert!(archive.by_name("data/notifications.notices.ndjson").is_err());
    assert!(archive.by_name("kernel/notifications.messages.ndjson").is_err());
    for table in tenant {
        let table: String = table.get(0);
        let found = lines(&mut archive, &format!("data/{table}.ndjson"));
        assert_eq!(i64::try_from(found.len()).unwrap(), counted[&table], "{table}");
        assert!(found.iter().all(|row| row["org_id"] == json!(ours.id)), "{table}");
    }
    assert_eq!(lines(&mut archive, "members.ndjson").len(), 2);
    let invitations = lines(&mut archive, "kernel/tenancy.invitations.ndjson");
    assert!(
        invitations.len() == 1 && invitations[0].get("token_hash").is_none(),
        "{invitations:?}"
    );
    assert!(!lines(&mut archive, "kernel/events.outbox.ndjson").is_empty());
    // What people keep for themselves is not the organisation's.
    assert!(lines(&mut archive, "kernel/tenancy.api_keys.ndjson").is_empty());
    let mut about = String::new();
    archive
        .by_name("manifest.json")
        .unwrap()
        .read_to_string(&mut about)
        .unwrap();
    let about: Value = serde_json::from_str(&about).unwrap();
    assert_eq!(about["organization"]["name"], "Ours");
    let whole = format!("{about}");
    assert!(!whole.contains(&theirs.id.to_string()));
    let sql =
        "select count(*) from events.outbox where org_id = $1 and kind = 'tenancy.organization_exported'";
    assert_eq!(
        admin.query_one(sql, &[&ours.id]).await.unwrap().get::<_, i64>(0),
        1
    );
}

/// Rows of 64 kB that hardly pack.
async fn noise(admin: &Client, org: &TestOrg) {
    admin
        .execute(
            "insert into events.outbox (org_id, seq, id, kind, payload) \
             select $1, 1000 + n, gen_random_uuid(), 'test.noise', jsonb_build_object('text', \
                (select string_agg(md5(random()::text || i || n), '') from generate_series(1, 2000) i)) \
             from generate_series(1, 500) n",
            &[&org.id],
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn two_downloads_that_nobody_reads_hold_up_nobody_but_further_downloads() {
    let server = server().await;
    let admin = server.admin().await;
    let mut unread = Vec::new();
    for name in ["First", "Second"] {
        let org = server.organization(name).await;
        noise(&admin, &org).await;
        let response = org.owner.get(EXPORT).send().await.unwrap();
        assert_eq!(response.status(), 200);
        unread.push(response);
    }
    let org = server.organization("Third").await;
    let (status, body) = org.owner.get_json(EXPORT).await;
    assert_eq!((status, &body["code"]), (503, &json!("tenancy.export_busy")));
    let department = json!({ "name": "Yard" });
    let (status, _) = org
        .owner
        .post_json("/api/v1/tenancy/departments", &department)
        .await;
    assert_eq!(status, 201);
    // Who goes away makes room.
    drop(unread);
    for _ in 0..200 {
        if org.owner.get(EXPORT).send().await.unwrap().status() == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nobody made room");
}

#[tokio::test]
async fn a_large_table_is_sent_as_it_is_read_and_one_download_runs_at_a_time() {
    let server = server().await;
    let admin = server.admin().await;
    let org = server.organization("Harbour").await;
    noise(&admin, &org).await;
    let mut first = org.owner.get(EXPORT).send().await.unwrap();
    assert_eq!(first.status(), 200);
    let (status, body) = org.owner.get_json(EXPORT).await;
    // The lock goes with the tables of apps, which may be read by now.
    assert!(
        status == 200 || body["code"] == "tenancy.export_running",
        "{status} {body}"
    );
    let mut size = 0;
    while let Some(piece) = first.chunk().await.unwrap() {
        size += piece.len();
    }
    assert!(size > 10_000_000, "{size}");
}
