//! Prints function calls with named arguments.

use super::Param;
use super::envelope::Body;
use super::read::From;
use super::writer::{SOURCE, Writer};
use crate::api_request::Count;
use crate::plan::{CallArgument, CallArguments, CallPlan, Plan};
use crate::schema_cache::Returns;

/// The arguments from a JSON body.
const ARGS: &str = "tenon_args";

impl Writer {
    pub(super) fn call_statement(&mut self, plan: &Plan, call: &CallPlan) {
        let singular = plan.media.is_singular();
        let body = match (call.returns, call.returns_set) {
            _ if plan.head => Body::None,
            (Returns::Void, _) => Body::None,
            (Returns::Scalar, false) => Body::Value,
            (Returns::Scalar, true) if singular => Body::Value,
            (Returns::Scalar, true) => Body::Values,
            (Returns::Composite, true) if !singular => Body::Array,
            (Returns::Composite, _) => Body::Object,
        };
        // Counting must not call the function a second time.
        let counts = matches!(plan.count, Some(Count::Exact | Count::Estimated));
        let from = if counts { From::Source } else { From::Call(call) };
        if counts {
            self.push("WITH ");
            self.ident(SOURCE);
            self.push(" AS MATERIALIZED (SELECT ");
            self.all_of(&call.read.table.name);
            self.push(" FROM ");
            self.call_source(call, &call.read.table.name);
            self.push(") ");
        }
        self.push("SELECT ");
        self.total(plan, &call.read, from);
        self.columns(body, plan.media.strips_nulls());
        self.guard(plan);
        self.push(" FROM (");
        if call.returns == Returns::Composite {
            self.read_root(&call.read, from);
        } else {
            self.value_rows(call, from);
        }
        self.push(") AS tenon_row");
    }

    /// The rows of a function that returns values.
    fn value_rows(&mut self, call: &CallPlan, from: From<'_>) {
        let mut read = call.read.clone();
        read.select = Vec::new();
        read.embeds = Vec::new();
        read.select.push(crate::plan::OutputColumn {
            column: crate::plan::ColumnRef {
                name: "tenon_value".to_owned(),
                function: None,
                path: Vec::new(),
                to_json: false,
                tsvector: false,
            },
            cast: None,
            name: None,
        });
        self.read_root(&read, from);
    }

    /// The call as an item of `FROM`.
    pub(super) fn call_source(&mut self, call: &CallPlan, alias: &str) {
        if let CallArguments::Json(body, arguments) = &call.arguments
            && !arguments.is_empty()
        {
            self.push("json_to_record(");
            self.param(Param(body.clone()));
            self.push("::json) AS ");
            self.ident(ARGS);
            self.push(" (");
            for (index, argument) in arguments.iter().enumerate() {
                if index > 0 {
                    self.push(", ");
                }
                self.ident(&argument.name);
                self.push(" ");
                self.push(&argument.type_name);
            }
            self.push("), LATERAL ");
        }
        self.qualified(&call.function);
        self.push("(");
        match &call.arguments {
            CallArguments::Query(arguments) | CallArguments::Json(_, arguments) => {
                for (index, argument) in arguments.iter().enumerate() {
                    if index > 0 {
                        self.push(", ");
                    }
                    self.argument(argument);
                }
            }
            CallArguments::Unnamed(body, type_name) => {
                let value = if type_name == "bytea" {
                    Param::binary(body)
                } else {
                    Param(body.clone())
                };
                self.param(value);
                self.push("::");
                self.push(type_name);
            }
        }
        self.push(") AS ");
        self.ident(alias);
        if call.returns != Returns::Composite {
            self.push(" (tenon_value)");
        }
    }

    fn argument(&mut self, argument: &CallArgument) {
        if argument.variadic {
            self.push("VARIADIC ");
        }
        self.ident(&argument.name);
        self.push(" => ");
        match &argument.value {
            Some(value) => {
                self.text_param(value);
                self.push("::");
                self.push(&argument.type_name);
            }
            None => self.member(ARGS, &argument.name),
        }
    }
}
