//! Plans POST, PUT, PATCH and DELETE on a relation.

use bytes::Bytes;

use super::nested::Rows;
use super::{
    Condition, Conflict, GroupValue, MutatePlan, PayloadColumn, Planner, ReadPlan, Returning, SortKey, Via,
};
use crate::api_request::{Missing, Mutation, Operation, Operator, Payload, Range, Resolution, Return};
use crate::error::{Error, Result};
use crate::schema_cache::{TENANT_COLUMN, Table};

impl Planner<'_> {
    pub(super) fn mutate(&self, relation: &str, mutation: Mutation) -> Result<MutatePlan> {
        let table = self.table(relation)?;
        let preferences = &self.request.preferences;
        let mut read = self.read_of(table.qualified.clone(), false)?;
        read.range = Range::ALL;
        // The write itself is bound to the organisation; its result need not be looked through again.
        read.tenant = false;
        let conditions = self.root_conditions(table, &read)?;
        if mutation == Mutation::Put {
            check_put(table, &conditions, self.request.query.logic.is_empty())?;
        }
        let (payload, payload_object, keys) = self.body();
        let conflict = self.conflict(table, mutation);
        let representation = preferences.representation.unwrap_or(Return::Minimal);
        let inserts = matches!(mutation, Mutation::Insert | Mutation::Put);
        let location: Vec<String> = if inserts && representation == Return::HeadersOnly {
            table.public_key().map(str::to_owned).collect()
        } else {
            Vec::new()
        };
        let shown = representation == Return::Representation;
        let nested = self.nested(table, conflict.as_ref(), &location, shown)?;
        let (nested, columns) = match nested {
            Some(Rows::Nested(nested)) => (Some(nested), Vec::new()),
            Some(Rows::Flat(columns)) => (None, columns),
            None => (None, self.payload_columns(table, &keys)?),
        };
        let holds_key = || {
            table
                .public_key()
                .all(|key| columns.iter().any(|column| column.name == key))
        };
        if mutation == Mutation::Put && !holds_key() {
            return Err(Error::put_payload());
        }
        let tenant = self.is_tenant(&table.qualified);
        let returning = returning(&read, representation, &location);
        let limits_rows = matches!(mutation, Mutation::Update | Mutation::Delete);
        Ok(MutatePlan {
            mutation,
            table: table.qualified.clone(),
            tenant,
            payload_has_tenant: columns.iter().any(|column| column.name == TENANT_COLUMN),
            payload,
            payload_object,
            columns,
            missing_default: preferences.missing == Some(Missing::Default) && mutation != Mutation::Delete,
            conflict,
            conditions,
            representation,
            returning,
            location,
            max_affected: preferences.max_affected.filter(|_| limits_rows),
            nested,
            read,
        })
    }

    /// The filters that choose the rows to change.
    fn root_conditions(&self, table: &Table, read: &ReadPlan) -> Result<Vec<Condition>> {
        let query = &self.request.query;
        let mut conditions = Vec::new();
        for (_, filter) in query.filters.iter().filter(|(path, _)| path.is_empty()) {
            conditions.push(self.condition(&table.qualified, &read.embeds, filter)?);
        }
        for (_, tree) in query.logic.iter().filter(|(path, _)| path.is_empty()) {
            conditions.push(self.logic(&table.qualified, &read.embeds, tree)?);
        }
        // Read as a filter on what is shown, such a test would let the write change every row.
        if conditions.iter().any(tests_embed) {
            return Err(Error::not_implemented(
                "Rows to change cannot be chosen by an embedded resource.",
            ));
        }
        Ok(conditions)
    }

    fn body(&self) -> (Bytes, bool, Vec<String>) {
        match &self.request.payload {
            Some(Payload::Json {
                text, object, keys, ..
            }) => (text.clone(), *object, keys.clone()),
            _ => (Bytes::from_static(b"[]"), false, Vec::new()),
        }
    }

    fn payload_columns(&self, table: &Table, keys: &[String]) -> Result<Vec<PayloadColumn>> {
        self.columns_of(table, self.request.query.columns.as_deref().unwrap_or(keys))
    }

    /// Columns of a relation that a payload fills.
    pub(super) fn columns_of(&self, table: &Table, names: &[String]) -> Result<Vec<PayloadColumn>> {
        names
            .iter()
            .map(|name| {
                let column = table
                    .column(name)
                    .ok_or_else(|| Error::no_column(&table.qualified.name, name))?;
                Ok(PayloadColumn {
                    name: name.clone(),
                    type_name: column.type_name.clone(),
                    default: column.default.clone(),
                    reader: self
                        .cache
                        .representation(&column.type_name)
                        .and_then(|representation| representation.from_json.clone()),
                })
            })
            .collect()
    }

    fn conflict(&self, table: &Table, mutation: Mutation) -> Option<Conflict> {
        let resolution = match mutation {
            Mutation::Put => Resolution::MergeDuplicates,
            Mutation::Insert => self.request.preferences.resolution?,
            _ => return None,
        };
        let asked = self
            .request
            .query
            .on_conflict
            .as_ref()
            .filter(|_| mutation == Mutation::Insert);
        let mut columns = asked.cloned().unwrap_or_else(|| table.primary_key.clone());
        if columns.is_empty() {
            return None;
        }
        // Every unique key of a tenant table begins with the organisation, which clients do not name.
        if table.tenant && !columns.iter().any(|column| column == TENANT_COLUMN) {
            columns.insert(0, TENANT_COLUMN.to_owned());
        }
        Some(Conflict { columns, resolution })
    }
}

fn tests_embed(condition: &Condition) -> bool {
    match condition {
        Condition::Embed { .. } => true,
        Condition::Group { conditions, .. } => conditions.iter().any(tests_embed),
        Condition::Compare { .. } => false,
    }
}

/// PUT names exactly one row by its whole primary key.
fn check_put(table: &Table, conditions: &[Condition], no_logic: bool) -> Result<()> {
    let mut named: Vec<&str> = Vec::new();
    for condition in conditions {
        match condition {
            Condition::Compare {
                column,
                negated: false,
                operation: Operation::Compare(Operator::Equal, None, _),
                ..
            } if column.path.is_empty() => {
                named.push(&column.name);
            }
            _ => return Err(Error::put_filters()),
        }
    }
    let mut key: Vec<&str> = table.public_key().collect();
    if table.tenant {
        named.retain(|column| *column != TENANT_COLUMN);
    }
    named.sort_unstable();
    key.sort_unstable();
    if no_logic && !key.is_empty() && named == key {
        Ok(())
    } else {
        Err(Error::put_filters())
    }
}

/// The columns that reading the changed rows needs.
fn returning(read: &ReadPlan, representation: Return, location: &[String]) -> Returning {
    let mut needed = Returning {
        columns: location.to_vec(),
        ..Returning::default()
    };
    if representation != Return::Representation {
        return needed;
    }
    let outputs = read.select.iter().map(|output| &output.column);
    let sorted = read.order.iter().filter_map(|order| match &order.key {
        SortKey::Column(column) => Some(column),
        SortKey::Group(GroupValue::Aggregate(output)) if output.column.name != "*" => Some(&output.column),
        SortKey::Embed(..) | SortKey::Group(_) => None,
    });
    for column in outputs.chain(sorted) {
        match &column.function {
            Some(function) => needed.computed.push((column.name.clone(), function.clone())),
            None if column.name == "*" => needed.all = true,
            None => needed.columns.push(column.name.clone()),
        }
    }
    for embed in &read.embeds {
        match &embed.via {
            Via::Columns(pairs) => needed.columns.extend(pairs.iter().map(|(near, _)| near.clone())),
            Via::Junction { junction, .. } => {
                needed
                    .columns
                    .extend(junction.source.iter().map(|(near, _)| near.clone()));
            }
            Via::Function(_) => needed.all = true,
        }
    }
    let mut unique = Vec::with_capacity(needed.columns.len());
    for column in needed.columns {
        if !unique.contains(&column) {
            unique.push(column);
        }
    }
    needed.columns = unique;
    needed.computed.sort();
    needed.computed.dedup();
    needed
}
