//! Prints function calls with named arguments.

use super::Param;
use super::body::{Body, SCALAR};
use super::read::From;
use super::writer::{SOURCE, Writer};
use crate::api_request::{Count, Range};
use crate::plan::{CallArgument, CallArguments, CallPlan, ColumnRef, Handler, OutputColumn, Plan};
use crate::schema_cache::Returns;

/// The arguments from a JSON body.
const ARGS: &str = "tenon_args";

impl Writer {
    pub(super) fn call_statement(&mut self, plan: &Plan, call: &CallPlan) {
        let body = Body::of_call(plan, call);
        if let (Handler::Value(wire), Body::Value) = (&plan.handler, body)
            && call.read.conditions.is_empty()
            && call.read.range == Range::ALL
        {
            // One row for certain: what a function made is handed on untouched.
            self.call_first(call);
            let exact = matches!(plan.count, Some(Count::Exact | Count::Estimated));
            self.push(if exact {
                "SELECT 1::bigint"
            } else {
                "SELECT null::bigint"
            });
            self.push(" AS total_count, 1::bigint AS page_count");
            self.body_last(plan, |writer| writer.value_body(*wire));
            self.rows(plan, |writer| writer.value_rows(call, From::Source));
            return;
        }
        // Counting must not call the function a second time.
        let counts = matches!(plan.count, Some(Count::Exact | Count::Estimated));
        let from = if counts { From::Source } else { From::Call(call) };
        if counts {
            self.call_first(call);
        }
        self.push("SELECT ");
        self.total(plan, &call.read, from);
        self.columns(plan, body);
        self.rows(plan, |writer| writer.called_rows(call, from));
    }

    /// What a function returned.
    pub(super) fn called_rows(&mut self, call: &CallPlan, from: From<'_>) {
        if call.has_columns() {
            self.read_root(&call.read, from);
        } else {
            self.value_rows(call, from);
        }
    }

    /// The call before everything else, so that it happens once.
    pub(super) fn call_first(&mut self, call: &CallPlan) {
        self.push("WITH ");
        self.ident(SOURCE);
        self.push(" AS MATERIALIZED (SELECT ");
        self.all_of(&call.read.table.name);
        self.push(" FROM ");
        self.call_source(call, &call.read.table.name);
        self.push(") ");
    }

    /// The rows of a function that returns values.
    fn value_rows(&mut self, call: &CallPlan, from: From<'_>) {
        let mut read = call.read.clone();
        read.embeds = Vec::new();
        read.select = vec![OutputColumn {
            column: ColumnRef {
                name: SCALAR.to_owned(),
                function: None,
                path: Vec::new(),
                to_json: false,
                tsvector: false,
            },
            shown: None,
            cast: None,
            name: None,
            aggregate: None,
        }];
        self.read_root(&read, from);
    }

    /// The call as an item of `FROM`.
    pub(super) fn call_source(&mut self, call: &CallPlan, alias: &str) {
        if call.returns == Returns::Record {
            // Only where no columns are asked for may nobody know them.
            self.push("(SELECT ");
            self.call(call);
            self.push(" AS ");
            self.ident(SCALAR);
            self.json_arguments_source(call, " FROM ");
            self.push(") AS ");
            self.ident(alias);
            return;
        }
        if self.json_arguments_source(call, "") {
            self.push(", LATERAL ");
        }
        self.call(call);
        self.push(" AS ");
        self.ident(alias);
        if !call.has_columns() {
            self.push(" (");
            self.ident(SCALAR);
            self.push(")");
        }
    }

    /// The arguments of a JSON body as a row; whether there are any.
    fn json_arguments_source(&mut self, call: &CallPlan, before: &str) -> bool {
        let CallArguments::Json {
            text,
            array,
            arguments,
        } = &call.arguments
        else {
            return false;
        };
        if arguments.is_empty() {
            return false;
        }
        self.push(before);
        self.push("json_to_record(");
        self.param(Param(text.clone()));
        self.push(if *array { "::json -> 0) AS " } else { "::json) AS " });
        self.ident(ARGS);
        self.push(" (");
        for (index, argument) in arguments.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.ident(&argument.name);
            self.push(" ");
            self.push(any_length(&argument.type_name));
        }
        self.push(")");
        true
    }

    /// `function(name => value, …)`
    fn call(&mut self, call: &CallPlan) {
        self.qualified(&call.function);
        self.push("(");
        match &call.arguments {
            CallArguments::Query(arguments) | CallArguments::Json { arguments, .. } => {
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
        self.push(")");
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
                self.push(any_length(&argument.type_name));
            }
            None => self.member(ARGS, &argument.name),
        }
    }
}

/// The type without the length of one that a cast to it would have.
fn any_length(type_name: &str) -> &str {
    match type_name {
        "character" => "character varying",
        "character[]" => "character varying[]",
        "bit" => "bit varying",
        "bit[]" => "bit varying[]",
        other => other,
    }
}
