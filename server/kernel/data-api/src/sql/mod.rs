//! Stage 3, sql: a [`Plan`] becomes one [`Statement`]. Canonical: the same shape of request gives the same text, so
//! that it can be prepared once; every value of the request is a parameter, every identifier is quoted.
//!
//! A statement returns one row: `total_count bigint`, `page_count bigint`, `response_headers text`,
//! `response_status text`; a write has `location json` and `updated_count bigint` after them; then `body json`, which is the
//! last, so that all else is known when it begins to arrive. The body of a custom media type has the type of its handler.
//! With [`Plan::explain`] it is PostgreSQL's plan instead.

mod body;
mod call;
mod condition;
mod envelope;
mod mutate;
mod nested;
mod param;
mod read;
mod select;
mod stream;
mod writer;

#[cfg(test)]
mod tests;

pub use param::Param;
pub(crate) use writer::search_path;

use crate::plan::{Handler, Plan, PlannedAction};
use crate::schema_cache::BEFORE_QUERY;
use writer::Writer;

/// SQL text with its parameters in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The text, `$1` the first parameter.
    pub sql: String,
    /// The parameters. PostgreSQL infers their types when the text is prepared.
    pub params: Vec<Param>,
    /// It is bound to the plan's organisation, because it touches a tenant table.
    pub names_tenant: bool,
}

impl Statement {
    /// The statement of a plan; none if the database need not be asked.
    pub fn new(plan: &Plan) -> Option<Self> {
        let mut writer = Writer::new(plan.tenant);
        if let Some(explain) = &plan.explain {
            writer.push(if explain.json {
                "EXPLAIN (FORMAT JSON"
            } else {
                "EXPLAIN (FORMAT TEXT"
            });
            for option in &explain.options {
                writer.push(", ");
                writer.push(option.name());
            }
            writer.push(") ");
        }
        Self::finished(writer, plan)
    }

    /// What has to run before the statement of a plan, in the same transaction and in this order.
    pub fn before(plan: &Plan) -> Vec<Self> {
        match &plan.action {
            PlannedAction::Mutate(mutate) => nested::steps(plan, mutate),
            PlannedAction::Describe(_) => {
                let mut writer = Writer::new(None);
                writer.push(BEFORE_QUERY);
                vec![writer.finish()]
            }
            _ => Vec::new(),
        }
    }

    /// `EXPLAIN` of the statement of a plan, which runs nothing; [`estimated_cost`] reads its one JSON value.
    pub fn priced(plan: &Plan) -> Option<Self> {
        let mut writer = Writer::new(plan.tenant);
        writer.push("EXPLAIN (FORMAT JSON) ");
        Self::finished(writer, plan)
    }

    fn finished(mut writer: Writer, plan: &Plan) -> Option<Self> {
        prepare(&mut writer, plan);
        match &plan.action {
            PlannedAction::Read(read) => writer.read_statement(plan, read),
            PlannedAction::Mutate(mutate) => writer.mutate_statement(plan, mutate),
            PlannedAction::Call(call) => writer.call_statement(plan, call),
            PlannedAction::Describe(describe) => writer.describe_statement(describe),
            PlannedAction::Info(_) => return None,
        }
        Some(writer.finish())
    }

    /// The statement that returns the rows one by one, where the plan says so ([`Plan::streams`]): `total_count bigint`,
    /// `response_headers text`, `response_status text`, `line text`, and for CSV the names of the columns, `names text`,
    /// with the first row. Without rows it returns one without a line.
    pub fn streamed(plan: &Plan) -> Option<Self> {
        if !plan.streams() {
            return None;
        }
        let mut writer = Writer::new(plan.tenant);
        prepare(&mut writer, plan);
        match &plan.action {
            PlannedAction::Read(read) => writer.streamed_read(plan, read),
            PlannedAction::Call(call) => writer.streamed_call(plan, call),
            _ => return None,
        }
        Some(writer.finish())
    }

    /// `EXPLAIN` of the rows that a read would count, if an estimate is wanted. Run after the statement itself in the
    /// same transaction; [`estimated_rows`] reads its one JSON value.
    pub fn estimate(plan: &Plan) -> Option<Self> {
        let PlannedAction::Read(read) = &plan.action else {
            return None;
        };
        if !plan.wants_estimate() {
            return None;
        }
        let mut writer = Writer::new(plan.tenant);
        writer.push("EXPLAIN (FORMAT JSON) ");
        writer.counted_rows(read);
        Some(writer.finish())
    }
}

fn prepare(writer: &mut Writer, plan: &Plan) {
    let json = matches!(plan.handler, Handler::Json | Handler::Lines);
    if !json || plan.jsonb_embeds {
        writer.nest_as_json();
    }
    if plan.scan_order {
        writer.keep_scan_order();
    }
}

/// The planner's estimate of rows in the output of `EXPLAIN (FORMAT JSON)`.
pub fn estimated_rows(explained: &str) -> Option<i64> {
    let value: serde_json::Value = serde_json::from_str(explained).ok()?;
    value.get(0)?.get("Plan")?.get("Plan Rows")?.as_i64()
}

/// The planner's estimate of the cost in the output of `EXPLAIN (FORMAT JSON)`.
pub fn estimated_cost(explained: &str) -> Option<f64> {
    let value: serde_json::Value = serde_json::from_str(explained).ok()?;
    value.get(0)?.get("Plan")?.get("Total Cost")?.as_f64()
}
