//! The body of a write or call: its text as one JSON parameter, and the keys in it.

use std::fmt;

use bytes::Bytes;
use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::media::MediaType;
use crate::error::{Error, Result};

/// A body that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// JSON text, an object or an array of objects.
    Json {
        /// The text as it goes to the database.
        text: Bytes,
        /// One object, not an array.
        object: bool,
        /// Keys of the first object, in its order.
        keys: Vec<String>,
        /// All objects have the same keys.
        uniform: bool,
    },
    /// Some other body, for functions with one unnamed parameter.
    Raw(Bytes),
}

impl Payload {
    /// Reads the body of an insert or update.
    pub(super) fn for_table(body: &Bytes, media: &MediaType) -> Result<Self> {
        match media {
            MediaType::Any | MediaType::Json | MediaType::Object { .. } | MediaType::Array { .. } => {
                json(body)
            }
            MediaType::Csv => csv(body),
            MediaType::Form => form(body),
            other => Err(Error::body_invalid(format!(
                "Content-Type not acceptable: {}",
                other.content_type()
            ))),
        }
    }

    /// Reads the body of a function call. Without a body there are no arguments.
    pub(super) fn for_function(body: &Bytes, media: &MediaType) -> Result<Self> {
        match media {
            MediaType::Any | MediaType::Json | MediaType::Object { .. } | MediaType::Array { .. }
                if body.is_empty() =>
            {
                json(&Bytes::from_static(b"{}"))
            }
            // Any JSON may be the value of a single unnamed parameter.
            MediaType::Any | MediaType::Json | MediaType::Object { .. } | MediaType::Array { .. } => {
                json(body).or_else(|error| match serde_json::from_slice::<IgnoredAny>(body) {
                    Ok(_) => Ok(Self::Raw(body.clone())),
                    Err(_) => Err(error),
                })
            }
            MediaType::Csv => csv(body),
            MediaType::Form => form(body),
            _ => Ok(Self::Raw(body.clone())),
        }
    }
}

fn json(body: &Bytes) -> Result<Payload> {
    let invalid = || Error::body_invalid("Empty or invalid json");
    let text = std::str::from_utf8(body).map_err(|_| invalid())?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let shape = (&mut reader)
        .deserialize_any(ShapeVisitor)
        .map_err(|_| invalid())?;
    reader.end().map_err(|_| invalid())?;
    Ok(Payload::Json {
        text: body.clone(),
        object: shape.object,
        keys: shape.keys,
        uniform: shape.uniform,
    })
}

/// CSV becomes an array of objects of text; `NULL` is null.
fn csv(body: &Bytes) -> Result<Payload> {
    let invalid = |error: csv::Error| Error::body_invalid(error.to_string());
    let mut reader = csv::ReaderBuilder::new().from_reader(body.as_ref());
    let headers = reader.headers().map_err(invalid)?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| match error.kind() {
            csv::ErrorKind::UnequalLengths { .. } => {
                Error::body_invalid("All lines must have same number of fields")
            }
            _ => invalid(error),
        })?;
        let row: Map<String, Value> = headers
            .iter()
            .zip(record.iter())
            .map(|(header, cell)| {
                (
                    header.to_owned(),
                    if cell == "NULL" {
                        Value::Null
                    } else {
                        Value::from(cell)
                    },
                )
            })
            .collect();
        rows.push(Value::Object(row));
    }
    let text = serde_json::to_vec(&rows).expect("strings and nulls always serialise");
    let keys = headers.iter().map(str::to_owned).collect();
    Ok(Payload::Json {
        text: text.into(),
        object: false,
        keys,
        uniform: true,
    })
}

fn form(body: &Bytes) -> Result<Payload> {
    let object: Map<String, Value> = form_urlencoded::parse(body)
        .map(|(key, value)| (key.into_owned(), Value::from(value)))
        .collect();
    json(
        &serde_json::to_vec(&object)
            .expect("strings always serialise")
            .into(),
    )
}

/// Keys of the objects, without their values.
struct Shape {
    object: bool,
    keys: Vec<String>,
    uniform: bool,
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Shape, A::Error> {
        let keys = FirstKeys.visit_map(map)?;
        Ok(Shape {
            object: true,
            keys,
            uniform: true,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> std::result::Result<Shape, A::Error> {
        let keys = rows.next_element_seed(FirstKeys)?.unwrap_or_default();
        let mut uniform = true;
        while let Some(same) = rows.next_element_seed(SameKeys(&keys))? {
            uniform &= same;
        }
        Ok(Shape {
            object: false,
            keys,
            uniform,
        })
    }
}

/// Collects the keys of an object.
struct FirstKeys;

impl<'de> DeserializeSeed<'de> for FirstKeys {
    type Value = Vec<String>;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FirstKeys {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let mut keys: Vec<String> = Vec::new();
        while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        Ok(keys)
    }
}

/// Compares the keys of an object with those of the first.
struct SameKeys<'k>(&'k [String]);

impl<'de> DeserializeSeed<'de> for SameKeys<'_> {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for SameKeys<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<bool, A::Error> {
        let (mut count, mut same) = (0, true);
        while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
            same &= self.0.get(count).is_some_and(|first| *first == key) || self.0.contains(&key);
            count += 1;
        }
        Ok(same && count == self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(body: &'static str) -> Option<(bool, Vec<String>, bool)> {
        match json(&Bytes::from_static(body.as_bytes())) {
            Ok(Payload::Json {
                object,
                keys,
                uniform,
                ..
            }) => Some((object, keys, uniform)),
            _ => None,
        }
    }

    #[test]
    fn keys_are_read_without_building_the_values() {
        let ab = || vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(keys(r#"{"a":1,"b":{"c":2}}"#), Some((true, ab(), true)));
        assert_eq!(
            keys(r#"[{"a":1,"b":2},{"b":[3],"a":null}]"#),
            Some((false, ab(), true))
        );
        assert_eq!(keys(r#"[{"a":1,"b":2},{"a":1}]"#), Some((false, ab(), false)));
        assert_eq!(keys("[]"), Some((false, Vec::new(), true)));
        for wrong in ["", "1", "null", "{", "[1]", "{} x", "[{}", "\"a\""] {
            assert_eq!(keys(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn csv_becomes_objects_of_text() {
        let Ok(Payload::Json { text, keys, .. }) = csv(&Bytes::from_static(b"a,b\n1,NULL\n\"x,y\",\n"))
        else {
            panic!("not understood")
        };
        assert_eq!(text.as_ref(), br#"[{"a":"1","b":null},{"a":"x,y","b":""}]"#);
        assert_eq!(keys, ["a", "b"]);
        assert_eq!(
            csv(&Bytes::from_static(b"a,b\n1\n")).map_err(|error| error.status),
            Err(400)
        );
    }
}
