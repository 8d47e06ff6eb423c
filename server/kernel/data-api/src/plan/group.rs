//! Groups of rows: what `having` tests of them, and what they are sorted by.

use super::{GroupCondition, GroupValue, Output, Planner, ReadPlan};
use crate::api_request::{EmbedPath, Field, GroupField, HavingTree, LogicTree, OrderBy, SelectField};
use crate::error::{Error, Result};

impl Planner<'_> {
    /// `having` or `order` of a level take aggregates of its rows, so that these are grouped even if `select` has none.
    pub(super) fn groups_at(&self, path: &EmbedPath) -> bool {
        let query = &self.request.query;
        let mut orders = query.order.iter().filter(|(at, _)| at == path);
        let sorted = orders.any(|(_, terms)| {
            let mut keys = terms.iter().map(|term| &term.by);
            keys.any(|by| matches!(by, OrderBy::Aggregate(_)))
        });
        sorted || query.having.iter().any(|(at, _)| at == path)
    }

    /// What groups of a level must be like.
    pub(super) fn having(
        &self,
        level: &ReadPlan,
        path: &EmbedPath,
        filtered: bool,
    ) -> Result<Vec<GroupCondition>> {
        let mut trees = self.request.query.having.iter().filter(|(at, _)| at == path);
        if !filtered && path.is_empty() {
            // Whoever means to choose the rows that are written would change all of them.
            return match trees.next() {
                Some(_) => Err(Error::not_implemented("Writes cannot choose rows by having.")),
                None => Ok(Vec::new()),
            };
        }
        trees
            .flat_map(|(_, trees)| trees)
            .map(|tree| self.group_condition(level, tree))
            .collect()
    }

    fn group_condition(&self, level: &ReadPlan, tree: &HavingTree) -> Result<GroupCondition> {
        match tree {
            LogicTree::Filter(filter) => Ok(GroupCondition::Compare {
                value: match &filter.field {
                    GroupField::Aggregate(item) => self.aggregate(level, item)?,
                    GroupField::Output(name) => Self::aggregate_output(level, name)?,
                },
                negated: filter.negated,
                operation: filter.operation.clone(),
            }),
            LogicTree::Group {
                negated,
                logic,
                trees,
            } => {
                let conditions = trees.iter().map(|tree| self.group_condition(level, tree));
                Ok(GroupCondition::Group {
                    negated: *negated,
                    logic: *logic,
                    conditions: conditions.collect::<Result<_>>()?,
                })
            }
        }
    }

    /// An aggregate of the level's own rows.
    pub(super) fn aggregate(&self, level: &ReadPlan, item: &SelectField) -> Result<GroupValue> {
        let output = self.output(&level.table, item)?;
        Ok(GroupValue::Aggregate(Box::new(output)))
    }

    fn aggregate_output(level: &ReadPlan, name: &str) -> Result<GroupValue> {
        let outputs = level.outputs();
        let found = outputs
            .iter()
            .position(|output| output.aggregate().is_some() && output.name(level) == name);
        found
            .map(GroupValue::Output)
            .ok_or_else(|| Error::no_aggregate(name))
    }

    /// The output that a name means where rows are grouped. A column that they are grouped by is itself.
    pub(super) fn output_to_sort_by(level: &ReadPlan, field: &Field) -> Option<GroupValue> {
        if !level.grouped || !field.path.is_empty() {
            return None;
        }
        let outputs = level.outputs();
        let is_column = outputs.iter().any(|output| {
            matches!(output, Output::Column(own)
                if own.aggregate.is_none() && own.cast.is_none()
                    && own.column.name == field.name && own.column.path.is_empty())
        });
        if is_column {
            return None;
        }
        let named = |output: &Output<'_>| {
            let embed = matches!(output, Output::Embed(_) | Output::Spread(_));
            !embed && output.name(level) == field.name
        };
        outputs.iter().position(named).map(GroupValue::Output)
    }
}
