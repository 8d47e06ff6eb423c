//! `PGRST2xx`: the request names something that the schema cache does not know, or knows more than once.

use serde_json::{Value, json};

use super::Error;
use crate::schema_cache::{Cardinality, Function, Relationship};

impl Error {
    pub(crate) fn no_relationship(
        parent: &str,
        child: &str,
        hint_used: Option<&str>,
        schema: &str,
        suggestion: Option<String>,
    ) -> Self {
        let using = hint_used
            .map(|hint| format!(" using the hint '{hint}'"))
            .unwrap_or_default();
        let message =
            format!("Could not find a relationship between '{parent}' and '{child}' in the schema cache");
        Self::new(400, "PGRST200", message)
            .details(format!(
                "Searched for a foreign key relationship between '{parent}' and '{child}'{using} in the schema '{schema}', but no matches were found."
            ))
            .hint_if(suggestion)
    }

    pub(crate) fn ambiguous_relationship(parent: &str, child: &str, candidates: &[&Relationship]) -> Self {
        let details: Vec<Value> = candidates.iter().map(|candidate| describe(candidate)).collect();
        let hints: Vec<String> = candidates
            .iter()
            .map(|candidate| format!("'{}!{}'", candidate.foreign_table.name, disambiguation(candidate)))
            .collect();
        let message = format!(
            "Could not embed because more than one relationship was found for '{parent}' and '{child}'"
        );
        Self::new(300, "PGRST201", message).details(Value::Array(details)).hint(format!(
            "Try changing '{child}' to one of the following: {}. Find the desired relationship in the 'details' key.",
            hints.join(", ")
        ))
    }

    pub(crate) fn no_function(
        schema: &str,
        name: &str,
        arguments: &[String],
        unnamed: Option<&str>,
        suggestion: Option<String>,
    ) -> Self {
        let listed = arguments.join(", ");
        let (shown, searched) = if arguments.is_empty() {
            (" without parameters".to_owned(), " without parameters".to_owned())
        } else {
            let plural = if arguments.len() > 1 { "s" } else { "" };
            (format!("({listed})"), format!(" with parameter{plural} {listed}"))
        };
        let (shown, searched) = match unnamed {
            Some("json/jsonb") => (
                shown,
                format!("{searched} or with a single unnamed json/jsonb parameter"),
            ),
            Some(kind) => (String::new(), format!(" with a single unnamed {kind} parameter")),
            None => (shown, searched),
        };
        let message = format!("Could not find the function {schema}.{name}{shown} in the schema cache");
        Self::new(404, "PGRST202", message)
            .details(format!(
                "Searched for the function {schema}.{name}{searched}, but no matches were found in the schema cache."
            ))
            .hint_if(suggestion)
    }

    pub(crate) fn ambiguous_function(candidates: &[&Function]) -> Self {
        let shown: Vec<String> = candidates
            .iter()
            .map(|function| {
                let args: Vec<String> = function
                    .args
                    .iter()
                    .map(|arg| format!("{} => {}", arg.name, arg.type_name))
                    .collect();
                format!(
                    "{}.{}({})",
                    function.name.schema,
                    function.name.name,
                    args.join(", ")
                )
            })
            .collect();
        let message = format!(
            "Could not choose the best candidate function between: {}",
            shown.join(", ")
        );
        Self::new(300, "PGRST203", message).hint(
            "Try renaming the parameters or the function itself in the database so function overloading can be resolved",
        )
    }

    pub(crate) fn no_column(table: &str, column: &str) -> Self {
        let message = format!("Could not find the '{column}' column of '{table}' in the schema cache");
        Self::new(400, "PGRST204", message)
    }

    pub(crate) fn no_table(schema: &str, table: &str, suggestion: Option<&str>) -> Self {
        Self::new(
            404,
            "PGRST205",
            format!("Could not find the table '{schema}.{table}' in the schema cache"),
        )
        .hint_if(suggestion.map(|near| format!("Perhaps you meant the table '{schema}.{near}'")))
    }
}

fn columns(names: impl Iterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<String> = names.map(|name| name.as_ref().to_owned()).collect();
    format!("({})", names.join(", "))
}

/// One candidate as `PostgREST` prints it in `details`.
fn describe(relationship: &Relationship) -> Value {
    let (table, foreign) = (&relationship.table.name, &relationship.foreign_table.name);
    let (cardinality, text) = match &relationship.cardinality {
        Cardinality::ManyToMany(junction) => (
            "many-to-many",
            format!(
                "{} using {}{} and {}{}",
                junction.table.name,
                junction.source_constraint,
                columns(junction.source.iter().map(|(_, column)| column)),
                junction.target_constraint,
                columns(junction.target.iter().map(|(_, column)| column)),
            ),
        ),
        Cardinality::Computed { .. } => ("computed", relationship.constraint.clone()),
        direct => (
            match direct {
                Cardinality::ManyToOne => "many-to-one",
                Cardinality::OneToMany => "one-to-many",
                _ => "one-to-one",
            },
            format!(
                "{} using {table}{} and {foreign}{}",
                relationship.constraint,
                columns(relationship.columns.iter().map(|(column, _)| column)),
                columns(relationship.columns.iter().map(|(_, column)| column)),
            ),
        ),
    };
    json!({
        "cardinality": cardinality,
        "embedding": format!("{table} with {foreign}"),
        "relationship": text,
    })
}

/// What stands after `!` to choose this relationship.
fn disambiguation(relationship: &Relationship) -> &str {
    match &relationship.cardinality {
        Cardinality::ManyToMany(junction) => &junction.table.name,
        _ => &relationship.constraint,
    }
}
