//! Checked rows in the staging table: written with COPY, read back page by page.

use serde_json::{Value, json};
use std::pin::pin;
use tenon_sdk::{
    Error, Result, TenantTx,
    imports::{Issue, Level, SheetSpec},
};
use tokio_postgres::{
    binary_copy::BinaryCopyInWriter,
    types::{ToSql, Type},
};
use uuid::Uuid;

use crate::validate::CheckedRow;

const COPY: &str = "copy imports.rows (org_id, run_id, sheet, row_no, id, accepted, vals, originals, issues) \
                    from stdin (format binary)";
const TYPES: [Type; 9] = [
    Type::UUID,
    Type::UUID,
    Type::TEXT,
    Type::INT4,
    Type::UUID,
    Type::BOOL,
    Type::TEXT_ARRAY,
    Type::JSONB,
    Type::JSONB,
];

/// Removes what an earlier check staged.
pub(crate) async fn clear(tx: &TenantTx, run: Uuid) -> Result<()> {
    tx.execute("delete from imports.rows where org_id = $1 and run_id = $2", &[&tx.org_id(), &run]).await?;
    Ok(())
}

/// Stages the rows of a batch.
pub(crate) async fn copy(tx: &TenantTx, run: Uuid, sheet: &SheetSpec, rows: &[CheckedRow]) -> Result<()> {
    let org = tx.org_id().0;
    let sink = tx.copy_in(COPY).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &TYPES));
    for checked in rows {
        let row = &checked.row;
        let values: Vec<_> = row.values.iter().map(tenon_sdk::imports::Value::canonical).collect();
        let number = i32::try_from(row.number).map_err(Error::internal)?;
        let originals = originals(checked);
        let issues = issues(&row.issues);
        let columns: [&(dyn ToSql + Sync); 9] =
            [&org, &run, &sheet.key, &number, &row.id, &row.accepted(), &values, &originals, &issues];
        writer.as_mut().write(&columns).await?;
    }
    writer.finish().await?;
    Ok(())
}

fn originals(checked: &CheckedRow) -> Option<Value> {
    if checked.originals.is_empty() {
        return None;
    }
    Some(checked.originals.iter().map(|(position, text)| json!([position, text])).collect())
}

fn issues(issues: &[Issue]) -> Option<Value> {
    if issues.is_empty() {
        return None;
    }
    let listed = issues.iter().map(|issue| {
        json!({ "field": issue.field, "level": issue.level, "code": issue.code, "message": issue.message })
    });
    Some(listed.collect())
}

/// Which rows of a sheet are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Only {
    /// All of them.
    #[default]
    All,
    /// Those no issue refuses.
    Accepted,
    /// Those an issue refuses.
    Refused,
    /// Accepted ones with a warning.
    Warnings,
}

/// A staged row as it is read back.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) number: u32,
    pub(crate) accepted: bool,
    /// Text as found, by position of the field.
    pub(crate) cells: Vec<String>,
    pub(crate) issues: Vec<Issue>,
}

/// A page of rows in the order of the sheet, beginning after row `after` when it is given, else at `offset`.
pub(crate) async fn page(
    tx: &TenantTx,
    run: Uuid,
    sheet: &SheetSpec,
    only: Only,
    after: Option<i32>,
    (limit, offset): (i64, i64),
) -> Result<Vec<Staged>> {
    let condition = match only {
        Only::All => "",
        Only::Accepted => "and accepted",
        Only::Refused => "and issues is not null and not accepted",
        Only::Warnings => "and issues is not null and accepted",
    };
    let sql = format!(
        "select row_no, accepted, vals, originals, issues from imports.rows \
         where org_id = $1 and run_id = $2 and sheet = $3 and row_no > $4 {condition} \
         order by row_no limit $5 offset $6"
    );
    let after = after.unwrap_or(0);
    let rows = tx.query(&sql, &[&tx.org_id(), &run, &sheet.key, &after, &limit, &offset]).await?;
    rows.iter()
        .map(|row| {
            let number: i32 = row.try_get(0)?;
            let values: Vec<Option<String>> = row.try_get(2)?;
            let mut cells: Vec<String> = values.into_iter().map(Option::unwrap_or_default).collect();
            if let Some(originals) = row.try_get::<_, Option<Value>>(3)? {
                for found in originals.as_array().into_iter().flatten() {
                    let position = found[0].as_u64().and_then(|position| usize::try_from(position).ok());
                    if let (Some(cell), Some(text)) =
                        (position.and_then(|position| cells.get_mut(position)), found[1].as_str())
                    {
                        text.clone_into(cell);
                    }
                }
            }
            Ok(Staged {
                number: u32::try_from(number).map_err(Error::internal)?,
                accepted: row.try_get(1)?,
                cells,
                issues: read_issues(sheet, row.try_get(4)?),
            })
        })
        .collect()
}

fn read_issues(sheet: &SheetSpec, stored: Option<Value>) -> Vec<Issue> {
    let Some(Value::Array(stored)) = stored else { return Vec::new() };
    stored
        .into_iter()
        .map(|issue| Issue {
            field: issue["field"].as_str().and_then(|key| sheet.field(key)).map(|field| field.key),
            level: match issue["level"].as_str() {
                Some("info") => Level::Info,
                Some("warning") => Level::Warning,
                _ => Level::Error,
            },
            code: issue["code"].as_str().unwrap_or_default().to_owned().into(),
            message: issue["message"].as_str().unwrap_or_default().to_owned(),
        })
        .collect()
}
