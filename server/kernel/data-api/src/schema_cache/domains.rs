//! What domains mean: media types that functions and aggregates make, and representations of values.

use std::collections::HashMap;

use serde::Deserialize;

use super::QualifiedName;

/// The media type that stands for all.
pub(crate) const ANY_MEDIA: &str = "*/*";

/// What [`super::QUERIES`] reads about domains.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Domains {
    handlers: Vec<Entry>,
    representations: Vec<Cast>,
    geojson: Option<QualifiedName>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    media: String,
    base: String,
    function: QualifiedName,
    relation: Option<QualifiedName>,
    aggregate: bool,
}

#[derive(Debug, Deserialize)]
struct Cast {
    domain: String,
    direction: Direction,
    function: QualifiedName,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    ToJson,
    FromJson,
    FromText,
}

/// A function or aggregate whose result is a whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaHandler {
    /// The aggregate that makes the answer from rows; none if the called function makes it itself.
    pub aggregate: Option<QualifiedName>,
    /// Type below the domain, as `bytea`.
    pub base: String,
}

/// How values of a domain are shown and read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Representation {
    /// Shows a value as JSON.
    pub to_json: Option<QualifiedName>,
    /// Reads a value of a body.
    pub from_json: Option<QualifiedName>,
    /// Reads a value of a filter.
    pub from_text: Option<QualifiedName>,
}

/// Handlers by what they are for (none for any relation) and media type, and representations by the domain's type name.
#[derive(Debug, Clone, Default)]
pub(super) struct Meanings {
    handlers: HashMap<Option<QualifiedName>, HashMap<String, MediaHandler>>,
    representations: HashMap<String, Representation>,
    pub(super) geojson: Option<QualifiedName>,
}

impl From<Domains> for Meanings {
    fn from(read: Domains) -> Self {
        let mut meanings = Self {
            geojson: read.geojson,
            ..Self::default()
        };
        for entry in read.handlers {
            let (target, aggregate) = if entry.aggregate {
                (entry.relation, Some(entry.function))
            } else {
                (Some(entry.function), None)
            };
            let handler = MediaHandler {
                aggregate,
                base: entry.base,
            };
            meanings
                .handlers
                .entry(target)
                .or_default()
                .insert(entry.media, handler);
        }
        for cast in read.representations {
            let known = meanings.representations.entry(cast.domain).or_default();
            let slot = match cast.direction {
                Direction::ToJson => &mut known.to_json,
                Direction::FromJson => &mut known.from_json,
                Direction::FromText => &mut known.from_text,
            };
            *slot = Some(cast.function);
        }
        meanings
    }
}

impl Meanings {
    pub(super) fn handler(&self, target: Option<&QualifiedName>, media: &str) -> Option<&MediaHandler> {
        if self.handlers.is_empty() {
            return None;
        }
        self.handlers.get(&target.cloned())?.get(media)
    }

    pub(super) fn representation(&self, type_name: &str) -> Option<&Representation> {
        self.representations.get(type_name)
    }
}
