//! What stands in an entry, and who cannot change it.

use serde_json::{Value, json};
use tenon_sdk::{SystemTx, audit::Action, permission::Role};

use crate::support::{found, job, rename, server};

#[tokio::test]
async fn a_change_is_recorded_with_its_fields_before_and_after_and_with_who_did_it_from_where() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    rename(&org.owner, "Harbour Works").await;
    let entries = found(&org.owner, "table=tenancy.organizations&action=update").await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    let entry = &entries[0];
    assert_eq!(
        entry["changes"],
        json!([{ "field": "name", "before": "Harbour", "after": "Harbour Works" }])
    );
    assert_eq!(entry["actor_kind"], "user");
    assert_eq!(entry["actor"], json!(org.owner.id));
    assert_eq!(entry["row"], json!(org.id));
    assert_eq!(entry["user_agent"], "Tests/1.0");
    assert_eq!(entry["request"], "rename-1");
    assert_eq!(entry["address"], "127.0.0.1");
    assert_eq!(entry["visit"], Value::Null);
}

#[tokio::test]
async fn rows_that_come_and_go_are_recorded_and_secrets_are_not_told() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let invitation = json!({ "role": "viewer", "email": "new@example.com" });
    let (status, made) = org
        .owner
        .post_json("/api/v1/tenancy/invitations", &invitation)
        .await;
    assert_eq!(status, 201, "{made}");
    let entries = found(&org.owner, "table=tenancy.invitations").await;
    let insert = entries.iter().find(|entry| entry["action"] == "insert").unwrap();
    let field = |name: &str| {
        let changes = insert["changes"].as_array().unwrap();
        changes.iter().find(|change| change["field"] == name).cloned()
    };
    assert_eq!(field("email").unwrap()["after"], "new@example.com");
    assert_eq!(field("token_hash").unwrap()["after"], "***");
    let admin = server.admin().await;
    let sql = "delete from tenancy.invitations where org_id = $1";
    admin.execute(sql, &[&org.id]).await.unwrap();
    let entries = found(&org.owner, "table=tenancy.invitations&action=delete").await;
    assert_eq!(entries[0]["actor_kind"], "database");
    assert!(entries[0]["login"].is_string(), "{entries:?}");
}

#[tokio::test]
async fn what_changes_nothing_or_only_what_is_left_out_is_no_entry() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    let before = found(&org.owner, "table=tenancy.memberships").await.len();
    for sql in [
        "update tenancy.memberships set role = role where org_id = $1",
        "update tenancy.memberships set spaces = ',x,' where org_id = $1",
    ] {
        admin.execute(sql, &[&org.id]).await.unwrap();
    }
    assert_eq!(found(&org.owner, "table=tenancy.memberships").await.len(), before);
}

#[tokio::test]
async fn an_action_is_recorded_in_its_transaction_or_not_at_all() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let action = Action {
        row: Some("7"),
        details: json!({ "evidence": "=cmd()", "text": "ä ☃ '; --" }),
        tags: &["iso27001:A.5.1", "soc2:CC1"],
        ..Action::new("compliance.evidence.approved")
    };
    let tx = job(&server, &org).await;
    tx.audit(&action).await.unwrap();
    tx.rollback().await.unwrap();
    assert!(found(&org.owner, "tag=soc2:CC1").await.is_empty());
    let tx = job(&server, &org).await;
    tx.audit(&action).await.unwrap();
    tx.commit().await.unwrap();
    let entries = found(&org.owner, "tag=soc2:CC1").await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["details"], action.details);
    assert_eq!(entries[0]["actor_kind"], "server");
    assert_eq!(entries[0]["actor"], json!(org.owner.id), "for whom it worked");
}

#[tokio::test]
async fn work_across_organisations_records_in_the_one_it_names() {
    let server = server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let tx = SystemTx::begin(server.kernel().db(), "test").await.unwrap();
    tx.audit(ours.id, &Action::new("secrets.value.revealed"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let query = "action=secrets.value.revealed";
    let entries = found(&ours.owner, query).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["actor_kind"], "server");
    assert!(found(&theirs.owner, query).await.is_empty());
}

#[tokio::test]
async fn an_operator_who_helps_is_recorded_with_the_visit() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let operator = server.user("Olga").await;
    let admin = server.admin().await;
    let visit = server.kernel().env().new_id();
    admin
        .execute(
            "update auth.users set is_super_admin = true where id = $1",
            &[&operator.id],
        )
        .await
        .unwrap();
    admin
        .execute(
            "insert into tenancy.support_access (org_id, id, operator, reason, aal, started_at, ends_at) \
             values ($1, $2, $3, 'help', 'aal1', now(), now() + interval '1 hour')",
            &[&org.id, &visit, &operator.id],
        )
        .await
        .unwrap();
    let helping = operator.in_org(org.id);
    let (status, made) = helping
        .post_json("/api/v1/tenancy/departments", &json!({ "name": "Quay" }))
        .await;
    let entered = found(&org.owner, "table=tenancy.support_access&action=insert").await;
    assert_eq!(entered.len(), 1);
    if status == 201 {
        let entries = found(&org.owner, "table=tenancy.departments&action=insert").await;
        assert_eq!(entries[0]["visit"], json!(visit), "{entries:?}");
        assert_eq!(entries[0]["actor"], json!(operator.id));
    } else {
        assert_eq!(status, 403, "{made}");
    }
    // The same in a transaction of the organisation's.
    let tx =
        "select member_role from kernel.begin_request('service_role', $1, '{}', $2, null, null, null, false)";
    admin.batch_execute("begin").await.unwrap();
    admin.execute(tx, &[&operator.id, &org.id.0]).await.unwrap();
    admin
        .execute(
            "select audit.record('test.visit.seen', null, null, null, '{}')",
            &[],
        )
        .await
        .unwrap();
    admin.batch_execute("commit").await.unwrap();
    let entries = found(&org.owner, "action=test.visit.seen").await;
    assert_eq!(entries[0]["visit"], json!(visit));
}

#[tokio::test]
async fn no_role_of_a_running_server_can_write_change_or_remove_an_entry_or_a_seal() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    let rights = "select c.oid::regclass || ' ' || r.rolname || ' ' || p.privilege from pg_class c \
                  join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'audit' and c.relkind in ('r', 'p') \
                  cross join (values ('insert'), ('update'), ('delete'), ('truncate'), ('trigger')) p (privilege) \
                  cross join pg_roles r where r.rolname in ('anon', 'authenticated', 'service_role', 'tenon_system', \
                  'tenon_authenticator', 'tenon_loader') and has_table_privilege(r.oid, c.oid, p.privilege)";
    let held: Vec<String> = admin
        .query(rights, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(held.is_empty(), "{held:?}");
    for sql in [
        "update audit.entries set action = 'x' where org_id = $1",
        "delete from audit.entries where org_id = $1",
        "insert into audit.entries (org_id, class, actor_kind, action) values ($1, 'standard', 'user', 'x')",
    ] {
        let tx = job(&server, &org).await;
        let refused = tx.execute(sql, &[&org.id]).await.unwrap_err();
        assert_eq!(refused.code, "42501", "{sql}");
        let tx = SystemTx::begin(server.kernel().db(), "test").await.unwrap();
        let refused = tx.execute(sql, &[&org.id]).await.unwrap_err();
        assert_eq!(refused.code, "42501", "{sql}");
    }
}

#[tokio::test]
async fn a_huge_value_is_told_by_its_beginning_and_its_hash() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let tx = job(&server, &org).await;
    let details = json!("x".repeat(1 << 20));
    tx.audit(&Action {
        details,
        ..Action::new("test.huge.done")
    })
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let entries = found(&org.owner, "action=test.huge.done").await;
    assert_eq!(entries[0]["details"]["length"], 1 << 20);
    assert_eq!(entries[0]["details"]["cut"].as_str().unwrap().len(), 500);
}

#[tokio::test]
async fn a_member_without_the_permission_reads_nothing_by_the_database_either() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let member = server.member(&org, Role::Member).await;
    let admin = server.admin().await;
    for (user, sees) in [(&member, false), (&org.owner, true)] {
        admin.batch_execute("begin").await.unwrap();
        let begin =
            "select org_id from kernel.begin_request('service_role', $1, '{}', $2, null, null, null, true)";
        admin.execute(begin, &[&user.id, &org.id.0]).await.unwrap();
        let sql = "select count(*) > 0 from audit.entries where org_id = $1";
        let seen: bool = admin.query_one(sql, &[&org.id]).await.unwrap().get(0);
        admin.batch_execute("rollback").await.unwrap();
        assert_eq!(seen, sees);
    }
}
