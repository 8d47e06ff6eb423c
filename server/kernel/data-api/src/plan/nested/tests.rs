//! Which steps a body becomes, and what is refused.

use super::PayloadColumn;
use crate::error::Error;
use crate::fixture::plan;
use crate::plan::PlannedAction;

fn steps(target: &str, body: &str) -> Vec<(String, bool, usize)> {
    let made = plan("POST", target, "", body).unwrap_or_else(|error| panic!("{target}: {error}"));
    let PlannedAction::Mutate(mutate) = made.action else {
        panic!("no write");
    };
    let steps = mutate.nested.into_iter().flat_map(|nested| nested.steps);
    steps
        .map(|step| (step.table.name, step.one_by_one, step.rows.len()))
        .collect()
}

fn refused(target: &str, prefer: &str, body: &str) -> (u16, String, String) {
    let error = plan("POST", target, prefer, body).expect_err(target);
    (error.status, error.code.into_owned(), error.message)
}

#[test]
fn levels_become_steps_in_the_order_in_which_rows_need_each_other() {
    let body = r#"[{"orders":[{"entries":[{},{}],"labels":[{}]},{"entries":[{}]}]},{"orders":[{}]},{}]"#;
    let step = |name: &str, one_by_one, rows| (name.to_owned(), one_by_one, rows);
    assert_eq!(
        steps("/suppliers?columns=orders(entries(*),labels(*))", body),
        [
            step("suppliers", true, 3),
            step("orders", true, 3),
            step("entries", false, 1),
            step("labels", true, 1),
            step("order_labels", false, 1)
        ]
    );
    assert_eq!(
        steps(
            "/entries?columns=orders(suppliers(*))",
            r#"[{"orders":{"suppliers":{}}},{"orders":{}},{}]"#
        ),
        [
            step("suppliers", true, 1),
            step("orders", true, 2),
            step("entries", false, 1)
        ]
    );
}

#[test]
fn without_parentheses_nothing_is_nested() {
    assert_eq!(
        steps("/orders?columns=number", r#"{"number":"1","entries":[{}]}"#),
        []
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let invalid = |target: &str, body: &str| {
        let (status, code, message) = refused(target, "", body);
        assert_eq!(
            (status, code.as_str()),
            (400, "rest.nested_invalid"),
            "{target}: {message}"
        );
        message
    };
    let entries = "/orders?columns=number,entries(amount)";
    assert_eq!(
        invalid(entries, r#"{"entries":{}}"#),
        "'entries' is not an array of objects."
    );
    assert_eq!(
        invalid(entries, r#"{"entries":[1]}"#),
        "'entries' is not an array of objects."
    );
    assert_eq!(
        invalid("/orders?columns=suppliers(*)", r#"{"suppliers":[]}"#),
        "'suppliers' is not an object."
    );
    assert_eq!(
        invalid(entries, "1"),
        "The body is neither an object nor an array of objects."
    );
    assert_eq!(
        invalid("/orders?columns=entries(order_id,amount)", "{}"),
        "The column 'order_id' of 'entries' is filled from the row around it."
    );
    assert_eq!(
        invalid("/orders?columns=entries(*)", r#"{"entries":[{"order_id":1}]}"#),
        "The column 'order_id' of 'entries' is filled from the row around it."
    );
    assert_eq!(
        invalid(
            "/orders?columns=entries(amount,orders(number))",
            r#"{"entries":[{"amount":1}]}"#
        ),
        "The column 'order_id' of 'entries' is filled from the row around it."
    );
    assert_eq!(
        invalid("/orders?columns=number,number:entries(*)", "{}"),
        "'number' stands twice among the columns of 'orders'."
    );
    let deep = "/labels?columns=".to_owned() + &"orders(labels(".repeat(4) + &"))".repeat(4);
    assert_eq!(invalid(&deep, "{}"), "Rows stand in rows at most 8 levels deep.");
}

#[test]
fn other_errors_are_those_of_the_dialect() {
    for (target, body, status, code) in [
        ("/orders?columns=entrys(amount)", "{}", 400, "PGRST200"),
        ("/orders?columns=number,entries(amont)", "{}", 400, "PGRST204"),
        ("/orders?columns=nummer,entries(amount)", "{}", 400, "PGRST204"),
        (
            "/orders?columns=*,entries(amount)",
            r#"[{"number":"1"},{"value":2}]"#,
            400,
            "PGRST102",
        ),
        ("/orders?columns=entries(amount)", "[{", 400, "PGRST102"),
        ("/orders?columns=entries(amount", "{}", 400, "PGRST100"),
    ] {
        let (found, name, message) = refused(target, "", body);
        assert_eq!((found, name.as_str()), (status, code), "{target}: {message}");
    }
}

fn wished(target: &str, body: &str) -> Result<Vec<String>, (u16, String, String)> {
    let error = |error: Error| (error.status, error.code.into_owned(), error.message);
    let made = plan("POST", target, "nested=insert, return=representation", body).map_err(error)?;
    let PlannedAction::Mutate(mutate) = made.action else {
        panic!("no write");
    };
    let listed = |name: String, columns: &[PayloadColumn]| {
        let columns: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        format!("{name} {}", columns.join(" "))
    };
    Ok(match mutate.nested {
        Some(nested) => nested
            .steps
            .into_iter()
            .map(|step| listed(step.table.name, &step.columns))
            .collect(),
        None => vec![listed("flat".to_owned(), &mutate.columns)],
    })
}

#[test]
fn rows_inside_rows_are_found_where_that_is_wished() {
    let body = r#"[{"number":"1","value":1,"entries":[{"amount":1}],"supplier_id":null},{"number":"2","value":2,"supplier_id":null,"labels":[{"name":"x"}]}]"#;
    assert_eq!(
        wished("/orders", body),
        Ok(vec![
            "orders number supplier_id value".to_owned(),
            "entries amount".to_owned(),
            "labels name".to_owned(),
            "order_labels ".to_owned()
        ])
    );
    // As the client libraries list the keys of an array.
    assert_eq!(
        wished("/orders?columns=%22value%22,%22entries%22", body),
        Ok(vec!["orders value".to_owned(), "entries amount".to_owned()])
    );
    assert_eq!(
        wished("/orders", r#"{"number":"1"}"#),
        Ok(vec!["flat number".to_owned()])
    );
    assert_eq!(
        wished("/orders?columns=number", r#"{"number":"1","entries":[{}]}"#),
        Ok(vec!["flat number".to_owned()])
    );
    for (target, body, code) in [
        ("/orders", r#"{"number":"1","entrees":[]}"#, "PGRST204"),
        ("/orders", r#"{"entries":[{"amont":1}]}"#, "PGRST204"),
        ("/orders", r#"[{"number":"1"},{"value":1}]"#, "PGRST102"),
        ("/orders?columns=number,nummer", r#"[{"number":"1"}]"#, "PGRST204"),
        ("/orders", r#"{"entries":1}"#, "rest.nested_invalid"),
    ] {
        let refused = wished(target, body).expect_err(body);
        assert_eq!(
            (refused.0, refused.1.as_str()),
            (400, code),
            "{body}: {}",
            refused.2
        );
    }
}

#[test]
fn only_inserts_take_rows_inside_rows() {
    for (method, target) in [
        ("PATCH", "/orders?id=eq.1&columns=entries(amount)"),
        ("PUT", "/orders?id=eq.1&columns=id,entries(amount)"),
        ("POST", "/rpc/add?columns=a(b)"),
        ("GET", "/orders?columns=entries(amount)"),
    ] {
        let error = plan(method, target, "", "{}").expect_err(target);
        assert_eq!(
            (error.status, error.code.as_ref()),
            (400, "rest.nested_invalid"),
            "{target}"
        );
    }
}

#[test]
fn a_row_that_is_left_alone_cannot_bring_what_it_refers_to() {
    let prefer = "resolution=ignore-duplicates";
    let (status, code, _) = refused("/orders?columns=number,suppliers(name)", prefer, "{}");
    assert_eq!((status, code.as_str()), (400, "rest.nested_invalid"));
    assert!(plan("POST", "/orders?columns=number,entries(amount)", prefer, "{}").is_ok());
}

#[test]
fn rows_that_others_refer_to_are_limited() {
    let rows = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
    let target = "/orders?columns=number,entries(amount)";
    assert_eq!(steps(target, &rows(1000)).len(), 2);
    let (status, code, _) = refused(target, "", &rows(1001));
    assert_eq!((status, code.as_str()), (413, "rest.nested_too_large"));
    let many = format!(r#"{{"entries":{}}}"#, rows(5000));
    assert_eq!(steps(target, &many)[1].2, 1);
    assert_eq!(
        steps("/orders?columns=number,suppliers(name)", &rows(5000))[1].2,
        1
    );
}
