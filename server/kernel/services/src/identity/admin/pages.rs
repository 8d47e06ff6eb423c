//! Lists by pages, in the form of GoTrue.

use axum::http::{HeaderName, HeaderValue, header};
use serde::Deserialize;
use tenon_sdk::{Error, Result, SystemTx};
use tokio_postgres::Row;

use crate::identity::Identity;

/// Most rows on one page.
const MOST: i64 = 1000;

#[derive(Deserialize)]
pub(in crate::identity) struct Page {
    page: Option<String>,
    per_page: Option<String>,
}

impl Page {
    /// The page's number, from 1, and how many stand on it. What is empty is the default, as the clients expect.
    ///
    /// Errors: `validation_failed` for what is no number above 0.
    fn read(&self) -> Result<(i64, i64)> {
        let number = |text: &Option<String>, default: i64| match text.as_deref() {
            None | Some("") => Ok(default),
            Some(text) => text.parse().ok().filter(|number| *number > 0).ok_or_else(|| {
                Error::invalid("validation_failed", "Bad Pagination Parameters")
                    .hint("page and per_page are whole numbers above 0.")
            }),
        };
        Ok((
            number(&self.page, 1)?.min(1_000_000),
            number(&self.per_page, 50)?.min(MOST),
        ))
    }

    /// Its rows of a table, newest first, and what its headers say.
    pub(in crate::identity) async fn of(
        &self,
        service: &Identity,
        reason: &'static str,
        path: &str,
        columns: &str,
        table: &str,
    ) -> Result<([(HeaderName, HeaderValue); 2], Vec<Row>)> {
        let (page, size) = self.read()?;
        let tx = SystemTx::begin(&service.0.db, reason).await?;
        let rows = tx
            .query(
                &format!(
                    "select {columns} from {table} order by created_at desc, id desc limit $1 offset $2"
                ),
                &[&size, &((page - 1) * size)],
            )
            .await?;
        let total = tx
            .query_one(&format!("select count(*) from {table}"), &[])
            .await?
            .try_get(0)?;
        tx.commit().await?;
        Ok((headers(path, page, size, total), rows))
    }
}

/// `Link` and `X-Total-Count` for a page.
fn headers(path: &str, page: i64, size: i64, total: i64) -> [(HeaderName, HeaderValue); 2] {
    let last = (total + size - 1) / size;
    let mut links = Vec::new();
    if page < last {
        links.push(format!(
            "<{path}?page={}&per_page={size}>; rel=\"next\"",
            page + 1
        ));
    }
    links.push(format!(
        "<{path}?page={}&per_page={size}>; rel=\"last\"",
        last.max(1)
    ));
    let value = HeaderValue::try_from(links.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""));
    [
        (header::LINK, value),
        (HeaderName::from_static("x-total-count"), HeaderValue::from(total)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_links_to_the_next_and_the_last() {
        let [(_, link), (_, total)] = headers("/x", 1, 10, 21);
        assert_eq!(
            link,
            "</x?page=2&per_page=10>; rel=\"next\", </x?page=3&per_page=10>; rel=\"last\""
        );
        assert_eq!(total, "21");
        let [(_, link), _] = headers("/x", 1, 10, 0);
        assert_eq!(link, "</x?page=1&per_page=10>; rel=\"last\"");
    }

    #[test]
    fn what_is_no_page_is_refused_and_what_is_empty_the_default() {
        let read = |page: &str, size: &str| {
            Page {
                page: Some(page.into()),
                per_page: Some(size.into()),
            }
            .read()
        };
        assert_eq!(read("", "").ok(), Some((1, 50)));
        assert_eq!(read("2", "99999").ok(), Some((2, MOST)));
        for (page, per_page) in [("-3", ""), ("", "0"), ("x", ""), ("", "9223372036854775808")] {
            assert_eq!(read(page, per_page).unwrap_err().code, "validation_failed");
        }
    }
}
