//! Which entries somebody wants to see, and from where on.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use tenon_sdk::{Error, OrgId, Result};
use tokio_postgres::types::ToSql;
use utoipa::IntoParams;
use uuid::Uuid;

/// Longer texts are no search.
const LONGEST: usize = 200;

/// What to look for; all of it has to be true of an entry.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// A person or key, by id.
    pub actor: Option<Uuid>,
    /// `insert`, `update`, `delete`, or the name of an action.
    pub action: Option<String>,
    /// A table with its schema, such as `tenancy.memberships`.
    pub table: Option<String>,
    /// A row, by its key.
    pub row: Option<String>,
    /// Not before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// Before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub to: Option<Timestamp>,
    /// A tag.
    pub tag: Option<String>,
    /// Part of any text in it, whatever its case.
    pub text: Option<String>,
}

/// The place of an entry in the order of time; what the API calls its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: Timestamp,
    pub(crate) id: Uuid,
}

impl Place {
    /// Reads what [`Place::to_string`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (micros, id) = text.split_once('-')?;
        Some(Self {
            at: Timestamp::from_microsecond(micros.parse().ok()?).ok()?,
            id: Uuid::try_parse(id).ok()?,
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.at.as_microsecond(), self.id.simple())
    }
}

impl Filter {
    /// Errors: `audit.filter_invalid`.
    pub(crate) fn check(&self) -> Result<()> {
        let texts = [&self.action, &self.table, &self.row, &self.tag, &self.text];
        let bad = |text: &&String| text.chars().count() > LONGEST || text.contains('\0');
        if texts.into_iter().flatten().any(|text| bad(&text)) {
            return Err(
                Error::unprocessable("audit.filter_invalid", "A filter cannot be looked for.")
                    .details("Texts have at most 200 characters."),
            );
        }
        Ok(())
    }

    /// What was looked for, as it stands in the trail itself.
    pub(crate) fn told(&self) -> Map<String, Value> {
        let mut told = Map::new();
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                told.insert(name.to_owned(), Value::String(value));
            }
        };
        add("actor", self.actor.map(|id| id.to_string()));
        add("action", self.action.clone());
        add("table", self.table.clone());
        add("row", self.row.clone());
        add("from", self.from.map(|at| at.to_string()));
        add("to", self.to.map(|at| at.to_string()));
        add("tag", self.tag.clone());
        add("text", self.text.clone());
        told
    }

    /// The conditions of a statement, for what is asked alone, so that its plan is made for that.
    pub(crate) fn conditions<'a>(&'a self, org: &'a OrgId, before: Option<&'a Place>) -> Conditions<'a> {
        let mut conditions = Conditions {
            sql: "org_id = $1".to_owned(),
            values: vec![org],
        };
        if let Some(actor) = &self.actor {
            conditions.add("actor = ?", actor);
        }
        let texts = [
            ("action = ?", &self.action),
            ("relation = ?", &self.table),
            ("row_key = ?", &self.row),
            ("? = any (tags)", &self.tag),
            (
                "strpos(lower(concat_ws(' ', action, relation, row_key, changes, details, tags, origin)), lower(?)) > 0",
                &self.text,
            ),
        ];
        for (condition, text) in texts {
            if let Some(text) = text {
                conditions.add(condition, text);
            }
        }
        if let Some(from) = &self.from {
            conditions.add("at >= ?", from);
        }
        if let Some(to) = &self.to {
            conditions.add("at < ?", to);
        }
        if let Some(before) = before {
            // The first lets PostgreSQL leave out partitions.
            conditions.add("at <= ?", &before.at);
            let at = conditions.values.len();
            conditions.add(&format!("(at, id) < (${at}, ?)"), &before.id);
        }
        conditions
    }
}

/// A text of conditions with its values.
pub(crate) struct Conditions<'a> {
    pub(crate) sql: String,
    pub(crate) values: Vec<&'a (dyn ToSql + Sync)>,
}

impl<'a> Conditions<'a> {
    fn add(&mut self, condition: &str, value: &'a (dyn ToSql + Sync)) {
        self.values.push(value);
        let number = format!("${}", self.values.len());
        self.sql.push_str(" and ");
        self.sql.push_str(&condition.replace('?', &number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_nothing_else_is_one() {
        let place = Place {
            at: Timestamp::from_microsecond(1_700_000_000_123_456).unwrap(),
            id: Uuid::from_u128(7),
        };
        assert_eq!(Place::parse(&place.to_string()), Some(place));
        for bad in [
            "",
            "-",
            "1",
            "x-y",
            "99999999999999999999-0",
            "9223372036854775807-00000000000000000000000000000007",
        ] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
    }
}
