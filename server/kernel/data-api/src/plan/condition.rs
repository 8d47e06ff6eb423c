//! Filters, trees and sort terms of one level, with their columns resolved.

use super::{ColumnRef, Condition, Embed, Order, Planner, ReadPlan, SortKey};
use crate::api_request::{Field, Filter, IsValue, LogicTree, Operation, OrderBy, OrderTerm};
use crate::error::{Error, Result};
use crate::schema_cache::{ColumnKind, QualifiedName};

impl Planner<'_> {
    /// A field of a relation. Columns that the cache does not know are left for PostgreSQL to refuse.
    pub(super) fn column(&self, table: &QualifiedName, field: &Field) -> ColumnRef {
        let known = self
            .cache
            .table(table)
            .and_then(|table| table.column(&field.name));
        let function = match known {
            None if field.name != "*" => self.cache.computed_column(table, &field.name),
            _ => None,
        };
        let kind = known.map_or(ColumnKind::Other, |column| column.kind);
        ColumnRef {
            name: field.name.clone(),
            function: function.map(|function| function.name.clone()),
            path: field.path.clone(),
            to_json: !field.path.is_empty() && kind != ColumnKind::Json,
            // What a function computes may be a tsvector already; a text is searched by PostgreSQL as it is.
            tsvector: field.path.is_empty() && (kind == ColumnKind::Tsvector || function.is_some()),
        }
    }

    /// A filter; on the name of an embed it asks whether the embed has rows.
    pub(super) fn condition(
        &self,
        table: &QualifiedName,
        embeds: &[Embed],
        filter: &Filter,
    ) -> Result<Condition> {
        let embed = embeds
            .iter()
            .position(|embed| embed.name == filter.field.name && filter.field.path.is_empty());
        if let Some(index) = embed {
            let exists = match filter.operation {
                Operation::Is(IsValue::Null) => filter.negated,
                Operation::Is(IsValue::NotNull) => !filter.negated,
                _ if self.is_column(table, &filter.field.name) => return Ok(self.compare(table, filter)),
                _ => return Err(Error::embed_operator(&filter.field.name)),
            };
            return Ok(Condition::Embed { index, exists });
        }
        Ok(self.compare(table, filter))
    }

    fn compare(&self, table: &QualifiedName, filter: &Filter) -> Condition {
        Condition::Compare {
            column: self.column(table, &filter.field),
            negated: filter.negated,
            operation: filter.operation.clone(),
            reader: self
                .representation(table, &filter.field)
                .and_then(|representation| representation.from_text.clone()),
        }
    }

    fn is_column(&self, table: &QualifiedName, name: &str) -> bool {
        let table = self.cache.table(table);
        table.is_some_and(|table| table.column(name).is_some())
    }

    pub(super) fn logic(
        &self,
        table: &QualifiedName,
        embeds: &[Embed],
        tree: &LogicTree,
    ) -> Result<Condition> {
        match tree {
            LogicTree::Filter(filter) => self.condition(table, embeds, filter),
            LogicTree::Group {
                negated,
                logic,
                trees,
            } => {
                let conditions = trees
                    .iter()
                    .map(|tree| self.logic(table, embeds, tree))
                    .collect::<Result<_>>()?;
                Ok(Condition::Group {
                    negated: *negated,
                    logic: *logic,
                    conditions,
                })
            }
        }
    }

    /// A sort term of a level whose outputs are known.
    pub(super) fn order(&self, level: &ReadPlan, term: &OrderTerm) -> Result<Order> {
        let key = match &term.by {
            OrderBy::Field(field) => match Self::output_to_sort_by(level, field) {
                Some(value) => SortKey::Group(value),
                None => SortKey::Column(self.column(&level.table, field)),
            },
            OrderBy::Related(relation, field) => {
                let embeds = &level.embeds;
                let index = embeds.iter().position(|embed| embed.name == *relation);
                let index = index.ok_or_else(|| Error::not_embedded(relation))?;
                if !embeds[index].to_one {
                    return Err(Error::related_order(&level.table.name, relation));
                }
                SortKey::Embed(index, self.column(&embeds[index].read.table, field))
            }
            OrderBy::Aggregate(item) => SortKey::Group(self.aggregate(level, item)?),
        };
        Ok(Order {
            key,
            descending: term.descending,
            nulls: term.nulls,
        })
    }
}
