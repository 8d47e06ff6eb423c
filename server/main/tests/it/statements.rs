//! Every statement that reaches a tenant table names the organisation itself, besides the policy that does: so it finds
//! the right shard, and a slip in one of the two is caught by the other.

use reqwest::Method;
use serde_json::json;
use tenon_testkit::{TestServer, answer};

use crate::support::{REGISTER, import, server, settled, upload};

/// Uses the house as people do: sign-up, organisation, import, board, lists, alerts, settings, undo.
async fn broad_flow(server: &TestServer) {
    let email = format!("new.{}@example.com", server.kernel().env().new_id().simple());
    let sign_up = server.anonymous(Method::POST, "/auth/v1/signup");
    let (status, session) =
        answer(sign_up.json(&json!({ "email": email, "password": "correct horse battery" }))).await;
    assert_eq!(status, 200, "{session}");

    let org = server.organization("Harbour").await;
    let owner = &org.owner;
    let done = import(owner, "register.xlsx", REGISTER).await;
    assert_eq!(done["state"], "committed", "{done}");
    let id = done["id"].as_str().unwrap();
    for path in [
        "/api/v1/purchasing/board".to_owned(),
        "/api/v1/purchasing/settings".to_owned(),
        "/api/v1/imports?state=committed".to_owned(),
        format!("/api/v1/imports/{id}"),
        format!("/api/v1/imports/{id}/rows?sheet=QS%20Register&only=warnings"),
        format!("/api/v1/imports/{id}/error-workbook"),
    ] {
        assert_eq!(owner.get_json(&path).await.0, 200, "{path}");
    }
    for path in [
        "orders?select=number,supplier:suppliers(name),entries(amount),alerts(level,state)&level=eq.critical&limit=5",
        "suppliers?select=name,orders!inner(number)&orders.level=eq.over_budget",
        "entries?select=number,order:orders(number,supplier:suppliers(name))&order=survey_date.desc&limit=3",
        "alerts?select=level,order:orders(number)&state=eq.open&order=opened_at.desc",
    ] {
        for prefer in ["count=exact", "count=none"] {
            let request = owner
                .get(&format!("/rest/v1/{path}"))
                .header("accept-profile", "purchasing");
            let (status, body) = answer(request.header("prefer", prefer)).await;
            assert!([200, 206].contains(&status), "{path}: {body}");
        }
    }
    let admin = server.admin().await;
    let sql = "select id::text from purchasing.alerts where org_id = $1 and state = 'open' limit 1";
    let alert: String = admin.query_one(sql, &[&org.id]).await.unwrap().get(0);
    let path = format!("/api/v1/purchasing/alerts/{alert}/acknowledge");
    assert_eq!(
        owner
            .post_json(&path, &json!({ "note": "The variation is on its way." }))
            .await
            .0,
        200
    );
    let settings = json!({ "warning": "70", "critical": "90" });
    let (status, body) = answer(
        owner
            .request(Method::PUT, "/api/v1/purchasing/settings")
            .json(&settings),
    )
    .await;
    assert_eq!(status, 200, "{body}");

    let (_, another) = upload(owner, "again.xlsx", REGISTER).await;
    let another = another["id"].as_str().unwrap();
    settled(owner, another).await;
    assert_eq!(
        owner
            .post_json(&format!("/api/v1/imports/{another}/cancel"), &json!({}))
            .await
            .0,
        200
    );
    let settings = json!({ "warning": "80", "critical": "95" });
    answer(
        owner
            .request(Method::PUT, "/api/v1/purchasing/settings")
            .json(&settings),
    )
    .await;
    // Somebody worked with the orders, so the import stays; that road is a statement too.
    owner
        .post_json(&format!("/api/v1/imports/{id}/undo"), &json!({}))
        .await;
    let other = server.organization("Railyard").await;
    let done = import(&other.owner, "register.xlsx", REGISTER).await;
    let path = format!("/api/v1/imports/{}/undo", done["id"].as_str().unwrap());
    let (status, undone) = other.owner.post_json(&path, &json!({})).await;
    assert_eq!((status, &undone["state"]), (200, &json!("undone")), "{undone}");
    server.drain_jobs().await;
}

#[tokio::test]
async fn every_statement_on_a_tenant_table_names_its_organisation() {
    let server = server().await;
    broad_flow(&server).await;
    let tables = tenant_relations(&server).await;
    let mut seen = 0;
    for sql in server
        .kernel()
        .db()
        .statement_log()
        .expect("the test kit records statements")
        .texts()
    {
        let named = mentions(&sql, &tables);
        if named == 0 {
            continue;
        }
        seen += 1;
        assert!(
            names_its_organisation(&sql, named),
            "\nThis statement reaches {named} tenant tables without saying whose rows it means:\n\n{sql}\n\nGive every \
             table in it `org_id = $n` (or join it on org_id with one that has), and inserts a column org_id.\n"
        );
    }
    assert!(
        seen > 30,
        "only {seen} statements reached tenant tables: the flow above no longer covers the server"
    );
}

/// Tenant tables, and the views over them.
async fn tenant_relations(server: &TestServer) -> Vec<String> {
    let rows = server
        .admin()
        .await
        .query(
            "select relation::text from kernel.tables where kind = 'tenant' union \
             select distinct w.ev_class::regclass::text from pg_rewrite w join pg_depend d on d.objid = w.oid \
             join kernel.tables t on t.relation = d.refobjid and t.kind = 'tenant'",
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// A statement without quotes around its names, in lower case, its white space single.
fn plain(sql: &str) -> String {
    sql.replace('"', "")
        .to_lowercase()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// How often a statement names one of the tables as a source or target; `orders.number` is a column.
fn mentions(sql: &str, tables: &[String]) -> usize {
    let plain = plain(sql);
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    plain
        .split(|c| !word(c))
        .filter(|part| tables.iter().any(|table| table == part))
        .count()
}

/// At least one comparison with a parameter (or an insert that begins with the column), and one mention for each table.
fn names_its_organisation(sql: &str, tables: usize) -> bool {
    let plain = plain(sql);
    let compared = plain.contains("org_id = $") || plain.contains("org_id=$");
    let written = ["insert into ", "copy "].iter().any(|verb| {
        plain.split(verb).skip(1).any(|rest| {
            rest.split_once('(').is_some_and(|(target, columns)| {
                target.split_whitespace().count() <= 3
                    && columns.split(')').next().unwrap_or("").contains("org_id")
            })
        })
    });
    (compared || written) && plain.matches("org_id").count() >= tables
}

#[test]
fn the_check_of_statements_knows_good_from_bad() {
    let tables = ["purchasing.orders".to_owned(), "purchasing.entries".to_owned()];
    let good = |sql: &str| names_its_organisation(sql, mentions(sql, &tables));
    assert!(good("select number from purchasing.orders where org_id = $1"));
    assert!(good("insert into purchasing.orders (org_id, id) values ($1, $2)"));
    assert!(good("copy purchasing.orders (org_id, id) from stdin"));
    assert!(good(
        r#"select 1 from "purchasing"."orders" o join purchasing.entries e on e.org_id = o.org_id where o.org_id = $1"#
    ));
    assert!(!good("select number from purchasing.orders"));
    assert!(!good("select number from purchasing.orders where org_id = other"));
    assert!(!good(
        "select 1 from purchasing.orders o join purchasing.entries e on e.order_id = o.id where o.org_id = $1"
    ));
    assert!(!good("insert into purchasing.orders (id) values ($1)"));
    assert_eq!(mentions("select purchasing.orders_total($1)", &tables), 0);
}
