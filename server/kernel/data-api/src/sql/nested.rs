//! Prints inserts of rows with rows inside them: a statement for each step, and at the end the read of the new rows.
//!
//! Statements of one transaction see what those before them did, which the parts of a single statement would not: policies
//! and triggers of the inner rows find the outer ones, and the read finds all. Keys travel from one to the next in a setting
//! of the transaction, a JSON object of them by the number of the row. They are known for each row because a row whose key
//! is needed is a statement of its own, so nothing is assumed about the order in which PostgreSQL returns rows.

use super::writer::{SOURCE, Writer};
use super::{Param, Statement};
use crate::plan::{Link, MutatePlan, Nested, NestedStep, PayloadColumn, Plan};
use crate::schema_cache::TENANT_COLUMN;

/// The rows of the body.
const ITEM: &str = "tenon_item";
/// The columns of one of them.
const BODY: &str = "tenon_body";
/// The new rows' keys.
const NEW: &str = "tenon_new";

/// The steps before the statement of an insert.
pub(super) fn steps(plan: &Plan, mutate: &MutatePlan) -> Vec<Statement> {
    let Some(nested) = &mutate.nested else {
        return Vec::new();
    };
    let mut statements = vec![forget(nested)];
    for (index, step) in nested.steps.iter().enumerate() {
        for (number, rows) in step.rows.iter().enumerate() {
            let mut writer = Writer::new(plan.tenant);
            writer.step(mutate, nested, index, step, Param(rows.clone()), number);
            statements.push(writer.finish());
        }
    }
    statements
}

/// Empties the settings: an insert before in the same transaction may have used them.
fn forget(nested: &Nested) -> Statement {
    let mut writer = Writer::new(None);
    for index in 0..nested.steps.len() {
        writer.push(if index == 0 { "SELECT " } else { ", " });
        writer.push("set_config(");
        writer.setting(index);
        writer.push(", '', true)");
    }
    writer.finish()
}

/// The steps' own names of the keys of others.
fn keys_of(link: usize) -> String {
    format!("tenon_keys_{link}")
}

impl Writer {
    /// `'tenon.nested_n'`
    fn setting(&mut self, step: usize) {
        self.push("'tenon.nested_");
        self.number(step as u64);
        self.push("'");
    }

    /// All keys of a step, as `jsonb`.
    fn remembered(&mut self, step: usize) {
        self.push("('{' || current_setting(");
        self.setting(step);
        self.push(", true) || '}')::jsonb");
    }

    fn step(
        &mut self,
        mutate: &MutatePlan,
        nested: &Nested,
        index: usize,
        step: &NestedStep,
        rows: Param,
        number: usize,
    ) {
        let remembers = step.one_by_one || index == nested.root;
        let mut before = "WITH ";
        for (position, link) in step.links.iter().enumerate() {
            self.push(before);
            before = ", ";
            self.ident(&keys_of(position));
            self.push(" AS MATERIALIZED (SELECT ");
            self.remembered(link.step);
            self.push(" AS keys)");
        }
        if remembers {
            self.push(before);
            self.ident(SOURCE);
            self.push(" AS (");
        } else if !step.links.is_empty() {
            self.push(" ");
        }
        self.step_insert(mutate, step, rows);
        if remembers {
            self.returned_keys(step);
            self.push(") ");
            self.remember(index, step, number);
        }
    }

    fn step_insert(&mut self, mutate: &MutatePlan, step: &NestedStep, rows: Param) {
        let columns = filled_columns(step);
        self.push("INSERT INTO ");
        self.qualified(&step.table);
        for (index, column) in columns.iter().enumerate() {
            self.push(if index == 0 { " (" } else { ", " });
            self.ident(column);
        }
        self.push(if columns.is_empty() {
            " SELECT"
        } else {
            ") SELECT "
        });
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.filled(step, column);
        }
        self.push(" FROM json_array_elements(");
        self.param(rows);
        self.push("::json) AS ");
        self.ident(ITEM);
        self.push("(item)");
        self.step_record(mutate, step);
        for position in 0..step.links.len() {
            self.push(", ");
            self.ident(&keys_of(position));
        }
        for (position, link) in step.links.iter().enumerate() {
            self.push(if position == 0 { " WHERE " } else { " AND " });
            self.referred(position, link);
        }
        if let Some(conflict) = &step.conflict {
            let set = columns.iter().copied();
            self.on_conflict(step.tenant, set, conflict);
        }
    }

    /// The columns of a row, typed.
    fn step_record(&mut self, mutate: &MutatePlan, step: &NestedStep) {
        if step.columns.is_empty() {
            return;
        }
        self.push(", LATERAL ");
        if mutate.missing_default {
            self.push("jsonb_to_record(");
            self.defaults(&step.columns);
            self.push(" || (");
            self.member(ITEM, "item");
            self.push(" -> 'row')::jsonb)");
        } else {
            self.push("json_to_record(");
            self.member(ITEM, "item");
            self.push(" -> 'row')");
        }
        self.record_columns(BODY, &step.columns);
    }

    /// The value of a column: from the keys of other rows, from the body, or the organisation.
    fn filled(&mut self, step: &NestedStep, column: &str) {
        let body = step.columns.iter().find(|known| known.name == column);
        let keys: Vec<(usize, &str, &str)> = step
            .links
            .iter()
            .enumerate()
            .flat_map(|(position, link)| link.pairs.iter().map(move |pair| (position, pair)))
            .filter(|(_, pair)| pair.column == column)
            .map(|(position, pair)| (position, pair.key.as_str(), pair.type_name.as_str()))
            .collect();
        let own = step.tenant && column == TENANT_COLUMN;
        let several = usize::from(body.is_some()) + keys.len() + usize::from(own) > 1;
        if several {
            self.push("coalesce(");
        }
        let mut between = "";
        // Whose a row is, it may say itself.
        let body_first = column == TENANT_COLUMN;
        if body_first && let Some(body) = body {
            self.body_value(body);
            between = ", ";
        }
        for (position, key, type_name) in keys {
            self.push(between);
            between = ", ";
            self.push("(");
            self.ident(&keys_of(position));
            self.push(".keys -> ");
            self.up(position);
            self.push(" ->> ");
            self.literal(key);
            self.push(")::");
            self.push(type_name);
        }
        if !body_first && let Some(body) = body {
            self.push(between);
            self.body_value(body);
        }
        if own {
            self.push(between);
            self.tenant_param();
        }
        if several {
            self.push(")");
        }
    }

    fn body_value(&mut self, column: &PayloadColumn) {
        if let Some(reader) = &column.reader {
            self.qualified(reader);
            self.push("(");
        }
        self.member(BODY, &column.name);
        if column.reader.is_some() {
            self.push(")");
        }
    }

    /// Number of the row that this one refers to.
    fn up(&mut self, position: usize) {
        self.push("(");
        self.member(ITEM, "item");
        self.push(" #>> '{up,");
        self.number(position as u64);
        self.push("}')");
    }

    /// The row that this one refers to has been inserted. What a trigger leaves out takes along what depends on it.
    fn referred(&mut self, position: usize, link: &Link) {
        if link.optional {
            self.push("(");
            self.up(position);
            self.push(" IS NULL OR ");
        }
        self.ident(&keys_of(position));
        self.push(".keys ? ");
        self.up(position);
        if link.optional {
            self.push(")");
        }
    }

    fn returned_keys(&mut self, step: &NestedStep) {
        self.push(" RETURNING ");
        if step.keys.is_empty() {
            self.push("1");
        }
        for (index, key) in step.keys.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.member(Self::own_alias(&step.table), key);
            self.push("::text AS ");
            self.ident(key);
        }
    }

    /// Adds the keys of the new rows to those of the step.
    fn remember(&mut self, index: usize, step: &NestedStep, number: usize) {
        self.push("SELECT set_config(");
        self.setting(index);
        self.push(", concat_ws(',', nullif(current_setting(");
        self.setting(index);
        self.push(", true), ''), string_agg('\"' || number || '\":' || key, ',')), true) FROM (SELECT ");
        if step.one_by_one {
            self.param(Param::text(number.to_string()));
            self.push("::text");
        } else {
            self.push("row_number() OVER ()");
        }
        self.push(" AS number, ");
        self.object_of_source(&step.keys);
        self.push("::text AS key FROM ");
        self.ident(SOURCE);
        self.push(") AS ");
        self.ident(NEW);
    }

    /// The new outermost rows: read anew if they are shown, so that they are as triggers of the inner rows left them.
    pub(super) fn nested_source(&mut self, mutate: &MutatePlan, nested: &Nested, shown: bool) {
        if !shown {
            self.push("SELECT ");
            for (index, column) in mutate.location.iter().enumerate() {
                if index > 0 {
                    self.push(", ");
                }
                self.push("value ->> ");
                self.literal(column);
                self.push(" AS ");
                self.ident(column);
            }
            if mutate.location.is_empty() {
                self.push("1");
            }
            self.push(" FROM ");
            self.each_key(nested);
            return;
        }
        self.push("SELECT ");
        self.returned_columns(mutate);
        self.push(" FROM ");
        self.qualified(&mutate.table);
        self.push(" JOIN (SELECT min(key::integer) AS number");
        for (index, (column, type_name)) in nested.identity.iter().enumerate() {
            self.push(", (value ->> ");
            self.literal(column);
            self.push(")::");
            self.push(type_name);
            self.push(" AS ");
            self.ident(&format!("key_{index}"));
        }
        self.push(" FROM ");
        self.each_key(nested);
        for index in 0..nested.identity.len() {
            self.push(if index == 0 { " GROUP BY " } else { ", " });
            self.number(index as u64 + 2);
        }
        self.push(") AS ");
        self.ident(NEW);
        let alias = Self::own_alias(&mutate.table);
        for (index, (column, _)) in nested.identity.iter().enumerate() {
            self.push(if index == 0 { " ON " } else { " AND " });
            self.member(alias, column);
            self.push(" = ");
            self.member(NEW, &format!("key_{index}"));
        }
        if mutate.tenant {
            self.push(" WHERE ");
            self.of_tenant(alias);
        }
        self.push(" ORDER BY ");
        self.member(NEW, "number");
    }

    fn each_key(&mut self, nested: &Nested) {
        self.push("jsonb_each(");
        self.remembered(nested.root);
        self.push(")");
    }
}

/// All columns that are filled, the organisation's first.
fn filled_columns(step: &NestedStep) -> Vec<&str> {
    let own = step.tenant.then_some(TENANT_COLUMN);
    let body = step.columns.iter().map(|column| column.name.as_str());
    let links = step.links.iter().flat_map(|link| &link.pairs);
    let links = links.map(|pair| pair.column.as_str());
    let mut columns: Vec<&str> = Vec::new();
    for column in own.into_iter().chain(body).chain(links) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::{TENANT, plan};

    fn before(target: &str, prefer: &str, body: &str) -> Vec<Statement> {
        Statement::before(
            &plan("POST", target, prefer, body).unwrap_or_else(|error| panic!("{target}: {error}")),
        )
    }

    fn texts(statement: &Statement) -> Vec<String> {
        let params = statement.params.iter();
        params
            .map(|param| String::from_utf8_lossy(&param.0).into_owned())
            .collect()
    }

    const ORDERS: &str =
        "/orders?columns=number,entries(amount),supplier:suppliers(name)&select=number,entries(amount)";

    #[test]
    fn what_a_row_refers_to_comes_before_it_and_what_refers_to_it_after() {
        let body = r#"[{"number":"1","supplier":{"name":"A"},"entries":[{"amount":1.10},{"amount":2}]},{"number":"2"}]"#;
        let made = before(ORDERS, "", body);
        let sql: Vec<&str> = made.iter().map(|statement| statement.sql.as_str()).collect();
        assert_eq!(sql.len(), 5, "{sql:#?}");
        assert_eq!(
            sql[0],
            "SELECT set_config('tenon.nested_0', '', true), set_config('tenon.nested_1', '', true), \
             set_config('tenon.nested_2', '', true)"
        );
        assert_eq!(
            sql[1],
            "WITH \"tenon_source\" AS (INSERT INTO \"shop\".\"suppliers\" (\"org_id\", \"name\") \
             SELECT $1::uuid, \"tenon_body\".\"name\" FROM json_array_elements($2::json) AS \"tenon_item\"(item), \
             LATERAL json_to_record(\"tenon_item\".\"item\" -> 'row') AS \"tenon_body\" (\"name\" text) \
             RETURNING \"suppliers\".\"id\"::text AS \"id\") \
             SELECT set_config('tenon.nested_0', concat_ws(',', nullif(current_setting('tenon.nested_0', true), ''), \
             string_agg('\"' || number || '\":' || key, ',')), true) FROM (SELECT $3::text AS number, \
             json_build_object('id', \"tenon_source\".\"id\")::text AS key FROM \"tenon_source\") AS \"tenon_new\""
        );
        assert_eq!(
            sql[2], sql[3],
            "every row with rows of its own is the same statement"
        );
        assert_eq!(
            sql[4],
            "WITH \"tenon_keys_0\" AS MATERIALIZED (SELECT ('{' || current_setting('tenon.nested_1', true) || '}')::jsonb AS keys) \
             INSERT INTO \"shop\".\"entries\" (\"org_id\", \"amount\", \"order_id\") \
             SELECT $1::uuid, \"tenon_body\".\"amount\", \
             (\"tenon_keys_0\".keys -> (\"tenon_item\".\"item\" #>> '{up,0}') ->> 'id')::uuid \
             FROM json_array_elements($2::json) AS \"tenon_item\"(item), \
             LATERAL json_to_record(\"tenon_item\".\"item\" -> 'row') AS \"tenon_body\" (\"amount\" numeric), \"tenon_keys_0\" \
             WHERE \"tenon_keys_0\".keys ? (\"tenon_item\".\"item\" #>> '{up,0}')"
        );
        assert_eq!(
            texts(&made[2]),
            [
                TENANT.to_string(),
                r#"[{"row":{"number":"1"},"up":[0]}]"#.to_owned(),
                "0".to_owned()
            ]
        );
        assert_eq!(
            texts(&made[3]),
            [
                TENANT.to_string(),
                r#"[{"row":{"number":"2"},"up":[null]}]"#.to_owned(),
                "1".to_owned()
            ]
        );
        assert_eq!(
            texts(&made[4]),
            [
                TENANT.to_string(),
                r#"[{"row":{"amount":1.10},"up":[0]},{"row":{"amount":2},"up":[0]}]"#.to_owned()
            ]
        );
        assert!(made[1..].iter().all(|statement| statement.names_tenant));
    }

    #[test]
    fn the_new_rows_are_read_after_everything_and_only_those_of_the_organisation() {
        let main = Statement::new(&plan("POST", ORDERS, "return=representation", "{}").expect("plans"))
            .expect("a statement");
        assert!(
            main.sql.starts_with(
                "WITH \"tenon_source\" AS (SELECT \"orders\".\"number\", \"orders\".\"org_id\", \"orders\".\"id\" \
                 FROM \"shop\".\"orders\" JOIN (SELECT min(key::integer) AS number, (value ->> 'org_id')::uuid AS \"key_0\", \
                 (value ->> 'id')::uuid AS \"key_1\" FROM jsonb_each(('{' || current_setting('tenon.nested_1', true) || '}')::jsonb) \
                 GROUP BY 2, 3) AS \"tenon_new\" ON \"orders\".\"org_id\" = \"tenon_new\".\"key_0\" \
                 AND \"orders\".\"id\" = \"tenon_new\".\"key_1\" WHERE \"orders\".\"org_id\" = $1::uuid \
                 ORDER BY \"tenon_new\".\"number\")"
            ),
            "{}",
            main.sql
        );
        let unseen = Statement::new(&plan("POST", ORDERS, "", "{}").expect("plans")).expect("a statement");
        assert!(
            unseen
                .sql
                .starts_with("WITH \"tenon_source\" AS (SELECT 1 FROM jsonb_each("),
            "{}",
            unseen.sql
        );
    }

    #[test]
    fn rows_that_only_bring_what_they_refer_to_are_one_statement() {
        let body = r#"[{"number":"1","suppliers":{"name":"A"}},{"number":"2","suppliers":null}]"#;
        let made = before(
            "/orders?columns=number,supplier_id,suppliers(name)",
            "missing=default",
            body,
        );
        assert_eq!(made.len(), 3);
        let sql = &made[2].sql;
        assert!(sql.contains("coalesce((\"tenon_keys_0\".keys -> (\"tenon_item\".\"item\" #>> '{up,0}') ->> 'id')::uuid, \"tenon_body\".\"supplier_id\")"), "{sql}");
        assert!(
            sql.contains("((\"tenon_item\".\"item\" #>> '{up,0}') IS NULL OR "),
            "{sql}"
        );
        assert!(
            sql.contains(
                "jsonb_to_record(jsonb_build_object() || (\"tenon_item\".\"item\" -> 'row')::jsonb)"
            ),
            "{sql}"
        );
        assert!(sql.contains("row_number() OVER () AS number"), "{sql}");
    }

    #[test]
    fn an_upsert_sets_what_the_body_and_other_rows_fill() {
        let made = before(
            "/orders?columns=number,suppliers(name)&on_conflict=number",
            "resolution=merge-duplicates",
            r#"{"number":"1","suppliers":{"name":"A"}}"#,
        );
        let sql = &made[2].sql;
        assert!(
            sql.contains("ON CONFLICT (\"org_id\", \"number\") DO UPDATE SET \"number\" = EXCLUDED.\"number\", \"supplier_id\" = EXCLUDED.\"supplier_id\""),
            "{sql}"
        );
        assert!(!made[1].sql.contains("ON CONFLICT"), "{}", made[1].sql);
    }

    #[test]
    fn rows_between_are_made_for_rows_that_are_reached_through_them() {
        let body = r#"{"number":"1","labels":[{"name":"a"},{"name":"b"}]}"#;
        let made = before("/orders?columns=number,labels(name)", "", body);
        assert_eq!(made.len(), 5);
        let sql = &made[4].sql;
        assert!(
            sql.contains("INSERT INTO \"shop\".\"order_labels\" (\"org_id\", \"order_id\", \"label_id\") SELECT $1::uuid, "),
            "{sql}"
        );
        assert_eq!(
            texts(&made[4])[1],
            r#"[{"row":{},"up":[0,0]},{"row":{},"up":[0,1]}]"#
        );
    }

    proptest! {
        #[test]
        fn no_value_is_ever_in_the_text(value in "\\PC{0,40}") {
            let marked = format!("zq{value}qz");
            let body = serde_json::json!({"number": marked, "entries": [{"amount": marked, "other": marked}], marked.clone(): 1});
            for made in before("/orders?columns=number,entries(amount)", "", &body.to_string()) {
                prop_assert!(!made.sql.contains("zq"), "{}", made.sql);
            }
        }

        #[test]
        fn nothing_panics_whatever_the_body(
            columns in "[a-z*,()!:\"_]{0,30}", body in "[\\[\\]{}\",:a-z0-9 ]{0,40}",
        ) {
            for target in [format!("/orders?columns={columns}"), format!("/orders?columns=*,entries({columns}),labels(*)")] {
                if let Ok(plan) = plan("POST", &target, "return=representation", &body) {
                    Statement::before(&plan);
                }
            }
        }
    }
}
