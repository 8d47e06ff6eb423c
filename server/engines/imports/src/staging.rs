//! Checked rows in the staging table: written in batches, read back page by page.

use serde_json::{Value, json};
use tenon_sdk::{
    Error, Result, TenantTx,
    imports::{Issue, Level, SheetSpec},
};
use uuid::Uuid;

use crate::validate::CheckedRow;

/// PostgreSQL does not allow COPY into a table under row-level security; arrays are the next fastest way in. An array of
/// arrays cannot be taken apart row by row, so each row's values travel as one array literal.
const STAGE: &str = "insert into imports.rows (org_id, run_id, sheet, row_no, id, accepted, vals, originals, issues) \
                     select $1, $2, $3, row_no, id, accepted, vals::text[], originals, issues \
                     from unnest($4::int[], $5::uuid[], $6::bool[], $7::text[], $8::jsonb[], $9::jsonb[]) \
                     as staged (row_no, id, accepted, vals, originals, issues)";

/// Removes what an earlier check staged.
pub(crate) async fn clear(tx: &TenantTx, run: Uuid) -> Result<()> {
    tx.execute(
        "delete from imports.rows where org_id = $1 and run_id = $2",
        &[&tx.org_id(), &run],
    )
    .await?;
    Ok(())
}

/// Stages the rows of a batch.
pub(crate) async fn add(tx: &TenantTx, run: Uuid, sheet: &SheetSpec, rows: &[CheckedRow]) -> Result<()> {
    let mut numbers = Vec::with_capacity(rows.len());
    for checked in rows {
        numbers.push(i32::try_from(checked.row.number).map_err(Error::internal)?);
    }
    let ids: Vec<Uuid> = rows.iter().map(|checked| checked.row.id).collect();
    let accepted: Vec<bool> = rows.iter().map(|checked| checked.row.accepted()).collect();
    let values: Vec<String> = rows
        .iter()
        .map(|checked| array_literal(&checked.row.values))
        .collect();
    let originals: Vec<Option<Value>> = rows.iter().map(originals).collect();
    let issues: Vec<Option<Value>> = rows.iter().map(|checked| issues(&checked.row.issues)).collect();
    tx.execute(
        STAGE,
        &[
            &tx.org_id(),
            &run,
            &sheet.key,
            &numbers,
            &ids,
            &accepted,
            &values,
            &originals,
            &issues,
        ],
    )
    .await?;
    Ok(())
}

/// Values as the text of a PostgreSQL array: every element quoted, so that nothing in it has a meaning.
fn array_literal(values: &[tenon_sdk::imports::Value]) -> String {
    let mut literal = String::with_capacity(values.len() * 16);
    literal.push('{');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            literal.push(',');
        }
        match value.canonical() {
            None => literal.push_str("NULL"),
            Some(text) => {
                literal.push('"');
                for letter in text.chars() {
                    if letter == '"' || letter == '\\' {
                        literal.push('\\');
                    }
                    literal.push(letter);
                }
                literal.push('"');
            }
        }
    }
    literal.push('}');
    literal
}

fn originals(checked: &CheckedRow) -> Option<Value> {
    if checked.originals.is_empty() {
        return None;
    }
    Some(
        checked
            .originals
            .iter()
            .map(|(position, text)| json!([position, text]))
            .collect(),
    )
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
    let rows = tx
        .query(&sql, &[&tx.org_id(), &run, &sheet.key, &after, &limit, &offset])
        .await?;
    rows.iter()
        .map(|row| {
            let number: i32 = row.try_get(0)?;
            let values: Vec<Option<String>> = row.try_get(2)?;
            let mut cells: Vec<String> = values.into_iter().map(Option::unwrap_or_default).collect();
            if let Some(originals) = row.try_get::<_, Option<Value>>(3)? {
                for found in originals.as_array().into_iter().flatten() {
                    let position = found[0]
                        .as_u64()
                        .and_then(|position| usize::try_from(position).ok());
                    if let (Some(cell), Some(text)) = (
                        position.and_then(|position| cells.get_mut(position)),
                        found[1].as_str(),
                    ) {
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
    let Some(Value::Array(stored)) = stored else {
        return Vec::new();
    };
    stored
        .into_iter()
        .map(|issue| Issue {
            field: issue["field"]
                .as_str()
                .and_then(|key| sheet.field(key))
                .map(|field| field.key),
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

#[cfg(test)]
mod tests {
    use tenon_sdk::imports::Value;

    use super::array_literal;

    #[test]
    fn hostile_text_stays_one_element_of_the_array() {
        let text = |text: &str| Value::Text(text.to_owned());
        let values = [
            text(r#"a"},{"b"#),
            Value::Empty,
            text("NULL"),
            text(r"back\slash"),
            text("'; drop table x;--"),
        ];
        assert_eq!(
            array_literal(&values),
            r#"{"a\"},{\"b",NULL,"NULL","back\\slash","'; drop table x;--"}"#
        );
    }
}
