//! Types and defaults of columns in the words of Swagger.

use serde_json::Value;

/// `type` of a PostgreSQL type; none where any value may stand.
pub(super) fn kind(sql: &str) -> Option<&'static str> {
    match sql {
        "boolean" => Some("boolean"),
        "smallint" | "integer" | "bigint" => Some("integer"),
        "numeric" | "real" | "double precision" => Some("number"),
        "json" | "jsonb" => None,
        array if array.ends_with("[]") => Some("array"),
        _ => Some("string"),
    }
}

/// `format` of a PostgreSQL type: its own name, except where Swagger has a word for it.
pub(super) fn format(sql: &str) -> &str {
    match sql {
        "smallint" | "integer" => "int32",
        "bigint" => "int64",
        other => other,
    }
}

/// The type of an array's elements.
pub(super) fn element(sql: &str) -> &str {
    sql.strip_suffix("[]").unwrap_or(sql)
}

/// A default as a value, if the expression is one; the expression itself where the type is a text.
pub(super) fn default(expression: &str, sql: &str) -> Option<Value> {
    if kind(sql) != Some("string") {
        return serde_json::from_str(expression).ok();
    }
    let literal = expression
        .strip_suffix(sql)
        .and_then(|rest| rest.strip_suffix("::"));
    let text = match literal {
        Some(quoted) => quoted.trim_matches('\'').replace("''", "'"),
        None => expression.to_owned(),
    };
    Some(Value::String(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_are_values_where_they_can_be() {
        for (expression, sql, expected) in [
            ("'draft'::text", "text", Some(json!("draft"))),
            ("'o''clock'::text", "text", Some(json!("o'clock"))),
            ("'2024-01-01'::date", "date", Some(json!("2024-01-01"))),
            ("now()", "timestamp with time zone", Some(json!("now()"))),
            ("false", "boolean", Some(json!(false))),
            ("42.5", "numeric", Some(json!(42.5))),
            ("nextval('notes_id_seq'::regclass)", "integer", None),
            ("'{}'::jsonb", "jsonb", None),
            ("'{}'::text[]", "text[]", None),
        ] {
            assert_eq!(default(expression, sql), expected, "{expression}");
        }
    }
}
