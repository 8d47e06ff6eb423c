//! Checked rows in the staging table: written block by block, read back page by page, or whole when they are committed.

mod pack;

use tenon_sdk::{
    Error, Result, TenantTx,
    imports::{ImportRow, Issue, Level, SheetSpec},
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::validate::CheckedRow;

/// Rows in a block: what a page of the preview has to read at least.
const BLOCK: usize = 1_000;
/// Blocks that the commit reads at once.
const AT_ONCE: i64 = 10;

/// PostgreSQL does not allow COPY into a table under row-level security; arrays are the next fastest way in.
const STAGE: &str = "insert into imports.blocks \
                     (org_id, run_id, sheet, first_row, last_row, accepted, refused, warnings, content) \
                     select $1, $2, $3, b.* from unnest($4::int[], $5::int[], $6::int[], $7::int[], $8::int[], \
                     $9::bytea[]) as b";

/// Removes what an earlier check staged.
pub(crate) async fn clear(tx: &TenantTx, run: Uuid) -> Result<()> {
    tx.execute(
        "delete from imports.blocks where org_id = $1 and run_id = $2",
        &[&tx.org_id(), &run],
    )
    .await?;
    Ok(())
}

/// How many rows of each kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    accepted: i32,
    refused: i32,
    warnings: i32,
}

impl Tally {
    fn of(rows: &[CheckedRow]) -> Self {
        let mut tally = Self::default();
        for CheckedRow { row, .. } in rows {
            if row.accepted() {
                tally.accepted += 1;
                tally.warnings += i32::from(warned(row));
            } else {
                tally.refused += 1;
            }
        }
        tally
    }

    fn count(self, only: Only) -> i64 {
        i64::from(match only {
            Only::All => self.accepted + self.refused,
            Only::Accepted => self.accepted,
            Only::Refused => self.refused,
            Only::Warnings => self.warnings,
        })
    }
}

/// Whether an accepted row has a warning.
pub(crate) fn warned(row: &ImportRow) -> bool {
    row.issues.iter().any(|issue| issue.level == Level::Warning)
}

/// Stages the rows of a batch; those of a sheet come in its order.
pub(crate) async fn add(tx: &TenantTx, run: Uuid, sheet: &SheetSpec, rows: &[CheckedRow]) -> Result<()> {
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let (mut accepted, mut refused, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    let mut contents = Vec::new();
    for block in rows.chunks(BLOCK) {
        let tally = Tally::of(block);
        first.push(row_number(&block[0])?);
        last.push(row_number(&block[block.len() - 1])?);
        accepted.push(tally.accepted);
        refused.push(tally.refused);
        warnings.push(tally.warnings);
        contents.push(pack::pack(sheet, block));
    }
    tx.execute(
        STAGE,
        &[
            &tx.org_id(),
            &run,
            &sheet.key,
            &first,
            &last,
            &accepted,
            &refused,
            &warnings,
            &contents,
        ],
    )
    .await?;
    Ok(())
}

fn row_number(checked: &CheckedRow) -> Result<i32> {
    i32::try_from(checked.row.number).map_err(Error::internal)
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

impl Only {
    fn takes(self, row: &ImportRow) -> bool {
        match self {
            Self::All => true,
            Self::Accepted => row.accepted(),
            Self::Refused => !row.accepted(),
            Self::Warnings => row.accepted() && warned(row),
        }
    }
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

impl From<CheckedRow> for Staged {
    fn from(checked: CheckedRow) -> Self {
        Self {
            number: checked.row.number,
            accepted: checked.row.accepted(),
            cells: (0..checked.row.values.len())
                .map(|field| checked.found(field))
                .collect(),
            issues: checked.row.issues,
        }
    }
}

/// A page of rows in the order of the sheet, beginning after row `after` when it is given, else at `offset`.
pub(crate) async fn page(
    tx: &TenantTx,
    run: Uuid,
    sheet: &'static SheetSpec,
    only: Only,
    after: Option<u32>,
    (limit, offset): (i64, i64),
) -> Result<Vec<Staged>> {
    let after = after.unwrap_or(0);
    let from = i32::try_from(after).map_err(Error::internal)?;
    let blocks = tx
        .query(
            "select first_row, accepted, refused, warnings from imports.blocks \
             where org_id = $1 and run_id = $2 and sheet = $3 and last_row > $4 order by first_row",
            &[&tx.org_id(), &run, &sheet.key, &from],
        )
        .await?;
    let mut skip = offset;
    let mut page = Vec::new();
    for block in &blocks {
        let wanted = usize::try_from(limit).unwrap_or(0).saturating_sub(page.len());
        if wanted == 0 {
            break;
        }
        let first: i32 = block.try_get(0)?;
        let tally = Tally {
            accepted: block.try_get(1)?,
            refused: block.try_get(2)?,
            warnings: block.try_get(3)?,
        };
        // Only in a block that begins after `after` do all rows count.
        if first > from && tally.count(only) <= skip {
            skip -= tally.count(only);
            continue;
        }
        let content = tx
            .query_one(
                "select content from imports.blocks \
                 where org_id = $1 and run_id = $2 and sheet = $3 and first_row = $4",
                &[&tx.org_id(), &run, &sheet.key, &first],
            )
            .await?;
        let before = page.len();
        let mut passed = 0;
        let rows = pack::unpack(sheet, content.try_get(0)?).map_err(|_| stale())?;
        let taken = rows
            .into_iter()
            .filter(|checked| checked.row.number > after && only.takes(&checked.row))
            .inspect(|_| passed += 1)
            .skip(usize::try_from(skip).map_err(Error::internal)?)
            .take(wanted);
        page.extend(taken.map(Staged::from));
        skip = if page.len() > before { 0 } else { skip - passed };
    }
    Ok(page)
}

/// The next accepted rows of a sheet after row `after`, and the number of the last row that was looked at; `None` when
/// there is none left.
pub(crate) async fn accepted(
    tx: &TenantTx,
    run: Uuid,
    sheet: &'static SheetSpec,
    after: u32,
) -> Result<Option<(u32, Vec<Row>)>> {
    let from = i32::try_from(after).map_err(Error::internal)?;
    let blocks = tx
        .query(
            "select last_row, content from imports.blocks \
             where org_id = $1 and run_id = $2 and sheet = $3 and first_row > $4 and accepted > 0 \
             order by first_row limit $5",
            &[&tx.org_id(), &run, &sheet.key, &from, &AT_ONCE],
        )
        .await?;
    let Some(last) = blocks.last() else {
        return Ok(None);
    };
    let last: i32 = last.try_get(0)?;
    Ok(Some((u32::try_from(last).map_err(Error::internal)?, blocks)))
}

/// The accepted rows in what [`accepted`] gave.
pub(crate) fn rows(sheet: &'static SheetSpec, blocks: &[Row]) -> Result<Vec<ImportRow>> {
    let mut accepted = Vec::with_capacity(blocks.len() * BLOCK);
    for block in blocks {
        let rows = pack::unpack(sheet, block.try_get(1)?).map_err(|_| stale())?;
        accepted.extend(
            rows.into_iter()
                .map(|checked| checked.row)
                .filter(ImportRow::accepted),
        );
    }
    Ok(accepted)
}

/// What was staged by another version is checked again.
fn stale() -> Error {
    Error::conflict(
        "imports.validation_stale",
        "The file was checked by another version of the server.",
    )
    .hint("Check the file again: save its mapping once more.")
}
