//! Relationships derived without a database.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn table(name: &str, columns: &[&str], key: &[&str], view: bool) -> Value {
    let columns: Vec<Value> = columns
        .iter()
        .map(|name| json!({"name": name, "type": "integer", "kind": "other", "nullable": true, "default": null, "comment": null}))
        .collect();
    json!({"schema": "shop", "name": name, "comment": null, "view": view, "insertable": true, "updatable": true,
           "deletable": true, "tenant": false, "columns": columns, "primary_key": key})
}

fn key(name: &str, from: &str, to: &str, columns: &[(&str, &str)], unique: bool) -> Value {
    json!({"constraint": name, "schema": "shop", "table": from, "foreign_schema": "shop", "foreign_table": to,
           "columns": columns, "unique": unique})
}

fn rule(view: u32, columns: &[(u32, i16)]) -> Value {
    let entries: Vec<String> = columns
        .iter()
        .zip(1..)
        .map(|((table, column), number)| {
            format!("{{TARGETENTRY :resno {number} :resorigtbl {table} :resorigcol {column} :resjunk false}}")
        })
        .collect();
    json!({"view": view, "action": format!("({{QUERY :targetList ({})}})", entries.join(" "))})
}

fn relation(oid: u32, schema: &str, name: &str, columns: &[&str], key: &[&str]) -> Value {
    let columns: Vec<Value> = columns
        .iter()
        .zip(1..)
        .map(|(name, number)| json!([number, name]))
        .collect();
    json!({"oid": oid, "schema": schema, "name": name, "columns": columns, "primary_key": key})
}

fn cache(
    tables: &[Value],
    keys: &[Value],
    rules: &[Value],
    relations: &[Value],
    functions: &[Value],
) -> SchemaCache {
    let catalogue = json!({"tables": tables, "foreign_keys": keys, "functions": functions,
                           "views": {"rules": rules, "relations": relations}});
    SchemaCache::from_catalogue(&catalogue.to_string()).expect("the fixture is valid")
}

/// `far table: cardinality constraint near=far,…` of everything that starts at a relation.
fn show(cache: &SchemaCache, from: &str) -> Vec<String> {
    let pairs = |pairs: &[(String, String)]| {
        let shown: Vec<String> = pairs.iter().map(|(near, far)| format!("{near}={far}")).collect();
        shown.join(",")
    };
    cache
        .relationships(&QualifiedName::new("shop", from))
        .iter()
        .map(|found| {
            let far = &found.foreign_table.name;
            match &found.cardinality {
                Cardinality::ManyToOne => {
                    format!("{far}: n:1 {} {}", found.constraint, pairs(&found.columns))
                }
                Cardinality::OneToMany => {
                    format!("{far}: 1:n {} {}", found.constraint, pairs(&found.columns))
                }
                Cardinality::OneToOne => format!("{far}: 1:1 {} {}", found.constraint, pairs(&found.columns)),
                Cardinality::ManyToMany(between) => format!(
                    "{far}: n:n {} {} {}",
                    between.table.name,
                    pairs(&between.source),
                    pairs(&between.target)
                ),
                Cardinality::Computed { function, to_one } => format!("{far}: {} {to_one}", function.name),
            }
        })
        .collect()
}

#[test]
fn a_view_has_the_relationships_of_its_table_once_for_each_name_of_a_column() {
    let cache = cache(
        &[
            table("orders", &["id", "supplier"], &["id"], false),
            table("suppliers", &["id"], &["id"], false),
            table("late", &["order", "first", "second"], &[], true),
        ],
        &[key(
            "orders_supplier",
            "orders",
            "suppliers",
            &[("supplier", "id")],
            false,
        )],
        &[rule(9, &[(1, 1), (1, 2), (1, 2)])],
        &[
            relation(1, "shop", "orders", &["id", "supplier"], &["id"]),
            relation(9, "shop", "late", &["order", "first", "second"], &[]),
        ],
        &[],
    );
    assert_eq!(
        show(&cache, "late"),
        [
            "suppliers: n:1 orders_supplier first=id",
            "suppliers: n:1 orders_supplier second=id"
        ]
    );
    assert_eq!(
        show(&cache, "suppliers"),
        [
            "late: 1:n orders_supplier id=first",
            "late: 1:n orders_supplier id=second",
            "orders: 1:n orders_supplier id=supplier"
        ]
    );
    let late = cache.table(&QualifiedName::new("shop", "late")).expect("known");
    assert_eq!(late.primary_key, ["order"]);
}

#[test]
fn views_over_tables_that_are_not_exposed_are_related_to_each_other() {
    let hidden = |mut value: Value, ends: &[&str]| {
        for end in ends {
            value[*end] = json!("hidden");
        }
        value
    };
    let cache = cache(
        &[
            table("roles", &["film", "actor"], &[], true),
            table("films", &["id"], &[], true),
            table("actors", &["id"], &["id"], false),
        ],
        &[
            hidden(
                key("roles_film", "r", "f", &[("film", "id")], false),
                &["schema", "foreign_schema"],
            ),
            hidden(
                key("roles_actor", "r", "actors", &[("actor", "id")], false),
                &["schema"],
            ),
        ],
        &[rule(8, &[(1, 1), (1, 2)]), rule(9, &[(2, 1)])],
        &[
            relation(1, "hidden", "r", &["film", "actor"], &["film", "actor"]),
            relation(2, "hidden", "f", &["id"], &["id"]),
            relation(8, "shop", "roles", &["film", "actor"], &[]),
            relation(9, "shop", "films", &["id"], &[]),
        ],
        &[],
    );
    assert_eq!(
        show(&cache, "actors"),
        [
            "films: n:n roles id=actor id=film",
            "roles: 1:n roles_actor id=actor"
        ]
    );
    assert_eq!(
        show(&cache, "films"),
        [
            "actors: n:n roles id=film id=actor",
            "roles: 1:n roles_film id=film"
        ]
    );
}

#[test]
fn a_junction_s_key_holds_both_foreign_keys() {
    let keys = [
        key("a", "between", "left", &[("l", "id")], false),
        key("b", "between", "right", &[("r", "id")], false),
    ];
    for (primary, joined) in [(&["l", "r"][..], true), (&["l"][..], false), (&["id"][..], false)] {
        let cache = cache(
            &[
                table("left", &["id"], &["id"], false),
                table("right", &["id"], &["id"], false),
                table("between", &["id", "l", "r"], primary, false),
            ],
            &keys,
            &[],
            &[],
            &[],
        );
        assert_eq!(
            show(&cache, "left").len(),
            if joined { 2 } else { 1 },
            "{primary:?}"
        );
    }
}

#[test]
fn a_function_takes_the_place_of_what_has_its_name() {
    let function = |name: &str, set: bool| {
        json!({"schema": "shop", "name": name, "comment": null, "volatile": false, "returns_set": set, "one_row": !set,
               "returns": "composite", "relation": {"schema": "shop", "name": "suppliers"}, "args": [
               {"name": "", "type": "shop.orders", "relation": {"schema": "shop", "name": "orders"}, "required": true,
                "variadic": false}]})
    };
    let cache = cache(
        &[
            table("orders", &["id", "supplier"], &["id"], false),
            table("suppliers", &["id"], &["id"], false),
        ],
        &[key(
            "orders_supplier",
            "orders",
            "suppliers",
            &[("supplier", "id")],
            false,
        )],
        &[],
        &[],
        &[function("suppliers", true), function("main_supplier", false)],
    );
    assert_eq!(
        show(&cache, "orders"),
        ["suppliers: main_supplier true", "suppliers: suppliers false"]
    );
    assert_eq!(
        show(&cache, "suppliers"),
        ["orders: 1:n orders_supplier id=supplier"]
    );
}

proptest! {
    /// Whatever a view shows: its relationships join on columns that it has, there is one back for each one forth, and none
    /// is listed twice.
    #[test]
    fn relationships_are_true_in_both_directions(
        shown in prop::collection::vec(0..4_i16, 0..6),
        pairs in prop::collection::vec((0..3_usize, 0..3_usize), 1..3),
        unique in any::<bool>(),
        primary in prop::sample::subsequence(vec!["a", "b", "c"], 0..3),
    ) {
        let names = ["a", "b", "c"];
        let columns: Vec<(&str, &str)> = pairs.iter().map(|(near, far)| (names[*near], names[*far])).collect();
        let of_view: Vec<String> = (0..shown.len()).map(|number| format!("v{number}")).collect();
        let of_view: Vec<&str> = of_view.iter().map(String::as_str).collect();
        let origins: Vec<(u32, i16)> = shown.iter().map(|&column| (u32::from(column > 0), column)).collect();
        let cache = cache(
            &[
                table("near", &names, &primary, false),
                table("far", &names, &["a"], false),
                table("seen", &of_view, &[], true),
            ],
            &[
                key("k", "near", "far", &columns, unique),
                key("l", "near", "near", &[("a", "b")], false),
            ],
            &[rule(9, &origins)],
            &[
                relation(1, "shop", "near", &names, &primary),
                relation(9, "shop", "seen", &of_view, &[]),
            ],
            &[],
        );
        let all: Vec<&Relationship> = ["near", "far", "seen"]
            .iter()
            .flat_map(|name| cache.relationships(&QualifiedName::new("shop", *name)))
            .collect();
        for (index, found) in all.iter().enumerate() {
            prop_assert!(!all[index + 1..].contains(found), "{found:?} twice");
            let columns_of = |name: &QualifiedName| {
                let table = cache.table(name).expect("both ends are known");
                table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>()
            };
            let (near, far) = (columns_of(&found.table), columns_of(&found.foreign_table));
            prop_assert!(found.columns.iter().all(|(one, other)| near.contains(&one.as_str()) && far.contains(&other.as_str())));
            let back = all.iter().any(|back| {
                let swapped = back.columns.iter().map(|(near, far)| (far.clone(), near.clone()));
                back.table == found.foreign_table
                    && back.foreign_table == found.table
                    && match (&found.cardinality, &back.cardinality) {
                        (Cardinality::ManyToMany(there), Cardinality::ManyToMany(here)) => {
                            there.table == here.table && there.source == here.target && there.target == here.source
                        }
                        _ => {
                            back.constraint == found.constraint
                                && swapped.eq(found.columns.iter().cloned())
                                && (back.holds_key != found.holds_key)
                        }
                    }
            });
            prop_assert!(back, "no way back from {found:?}");
        }
    }
}
