//! Prints statements whose rows are the answer, one by one. The rows hang on a single row that is always there, so that
//! an answer without rows has its total and headers too; PostgreSQL keeps none of them.

use super::body::Body;
use super::read::From;
use super::writer::Writer;
use crate::api_request::Count;
use crate::plan::{CallPlan, Handler, Plan, ReadPlan};

impl Writer {
    /// A plain read, row by row.
    pub(super) fn streamed_read(&mut self, plan: &Plan, read: &ReadPlan) {
        self.push("SELECT total_count");
        // Nothing that the read does sets them: they are asked for once.
        self.push(
            ", (SELECT nullif(current_setting('response.headers', true), '')) AS response_headers, \
             (SELECT nullif(current_setting('response.status', true), '')) AS response_status",
        );
        self.streamed_line(plan, Body::Array);
        self.streamed_total(plan, read, From::Table);
        self.streamed_rows(plan, |writer| writer.read_root(read, From::Table));
    }

    /// What a function returns, row by row.
    pub(super) fn streamed_call(&mut self, plan: &Plan, call: &CallPlan) {
        // Counting must not call the function a second time.
        let counts = matches!(plan.count, Some(Count::Exact | Count::Estimated));
        let from = if counts { From::Source } else { From::Call(call) };
        if counts {
            self.call_first(call);
        }
        self.push("SELECT total_count");
        self.answer_settings();
        self.streamed_line(plan, Body::of_call(plan, call));
        self.streamed_total(plan, &call.read, from);
        self.streamed_rows(plan, |writer| writer.called_rows(call, from));
    }

    fn streamed_line(&mut self, plan: &Plan, body: Body) {
        self.push(", ");
        if plan.handler == Handler::Csv {
            self.push("tenon_row::text AS line, CASE WHEN tenon_number = 1 THEN ");
            self.names_of("row_to_json(tenon_row)");
            self.push(" END AS names");
        } else {
            self.line(body);
            self.push(" AS line");
        }
    }

    fn streamed_total(&mut self, plan: &Plan, read: &ReadPlan, from: From<'_>) {
        self.push(" FROM (SELECT ");
        match plan.count {
            Some(Count::Exact) => self.counted(read, from, None),
            Some(Count::Estimated) => self.counted(read, from, plan.max_rows),
            Some(Count::Planned) | None => self.push("null::bigint"),
        }
        self.push(" AS total_count) AS tenon_total");
    }

    fn streamed_rows(&mut self, plan: &Plan, rows: impl FnOnce(&mut Self)) {
        let numbered = plan.handler == Handler::Csv;
        self.push(if numbered {
            " LEFT JOIN (SELECT tenon_row, row_number() OVER () AS tenon_number FROM ("
        } else {
            " LEFT JOIN ("
        });
        rows(self);
        self.push(if numbered {
            ") AS tenon_row) AS tenon_rows ON true"
        } else {
            ") AS tenon_row ON true"
        });
    }
}
