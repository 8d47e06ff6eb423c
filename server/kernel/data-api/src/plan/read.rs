//! Plans a read: the root relation and, recursively, what is embedded in it.

use super::{AggregateCall, Embed, EmbedOutput, OutputColumn, Planner, ReadPlan};
use crate::api_request::{
    EmbedPath, Field, JoinKind, JsonOperand, Range, SelectEmbed, SelectField, SelectItem,
};
use crate::error::{Error, Result};
use crate::schema_cache::{QualifiedName, Relationship};

/// Most embeds of one request; more would make one statement of unbounded cost.
const MAX_EMBEDS: usize = 100;

/// Most embeds inside each other; each level of many rows multiplies the answer.
const MAX_NESTED: usize = 16;

/// Most columns, embeds and sort terms of one level; PostgreSQL has 1664 places, some of which the statement needs.
const MAX_WIDTH: usize = 1600;

/// Levels that were planned: path by output names, and names that an alias has hidden.
#[derive(Default)]
struct Seen {
    paths: Vec<EmbedPath>,
    aliased: Vec<(EmbedPath, String, String)>,
}

/// Where a level stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Its columns go one by one into the level above.
    spread: bool,
    /// Its aggregates are taken there.
    hoisted: bool,
    /// The level above needs values that can be compared.
    comparable: bool,
}

impl Planner<'_> {
    /// Plans GET and HEAD on a relation.
    pub(super) fn read(&self, relation: &str) -> Result<ReadPlan> {
        let table = self.table(relation)?.qualified.clone();
        let mut plan = self.read_of(table, true)?;
        plan.range = self.request.range.capped(self.settings.max_rows);
        Ok(plan)
    }

    /// Plans the reading of a relation's rows; `filtered` if the root's filters are the reader's to apply.
    pub(super) fn read_of(&self, table: QualifiedName, filtered: bool) -> Result<ReadPlan> {
        let mut seen = Seen::default();
        let plan = self.level(
            table,
            &self.request.query.select,
            EmbedPath::new(),
            filtered,
            Place::default(),
            &mut seen,
        )?;
        self.check_paths(&seen)?;
        Ok(plan)
    }

    fn level(
        &self,
        table: QualifiedName,
        items: &[SelectItem],
        path: EmbedPath,
        filtered: bool,
        place: Place,
        seen: &mut Seen,
    ) -> Result<ReadPlan> {
        let groups = self.groups_at(&path);
        if groups && (place.hoisted || place.spread) {
            let details =
                "Spread resources cannot be sorted by aggregates, nor have groups that having tests.";
            return Err(Error::not_implemented(details));
        }
        let grouped = !place.hoisted && (groups || aggregates(items));
        let comparable = grouped || (place.spread && place.comparable);
        let mut select = Vec::new();
        let mut embeds = Vec::new();
        for item in items {
            match item {
                SelectItem::Field(field) if is_star(field) && (grouped || place.spread) => {
                    select.extend(self.all_columns(&table));
                }
                SelectItem::Field(field) => match self.all_shown(&table) {
                    Some(all) if is_star(field) => select.extend(all),
                    _ => select.push(self.output(&table, field)?),
                },
                SelectItem::Embed(embed) => {
                    let above = Place {
                        spread: grouped || place.spread,
                        hoisted: false,
                        comparable,
                    };
                    embeds.push(self.embed(&table, embed, &path, above, seen)?);
                }
            }
        }
        let query = &self.request.query;
        let mut conditions = Vec::new();
        if filtered {
            for (_, filter) in query.filters.iter().filter(|(at, _)| *at == path) {
                conditions.push(self.condition(&table, &embeds, filter)?);
            }
            for (_, tree) in query.logic.iter().filter(|(at, _)| *at == path) {
                conditions.push(self.logic(&table, &embeds, tree)?);
            }
        }
        let range = if path.is_empty() {
            Range::ALL
        } else {
            let asked = query.ranges.get(&path).copied().unwrap_or_default();
            asked.capped(self.settings.max_rows)
        };
        let tenant = self.is_tenant(&table);
        let mut level = ReadPlan {
            table,
            tenant,
            select,
            embeds,
            conditions,
            having: Vec::new(),
            order: Vec::new(),
            range,
            grouped,
            comparable,
        };
        level.having = self.having(&level, &path, filtered)?;
        for (_, terms) in query.order.iter().filter(|(at, _)| *at == path) {
            for term in terms {
                let term = self.order(&level, term)?;
                level.order.push(term);
            }
        }
        seen.paths.push(path);
        if self.width(&level) > MAX_WIDTH {
            return Err(too_much(format!("more than {MAX_WIDTH} columns")));
        }
        Ok(level)
    }

    /// Places of a level's target list: its columns, what spreads bring, one for each other embed, what it is sorted by.
    fn width(&self, plan: &ReadPlan) -> usize {
        let columns = plan.select.iter().map(|output| {
            if output.column.name == "*" {
                self.cache
                    .table(&plan.table)
                    .map_or(1, |table| table.columns.len())
            } else {
                1
            }
        });
        let embeds = plan.embeds.iter().map(|embed| match embed.output {
            EmbedOutput::Hidden => 0,
            EmbedOutput::Nested => 1,
            EmbedOutput::Spread | EmbedOutput::Columns => self.width(&embed.read),
        });
        columns.chain(embeds).sum::<usize>() + plan.order.len()
    }

    pub(super) fn output(&self, table: &QualifiedName, item: &SelectField) -> Result<OutputColumn> {
        if item.aggregate.is_some() && !self.settings.aggregates {
            return Err(Error::aggregates_disabled());
        }
        let column = self.column(table, &item.field);
        let plain = item.cast.is_none() && item.field.path.is_empty() && column.function.is_none();
        let shown = self.representation(table, &item.field);
        let shown = shown
            .filter(|_| item.aggregate.is_none())
            .and_then(|shown| shown.to_json.clone());
        let name = match (&item.alias, &item.aggregate) {
            (Some(alias), _) => Some(alias.clone()),
            (None, Some((function, _))) => Some(function.name().to_owned()),
            (None, None) if plain && shown.is_none() => None,
            (None, None) => Some(output_name(&item.field)),
        };
        let aggregate = item.aggregate.as_ref().map(|(function, cast)| AggregateCall {
            function: *function,
            cast: cast.clone(),
        });
        Ok(OutputColumn {
            column,
            shown,
            cast: item.cast.clone(),
            name,
            aggregate,
        })
    }

    fn embed(
        &self,
        from: &QualifiedName,
        item: &SelectEmbed,
        path: &EmbedPath,
        above: Place,
        seen: &mut Seen,
    ) -> Result<Embed> {
        // A level is among them only when all below it are.
        let open = path.len();
        if seen.paths.len() + open >= MAX_EMBEDS {
            return Err(too_much(format!("more than {MAX_EMBEDS} embedded resources")));
        }
        if open >= MAX_NESTED {
            return Err(too_much(format!(
                "resources embedded more than {MAX_NESTED} levels deep"
            )));
        }
        let relationship: &Relationship = self.relationship(from, &item.relation, item.hint.as_deref())?;
        let to_one = relationship.is_to_one();
        if item.spread && !to_one && self.settings.aggregates && aggregates(&item.items) {
            return Err(Error::not_implemented(
                "Aggregates are not implemented for one-to-many or many-to-many spreads.",
            ));
        }
        let name = item.alias.clone().unwrap_or_else(|| item.relation.clone());
        let mut below = path.clone();
        below.push(name.clone());
        if item.alias.is_some() {
            seen.aliased
                .push((path.clone(), item.relation.clone(), name.clone()));
        }
        let one_by_one = item.spread && (!to_one || above.spread);
        let place = Place {
            spread: one_by_one,
            hoisted: item.spread && to_one,
            comparable: above.comparable,
        };
        let target = relationship.foreign_table.clone();
        let read = self.level(target, &item.items, below, true, place, seen)?;
        let output = match (item.spread, one_by_one) {
            _ if read.is_hidden() => EmbedOutput::Hidden,
            (true, true) => EmbedOutput::Columns,
            (true, false) => EmbedOutput::Spread,
            (false, _) => EmbedOutput::Nested,
        };
        Ok(Embed {
            name,
            via: self.via(relationship),
            to_one,
            inner: item.join == Some(JoinKind::Inner),
            output,
            read,
        })
    }

    /// Every filter, order and limit must stand on a level that is there.
    fn check_paths(&self, seen: &Seen) -> Result<()> {
        let query = &self.request.query;
        let filters = query.filters.iter().map(|(path, _)| path);
        let logic = query.logic.iter().map(|(path, _)| path);
        let having = query.having.iter().map(|(path, _)| path);
        let order = query.order.iter().map(|(path, _)| path);
        for path in filters
            .chain(logic)
            .chain(having)
            .chain(order)
            .chain(query.ranges.keys())
        {
            if seen.paths.contains(path) {
                continue;
            }
            let depth = (1..=path.len()).find(|depth| !seen.paths.contains(&path[..*depth].to_vec()));
            let depth = depth.unwrap_or(path.len());
            let name = &path[depth - 1];
            let parent = &path[..depth - 1];
            let alias = seen
                .aliased
                .iter()
                .find(|(at, relation, _)| at == parent && relation == name);
            return Err(match alias {
                Some((_, _, alias)) => Error::not_embedded_by_alias(name, alias),
                None => Error::not_embedded(name),
            });
        }
        Ok(())
    }
}

fn too_much(details: String) -> Error {
    Error::query("\"failed to parse select parameter\" (line 1, column 1)", details)
}

/// `*`, and not what `count()` counts.
fn is_star(field: &SelectField) -> bool {
    field.field.name == "*" && field.aggregate.is_none()
}

/// There is an aggregate among the items, or one that a spread brings among them.
fn aggregates(items: &[SelectItem]) -> bool {
    items.iter().any(|item| match item {
        SelectItem::Field(field) => field.aggregate.is_some(),
        SelectItem::Embed(embed) => embed.spread && aggregates(&embed.items),
    })
}

/// What a column without alias is called: the last key of its path, else its own name.
fn output_name(field: &Field) -> String {
    let last = field.path.iter().rev().find_map(|step| match &step.operand {
        JsonOperand::Key(key) => Some(key.clone()),
        JsonOperand::Index(_) => None,
    });
    last.unwrap_or_else(|| field.name.clone())
}
