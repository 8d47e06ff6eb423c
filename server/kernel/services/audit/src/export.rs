//! The trail as a file: read page by page while it is sent, so that a slow reader keeps no connection of the database. Rights are
//! asked anew for each page; nothing that was there at the beginning is left out, since entries are only added.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use tenon_sdk::{Ctx, Error, Result, audit::Action, permission::Permission as _};

use crate::{
    entry::{self, Entry},
    filter::{Filter, Place},
    permissions::{EntriesExport, EntriesRead},
};

/// Entries that are read at once.
const AT_ONCE: i64 = 1000;

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Csv,
    JsonLines,
}

const HEADINGS: [&str; 15] = [
    "id",
    "time",
    "actor_kind",
    "actor",
    "visit",
    "action",
    "table",
    "row",
    "changes",
    "details",
    "tags",
    "address",
    "user_agent",
    "request",
    "login",
];

/// Begins a file, and records that somebody took it.
pub(crate) async fn begin(ctx: Ctx, mut filter: Filter, form: Form) -> Result<Body> {
    filter.check()?;
    // Nothing is taken out that could not be seen.
    ctx.require(EntriesRead::DEF.name)?;
    let mut told = filter.told();
    let word = match form {
        Form::Csv => "csv",
        Form::JsonLines => "jsonl",
    };
    told.insert("form".to_owned(), word.into());
    let tx = ctx.begin().await?;
    tx.require(EntriesExport::DEF.name)?;
    // What is written from here on is not in it.
    let now: jiff::Timestamp = tx.query_one("select clock_timestamp()", &[]).await?.try_get(0)?;
    filter.to = Some(filter.to.map_or(now, |to| to.min(now)));
    tx.audit(&Action {
        details: told.into(),
        ..Action::new("audit.entries.exported")
    })
    .await?;
    tx.commit().await?;
    let state = State {
        ctx,
        filter,
        form,
        before: None,
        done: false,
    };
    let head = match form {
        Form::Csv => table(&[])?,
        Form::JsonLines => Bytes::new(),
    };
    let pages = stream::try_unfold(state, next);
    let all = futures_util::StreamExt::chain(stream::iter([Ok::<_, Error>(head)]), pages);
    Ok(Body::from_stream(all))
}

struct State {
    ctx: Ctx,
    filter: Filter,
    form: Form,
    before: Option<Place>,
    done: bool,
}

async fn next(mut state: State) -> Result<Option<(Bytes, State)>> {
    if state.done {
        return Ok(None);
    }
    let tx = state.ctx.begin().await?;
    tx.require(EntriesExport::DEF.name)?;
    tx.require(EntriesRead::DEF.name)?;
    let entries = entry::page(&tx, &state.filter, state.before.as_ref(), AT_ONCE).await?;
    tx.rollback().await?;
    state.before = entries.last().and_then(|entry| Place::parse(&entry.id));
    state.done = i64::try_from(entries.len()).is_ok_and(|many| many < AT_ONCE);
    let bytes = match state.form {
        Form::Csv => rows(&entries)?,
        Form::JsonLines => lines(&entries)?,
    };
    Ok(Some((bytes, state)))
}

fn lines(entries: &[Entry]) -> Result<Bytes> {
    let mut text = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut text, entry).map_err(Error::internal)?;
        text.push(b'\n');
    }
    Ok(text.into())
}

/// The headings, and rows below them.
fn table(entries: &[Entry]) -> Result<Bytes> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADINGS).map_err(Error::internal)?;
    finish(writer, entries)
}

fn rows(entries: &[Entry]) -> Result<Bytes> {
    finish(csv::Writer::from_writer(Vec::new()), entries)
}

fn finish(mut writer: csv::Writer<Vec<u8>>, entries: &[Entry]) -> Result<Bytes> {
    for entry in entries {
        let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        let text = |text: &Option<String>| plain(text.as_deref().unwrap_or_default());
        let changes = if entry.changes.is_empty() {
            String::new()
        } else {
            serde_json::to_string(&entry.changes).map_err(Error::internal)?
        };
        let details = entry.details.as_ref().map(ToString::to_string);
        writer
            .write_record([
                entry.id.clone(),
                entry.at.to_string(),
                entry.actor_kind.clone(),
                id(entry.actor),
                id(entry.visit),
                plain(&entry.action),
                text(&entry.table),
                text(&entry.row),
                plain(&changes),
                text(&details),
                plain(&entry.tags.join(" ")),
                text(&entry.address),
                text(&entry.user_agent),
                text(&entry.request),
                text(&entry.login),
            ])
            .map_err(Error::internal)?;
    }
    Ok(writer.into_inner().map_err(Error::internal)?.into())
}

/// Text that a spreadsheet does not take for a formula.
fn plain(text: &str) -> String {
    let first = text
        .trim_start_matches([' ', '\u{a0}', '\u{3000}'])
        .chars()
        .next();
    let begins = first.is_some_and(|c| "=+-@\t\r\n＝＋－＠".contains(c));
    if begins {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn no_cell_begins_as_a_formula() {
        for bad in ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", " =1", "＝1"] {
            assert!(plain(bad).starts_with('\''), "{bad:?}");
        }
        for good in ["", "a=1", "{\"a\":1}", "2026-01-01", "::1"] {
            assert_eq!(plain(good), good);
        }
    }
}
