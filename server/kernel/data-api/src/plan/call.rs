//! Plans a function call: chooses the overload by the names of the arguments.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::suggest::nearest;
use super::{CallArgument, CallArguments, CallPlan, Planner};
use crate::api_request::{Action, MediaType, Payload};
use crate::error::{Error, Result};
use crate::schema_cache::{Argument, Function, Returns};

impl<'a> Planner<'a> {
    pub(super) fn call(&self, name: &str) -> Result<CallPlan> {
        let by_get = matches!(self.request.action, Action::Call { read_only: true, .. });
        let (function, unnamed) = self.overload(name, by_get)?;
        let arguments = if unnamed {
            let body = match &self.request.payload {
                Some(Payload::Json { text, .. } | Payload::Raw(text)) => text.clone(),
                Some(Payload::Form(_)) | None => Bytes::new(),
            };
            CallArguments::Unnamed(
                body,
                function
                    .args
                    .first()
                    .map(|arg| arg.type_name.clone())
                    .unwrap_or_default(),
            )
        } else {
            match &self.request.payload {
                Some(Payload::Form(fields)) => CallArguments::Query(text_arguments(function, fields)),
                _ if by_get => CallArguments::Query(text_arguments(function, &self.request.query.arguments)),
                _ => self.json_arguments(function),
            }
        };
        let strict_limit = self.request.preferences.max_affected;
        if strict_limit.is_some() && !function.returns_set {
            return Err(Error::max_affected_rpc());
        }
        let relation = function.relation.clone().unwrap_or_else(|| function.name.clone());
        let mut read = self.read_of(relation, true)?;
        read.range = self
            .request
            .range
            .capped(self.settings.max_rows.filter(|_| function.returns_set));
        if function.returns != Returns::Composite {
            if !read.having.is_empty() {
                return Err(Error::not_implemented("Values have no columns to aggregate."));
            }
            // A value has no columns; whatever `select` says, the value is the answer.
            read.select.clear();
            read.tenant = false;
        }
        Ok(CallPlan {
            function: function.name.clone(),
            arguments,
            returns_set: function.returns_set,
            returns: function.returns,
            read_only: by_get || !function.volatile,
            max_affected: strict_limit,
            settings: function.settings.clone(),
            read,
        })
    }

    pub(super) fn function_info(&self, name: &str) -> Result<Vec<&'static str>> {
        let functions = self.cache.functions(&self.qualified(name));
        let Some(function) = functions.first() else {
            return Err(self.not_found(name, &[], None));
        };
        Ok(if function.volatile {
            vec!["OPTIONS", "POST"]
        } else {
            vec!["OPTIONS", "GET", "HEAD", "POST"]
        })
    }

    /// The overload that takes these arguments, and whether it takes the body as its one unnamed argument.
    fn overload(&self, name: &str, by_get: bool) -> Result<(&'a Function, bool)> {
        let functions = self.cache.functions(&self.qualified(name));
        let given = self.given(by_get);
        let content = &self.request.content;
        let whole = !by_get && matches!(content, MediaType::Text | MediaType::Xml | MediaType::Bytes);
        let takes = |function: &&Function| {
            let known = |name: &String| !name.is_empty() && function.args.iter().any(|arg| arg.name == *name);
            let required = |arg: &Argument| !arg.required || given.contains(&arg.name);
            // A body that is no arguments is not thrown away.
            let ignores_body = whole && function.args.is_empty();
            !ignores_body && given.iter().all(known) && function.args.iter().all(required)
        };
        let unnamed_types: &[&str] = match content {
            _ if by_get => &[],
            MediaType::Text => &["text"],
            MediaType::Xml => &["xml"],
            MediaType::Bytes => &["bytea"],
            media if media.is_json() => &["json", "jsonb"],
            _ => &[],
        };
        let fitting: Vec<&Function> = functions.iter().filter(takes).collect();
        match fitting.as_slice() {
            [only] => return Ok((only, false)),
            [] => {}
            several => return Err(Error::ambiguous_function(several)),
        }
        let unnamed: Vec<&Function> = functions
            .iter()
            .filter(|function| function.takes_unnamed(unnamed_types))
            .collect();
        match unnamed.as_slice() {
            [only] => Ok((only, true)),
            [] => {
                let given: Vec<String> = given.into_iter().collect();
                let searched = match unnamed_types {
                    [] => None,
                    ["json", ..] => Some("json/jsonb"),
                    [only, ..] => Some(*only),
                };
                Err(self.not_found(name, &given, searched))
            }
            several => Err(Error::ambiguous_function(several)),
        }
    }

    /// Names of the arguments.
    fn given(&self, by_get: bool) -> BTreeSet<String> {
        let names = |fields: &[(String, String)]| fields.iter().map(|(name, _)| name.clone()).collect();
        if by_get {
            return names(&self.request.query.arguments);
        }
        match (&self.request.query.columns, &self.request.payload) {
            (Some(columns), Some(Payload::Json { .. })) => columns.iter().cloned().collect(),
            (_, Some(Payload::Json { keys, .. })) => keys.iter().cloned().collect(),
            (_, Some(Payload::Form(fields))) => names(fields),
            _ => BTreeSet::new(),
        }
    }

    fn json_arguments(&self, function: &Function) -> CallArguments {
        let given = self.given(false);
        let taken = function.args.iter().filter(|arg| given.contains(&arg.name));
        let arguments: Vec<CallArgument> = taken.map(|arg| argument(arg, None)).collect();
        let (text, array) = match &self.request.payload {
            Some(Payload::Json { text, object, .. }) => (text.clone(), !object),
            _ => (Bytes::from_static(b"{}"), false),
        };
        CallArguments::Json {
            text,
            array,
            arguments,
        }
    }

    fn not_found(&self, name: &str, given: &[String], unnamed: Option<&str>) -> Error {
        let qualified = self.qualified(name);
        let overloads = self.cache.functions(&qualified);
        let suggestion = if overloads.is_empty() {
            let names = self
                .cache
                .function_names()
                .filter(|known| known.schema == qualified.schema);
            nearest(name, names.map(|known| known.name.as_str())).map(str::to_owned)
        } else {
            let listed = |mut names: Vec<&str>| {
                names.sort_unstable();
                format!("({})", names.join(", "))
            };
            let lists: Vec<String> = overloads
                .iter()
                .map(|function| listed(function.args.iter().map(|arg| arg.name.as_str()).collect()))
                .collect();
            let wanted = listed(given.iter().map(String::as_str).collect());
            nearest(&wanted, lists.iter().map(String::as_str)).map(|list| format!("{name}{list}"))
        };
        // A body that is one value says nothing about what was meant.
        let suggestion = suggestion.filter(|_| matches!(unnamed, None | Some("json/jsonb")));
        let hint = suggestion.map(|near| {
            format!(
                "Perhaps you meant to call the function {}.{near}",
                qualified.schema
            )
        });
        Error::no_function(&qualified.schema, name, given, unnamed, hint)
    }
}

/// Arguments from a query string or a form: the last value counts, but a variadic argument takes all.
fn text_arguments(function: &Function, fields: &[(String, String)]) -> Vec<CallArgument> {
    let mut arguments = Vec::new();
    for arg in &function.args {
        let given: Vec<&str> = fields
            .iter()
            .filter(|(name, _)| *name == arg.name)
            .map(|(_, value)| value.as_str())
            .collect();
        let value = match (given.as_slice(), arg.variadic) {
            ([], _) => continue,
            (many, true) => array_literal(many),
            (many, false) => many[many.len() - 1].to_owned(),
        };
        arguments.push(argument(arg, Some(value)));
    }
    arguments
}

fn argument(arg: &Argument, value: Option<String>) -> CallArgument {
    CallArgument {
        name: arg.name.clone(),
        type_name: arg.type_name.clone(),
        variadic: arg.variadic,
        value,
    }
}

/// PostgreSQL's text form of an array.
pub(crate) fn array_literal<T: AsRef<str>>(values: &[T]) -> String {
    let mut literal = String::from("{");
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            literal.push(',');
        }
        literal.push('"');
        for character in value.as_ref().chars() {
            if matches!(character, '"' | '\\') {
                literal.push('\\');
            }
            literal.push(character);
        }
        literal.push('"');
    }
    literal.push('}');
    literal
}
