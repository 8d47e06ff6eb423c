//! Prints writes: the change in a common table expression, with the rows as one JSON parameter however many they are,
//! and a read of what was changed.

use bytes::{BufMut, Bytes, BytesMut};

use super::Param;
use super::body::Body;
use super::read::From;
use super::writer::{SOURCE, Writer};
use crate::api_request::{Mutation, Resolution, Return};
use crate::plan::{Conflict, MutatePlan, PayloadColumn, Plan};
use crate::schema_cache::TENANT_COLUMN;

/// The payload's rows.
const BODY: &str = "tenon_body";

/// Counts the rows that an upsert updated, so that the answer can tell 200 from 201.
const COUNT_UPDATE: &str = " WHERE set_config('tenon.updated', \
    (coalesce(nullif(current_setting('tenon.updated', true), '')::bigint, 0) + 1)::text, true) <> ''";

impl Writer {
    pub(super) fn mutate_statement(&mut self, plan: &Plan, mutate: &MutatePlan) {
        self.push("WITH ");
        self.ident(SOURCE);
        self.push(" AS (");
        let shown = mutate.representation == Return::Representation;
        match (mutate.mutation, &mutate.nested) {
            (_, Some(nested)) => self.nested_source(mutate, nested, shown),
            (Mutation::Insert | Mutation::Put, _) => self.insert(mutate),
            (Mutation::Update, _) if mutate.is_empty_update() => self.nothing(mutate),
            (Mutation::Update, _) => self.update(mutate),
            (Mutation::Delete, _) => self.delete(mutate),
        }
        self.push(") SELECT null::bigint AS total_count, ");
        let body = match (shown, plan.media.is_singular()) {
            (false, _) => Body::None,
            (true, true) => Body::Object,
            (true, false) => Body::Array,
        };
        self.push("count(*) AS page_count");
        // In a plan that is shown the body stands where clients look for it, otherwise last.
        if plan.explain.is_some() {
            self.push(", ");
            self.location(mutate);
            self.push(", ");
            self.body(plan, body);
            self.answer_settings();
            self.updated_count();
            self.guard(plan);
        } else {
            self.answer_settings();
            self.push(", ");
            self.location(mutate);
            self.updated_count();
            self.guard(plan);
            self.push(", ");
            self.body(plan, body);
        }
        if shown {
            self.rows(plan, |writer| writer.read_root(&mutate.read, From::Source));
        } else {
            self.push(" FROM ");
            self.ident(SOURCE);
        }
    }

    fn insert(&mut self, mutate: &MutatePlan) {
        self.push("INSERT INTO ");
        self.qualified(&mutate.table);
        let fills_tenant = mutate.tenant && !mutate.payload_has_tenant;
        if fills_tenant || !mutate.columns.is_empty() {
            self.push(" (");
            let own = fills_tenant.then_some(TENANT_COLUMN);
            let names = own
                .into_iter()
                .chain(mutate.columns.iter().map(|column| column.name.as_str()));
            for (index, name) in names.enumerate() {
                if index > 0 {
                    self.push(", ");
                }
                self.ident(name);
            }
            self.push(")");
        }
        self.push(" SELECT ");
        if fills_tenant {
            self.tenant_param();
        }
        for (index, column) in mutate.columns.iter().enumerate() {
            if index > 0 || fills_tenant {
                self.push(", ");
            }
            if mutate.tenant && column.name == TENANT_COLUMN {
                self.push("coalesce(");
                self.member(BODY, &column.name);
                self.push(", ");
                self.tenant_param();
                self.push(")");
            } else {
                self.member(BODY, &column.name);
            }
        }
        self.push(" FROM ");
        self.body_rows(mutate);
        if mutate.is_put() {
            self.write_conditions(&mutate.read, BODY, &mutate.conditions, " WHERE ");
        }
        if let Some(conflict) = &mutate.conflict {
            let names = mutate.columns.iter().map(|column| column.name.as_str());
            self.on_conflict(mutate.tenant, names, conflict);
        }
        self.returning(mutate);
    }

    /// What happens to rows that exist, of whose columns the insert fills those with the given names.
    pub(super) fn on_conflict<'n>(
        &mut self,
        tenant: bool,
        filled: impl Iterator<Item = &'n str>,
        conflict: &Conflict,
    ) {
        self.push(" ON CONFLICT (");
        for (index, column) in conflict.columns.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.ident(column);
        }
        self.push(")");
        // Whose a row is never changes.
        let mut updated = filled
            .filter(|column| !tenant || *column != TENANT_COLUMN)
            .peekable();
        if conflict.resolution == Resolution::IgnoreDuplicates || updated.peek().is_none() {
            self.push(" DO NOTHING");
            return;
        }
        self.push(" DO UPDATE SET ");
        for (index, column) in updated.enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.ident(column);
            self.push(" = EXCLUDED.");
            self.ident(column);
        }
        self.push(COUNT_UPDATE);
    }

    fn update(&mut self, mutate: &MutatePlan) {
        self.push("UPDATE ");
        self.qualified(&mutate.table);
        self.push(" SET ");
        for (index, column) in mutate.columns.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.ident(&column.name);
            self.push(" = ");
            self.member(BODY, &column.name);
        }
        self.push(" FROM (SELECT * FROM ");
        self.body_rows(mutate);
        self.push(" LIMIT 1) AS ");
        self.ident(BODY);
        self.changed_rows(mutate);
        self.returning(mutate);
    }

    fn delete(&mut self, mutate: &MutatePlan) {
        self.push("DELETE FROM ");
        self.qualified(&mutate.table);
        self.changed_rows(mutate);
        self.returning(mutate);
    }

    /// An update of no column: the table's shape, but no row.
    fn nothing(&mut self, mutate: &MutatePlan) {
        self.push("SELECT ");
        self.returned_columns(mutate);
        self.push(" FROM ");
        self.qualified(&mutate.table);
        self.push(" WHERE false");
    }

    /// `WHERE` of an update or delete.
    fn changed_rows(&mut self, mutate: &MutatePlan) {
        let alias = Self::own_alias(&mutate.table);
        let mut before = " WHERE ";
        if mutate.tenant {
            self.push(before);
            self.of_tenant(alias);
            before = " AND ";
        }
        self.write_conditions(&mutate.read, alias, &mutate.conditions, before);
    }

    /// The payload as rows: `json_to_recordset($1) AS tenon_body (column type, …)`.
    fn body_rows(&mut self, mutate: &MutatePlan) {
        let payload = Param(as_array(mutate));
        if mutate.columns.is_empty() {
            self.push("json_array_elements(");
            self.param(payload);
            self.push("::json) AS ");
            self.ident(BODY);
            return;
        }
        // Some types have their own way to be read, which is not the way their values are stored.
        let read = mutate.columns.iter().any(|column| column.reader.is_some());
        if read {
            self.push("(SELECT ");
            for (index, column) in mutate.columns.iter().enumerate() {
                if index > 0 {
                    self.push(", ");
                }
                if let Some(reader) = &column.reader {
                    self.qualified(reader);
                    self.push("(");
                }
                self.member(BODY, &column.name);
                if column.reader.is_some() {
                    self.push(")");
                }
                self.push(" AS ");
                self.ident(&column.name);
            }
            self.push(" FROM ");
        }
        self.body_records(mutate, payload);
        if read {
            self.push(") AS ");
            self.ident(BODY);
        }
    }

    fn body_records(&mut self, mutate: &MutatePlan, payload: Param) {
        if mutate.missing_default {
            self.push("(SELECT jsonb_agg(");
            self.defaults(&mutate.columns);
            self.push(" || elem) AS tenon_filled FROM jsonb_array_elements(");
            self.param(payload);
            self.push("::jsonb) AS elem) AS tenon_rows, LATERAL jsonb_to_recordset(tenon_rows.tenon_filled)");
        } else {
            self.push("json_to_recordset(");
            self.param(payload);
            self.push("::json)");
        }
        self.record_columns(BODY, &mutate.columns);
    }

    /// An object of the defaults of columns.
    pub(super) fn defaults(&mut self, columns: &[PayloadColumn]) {
        self.push("jsonb_build_object(");
        let mut first = true;
        for column in columns {
            let Some(default) = &column.default else { continue };
            if !first {
                self.push(", ");
            }
            first = false;
            self.literal(&column.name);
            self.push(", ");
            self.push(default);
        }
        self.push(")");
    }

    /// ` AS body (column type, …)` after a function that reads records from JSON.
    pub(super) fn record_columns(&mut self, alias: &str, columns: &[PayloadColumn]) {
        self.push(" AS ");
        self.ident(alias);
        self.push(" (");
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.ident(&column.name);
            self.push(" ");
            self.push(if column.reader.is_some() {
                "json"
            } else {
                &column.type_name
            });
        }
        self.push(")");
    }

    fn returning(&mut self, mutate: &MutatePlan) {
        self.push(" RETURNING ");
        self.returned_columns(mutate);
    }

    pub(super) fn returned_columns(&mut self, mutate: &MutatePlan) {
        let alias = Self::own_alias(&mutate.table);
        let needed = &mutate.returning;
        let columns: &[String] = if needed.all { &[] } else { &needed.columns };
        if needed.all {
            self.all_of(alias);
        } else if columns.is_empty() && needed.computed.is_empty() {
            self.push("1");
            return;
        }
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.member(alias, column);
        }
        for (index, (name, function)) in needed.computed.iter().enumerate() {
            if index > 0 || needed.all || !columns.is_empty() {
                self.push(", ");
            }
            self.qualified(function);
            self.push("(");
            self.ident(alias);
            self.push(") AS ");
            self.ident(name);
        }
    }

    /// How many rows an upsert has updated.
    fn updated_count(&mut self) {
        self.push(", nullif(current_setting('tenon.updated', true), '')::bigint AS updated_count");
    }

    /// The key of the one new row, for `Location`.
    fn location(&mut self, mutate: &MutatePlan) {
        if mutate.location.is_empty() {
            self.push("null::json AS location");
            return;
        }
        self.push("(SELECT ");
        self.object_of_source(&mutate.location);
        self.push(" FROM ");
        self.ident(SOURCE);
        self.push(" LIMIT 1) AS location");
    }

    /// These columns of a changed row, by name.
    pub(super) fn object_of_source(&mut self, columns: &[String]) {
        self.push("json_build_object(");
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.literal(column);
            self.push(", ");
            self.member(SOURCE, column);
        }
        self.push(")");
    }
}

/// One object becomes an array of one, so that both have the same statement.
fn as_array(mutate: &MutatePlan) -> Bytes {
    if !mutate.payload_object {
        return mutate.payload.clone();
    }
    let mut text = BytesMut::with_capacity(mutate.payload.len() + 2);
    text.put_u8(b'[');
    text.put_slice(&mutate.payload);
    text.put_u8(b']');
    text.freeze()
}
