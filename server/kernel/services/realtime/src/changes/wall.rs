//! Which rows callers may see: the policies of the table, asked of the row as the log has it. So a row that is gone is judged like
//! one that is there, and the answer is the one of the moment the change was made, not of a later look.

use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Deserialize;
use tenon_sdk::{
    Error, Kernel, Result, SystemTx,
    db::{Param, RequestContext, Statement, TextRow},
};

use super::{
    filter::{Condition, quoted},
    pgoutput::Tuple,
    table::Table,
};

/// What a role may see of a table.
#[derive(Clone, Debug)]
pub struct View {
    /// Columns it may read, in the table's order.
    pub readable: Vec<bool>,
    /// What must hold of a row; `None`: nothing.
    pub wall: Option<String>,
}

/// Views, as long as the schema stays as it is.
#[derive(Debug, Default)]
pub struct Views(Mutex<HashMap<(u32, &'static str), Arc<View>>>);

#[derive(Deserialize)]
struct Described {
    columns: Vec<String>,
    wall: Option<String>,
}

impl Views {
    /// What a role may see of a table.
    pub async fn of(&self, kernel: &Kernel, table: &Table, role: &'static str) -> Result<Arc<View>> {
        let known = |views: &Self| {
            let views = views.0.lock().unwrap_or_else(PoisonError::into_inner);
            views.get(&(table.oid, role)).cloned()
        };
        if let Some(view) = known(self) {
            return Ok(view);
        }
        let tx = SystemTx::begin(kernel.db(), "what roles may see of a table").await?;
        let row = tx
            .query_one(
                "select realtime.view_of($1, $2::text::name)",
                &[&table.oid, &role],
            )
            .await?;
        tx.commit().await?;
        let described: Option<serde_json::Value> = row.try_get(0)?;
        let described: Described = match described {
            Some(described) => serde_json::from_value(described).map_err(Error::internal)?,
            // The table is gone.
            None => Described {
                columns: Vec::new(),
                wall: Some("false".to_owned()),
            },
        };
        let view = Arc::new(View {
            readable: table
                .columns
                .iter()
                .map(|column| described.columns.contains(&column.name))
                .collect(),
            wall: described.wall,
        });
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        views.insert((table.oid, role), view.clone());
        Ok(view)
    }

    /// Something in the schema changed.
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// What the database says of one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may be seen.
    pub visible: bool,
    /// Which of the conditions hold.
    pub holds: Vec<bool>,
}

/// Asks for rows of one table in the context of a caller.
pub async fn judge(
    kernel: &Kernel,
    context: &RequestContext,
    table: &Table,
    wall: Option<&str>,
    conditions: &[&Condition],
    rows: &[&Tuple],
) -> Result<Vec<Verdict>> {
    if rows.is_empty() || (wall.is_none() && conditions.is_empty()) {
        let verdict = Verdict {
            visible: true,
            holds: Vec::new(),
        };
        return Ok(vec![verdict; rows.len()]);
    }
    let statement = statement(table, wall, conditions, rows);
    let reply = kernel.db().run(context, statement).await?;
    let mut verdicts = vec![Verdict::default(); rows.len()];
    for row in &reply.rows {
        let Some(verdict) = number(row).and_then(|number| verdicts.get_mut(number.wrapping_sub(1))) else {
            return Err(Error::internal(
                "the wall was asked of a row and spoke of another",
            ));
        };
        let truth = |cell: &Option<bytes::Bytes>| cell.as_deref() == Some(b"t");
        verdict.visible = row.get(1).is_some_and(truth);
        verdict.holds = row.iter().skip(2).map(truth).collect();
    }
    Ok(verdicts)
}

/// Asks about no row: what is wrong with the conditions, or with what the caller may do, shows.
pub async fn try_out(
    kernel: &Kernel,
    context: &RequestContext,
    table: &Table,
    conditions: &[&Condition],
) -> Result<()> {
    kernel
        .db()
        .run(context, statement(table, None, conditions, &[]))
        .await
        .map(drop)
}

fn number(row: &TextRow) -> Option<usize> {
    std::str::from_utf8(row.first()?.as_deref()?).ok()?.parse().ok()
}

/// The number of a row, under a name that no policy means.
const NUMBER: &str = "tenon row number";

fn statement(table: &Table, wall: Option<&str>, conditions: &[&Condition], rows: &[&Tuple]) -> Statement {
    let name = quoted(&table.name);
    let mut sql = format!(
        "select \"{NUMBER}\", coalesce(({}), false)",
        wall.unwrap_or("true")
    );
    let mut params = vec![Param::text(array(rows.iter().map(|row| table.literal(row))))];
    for condition in conditions {
        let _ = write!(
            sql,
            ", coalesce(({}), false)",
            condition.to_sql(table, params.len() + 1)
        );
        params.extend(condition.parameters().iter().map(Param::text));
    }
    sql.push_str(" from (select ");
    for (index, column) in table.columns.iter().enumerate() {
        let _ = write!(sql, "c{index} as {}, ", quoted(&column.name));
    }
    let _ = write!(
        sql,
        "number as \"{NUMBER}\" from pg_catalog.unnest($1::text[]::{}.{name}[]) with ordinality as given(",
        quoted(&table.schema)
    );
    for index in 0..table.columns.len() {
        let _ = write!(sql, "c{index}, ");
    }
    // The row has the table's name, so that what policies call it is right.
    let _ = write!(sql, "number)) as {name}");
    Statement {
        sql: sql.into(),
        params,
    }
}

/// Texts as a PostgreSQL array.
fn array(texts: impl Iterator<Item = String>) -> String {
    let mut out = String::from("{");
    for (index, text) in texts.enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push('"');
        for character in text.chars() {
            if matches!(character, '"' | '\\') {
                out.push('\\');
            }
            out.push(character);
        }
        out.push('"');
    }
    out.push('}');
    out
}
