//! Prints reads. Shapes of embeds, chosen so that work is done for the rows of the page only:
//!
//! - to-one: a lateral join, which PostgreSQL flattens into a plain join; its row becomes an object with the page's rows;
//! - to-many: a correlated subquery in the select list, which PostgreSQL evaluates after sorting and limiting;
//! - a spread of many rows: a lateral join that makes one array of each column, all in the same order;
//! - a filter on whether an embed has rows (`!inner`, `is.null`): `EXISTS`, a semi- or anti-join unless the rows' order has
//!   to be that of the scan.

use super::Param;
use super::select::Naming;
use super::writer::{SOURCE, Writer};
use crate::api_request::Range;
use crate::plan::{CallPlan, ColumnRef, Embed, EmbedOutput, ReadPlan, SortKey, Via};
use crate::schema_cache::QualifiedName;

/// A table inside the statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    /// What its columns are called by.
    pub alias: &'a str,
    /// It has its own row type, so functions of the row can be called; the result of a write has not.
    pub has_row_type: bool,
}

/// A table with what is embedded in it.
pub(super) struct Level<'a> {
    pub scope: Scope<'a>,
    pub plan: &'a ReadPlan,
    /// Name of the root table, which no alias may have.
    pub root: &'a str,
    /// Names of the joins of to-one embeds, by position.
    pub joins: Vec<Option<String>>,
}

/// Where the rows come from.
#[derive(Clone, Copy)]
pub(super) enum From<'a> {
    /// The table itself.
    Table,
    /// The common table expression.
    Source,
    /// A function call.
    Call(&'a CallPlan),
}

impl Writer {
    /// `SELECT … FROM … WHERE … ORDER BY … LIMIT …` of the root.
    pub(super) fn read_root(&mut self, plan: &ReadPlan, from: From<'_>) {
        self.root(plan, from, true);
    }

    fn root(&mut self, plan: &ReadPlan, from: From<'_>, paged: bool) {
        let root = plan.table.name.clone();
        let scope = Scope {
            alias: &root,
            has_row_type: !matches!(from, From::Source),
        };
        let level = self.level(scope, plan, &root);
        self.select(&level, Naming::Output);
        self.push(" FROM ");
        self.source(plan, from);
        self.joins(&level);
        self.filter(&level, " WHERE ");
        self.group(&level);
        self.having(&level);
        if paged {
            self.order(&level, &plan.order);
            self.range(&plan.range);
        }
    }

    /// The rows that a total counts: filters, but no page.
    pub(super) fn counted_rows(&mut self, plan: &ReadPlan) {
        self.counted_rows_from(plan, From::Table);
    }

    pub(super) fn counted_rows_from(&mut self, plan: &ReadPlan, from: From<'_>) {
        if plan.grouped {
            return self.root(plan, from, false);
        }
        let root = plan.table.name.clone();
        let scope = Scope {
            alias: &root,
            has_row_type: !matches!(from, From::Source),
        };
        let level = Level {
            scope,
            plan,
            root: &root,
            joins: vec![None; plan.embeds.len()],
        };
        self.push("SELECT 1 FROM ");
        self.source(plan, from);
        self.filter(&level, " WHERE ");
    }

    fn source(&mut self, plan: &ReadPlan, from: From<'_>) {
        match from {
            From::Table => self.qualified(&plan.table),
            From::Source => {
                self.ident(SOURCE);
                self.push(" AS ");
                self.ident(&plan.table.name);
            }
            From::Call(call) => self.call_source(call, &plan.table.name),
        }
    }

    fn level<'a>(&mut self, scope: Scope<'a>, plan: &'a ReadPlan, root: &'a str) -> Level<'a> {
        let joins = plan
            .embeds
            .iter()
            .enumerate()
            .map(|(index, embed)| {
                let keys = plan.order.iter().map(|order| &order.key);
                let sorted_by = keys
                    .into_iter()
                    .any(|key| matches!(key, SortKey::Embed(at, _) if *at == index));
                let stem = if embed.to_one { "tenon_one" } else { "tenon_many" };
                let joined = match embed.output {
                    EmbedOutput::Columns => true,
                    EmbedOutput::Hidden => embed.to_one && sorted_by,
                    EmbedOutput::Nested | EmbedOutput::Spread => embed.to_one,
                };
                joined.then(|| self.alias(stem, root))
            })
            .collect();
        Level {
            scope,
            plan,
            root,
            joins,
        }
    }

    fn joins(&mut self, level: &Level<'_>) {
        for (embed, join) in level.plan.embeds.iter().zip(&level.joins) {
            let Some(join) = join else { continue };
            self.push(if embed.inner && embed.to_one {
                " JOIN LATERAL ("
            } else {
                " LEFT JOIN LATERAL ("
            });
            self.joined(level, embed);
            self.push(") AS ");
            self.ident(join);
            self.push(" ON true");
        }
    }

    /// The far side of an embed as a query that refers to the near side.
    pub(super) fn embedded(&mut self, near: &Level<'_>, embed: &Embed, naming: Naming) {
        self.far_rows(near, embed, naming, true);
    }

    fn far_rows(&mut self, near: &Level<'_>, embed: &Embed, naming: Naming, paged: bool) {
        let plan = &embed.read;
        let alias = self.alias(&plan.table.name, near.root);
        let level = self.level(
            Scope {
                alias: &alias,
                has_row_type: true,
            },
            plan,
            near.root,
        );
        self.select(&level, naming);
        let between = self.far_side(near, embed, &alias);
        self.joins(&level);
        self.link(near, embed, &alias, between.as_deref());
        self.filter(&level, " AND ");
        self.group(&level);
        self.having(&level);
        if !paged {
            return;
        }
        self.order(&level, &plan.order);
        self.range(&if embed.to_one {
            at_most_one(plan.range)
        } else {
            plan.range
        });
    }

    /// `FROM` of the far side, with the junction if there is one, whose alias it returns.
    fn far_side(&mut self, near: &Level<'_>, embed: &Embed, alias: &str) -> Option<String> {
        self.push(" FROM ");
        match &embed.via {
            Via::Function(function) => {
                self.qualified(function);
                self.push("(");
                self.ident(near.scope.alias);
                self.push(")");
            }
            Via::Columns(_) | Via::Junction { .. } => self.qualified(&embed.read.table),
        }
        self.push(" AS ");
        self.ident(alias);
        let Via::Junction { junction, .. } = &embed.via else {
            return None;
        };
        let between = self.alias(&junction.table.name, near.root);
        self.push(" JOIN ");
        self.qualified(&junction.table);
        self.push(" AS ");
        self.ident(&between);
        self.push(" ON ");
        self.pairs(alias, &junction.target, &between);
        Some(between)
    }

    /// `WHERE` that joins the far side to the near one. Never empty, so that further conditions can follow.
    fn link(&mut self, near: &Level<'_>, embed: &Embed, alias: &str, between: Option<&str>) {
        self.push(" WHERE ");
        match (&embed.via, between) {
            (Via::Columns(pairs), _) => self.pairs(near.scope.alias, pairs, alias),
            (Via::Junction { junction, tenant }, Some(between)) => {
                if *tenant {
                    self.of_tenant(between);
                    self.push(" AND ");
                }
                self.pairs(near.scope.alias, &junction.source, between);
            }
            _ => self.push("true"),
        }
    }

    /// `left.a = right.b AND …`
    fn pairs(&mut self, left: &str, pairs: &[(String, String)], right: &str) {
        for (index, (one, other)) in pairs.iter().enumerate() {
            if index > 0 {
                self.push(" AND ");
            }
            self.member(right, other);
            self.push(" = ");
            self.member(left, one);
        }
    }

    /// `alias.org_id = $n`
    pub(super) fn of_tenant(&mut self, alias: &str) {
        self.member(alias, crate::schema_cache::TENANT_COLUMN);
        self.push(" = ");
        self.tenant_param();
    }

    /// The organisation's rows that pass the filters and have what `!inner` embeds demand.
    fn filter(&mut self, level: &Level<'_>, before: &str) {
        let mut before = before;
        if level.plan.tenant {
            self.push(before);
            self.of_tenant(level.scope.alias);
            before = " AND ";
        }
        for condition in &level.plan.conditions {
            self.push(before);
            self.condition(level, condition);
            before = " AND ";
        }
        for (index, embed) in level.plan.embeds.iter().enumerate() {
            // A to-one inner join has left out the others already.
            if embed.inner && !(embed.to_one && level.joins[index].is_some()) {
                self.push(before);
                self.embed_exists(level, index, true);
                before = " AND ";
            }
        }
    }

    /// `FROM` and `WHERE` for the rows of an embed that belong to those near and pass its filters.
    fn far_matching(&mut self, near: &Level<'_>, embed: &Embed, alias: &str) {
        let between = self.far_side(near, embed, alias);
        self.link(near, embed, alias, between.as_deref());
        let scope = Scope {
            alias,
            has_row_type: true,
        };
        let level = Level {
            scope,
            plan: &embed.read,
            root: near.root,
            joins: vec![None; embed.read.embeds.len()],
        };
        self.filter(&level, " AND ");
    }

    /// `[NOT] EXISTS (…)` of an embed's rows.
    pub(super) fn embed_exists(&mut self, near: &Level<'_>, index: usize, exists: bool) {
        let embed = &near.plan.embeds[index];
        self.push(if exists { "EXISTS (" } else { "NOT EXISTS (" });
        if !embed.read.having.is_empty() {
            // What is asked is whether it has groups.
            self.far_rows(near, embed, Naming::Output, false);
            return self.push(")");
        }
        self.push("SELECT 1");
        let alias = self.alias(&embed.read.table.name, near.root);
        self.far_matching(near, embed, &alias);
        // An offset keeps the subquery from becoming a join, whose order of rows would be anyone's guess.
        if self.keeps_scan_order() && near.plan.order.is_empty() {
            self.push(" OFFSET 0");
        }
        self.push(")");
    }

    /// A column of a to-one embed, for sorting: from its join if it is selected there, else looked up.
    pub(super) fn embed_column(&mut self, near: &Level<'_>, index: usize, column: &ColumnRef) {
        let embed = &near.plan.embeds[index];
        let known = embed.read.select.iter().any(|output| output.column.name == "*");
        let output = Self::joined_output(embed, column).or_else(|| {
            let whole = known && column.function.is_none();
            whole.then(|| column.name.clone())
        });
        if let (Some(join), Some(name)) = (&near.joins[index], output) {
            let scope = Scope {
                alias: join,
                has_row_type: false,
            };
            let column = ColumnRef {
                name,
                ..column.clone()
            };
            return self.column(&scope, &column);
        }
        self.push("(SELECT ");
        let alias = self.alias(&embed.read.table.name, near.root);
        self.column(
            &Scope {
                alias: &alias,
                has_row_type: true,
            },
            column,
        );
        self.far_matching(near, embed, &alias);
        self.push(" LIMIT 1)");
    }

    /// The limit is part of the text, since pages have few sizes and the planner does better knowing it; the offset is
    /// a parameter.
    fn range(&mut self, range: &Range) {
        if let Some(limit) = range.limit {
            self.push(" LIMIT ");
            self.number(limit.min(u64::try_from(i64::MAX).unwrap_or(u64::MAX)));
        }
        if range.offset > 0 {
            self.push(" OFFSET ");
            self.param(Param::text(range.offset.to_string()));
        }
    }

    /// Conditions on a write's own table.
    pub(super) fn write_conditions(
        &mut self,
        plan: &ReadPlan,
        alias: &str,
        conditions: &[crate::plan::Condition],
        before: &str,
    ) {
        let scope = Scope {
            alias,
            has_row_type: true,
        };
        let level = Level {
            scope,
            plan,
            root: &plan.table.name,
            joins: vec![None; plan.embeds.len()],
        };
        let mut before = before;
        for condition in conditions {
            self.push(before);
            self.condition(&level, condition);
            before = " AND ";
        }
    }

    /// The name that a table goes by in the statement.
    pub(super) fn own_alias(table: &QualifiedName) -> &str {
        &table.name
    }
}

/// The range of something that has one row at most: a limit that lets it pass says nothing.
fn at_most_one(range: Range) -> Range {
    Range {
        limit: range.limit.filter(|limit| *limit == 0),
        ..range
    }
}
