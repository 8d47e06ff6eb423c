//! Content negotiation: the first media type that the caller accepts and that something makes.

use super::{Explain, Handler, Planner, Wire, not_acceptable};
use crate::api_request::{MediaType, SelectItem};
use crate::error::Result;
use crate::schema_cache::{ANY_MEDIA, MediaHandler, QualifiedName};

/// What an answer is written in, and by what.
pub(super) struct Negotiated {
    pub media: MediaType,
    pub handler: Handler,
    pub explain: Option<Explain>,
}

impl Negotiated {
    /// Plain JSON.
    pub(super) fn json() -> Self {
        Self {
            media: MediaType::Json,
            handler: Handler::Json,
            explain: None,
        }
    }
}

impl Planner<'_> {
    /// Negotiates for rows of a relation, or for a function's result.
    pub(super) fn negotiate(&self, target: &QualifiedName) -> Result<Negotiated> {
        let accept = &self.request.accept;
        accept
            .iter()
            .find_map(|wanted| self.offer(target, wanted))
            .ok_or_else(|| not_acceptable(accept))
    }

    fn offer(&self, target: &QualifiedName, wanted: &MediaType) -> Option<Negotiated> {
        match wanted {
            MediaType::Plan(explain) if self.settings.plan_enabled => {
                let answer = match &explain.of {
                    MediaType::Plan(_) => None,
                    of => self.offer(target, of),
                }?;
                Some(Negotiated {
                    explain: Some(Explain {
                        json: explain.json,
                        options: explain.options.clone(),
                        media: wanted.clone(),
                    }),
                    ..answer
                })
            }
            MediaType::Plan(_) => None,
            // What has parameters of its own cannot be made by anybody else.
            MediaType::Object { .. } | MediaType::ArrayStripped => Some(Negotiated {
                media: wanted.clone(),
                ..Negotiated::json()
            }),
            other => self.made(target, other),
        }
    }

    /// What makes a media type: what was written for this relation or function, for any relation, or what is built in.
    /// A handler for a relation takes its rows as they are, so it is asked for whole rows only.
    fn made(&self, target: &QualifiedName, wanted: &MediaType) -> Option<Negotiated> {
        let name = wanted.name();
        let own = |media: &str| {
            self.cache
                .media_handler(Some(target), media)
                .filter(|_| self.selects_whole_rows())
        };
        if let Some(handler) = own(ANY_MEDIA) {
            return Some(written(handler, MediaType::Bytes, Some(target)));
        }
        if let Some(handler) = own(&name) {
            return Some(written(handler, wanted.clone(), Some(target)));
        }
        if let Some(handler) = self.cache.media_handler(None, &name) {
            let media = match wanted {
                MediaType::Any => MediaType::Bytes,
                other => other.clone(),
            };
            return Some(written(handler, media, None));
        }
        let (media, handler) = match wanted {
            MediaType::Any | MediaType::Json => (MediaType::Json, Handler::Json),
            MediaType::Csv => (MediaType::Csv, Handler::Csv),
            MediaType::Lines(name) => (MediaType::Lines(name), Handler::Lines),
            MediaType::GeoJson => (
                MediaType::GeoJson,
                Handler::GeoJson(self.cache.geojson().cloned()),
            ),
            _ => return None,
        };
        Some(Negotiated {
            media,
            handler,
            explain: None,
        })
    }

    fn selects_whole_rows(&self) -> bool {
        match self.request.query.select.as_slice() {
            [SelectItem::Field(only)] => {
                only.field.name == "*"
                    && only.alias.is_none()
                    && only.cast.is_none()
                    && only.aggregate.is_none()
            }
            _ => false,
        }
    }
}

fn written(handler: &MediaHandler, media: MediaType, relation: Option<&QualifiedName>) -> Negotiated {
    let wire = match handler.base.as_str() {
        "bytea" => Wire::Bytes,
        "jsonb" => Wire::Jsonb,
        "json" | "text" | "varchar" | "bpchar" | "name" | "xml" => Wire::AsItIs,
        _ => Wire::Text,
    };
    let handler = match &handler.aggregate {
        Some(aggregate) => Handler::Aggregate {
            aggregate: aggregate.clone(),
            relation: relation.cloned(),
            wire,
        },
        None => Handler::Value(wire),
    };
    Negotiated {
        media,
        handler,
        explain: None,
    }
}
