//! Lists of the console: what is searched for, and one page of what is found.

use serde::Deserialize;
use tenon_sdk::{Kernel, Result, SystemTx};
use tokio_postgres::Row;
use utoipa::IntoParams;
use uuid::Uuid;

/// Rows of one page.
pub(super) const PAGE: i64 = 50;

/// What to look for.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct Search {
    /// Part of a name or address, or an id.
    #[serde(default)]
    pub q: String,
    /// Which page, from 1.
    #[serde(default)]
    pub page: Option<i64>,
}

impl Search {
    /// The rows of the page, newest first, and how many there are in all. Those count that are `matching`, where `$1` stands for a
    /// pattern with what is searched for, and `$2` for the id that it is, if it is one.
    pub(super) async fn find(
        &self,
        kernel: &Kernel,
        reason: &'static str,
        columns: &str,
        table: &str,
        matching: &str,
    ) -> Result<(i64, Vec<Row>)> {
        let (pattern, id) = (contains(&self.q), Uuid::try_parse(self.q.trim()).ok());
        let count = format!("select count(*) from {table} where {matching}");
        let page = format!(
            "select {columns} from {table} where {matching} order by created_at desc, id desc offset $3 limit $4"
        );
        let tx = SystemTx::begin(kernel.db(), reason).await?;
        let total = tx.query_one(&count, &[&pattern, &id]).await?.try_get(0)?;
        let rows = tx
            .query(&page, &[&pattern, &id, &skipped(self.page), &PAGE])
            .await?;
        tx.commit().await?;
        Ok((total, rows))
    }
}

/// What stands between `%` in a search, with the letters that mean something there taken as they are.
fn contains(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.trim().chars().take(100).filter(|letter| *letter != '\0') {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// How many rows a page, counted from 1, leaves out.
fn skipped(page: Option<i64>) -> i64 {
    (page.unwrap_or(1).clamp(1, 1_000_000) - 1) * PAGE
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_search_is_for_letters_not_for_patterns() {
        assert_eq!(super::contains(" 100%_\\a\0 "), "%100\\%\\_\\\\a%");
        assert_eq!(super::contains(""), "%%");
        assert_eq!(
            (
                super::skipped(None),
                super::skipped(Some(3)),
                super::skipped(Some(-5))
            ),
            (0, 100, 0)
        );
    }
}
