//! Prints select lists: columns, embeds, spreads, aggregates and what they are grouped by.

use super::read::{Level, Scope};
use super::writer::Writer;
use crate::api_request::Aggregate;
use crate::plan::{AggregateCall, ColumnRef, Embed, EmbedOutput, GroupValue, Output, OutputColumn, SortKey};

/// What the columns of a level are called where it is spread column by column.
const POSITION: &str = "tenon_";

/// The rows of a to-many spread before they become arrays.
const ROWS: &str = "tenon_rows";

/// What the outputs of a level are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// As the answer calls them.
    Output,
    /// By their position, for the level that they are spread into.
    Position,
}

/// The name of an output by its position.
fn position(index: usize) -> String {
    format!("{POSITION}{}", index + 1)
}

impl Writer {
    /// `SELECT …` of a level.
    pub(super) fn select(&mut self, level: &Level<'_>, naming: Naming) {
        self.push("SELECT ");
        for (index, output) in level.plan.outputs().iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            match output {
                Output::Column(column) => self.own_column(&level.scope, column, naming, index),
                Output::Embed(embed) => {
                    self.embed_value(level, *embed);
                    self.named(naming, index, &level.plan.embeds[*embed].name);
                }
                Output::Spread(embed) => {
                    let join = level.joins[*embed].clone().unwrap_or_default();
                    self.all_of(&join);
                }
                Output::SpreadColumn {
                    embed,
                    position: inner,
                    name,
                    aggregate,
                } => {
                    let call = aggregate.filter(|_| naming == Naming::Output);
                    self.spread_column(level, *embed, *inner, call);
                    self.named(naming, index, name);
                }
            }
        }
    }

    /// `GROUP BY` all that is no aggregate, by position, since equal expressions may have different parameters.
    pub(super) fn group(&mut self, level: &Level<'_>) {
        if !level.plan.grouped {
            return;
        }
        let mut before = " GROUP BY ";
        for (index, output) in level.plan.outputs().iter().enumerate() {
            if output.aggregate().is_none() {
                self.push(before);
                self.number(index as u64 + 1);
                before = ", ";
            }
        }
        // What is inside an embed that is grouped by splits no group, but has to be named to be sorted by.
        for term in &level.plan.order {
            let SortKey::Embed(index, column) = &term.key else {
                continue;
            };
            let embed = level.plan.embeds.get(*index);
            let join = level.joins.get(*index).and_then(Option::as_ref);
            if let (Some(embed), Some(join)) = (embed, join)
                && embed.output == EmbedOutput::Nested
                && column.path.is_empty()
                && let Some(name) = Self::joined_output(embed, column)
            {
                self.push(before);
                self.member(join, &name);
                before = ", ";
            }
        }
    }

    fn named(&mut self, naming: Naming, index: usize, name: &str) {
        self.push(" AS ");
        match naming {
            Naming::Output => self.ident(name),
            Naming::Position => self.ident(&position(index)),
        }
    }

    fn own_column(&mut self, scope: &Scope<'_>, output: &OutputColumn, naming: Naming, index: usize) {
        match &output.aggregate {
            Some(call) if naming == Naming::Output => self.own_aggregate(scope, output, call),
            Some(_) => self.argument_of(scope, output, "true"),
            None => self.cast_column(scope, output),
        }
        let own_name = output.aggregate.is_none() && !has_other_name(scope, output);
        if naming == Naming::Position || !own_name {
            self.named(naming, index, output.output_name());
        }
    }

    fn own_aggregate(&mut self, scope: &Scope<'_>, output: &OutputColumn, call: &AggregateCall) {
        self.aggregate(call, |writer| writer.argument_of(scope, output, "*"));
    }

    /// ` HAVING …`
    pub(super) fn having(&mut self, level: &Level<'_>) {
        for (index, condition) in level.plan.having.iter().enumerate() {
            self.push(if index == 0 { " HAVING " } else { " AND " });
            self.group_condition(level, condition);
        }
    }

    /// A value of a group, as an expression.
    pub(super) fn group_value(&mut self, level: &Level<'_>, value: &GroupValue) {
        let own = |writer: &mut Self, output: &OutputColumn| match &output.aggregate {
            Some(call) => writer.own_aggregate(&level.scope, output, call),
            None => writer.cast_column(&level.scope, output),
        };
        let index = match value {
            GroupValue::Aggregate(output) => return own(self, output),
            GroupValue::Output(index) => *index,
        };
        match level.plan.outputs().get(index) {
            Some(Output::Column(output)) => own(self, output),
            Some(Output::SpreadColumn {
                embed,
                position,
                aggregate,
                ..
            }) => self.spread_column(level, *embed, *position, *aggregate),
            // The planner takes no others.
            Some(Output::Embed(_) | Output::Spread(_)) | None => self.push("null"),
        }
    }

    /// What an aggregate is taken of: `every` if it counts rows.
    fn argument_of(&mut self, scope: &Scope<'_>, output: &OutputColumn, every: &str) {
        let counts = output
            .aggregate
            .as_ref()
            .is_some_and(|call| call.function == Aggregate::Count);
        if counts && output.column.name == "*" {
            self.push(every);
        } else {
            self.cast_column(scope, output);
        }
    }

    fn cast_column(&mut self, scope: &Scope<'_>, output: &OutputColumn) {
        let Some(cast) = &output.cast else {
            return self.shown_column(scope, output);
        };
        self.push("CAST(");
        self.shown_column(scope, output);
        self.push(" AS ");
        // The parser lets letters, digits, `_` and blanks through, nothing else.
        self.push(cast);
        self.push(")");
    }

    /// A column as its domain represents it.
    fn shown_column(&mut self, scope: &Scope<'_>, output: &OutputColumn) {
        if let Some(function) = &output.shown {
            self.qualified(function);
            self.push("(");
        }
        // Of all columns together there is no aggregate, so that a star is a name.
        if output.aggregate.is_some() {
            self.column(scope, &output.column);
        } else {
            self.output_column(scope, &output.column);
        }
        if output.shown.is_some() {
            self.push(")");
        }
    }

    fn aggregate(&mut self, call: &AggregateCall, argument: impl FnOnce(&mut Self)) {
        if call.cast.is_some() {
            self.push("CAST(");
        }
        self.push(match call.function {
            Aggregate::Count => "count(",
            Aggregate::Sum => "sum(",
            Aggregate::Avg => "avg(",
            Aggregate::Min => "min(",
            Aggregate::Max => "max(",
        });
        argument(self);
        self.push(")");
        if let Some(cast) = &call.cast {
            self.push(" AS ");
            self.push(cast);
            self.push(")");
        }
    }

    /// An embed as one value: a row, or an array.
    fn embed_value(&mut self, level: &Level<'_>, index: usize) {
        let embed = &level.plan.embeds[index];
        let comparable = level.plan.comparable || self.nests_as_json();
        if let Some(join) = &level.joins[index] {
            if comparable {
                self.push("to_jsonb(");
                self.ident(join);
                self.push(")");
            } else {
                self.ident(join);
            }
            return;
        }
        self.push(if comparable {
            "coalesce((SELECT jsonb_agg(tenon_row) FROM ("
        } else {
            "coalesce((SELECT json_agg(tenon_row) FROM ("
        });
        self.embedded(level, embed, Naming::Output);
        self.push(") AS tenon_row), '[]')");
    }

    /// A column of a spread: of one row its value, of many rows their array.
    fn spread_column(&mut self, level: &Level<'_>, embed: usize, inner: usize, call: Option<&AggregateCall>) {
        let to_one = level.plan.embeds[embed].to_one;
        let join = level.joins[embed].clone().unwrap_or_default();
        let value = |writer: &mut Self| writer.member(&join, &position(inner));
        match call {
            Some(call) => self.aggregate(call, value),
            None if to_one => value(self),
            None => {
                self.push("coalesce(");
                value(self);
                self.push(", '[]')");
            }
        }
    }

    /// The joined subquery of an embed.
    pub(super) fn joined(&mut self, level: &Level<'_>, embed: &Embed) {
        if embed.output != EmbedOutput::Columns {
            return self.embedded(level, embed, Naming::Output);
        }
        if embed.to_one {
            return self.embedded(level, embed, Naming::Position);
        }
        let function = if level.plan.comparable {
            "jsonb_agg("
        } else {
            "json_agg("
        };
        self.push("SELECT ");
        for index in 0..embed.read.outputs().len() {
            if index > 0 {
                self.push(", ");
            }
            self.push(function);
            self.member(ROWS, &position(index));
            self.push(") AS ");
            self.ident(&position(index));
        }
        self.push(" FROM (");
        self.embedded(level, embed, Naming::Position);
        self.push(") AS ");
        self.ident(ROWS);
    }

    /// The position of the output that a sort term of a grouped level means.
    pub(super) fn grouped_position(level: &Level<'_>, column: &ColumnRef) -> Option<usize> {
        if !level.plan.grouped {
            return None;
        }
        level.plan.outputs().iter().position(|output| {
            matches!(output, Output::Column(own)
                if own.aggregate.is_none() && own.cast.is_none() && own.column == *column)
        })
    }

    /// The output of a joined embed that is called like a column, as its join calls it.
    pub(super) fn joined_output(embed: &Embed, column: &ColumnRef) -> Option<String> {
        let outputs = embed.read.outputs();
        let found = outputs
            .iter()
            .position(|output| output.aggregate().is_none() && output.name(&embed.read) == column.name)?;
        Some(match embed.output {
            EmbedOutput::Columns => position(found),
            _ => column.name.clone(),
        })
    }
}

/// It does not go by its column's name already.
fn has_other_name(scope: &Scope<'_>, output: &OutputColumn) -> bool {
    let column = &output.column;
    let computed_elsewhere = column.function.is_some() && !scope.has_row_type && column.path.is_empty();
    output
        .name
        .as_deref()
        .is_some_and(|name| !computed_elsewhere || *name != column.name)
}
