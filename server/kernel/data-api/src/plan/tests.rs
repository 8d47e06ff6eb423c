//! Planning without a database.

use crate::fixture::{plan, plan_for};
use crate::plan::{EmbedOutput, PlannedAction, ReadPlan, Via};

fn read(target: &str) -> ReadPlan {
    match plan("GET", target, "", "")
        .unwrap_or_else(|error| panic!("{target}: {error}"))
        .action
    {
        PlannedAction::Read(read) => read,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_level_of_a_read_is_bound_to_the_organisation() {
    fn bound(plan: &ReadPlan) -> bool {
        plan.tenant
            && plan
                .embeds
                .iter()
                .all(|embed| bound(&embed.read) && !matches!(embed.via, Via::Junction { tenant: false, .. }))
    }
    assert!(bound(&read(
        "/suppliers?select=name,orders(number,entries(amount),labels(name))"
    )));
}

#[test]
fn without_an_organisation_or_on_other_tables_nothing_is_added() {
    let PlannedAction::Read(orders) = plan_for("GET", "/orders", "", "", None).expect("plans").action else {
        panic!("not a read")
    };
    assert!(!orders.tenant);
    assert!(!read("/notes").tenant);
}

#[test]
fn relationships_are_found_in_every_direction() {
    let orders = read("/orders?select=*,suppliers(*),entries(*),labels(),order_labels(*)");
    let found: Vec<(&str, bool, EmbedOutput)> = orders
        .embeds
        .iter()
        .map(|embed| (embed.name.as_str(), embed.to_one, embed.output))
        .collect();
    assert_eq!(
        found,
        [
            ("suppliers", true, EmbedOutput::Nested),
            ("entries", false, EmbedOutput::Nested),
            ("labels", false, EmbedOutput::Hidden),
            ("order_labels", false, EmbedOutput::Nested),
        ]
    );
    let Via::Columns(pairs) = &orders.embeds[0].via else {
        panic!("{:?}", orders.embeds[0].via)
    };
    assert_eq!(pairs.len(), 2, "the whole composite key joins");
}

#[test]
fn a_page_is_never_larger_than_the_server_allows() {
    for (target, limit) in [
        ("/orders", 1000),
        ("/orders?limit=5", 5),
        ("/orders?limit=5000", 1000),
    ] {
        assert_eq!(read(target).range.limit, Some(limit), "{target}");
    }
}

#[test]
fn only_writes_whose_result_decides_wait_before_they_commit() {
    for (method, target, prefer, waits) in [
        ("GET", "/orders", "", false),
        ("POST", "/suppliers", "", false),
        (
            "PATCH",
            "/suppliers?id=eq.1",
            "handling=strict,max-affected=1",
            true,
        ),
        ("DELETE", "/suppliers?id=eq.1", "return=representation", false),
        ("PUT", "/suppliers?id=eq.1", "", true),
    ] {
        let plan = plan(method, target, prefer, r#"{"id":"1","name":"x"}"#).expect("plans");
        assert_eq!(plan.checks_before_commit(), waits, "{method} {target}");
        assert_eq!(plan.is_read_only(), method == "GET");
    }
}

#[test]
fn what_cannot_be_planned_has_its_code() {
    for (method, target, body, code) in [
        ("GET", "/order", "", "PGRST205"),
        ("GET", "/orders?select=people(*)", "", "PGRST200"),
        ("GET", "/orders?entries.amount=gt.1", "", "PGRST108"),
        (
            "GET",
            "/orders?select=number&having=(number.eq.x)",
            "",
            "rest.no_aggregate",
        ),
        ("DELETE", "/orders?having=(count().gt.1)", "", "PGRST127"),
        ("POST", "/suppliers", r#"{"nam":"x"}"#, "PGRST204"),
        ("POST", "/rpc/add", r#"{"a":1,"c":2}"#, "PGRST202"),
        ("PUT", "/suppliers?name=eq.x", r#"{"name":"x"}"#, "PGRST105"),
        ("PUT", "/suppliers?id=eq.1", r#"{"name":"x"}"#, "PGRST115"),
    ] {
        let error = plan(method, target, "", body).expect_err(target);
        assert_eq!(error.code, code, "{method} {target}");
    }
}

#[test]
fn a_filter_on_a_hidden_name_tells_the_alias() {
    let error = plan(
        "GET",
        "/orders?select=s:suppliers(name)&suppliers.name=eq.x",
        "",
        "",
    )
    .expect_err("refused");
    assert_eq!(
        error.hint.as_deref(),
        Some("Change 'suppliers' to 's' in filters, orders or limits.")
    );
}
