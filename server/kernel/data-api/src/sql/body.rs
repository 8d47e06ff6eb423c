//! Prints the body of an answer: what the rows become.

use super::writer::Writer;
use crate::plan::{CallPlan, Handler, Plan, Wire};
use crate::schema_cache::{QualifiedName, Returns};

/// The column of rows that have only one value. It is seen in plans, where it goes by the name that the dialect knows.
pub(super) const SCALAR: &str = "pgrst_scalar";

/// How the rows become the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Nothing is shown.
    None,
    /// An array of objects.
    Array,
    /// The first row as an object.
    Object,
    /// An array of the values of the one column.
    Values,
    /// The value of the one column of the one row.
    Value,
}

impl Body {
    /// The body of what a function returns.
    pub(super) fn of_call(plan: &Plan, call: &CallPlan) -> Self {
        let singular = plan.media.is_singular();
        match (call.returns, call.returns_set) {
            _ if plan.head => Self::None,
            (Returns::Void, _) => Self::None,
            (Returns::Scalar | Returns::Record, false) => Self::Value,
            (Returns::Scalar | Returns::Record, true) if singular => Self::Value,
            (Returns::Scalar | Returns::Record, true) => Self::Values,
            (Returns::Composite, true) if !singular => Self::Array,
            (Returns::Composite, _) => Self::Object,
        }
    }

    /// The rows have one column without a name.
    pub(super) fn is_scalar(self) -> bool {
        matches!(self, Self::Values | Self::Value)
    }
}

impl Writer {
    /// ` FROM (…) AS tenon_row`, numbered if the body needs to know which row is the first.
    pub(super) fn rows(&mut self, plan: &Plan, rows: impl FnOnce(&mut Self)) {
        let numbered = plan.handler == Handler::Csv;
        self.push(if numbered {
            " FROM (SELECT tenon_row, row_number() OVER () AS tenon_number FROM ("
        } else {
            " FROM ("
        });
        rows(self);
        self.push(if numbered {
            ") AS tenon_row) AS tenon_rows"
        } else {
            ") AS tenon_row"
        });
    }

    /// The column `body`.
    pub(super) fn body(&mut self, plan: &Plan, body: Body) {
        match (&plan.handler, body) {
            (_, Body::None) => self.push("null::json"),
            (Handler::Json, _) => self.json(body, plan.media.strips_nulls()),
            (Handler::Csv, _) => self.csv(),
            (Handler::Lines, body) => self.lines(body),
            (Handler::GeoJson(function), _) => self.features(function.as_ref()),
            (
                Handler::Aggregate {
                    aggregate,
                    relation,
                    wire,
                },
                _,
            ) => {
                self.wired(*wire, |writer| {
                    writer.qualified(aggregate);
                    writer.push("(tenon_row");
                    if body.is_scalar() {
                        writer.push(".");
                        writer.ident(SCALAR);
                    } else if let Some(relation) = relation {
                        writer.push("::");
                        writer.qualified(relation);
                    }
                    writer.push(")");
                });
            }
            (Handler::Value(wire), _) => self.wired(*wire, |writer| {
                writer.push("(array_agg(");
                writer.member("tenon_row", SCALAR);
                writer.push("))[1]");
            }),
        }
        self.push(" AS body");
    }

    /// The column `body`, where there is exactly one row and nothing is aggregated.
    pub(super) fn value_body(&mut self, wire: Wire) {
        self.wired(wire, |writer| writer.member("tenon_row", SCALAR));
        self.push(" AS body");
    }

    fn wired(&mut self, wire: Wire, value: impl FnOnce(&mut Self)) {
        if wire == Wire::Jsonb {
            self.push("jsonb_send(");
        }
        value(self);
        match wire {
            Wire::AsItIs | Wire::Bytes => {}
            Wire::Text => self.push("::text"),
            Wire::Jsonb => self.push(")"),
        }
    }

    fn json(&mut self, body: Body, strip: bool) {
        if strip {
            self.push("json_strip_nulls(");
        }
        match body {
            Body::None => self.push("null::json"),
            Body::Array => self.push("coalesce(json_agg(tenon_row), '[]')"),
            Body::Object => self.push("coalesce(json_agg(tenon_row) -> 0, 'null')"),
            Body::Values => {
                self.push("coalesce(json_agg(");
                self.member("tenon_row", SCALAR);
                self.push("), '[]')");
            }
            Body::Value => {
                self.push("coalesce((array_agg(to_json(");
                self.member("tenon_row", SCALAR);
                self.push(")))[1], 'null')");
            }
        }
        if strip {
            self.push(")");
        }
    }

    /// A line of column names and one for each row; without rows nobody knows the columns.
    fn csv(&mut self) {
        self.push("coalesce(");
        self.names_of("(array_agg(row_to_json(tenon_row)) FILTER (WHERE tenon_number = 1))[1]");
        self.push(
            ", '') || E'\\n' || coalesce(string_agg(substr(tenon_row::text, 2, length(tenon_row::text) - 2), E'\\n'), '')",
        );
    }

    /// A line of JSON for each row. Line ends inside of it stand between values only, so they can go.
    fn lines(&mut self, body: Body) {
        self.push("coalesce(string_agg(translate(");
        self.line(body);
        self.push(", E'\\n\\r', '') || E'\\n', ''), '')");
    }

    /// A row as JSON; null if there is none.
    pub(super) fn line(&mut self, body: Body) {
        self.push("(row_to_json(tenon_row)");
        if body.is_scalar() {
            self.push(" -> ");
            self.literal(SCALAR);
        }
        self.push(")::text");
    }

    /// The names of a row's columns.
    pub(super) fn names_of(&mut self, row: &str) {
        self.push("(SELECT string_agg(tenon_key, ',') FROM json_object_keys(");
        self.push(row);
        self.push(") AS tenon_key)");
    }

    fn features(&mut self, function: Option<&QualifiedName>) {
        self.push("json_build_object('type', 'FeatureCollection', 'features', coalesce(json_agg(");
        match function {
            Some(function) => self.qualified(function),
            // PostgreSQL says that there is no such function.
            None => self.push("st_asgeojson"),
        }
        self.push("(tenon_row)::json), '[]'))");
    }
}
