//! The body of a write or call: its text as one JSON parameter, and the keys in it.

use std::collections::{HashMap, HashSet};
use std::fmt;

use bytes::Bytes;
use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::media::MediaType;
use crate::error::{Error, Result};

/// Deepest nesting of JSON; PostgreSQL reads it recursively, and so do clients.
const MAX_DEPTH: usize = 512;

/// So many keys are looked through one by one.
const FEW_KEYS: usize = 32;

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
    /// A form for a function, whose fields are arguments as those of GET are.
    Form(Vec<(String, String)>),
    /// Some other body, for functions with one unnamed parameter.
    Raw(Bytes),
}

impl Payload {
    /// Reads the body of an insert or update. With `columns` the keys are known beforehand: JSON goes to the database
    /// as it came, which then says what is wrong with it.
    pub(super) fn for_table(body: &Bytes, media: &MediaType, columns: bool) -> Result<Self> {
        let payload = match media {
            media if media.is_json() => {
                if columns {
                    return unread(body);
                }
                json(body)?
            }
            MediaType::Csv => csv(body)?,
            MediaType::Form => form(body)?,
            other => {
                return Err(Error::body_invalid(format!(
                    "Content-Type not acceptable: {}",
                    other.name()
                )));
            }
        };
        if matches!(payload, Self::Json { uniform: false, .. }) {
            return Err(Error::body_invalid("All object keys must match"));
        }
        Ok(payload)
    }

    /// Reads the body of a function call. Without a body there are no arguments.
    pub(super) fn for_function(body: &Bytes, media: &MediaType) -> Result<Self> {
        match media {
            media if media.is_json() && body.is_empty() => json(&Bytes::from_static(b"{}")),
            // Any JSON may be the value of a single unnamed parameter.
            media if media.is_json() => json(body).or_else(|error| {
                check_depth(body)?;
                match serde_json::from_slice::<IgnoredAny>(body) {
                    Ok(_) => Ok(Self::Raw(body.clone())),
                    Err(_) => Err(error),
                }
            }),
            MediaType::Csv => csv(body),
            MediaType::Form => Ok(Self::Form(form_urlencoded::parse(body).into_owned().collect())),
            _ => Ok(Self::Raw(body.clone())),
        }
    }
}

fn invalid_json() -> Error {
    Error::body_invalid("Empty or invalid json")
}

/// JSON whose keys do not matter; only what it begins with is looked at.
fn unread(body: &Bytes) -> Result<Payload> {
    if std::str::from_utf8(body).is_err() {
        return Err(invalid_json());
    }
    check_depth(body)?;
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    Ok(Payload::Json {
        text: body.clone(),
        object: first == Some(&b'{'),
        keys: Vec::new(),
        uniform: true,
    })
}

fn check_depth(body: &[u8]) -> Result<()> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Error::body_invalid("Empty or invalid json")
                        .details(format!("Nested more than {MAX_DEPTH} levels deep")));
                }
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

fn json(body: &Bytes) -> Result<Payload> {
    let text = std::str::from_utf8(body).map_err(|_| invalid_json())?;
    check_depth(body)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let shape = (&mut reader)
        .deserialize_any(ShapeVisitor)
        .map_err(|_| invalid_json())?;
    reader.end().map_err(|_| invalid_json())?;
    let Some(mut shape) = shape else {
        // A number, a text: no row at all.
        return Ok(Payload::Json {
            text: Bytes::from_static(b"[]"),
            object: false,
            keys: Vec::new(),
            uniform: true,
        });
    };
    shape.keys.sort_unstable();
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

/// The values that are neither object nor array.
macro_rules! scalars {
    ($value:expr) => {
        fn visit_bool<E>(self, _: bool) -> std::result::Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_i64<E>(self, _: i64) -> std::result::Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_u64<E>(self, _: u64) -> std::result::Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_f64<E>(self, _: f64) -> std::result::Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_str<E>(self, _: &str) -> std::result::Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_unit<E>(self) -> std::result::Result<Self::Value, E> {
            Ok($value)
        }
    };
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Option<Shape>;

    scalars!(None);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Option<Shape>, A::Error> {
        let keys = FirstKeys.visit_map(map)?.unwrap_or_default();
        Ok(Some(Shape {
            object: true,
            keys,
            uniform: true,
        }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> std::result::Result<Option<Shape>, A::Error> {
        let first = rows.next_element_seed(FirstKeys)?;
        let mut uniform = first != Some(None);
        let keys = first.flatten().unwrap_or_default();
        while let Some(same) = rows.next_element_seed(SameKeys(&keys))? {
            uniform &= same;
        }
        Ok(Some(Shape {
            object: false,
            keys,
            uniform,
        }))
    }
}

/// The keys of an object; none for what is no object.
struct FirstKeys;

impl<'de> DeserializeSeed<'de> for FirstKeys {
    type Value = Option<Vec<String>>;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FirstKeys {
    type Value = Option<Vec<String>>;

    scalars!(None);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> std::result::Result<Self::Value, A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let mut keys: Vec<String> = Vec::new();
        let mut many = HashSet::new();
        while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
            if keys.len() == FEW_KEYS && many.is_empty() {
                many.extend(keys.iter().cloned());
            }
            let known = if many.is_empty() {
                keys.contains(&key)
            } else {
                !many.insert(key.clone())
            };
            if !known {
                keys.push(key);
            }
        }
        Ok(Some(keys))
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
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SameKeys<'_> {
    type Value = bool;

    scalars!(false);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> std::result::Result<bool, A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<bool, A::Error> {
        let (mut count, mut ordered, mut known) = (0, true, true);
        let mut found = Vec::new();
        let mut places = HashMap::new();
        while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
            // Nearly always the keys come in the same order.
            if ordered && self.0.get(count).is_some_and(|first| *first == key) {
                count += 1;
                continue;
            }
            if ordered {
                ordered = false;
                found = (0..self.0.len()).map(|index| index < count).collect();
                if self.0.len() > FEW_KEYS {
                    let numbered = self.0.iter().enumerate();
                    places = numbered.map(|(index, key)| (key.as_str(), index)).collect();
                }
            }
            let place = if places.is_empty() {
                self.0.iter().position(|first| *first == key)
            } else {
                places.get(key.as_str()).copied()
            };
            match place {
                Some(index) => found[index] = true,
                None => known = false,
            }
        }
        let all = if ordered {
            count == self.0.len()
        } else {
            found.iter().all(|found| *found)
        };
        Ok(known && all)
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
        assert_eq!(keys(r#"{"b":1,"a":2}"#), Some((true, ab(), true)));
        assert_eq!(
            keys(r#"[{"b":1,"a":2,"b":3},{"b":1,"b":2,"a":3}]"#),
            Some((false, ab(), true))
        );
        assert_eq!(
            keys(r#"[{"a":1,"b":2},{"a":1,"a":2}]"#),
            Some((false, ab(), false))
        );
        for wrong in ["", "{", "{} x", "[{}", "\"a", "tru"] {
            assert_eq!(keys(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_no_row_is_no_row_and_no_like_key() {
        for none in ["[]", "1", "null", "\"a\"", "true", "-1.5"] {
            assert_eq!(keys(none), Some((false, Vec::new(), true)), "{none}");
        }
        for mixed in [
            r#"[{"a":1},2]"#,
            r#"[1,{"a":1}]"#,
            "[[]]",
            r#"[{"a":1},[]]"#,
            "[null]",
        ] {
            let body = Bytes::from_static(mixed.as_bytes());
            let refused = Payload::for_table(&body, &MediaType::Json, false).expect_err(mixed);
            assert_eq!(refused.message, "All object keys must match", "{mixed}");
        }
    }

    #[test]
    fn many_keys_are_compared_as_few_are() {
        let row = |names: Vec<String>| {
            let pairs: Vec<String> = names.iter().map(|name| format!("\"{name}\":1")).collect();
            format!("{{{}}}", pairs.join(","))
        };
        let names: Vec<String> = (0..20_000).map(|number| format!("c{number}")).collect();
        let reversed: Vec<String> = names.iter().rev().cloned().collect();
        let twice: Vec<String> = names.iter().chain(&names).cloned().collect();
        let uniform = |rows: &[Vec<String>]| {
            let rows: Vec<String> = rows.iter().cloned().map(row).collect();
            match json(&Bytes::from(format!("[{}]", rows.join(",")))) {
                Ok(Payload::Json { keys, uniform, .. }) => (keys.len(), uniform),
                other => panic!("{other:?}"),
            }
        };
        let fewer = names[1..].to_vec();
        assert_eq!(uniform(&[twice, reversed.clone(), names.clone()]), (20_000, true));
        assert_eq!(uniform(&[reversed, fewer]), (20_000, false));
    }

    #[test]
    fn json_is_only_so_deep() {
        let nested =
            |levels: usize| Bytes::from(format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels)));
        for columns in [false, true] {
            let read = |levels| Payload::for_table(&nested(levels), &MediaType::Json, columns);
            assert!(read(MAX_DEPTH - 1).is_ok());
            assert_eq!(read(MAX_DEPTH).map_err(|error| error.status), Err(400));
            let quoted = Bytes::from(format!("{{\"a\":\"\\\"{}\"}}", "[".repeat(MAX_DEPTH)));
            assert!(Payload::for_table(&quoted, &MediaType::Json, columns).is_ok());
        }
        assert!(Payload::for_function(&nested(MAX_DEPTH), &MediaType::Json).is_err());
        let raw = Bytes::from("[".repeat(100_000));
        assert!(Payload::for_function(&raw, &MediaType::Json).is_err());
    }

    #[test]
    fn with_named_columns_json_goes_through_as_it_came() {
        let body = Bytes::from_static(b" [1, {\"a\":1}");
        assert_eq!(
            Payload::for_table(&body, &MediaType::Json, true),
            Ok(Payload::Json {
                text: body,
                object: false,
                keys: Vec::new(),
                uniform: true
            })
        );
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
