//! The outer `SELECT` of every statement: counts, body, and what functions set for the answer.

use super::Param;
use super::body::Body;
use super::read::From;
use super::writer::Writer;
use crate::api_request::Count;
use crate::error::Error;
use crate::plan::{DescribePlan, Plan, PlannedAction, ReadPlan};
use crate::schema_cache::QualifiedName;

impl Writer {
    /// A plain read.
    pub(super) fn read_statement(&mut self, plan: &Plan, read: &ReadPlan) {
        let body = if plan.head {
            Body::None
        } else if plan.media.is_singular() {
            Body::Object
        } else {
            Body::Array
        };
        self.push("SELECT ");
        self.total(plan, read, From::Table);
        self.columns(plan, body);
        self.rows(plan, |writer| writer.read_root(read, From::Table));
    }

    /// Everything about a schema; `page_count` has no meaning here.
    pub(super) fn describe_statement(&mut self, describe: &DescribePlan) {
        self.push("SELECT null::bigint AS total_count, 0::bigint AS page_count");
        self.answer_settings();
        self.push(", (");
        self.push(crate::catalogue::QUERY);
        self.push(") AS body");
        self.bind(Param::text(describe.schema.clone()));
    }

    /// `total_count`: how many rows there are beside the page.
    pub(super) fn total(&mut self, plan: &Plan, read: &ReadPlan, from: From<'_>) {
        let range = read.range;
        match plan.count {
            Some(Count::Exact) if range.limit.is_none() && range.offset == 0 => self.push("count(*)"),
            Some(Count::Exact) => {
                // A page that is not full is the last: what went before it and the page are all.
                if let (0, Some(limit)) = (range.offset, range.limit.filter(|limit| *limit > 0)) {
                    self.push("CASE WHEN count(*) < ");
                    self.number(limit);
                    self.push(" THEN count(*) ELSE ");
                    self.counted(read, from, None);
                    self.push(" END");
                } else {
                    self.counted(read, from, None);
                }
            }
            Some(Count::Estimated) if plan.max_rows.is_some() => self.counted(read, from, plan.max_rows),
            Some(Count::Estimated) => self.counted(read, from, None),
            Some(Count::Planned) | None => self.push("null::bigint"),
        }
        self.push(" AS total_count, ");
    }

    /// Counts the rows, or a few more than `most` of them.
    pub(super) fn counted(&mut self, read: &ReadPlan, from: From<'_>, most: Option<u64>) {
        self.push("(SELECT count(*) FROM (");
        self.counted_rows_from(read, from);
        if let Some(most) = most {
            self.push(" LIMIT ");
            self.number(most.saturating_add(1));
        }
        self.push(") AS tenon_counted)");
    }

    /// The columns after `total_count`.
    pub(super) fn columns(&mut self, plan: &Plan, body: Body) {
        self.push("count(*) AS page_count");
        self.body_last(plan, |writer| writer.body(plan, body));
    }

    /// The settings and the body. In a plan that is shown the body stands where clients look for it.
    pub(super) fn body_last(&mut self, plan: &Plan, body: impl FnOnce(&mut Self)) {
        if plan.explain.is_some() {
            self.push(", ");
            body(self);
            return self.answer_settings();
        }
        self.answer_settings();
        self.guard(plan);
        self.push(", ");
        body(self);
    }

    /// What functions have set for the answer.
    pub(super) fn answer_settings(&mut self) {
        self.push(
            ", nullif(current_setting('response.headers', true), '') AS response_headers, \
             nullif(current_setting('response.status', true), '') AS response_status",
        );
    }

    /// A column that fails the statement if its result must not stand.
    pub(super) fn guard(&mut self, plan: &Plan) {
        let (Some(raise), true) = (&plan.raise, plan.is_guarded()) else {
            return;
        };
        self.push(", CASE");
        if let PlannedAction::Mutate(mutate) = &plan.action
            && mutate.is_put()
        {
            self.push(" WHEN count(*) <> 1 THEN ");
            self.refusal(raise, &Error::put_payload(), None);
        }
        let most = match &plan.action {
            PlannedAction::Mutate(mutate) => mutate.max_affected,
            PlannedAction::Call(call) => call.max_affected,
            _ => None,
        };
        if let Some(most) = most {
            self.push(" WHEN count(*) > ");
            self.param(Param::text(most.to_string()));
            self.push("::bigint THEN ");
            self.refusal(
                raise,
                &Error::max_affected(0),
                Some(("The query affects ", " rows")),
            );
        }
        let value = matches!(&plan.action, PlannedAction::Call(call) if call.returns_value());
        if plan.media.is_singular() && !value {
            self.push(" WHEN count(*) <> 1 THEN ");
            self.refusal(
                raise,
                &Error::not_singular(0),
                Some(("The result contains ", " rows")),
            );
        }
        self.push(" END AS guard");
    }

    /// `raise(status, code, message, details)::text`
    fn refusal(&mut self, raise: &QualifiedName, error: &Error, details: Option<(&str, &str)>) {
        self.qualified(raise);
        self.push("(");
        self.number(u64::from(error.status));
        self.push(", ");
        self.literal(&error.code);
        self.push(", ");
        self.literal(&error.message);
        if let Some((before, after)) = details {
            self.push(", ");
            self.literal(before);
            self.push(" || count(*) || ");
            self.literal(after);
        }
        self.push(")::text");
    }
}
