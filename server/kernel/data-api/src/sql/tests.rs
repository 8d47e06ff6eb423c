//! The SQL text, without a database: what it looks like, that it is canonical, and that no value is ever in it.

use proptest::prelude::*;

use crate::fixture::{TENANT, plan, statement};
use crate::plan::Handler;
use crate::sql::Statement;

const SETTINGS: &str = "nullif(current_setting('response.headers', true), '') AS response_headers, \
     nullif(current_setting('response.status', true), '') AS response_status";

fn params(statement: &Statement) -> Vec<String> {
    statement
        .params
        .iter()
        .map(|param| String::from_utf8_lossy(&param.0).into_owned())
        .collect()
}

#[test]
fn the_common_list_with_a_to_one_embed_is_one_flat_select() {
    let made = statement(
        "GET",
        "/orders?select=id,number,supplier:suppliers(id,name)&value=gte.10&order=number.desc&limit=50&offset=100",
        "",
        "",
    );
    assert_eq!(
        made.sql,
        format!(
            "SELECT null::bigint AS total_count, count(*) AS page_count, {SETTINGS}, coalesce(json_agg(tenon_row), '[]') AS body \
             FROM (SELECT \"orders\".\"id\", \"orders\".\"number\", \"tenon_one_1\" AS \"supplier\" FROM \"shop\".\"orders\" \
             LEFT JOIN LATERAL (SELECT \"suppliers_2\".\"id\", \"suppliers_2\".\"name\" FROM \"shop\".\"suppliers\" AS \"suppliers_2\" \
             WHERE \"suppliers_2\".\"org_id\" = \"orders\".\"org_id\" AND \"suppliers_2\".\"id\" = \"orders\".\"supplier_id\" \
             AND \"suppliers_2\".\"org_id\" = $1::uuid) AS \"tenon_one_1\" ON true \
             WHERE \"orders\".\"org_id\" = $1::uuid AND \"orders\".\"value\" >= $2 \
             ORDER BY \"orders\".\"number\" DESC LIMIT 50 OFFSET $3) AS tenon_row"
        )
    );
    assert_eq!(
        params(&made),
        [TENANT.to_string(), "10".to_owned(), "100".to_owned()]
    );
}

#[test]
fn to_many_embeds_are_aggregated_for_the_page_only() {
    let made = statement("GET", "/orders?select=number,entries(amount)&limit=2", "", "");
    let expected = "coalesce((SELECT json_agg(tenon_row) FROM (SELECT \"entries_1\".\"amount\" FROM \"shop\".\"entries\" AS \"entries_1\" \
                    WHERE \"entries_1\".\"org_id\" = \"orders\".\"org_id\" AND \"entries_1\".\"order_id\" = \"orders\".\"id\" \
                    AND \"entries_1\".\"org_id\" = $1::uuid LIMIT 1000) AS tenon_row), '[]') AS \"entries\"";
    assert!(made.sql.contains(expected), "{}", made.sql);
}

#[test]
fn embeds_are_jsonb_where_the_bytes_have_to_be_those_of_others() {
    let mut plan = plan("GET", "/orders?select=suppliers(name),entries(amount)", "", "").expect("plans");
    plan.jsonb_embeds = true;
    let sql = Statement::new(&plan).expect("it needs the database").sql;
    assert!(
        sql.contains("to_jsonb(\"tenon_one_1\") AS \"suppliers\""),
        "{sql}"
    );
    assert!(sql.contains("jsonb_agg(tenon_row)"), "{sql}");
}

#[test]
fn filters_on_embeds_join_unless_rows_without_an_order_keep_that_of_their_scan() {
    let text = |query: &str, scan_order: bool| {
        let mut plan = plan("GET", query, "", "").expect("plans");
        plan.scan_order = scan_order;
        Statement::new(&plan).expect("it needs the database").sql
    };
    let missing = "/orders?select=number,entries()&entries=is.null";
    assert!(!text(missing, false).contains("OFFSET 0"));
    assert!(
        text(missing, true).contains(" OFFSET 0)"),
        "{}",
        text(missing, true)
    );
    assert!(!text(&format!("{missing}&order=number"), true).contains("OFFSET 0"));
}

#[test]
fn aggregates_are_grouped_by_position() {
    let made = crate::fixture::statement_with(
        "/orders?select=number,n:value.sum()::text,suppliers(name)&order=number",
        |settings| settings.aggregates = true,
    );
    assert!(
        made.sql.contains(
            "SELECT \"orders\".\"number\", CAST(sum(\"orders\".\"value\") AS text) AS \"n\", to_jsonb(\"tenon_one_1\") AS \"suppliers\""
        ) && made.sql.contains(" GROUP BY 1, 3 ORDER BY 1 LIMIT"),
        "{}",
        made.sql
    );
}

#[test]
fn a_spread_of_many_rows_is_one_lateral_join() {
    let made = statement("GET", "/orders?select=number,...entries(amount,id)", "", "");
    assert!(
        made.sql.contains(
            "coalesce(\"tenon_many_1\".\"tenon_1\", '[]') AS \"amount\", coalesce(\"tenon_many_1\".\"tenon_2\", '[]') AS \"id\""
        ) && made.sql.contains(
            "LEFT JOIN LATERAL (SELECT json_agg(\"tenon_rows\".\"tenon_1\") AS \"tenon_1\", json_agg(\"tenon_rows\".\"tenon_2\") AS \"tenon_2\" FROM ("
        ),
        "{}",
        made.sql
    );
}

#[test]
fn an_insert_is_one_parameter_however_many_rows() {
    let one = statement(
        "POST",
        "/suppliers",
        "return=representation",
        r#"{"id":"1","name":"x"}"#,
    );
    let two = statement(
        "POST",
        "/suppliers",
        "return=representation",
        r#"[{"id":"1","name":"x"},{"id":"2","name":"y"}]"#,
    );
    assert_eq!(one.sql, two.sql);
    assert_eq!(
        params(&one),
        [TENANT.to_string(), r#"[{"id":"1","name":"x"}]"#.to_owned()]
    );
    assert!(
        one.sql.starts_with(
            "WITH \"tenon_source\" AS (INSERT INTO \"shop\".\"suppliers\" (\"org_id\", \"id\", \"name\") \
             SELECT $1::uuid, \"tenon_body\".\"id\", \"tenon_body\".\"name\" FROM json_to_recordset($2::json) \
             AS \"tenon_body\" (\"id\" uuid, \"name\" text) RETURNING \"suppliers\".*) SELECT"
        ),
        "{}",
        one.sql
    );
}

#[test]
fn every_statement_on_tenant_tables_names_the_organisation_wherever_it_touches_one() {
    for (method, target, prefer, body, touched) in [
        ("GET", "/orders", "", "", 1),
        ("GET", "/orders?limit=1", "count=exact", "", 2),
        ("GET", "/orders?select=number,entries!inner(amount)", "", "", 3),
        ("GET", "/orders?select=labels(name)", "", "", 3),
        ("GET", "/suppliers?select=orders(entries(amount))", "", "", 3),
        (
            "PATCH",
            "/orders?number=eq.1&select=suppliers(name)",
            "return=representation",
            r#"{"value":1}"#,
            2,
        ),
        ("DELETE", "/orders?number=eq.1", "", "", 1),
        ("POST", "/suppliers", "", r#"{"name":"x"}"#, 1),
    ] {
        let made = statement(method, target, prefer, body);
        let named = made.sql.matches("::uuid").count();
        assert_eq!(named, touched, "{method} {target}: {}", made.sql);
        let plain = plan_without_tenant(method, target, prefer, body);
        assert!(!plain.contains("::uuid"), "{plain}");
    }
}

fn plan_without_tenant(method: &str, target: &str, prefer: &str, body: &str) -> String {
    let plan = crate::fixture::plan_for(method, target, prefer, body, None).expect("plans");
    Statement::new(&plan).expect("it needs the database").sql
}

#[test]
fn the_same_shape_is_the_same_text() {
    for (one, other) in [
        ("/orders?number=eq.a&limit=50", "/orders?number=eq.b&limit=50"),
        (
            "/orders?number=in.(a)&limit=50",
            "/orders?number=in.(a,b,c)&limit=50",
        ),
        ("/orders?data->>k=eq.a", "/orders?data->>other=eq.b"),
        ("/orders?offset=50&limit=50", "/orders?offset=100&limit=50"),
        ("/rpc/add?a=1", "/rpc/add?a=2"),
    ] {
        let (one, other) = (statement("GET", one, "", ""), statement("GET", other, "", ""));
        assert_eq!(one.sql, other.sql);
        assert_ne!(one.params, other.params);
    }
}

#[test]
fn functions_take_named_arguments() {
    let body = statement("POST", "/rpc/add", "", r#"{"a":1}"#);
    assert!(
        body.sql.contains(
            "FROM json_to_record($1::json) AS \"tenon_args\" (\"a\" integer), LATERAL \"shop\".\"add\"(\"a\" => \"tenon_args\".\"a\")"
        ),
        "{}",
        body.sql
    );
    let query = statement("GET", "/rpc/add?a=1&b=2", "", "");
    assert!(
        query
            .sql
            .contains("\"shop\".\"add\"(\"a\" => $1::integer, \"b\" => $2::integer)"),
        "{}",
        query.sql
    );
}

#[test]
fn quotes_in_names_are_doubled() {
    let made = statement("GET", "/orders?select=%22a%5C%22b%22:number", "", "");
    assert!(made.sql.contains("AS \"a\"\"b\""), "{}", made.sql);
}

#[test]
fn a_star_is_all_columns_only_where_columns_are_chosen() {
    let made = statement("GET", "/orders?select=*&%22*%22=eq.1&order=%22*%22", "", "");
    assert!(made.sql.contains("\"orders\".\"*\" = $"), "{}", made.sql);
    assert!(made.sql.contains("ORDER BY \"orders\".\"*\""), "{}", made.sql);
    assert!(made.sql.contains("SELECT \"orders\".* FROM"), "{}", made.sql);
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

proptest! {
    #[test]
    fn no_value_is_ever_in_the_text(value in "\\PC{0,40}") {
        // What is looked for must not be there anyway.
        let marked = format!("zq{value}qz");
        let value = encoded(&marked);
        let quoted = encoded(&format!("\"{}\"", marked.replace('\\', "\\\\").replace('"', "\\\"")));
        for target in [
            format!("/orders?number=eq.{value}"),
            format!("/orders?number=like.{value}"),
            format!("/orders?number=in.({quoted})"),
            format!("/orders?or=(number.eq.{quoted},value.gt.{quoted})"),
            format!("/orders?number=fts.{value}"),
            format!("/orders?data->>{quoted}=eq.1"),
            format!("/orders?select=supplier_id,n:count()&having=(number.max().gt.{quoted},n.not.in.({quoted}))"),
            format!("/orders?select=supplier_id&having=(data->>{quoted}.max().eq.1)&order=data->>{quoted}.max()"),
            format!("/rpc/add?a={value}"),
        ] {
            let made = statement("GET", &target, "", "");
            prop_assert!(!made.sql.contains("zq"), "{}: {}", target, made.sql);
        }
        let body = serde_json::json!({"name": marked}).to_string();
        prop_assert!(!statement("POST", "/suppliers", "", &body).sql.contains("zq"));
    }

    #[test]
    fn names_cannot_leave_their_quotes(name in "\\PC{1,40}") {
        let quoted = encoded(&format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")));
        for target in [format!("/orders?select={quoted}:number"), format!("/orders?{quoted}=eq.1"), format!("/orders?order={quoted}"),
            format!("/orders?select=supplier_id&order={quoted}.max()"), format!("/orders?select=supplier_id&having=({quoted}.sum().gt.1)")] {
            if let Ok(plan) = plan("GET", &target, "", "") {
                let sql = Statement::new(&plan).expect("it needs the database").sql;
                let inside = format!("\"{}\"", name.replace('"', "\"\""));
                prop_assert!(sql.contains(&inside), "{}: {}", target, sql);
            }
        }
    }

    #[test]
    fn nothing_panics_whatever_is_asked(path in "\\PC{0,30}", query in "\\PC{0,80}", body in "\\PC{0,40}") {
        for method in ["GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"] {
            let _ = plan(method, &format!("/{path}?{query}"), "", &body);
            let _ = plan(method, &format!("/orders?{query}"), "", &body);
        }
    }

    #[test]
    fn nothing_panics_on_text_like_the_dialect(query in "[a-z.,:!()*>\"\\\\{}=&-]{0,80}") {
        for key in ["", "select=", "or=", "having=", "having=(value.", "order=", "id=", "on_conflict=", "columns="] {
            if let Ok(plan) = plan("GET", &format!("/orders?{key}{query}"), "count=exact", "") {
                let _ = Statement::new(&plan);
            }
        }
    }
}

#[test]
fn rows_one_by_one_hang_on_a_row_that_is_always_there() {
    let streamed = |prefer, target, handler| {
        let mut plan = plan("GET", target, prefer, "").expect("plans");
        plan.handler = handler;
        Statement::streamed(&plan)
    };
    let lines = streamed("count=exact", "/orders?select=id&limit=5", Handler::Lines).expect("streams");
    assert_eq!(
        lines.sql,
        "SELECT total_count, (SELECT nullif(current_setting('response.headers', true), '')) AS response_headers, \
         (SELECT nullif(current_setting('response.status', true), '')) AS response_status, \
         (row_to_json(tenon_row))::text AS line \
         FROM (SELECT (SELECT count(*) FROM (SELECT 1 FROM \"shop\".\"orders\" WHERE \"orders\".\"org_id\" = $1::uuid) \
         AS tenon_counted) AS total_count) AS tenon_total \
         LEFT JOIN (SELECT \"orders\".\"id\" FROM \"shop\".\"orders\" WHERE \"orders\".\"org_id\" = $1::uuid LIMIT 5) \
         AS tenon_row ON true"
    );
    assert_eq!(params(&lines), [TENANT.to_string()]);
    assert_eq!(streamed("", "/orders", Handler::Json), None);
    let csv = streamed("", "/orders?select=id", Handler::Csv).expect("streams");
    assert!(
        csv.sql.contains(
            "tenon_row::text AS line, CASE WHEN tenon_number = 1 THEN (SELECT string_agg(tenon_key, ',') \
             FROM json_object_keys(row_to_json(tenon_row)) AS tenon_key) END AS names"
        ),
        "{}",
        csv.sql
    );
}

#[test]
fn a_plan_that_is_shown_has_the_body_where_clients_look_for_it() {
    let places = |method, prefer, body| {
        let mut plan = plan(method, "/orders?id=eq.1", prefer, body).expect("plans");
        plan.explain = Some(crate::plan::Explain {
            json: true,
            options: Vec::new(),
            media: plan.media.clone(),
        });
        let sql = Statement::new(&plan).expect("it needs the database").sql;
        let at = |name: &str| sql.find(name).unwrap_or(usize::MAX);
        [
            at(" AS page_count"),
            at(" AS location"),
            at(" AS body"),
            at(" AS response_headers"),
            at(" AS updated_count"),
        ]
    };
    for (method, body) in [("DELETE", ""), ("PATCH", r#"{"number":"2"}"#)] {
        let places = places(method, "return=representation", body);
        assert!(places.is_sorted(), "{method}: {places:?}");
    }
}
