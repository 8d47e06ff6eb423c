//! Hooks that are functions of the database.

use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx, db::Db};

use super::failed;

/// Milliseconds a function has.
const TIME: u32 = 2000;

/// A function's name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    schema: String,
    function: String,
}

impl Name {
    /// Of `pg-functions://postgres/<schema>/<function>`; `None` if it is an address of another kind.
    pub(super) fn parse(uri: &str) -> Option<Result<Self>> {
        let rest = uri.strip_prefix("pg-functions://")?;
        let mut parts = rest.split('/');
        let named = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(_), Some(schema), Some(function), None) if good(schema) && good(function) => Ok(Self {
                schema: schema.to_owned(),
                function: function.to_owned(),
            }),
            _ => Err(
                Error::invalid("config.invalid", "The address of a hook is no function.")
                    .hint("The form is pg-functions://postgres/<schema>/<function>."),
            ),
        };
        Some(named)
    }

    fn quoted(&self) -> String {
        format!("{}.{}", quote(&self.schema), quote(&self.function))
    }
}

fn good(name: &str) -> bool {
    !name.is_empty() && name.len() <= 63 && !name.contains('\0')
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Calls a function with an event.
pub(super) async fn call(db: &Db, name: &Name, event: &Value) -> Result<Value> {
    let tx = SystemTx::begin(db, "hook").await?;
    tx.batch(&format!(
        "set local statement_timeout = {TIME}; set local search_path = {}, public; \
         set local role supabase_auth_admin",
        quote(&name.schema)
    ))
    .await?;
    let sql = format!("select {}($1::jsonb)::jsonb", name.quoted());
    let row = tx.query_one(&sql, &[event]).await.map_err(|error| {
        if error.code == "57014" {
            return Error::unprocessable(
                "hook_timeout",
                "Failed to reach hook within maximum time of 2 seconds",
            );
        }
        tracing::warn!(function = name.quoted(), %error, "the function of a hook failed");
        failed("Error running hook")
    })?;
    let answer: Option<Value> = row.try_get(0)?;
    tx.commit().await?;
    Ok(answer.unwrap_or_else(|| json!({})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_by_schema_and_name_and_quoted() {
        let name = Name::parse("pg-functions://postgres/public/my_hook")
            .unwrap()
            .unwrap();
        assert_eq!(name.quoted(), "\"public\".\"my_hook\"");
        let odd = Name::parse("pg-functions://postgres/a\"b/x; drop table y")
            .unwrap()
            .unwrap();
        assert_eq!(odd.quoted(), "\"a\"\"b\".\"x; drop table y\"");
        assert!(Name::parse("https://example.com").is_none());
        for bad in [
            "pg-functions://postgres",
            "pg-functions://postgres//f",
            "pg-functions://postgres/a/b/c",
            "pg-functions://",
        ] {
            assert!(Name::parse(bad).unwrap().is_err(), "{bad}");
        }
    }
}
