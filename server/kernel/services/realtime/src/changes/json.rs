//! Values as PostgreSQL writes them in text, as JSON: numbers, truths and documents as themselves, times as in `to_jsonb`, arrays
//! as arrays, everything else as text.

use serde_json::{Value, value::RawValue};

/// How the values of a column are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// `t` and `f`.
    Truth,
    /// A number, unless it is `NaN` or without end.
    Number,
    /// JSON already.
    Document,
    /// A date and a time of day, with an offset or without.
    Moment,
    /// Anything else.
    Text,
    /// An array of such, with what stands between its elements.
    Array(Box<Form>, char),
}

impl Form {
    /// The form of a type by its name in the catalogue; `element` is set for arrays.
    pub fn of(base: &str, element: Option<&str>, delimiter: char) -> Self {
        if let Some(element) = element {
            return Self::Array(Box::new(Self::of(element, None, ',')), delimiter);
        }
        match base {
            "bool" => Self::Truth,
            "int2" | "int4" | "int8" | "float4" | "float8" | "numeric" | "oid" => Self::Number,
            "json" | "jsonb" => Self::Document,
            "timestamp" | "timestamptz" => Self::Moment,
            _ => Self::Text,
        }
    }

    /// A value as JSON text.
    pub fn write(&self, text: &str, out: &mut String) {
        match self {
            Self::Truth => out.push_str(if text == "t" { "true" } else { "false" }),
            Self::Number if text.ends_with(|last: char| last.is_ascii_digit()) => out.push_str(text),
            Self::Document if serde_json::from_str::<&RawValue>(text).is_ok() => out.push_str(text),
            Self::Moment => quoted(&moment(text), out),
            Self::Array(element, delimiter) => array(text, element, *delimiter, out),
            Self::Number | Self::Document | Self::Text => quoted(text, out),
        }
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push_str(&Value::from(text).to_string());
}

/// `2026-01-02 03:04:05+00` as `2026-01-02T03:04:05+00:00`.
fn moment(text: &str) -> String {
    let mut written = text.replacen(' ', "T", 1);
    let offset = written
        .rfind(['+', '-'])
        .filter(|&at| written[..at].contains('T'));
    if let Some(at) = offset
        && written.len() - at == 3
    {
        written.push_str(":00");
    }
    written
}

/// `{1,NULL,"a\"b",{2}}` as JSON; bounds before it are left out.
fn array(text: &str, element: &Form, delimiter: char, out: &mut String) {
    let start = text.find('{').unwrap_or(0);
    let mut rest = text[start..].chars().peekable();
    let mut word = String::new();
    let mut is_quoted = false;
    let mut has_word = false;
    let finish = |word: &mut String, is_quoted: &mut bool, has_word: &mut bool, out: &mut String| {
        if *has_word {
            if !*is_quoted && word == "NULL" {
                out.push_str("null");
            } else {
                element.write(word, out);
            }
        }
        word.clear();
        (*is_quoted, *has_word) = (false, false);
    };
    while let Some(next) = rest.next() {
        match next {
            '{' => out.push('['),
            '}' => {
                finish(&mut word, &mut is_quoted, &mut has_word, out);
                out.push(']');
            }
            '"' => {
                (is_quoted, has_word) = (true, true);
                while let Some(inner) = rest.next() {
                    match inner {
                        '"' => break,
                        '\\' => word.extend(rest.next()),
                        other => word.push(other),
                    }
                }
            }
            next if next == delimiter => {
                finish(&mut word, &mut is_quoted, &mut has_word, out);
                out.push(',');
            }
            other => {
                has_word = true;
                word.push(other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(base: &str, element: Option<&str>, text: &str) -> String {
        let mut out = String::new();
        Form::of(base, element, ',').write(text, &mut out);
        assert!(serde_json::from_str::<Value>(&out).is_ok(), "{out} is JSON");
        out
    }

    #[test]
    fn values_are_written_as_to_jsonb_does() {
        for (base, text, json) in [
            ("bool", "t", "true"),
            ("int8", "-9223372036854775808", "-9223372036854775808"),
            ("numeric", "1.50", "1.50"),
            ("numeric", "NaN", "\"NaN\""),
            ("float8", "1e+20", "1e+20"),
            ("float8", "-Infinity", "\"-Infinity\""),
            ("jsonb", "{\"a\": 1}", "{\"a\": 1}"),
            (
                "timestamptz",
                "2026-01-02 03:04:05.5+00",
                "\"2026-01-02T03:04:05.5+00:00\"",
            ),
            (
                "timestamptz",
                "2026-01-02 03:04:05-03:30",
                "\"2026-01-02T03:04:05-03:30\"",
            ),
            ("timestamp", "2026-01-02 03:04:05", "\"2026-01-02T03:04:05\""),
            ("timestamptz", "infinity", "\"infinity\""),
            ("text", "a\"b\n", "\"a\\\"b\\n\""),
            ("uuid", "0000", "\"0000\""),
        ] {
            assert_eq!(written(base, None, text), json, "{base}");
        }
    }

    #[test]
    fn arrays_are_arrays() {
        assert_eq!(written("_int4", Some("int4"), "{1,NULL,3}"), "[1,null,3]");
        assert_eq!(written("_int4", Some("int4"), "[0:1]={1,2}"), "[1,2]");
        assert_eq!(
            written("_text", Some("text"), r#"{a,"b,\"c",NULL,"NULL",""}"#),
            r#"["a","b,\"c",null,"NULL",""]"#
        );
        assert_eq!(written("_int4", Some("int4"), "{{1,2},{3,4}}"), "[[1,2],[3,4]]");
        assert_eq!(
            written("_jsonb", Some("jsonb"), r#"{"{\"a\": [1]}"}"#),
            r#"[{"a": [1]}]"#
        );
        assert_eq!(written("_text", Some("text"), "{}"), "[]");
    }
}
