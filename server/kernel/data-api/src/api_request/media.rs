//! Media types of `Accept` and `Content-Type`.

use std::borrow::Cow;

/// A media type as far as the dialect tells them apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `*/*`
    Any,
    /// `application/json`
    Json,
    /// `application/geo+json`
    GeoJson,
    /// `application/vnd.pgrst.object+json`: one object, 406 unless there is exactly one row.
    Object {
        /// `;nulls=stripped`
        stripped: bool,
    },
    /// `application/vnd.pgrst.array+json;nulls=stripped`; without the parameter it is plain JSON.
    ArrayStripped,
    /// `application/vnd.pgrst.plan`: how PostgreSQL would run the request.
    Plan(Box<ExplainMedia>),
    /// `text/csv`
    Csv,
    /// A line of JSON for each row, by one of [`MediaType::LINES`].
    Lines(&'static str),
    /// `text/plain`
    Text,
    /// `text/xml`
    Xml,
    /// `application/octet-stream`
    Bytes,
    /// `application/x-www-form-urlencoded`
    Form,
    /// Any other, in lower case and without parameters; what is no media type stays as it was sent.
    Other(String),
}

/// The parameters of `application/vnd.pgrst.plan`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExplainMedia {
    /// `+json`, else text.
    pub json: bool,
    /// `for="…"`: what the explained request would be answered in.
    pub of: MediaType,
    /// `options=analyze|verbose`
    pub options: Vec<ExplainOption>,
}

/// One of `options=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExplainOption {
    /// The request is run, and measured.
    Analyze,
    /// Columns of every step.
    Verbose,
    /// Settings that are not the default.
    Settings,
    /// Blocks read and written.
    Buffers,
    /// Write-ahead log made; only with `analyze`.
    Wal,
}

impl ExplainOption {
    const ALL: [Self; 5] = [
        Self::Analyze,
        Self::Verbose,
        Self::Settings,
        Self::Buffers,
        Self::Wal,
    ];

    /// Its name, in requests as in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Analyze => "analyze",
            Self::Verbose => "verbose",
            Self::Settings => "settings",
            Self::Buffers => "buffers",
            Self::Wal => "wal",
        }
    }
}

impl MediaType {
    /// The names of newline-delimited JSON.
    pub const LINES: [&'static str; 3] = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

    /// Reads one media type with its parameters.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
        let kind = parts.next().unwrap_or_default();
        let parameters: Vec<String> = parts.collect();
        let stripped = parameters.iter().any(|parameter| parameter == "nulls=stripped");
        let explain = |json| Self::Plan(Box::new(ExplainMedia::parse(json, &parameters)));
        match kind.as_str() {
            "*/*" => Self::Any,
            "application/geo+json" => Self::GeoJson,
            "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Self::Object { stripped },
            "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" if stripped => {
                Self::ArrayStripped
            }
            "application/json"
            | "application/*"
            | "application/vnd.pgrst.array+json"
            | "application/vnd.pgrst.array" => Self::Json,
            "application/vnd.pgrst.plan+json" => explain(true),
            "application/vnd.pgrst.plan+text" | "application/vnd.pgrst.plan" => explain(false),
            "text/csv" => Self::Csv,
            "text/plain" => Self::Text,
            "text/xml" => Self::Xml,
            "application/octet-stream" => Self::Bytes,
            "application/x-www-form-urlencoded" => Self::Form,
            // Its version says which of two things is wanted.
            "application/openapi+json" | "application/vnd.oai.openapi+json" => Self::Other(text.to_owned()),
            kind => match Self::LINES.into_iter().find(|name| *name == kind) {
                Some(name) => Self::Lines(name),
                None if kind.contains('/') => Self::Other(kind.to_owned()),
                None => Self::Other(text.to_owned()),
            },
        }
    }

    /// The media types of an `Accept` header, best first: by weight, then the more particular ones.
    pub fn accepted(header: Option<&str>) -> Vec<Self> {
        let Some(header) = header.filter(|header| !header.trim().is_empty()) else {
            return vec![Self::Any];
        };
        let mut ranked: Vec<(f32, i64, Self)> = header
            .split(',')
            .filter(|part| !part.trim().is_empty())
            .map(|part| {
                let (kind, weight) = weighted(part);
                let count = |wanted| i64::try_from(kind.matches(wanted).count()).unwrap_or(i64::MAX);
                (weight, count(';') - count('*'), Self::parse(kind))
            })
            .collect();
        ranked.sort_by(|left, right| right.0.total_cmp(&left.0).then(right.1.cmp(&left.1)));
        ranked.into_iter().map(|(_, _, media)| media).collect()
    }

    /// Its name, with the parameters that mean something.
    pub fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Any => "*/*",
            Self::Json => "application/json",
            Self::GeoJson => "application/geo+json",
            Self::Object { stripped: false } => "application/vnd.pgrst.object+json",
            Self::Object { stripped: true } => "application/vnd.pgrst.object+json;nulls=stripped",
            Self::ArrayStripped => "application/vnd.pgrst.array+json;nulls=stripped",
            Self::Plan(explain) => return Cow::Owned(explain.name()),
            Self::Csv => "text/csv",
            Self::Lines(name) => name,
            Self::Text => "text/plain",
            Self::Xml => "text/xml",
            Self::Bytes => "application/octet-stream",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Other(text) => text,
        })
    }

    /// Value of `Content-Type`.
    pub fn content_type(&self) -> Cow<'_, str> {
        match self {
            // A function may write the description at the root itself.
            Self::Other(text) if text != "application/openapi+json" => self.name(),
            Self::Bytes => self.name(),
            Self::Any => Self::Json.content_type(),
            _ => Cow::Owned(format!("{}; charset=utf-8", self.name())),
        }
    }

    /// Whether PostgreSQL should leave nulls out of the JSON.
    pub fn strips_nulls(&self) -> bool {
        matches!(self, Self::Object { stripped: true } | Self::ArrayStripped)
    }

    /// Whether exactly one row is wanted, as an object.
    pub fn is_singular(&self) -> bool {
        matches!(self, Self::Object { .. })
    }

    /// A body in it is JSON.
    pub fn is_json(&self) -> bool {
        matches!(
            self,
            Self::Any | Self::Json | Self::Object { .. } | Self::ArrayStripped
        )
    }
}

impl ExplainMedia {
    fn parse(json: bool, parameters: &[String]) -> Self {
        let parameter = |name: &str| {
            let mut found = parameters
                .iter()
                .filter_map(|text| text.strip_prefix(name)?.strip_prefix('='));
            found.next().map(|value| value.trim_matches('"'))
        };
        let given: Vec<&str> = parameter("options").unwrap_or_default().split('|').collect();
        Self {
            json,
            of: parameter("for").map_or(MediaType::Json, MediaType::parse),
            options: given
                .into_iter()
                .filter_map(|name| {
                    ExplainOption::ALL
                        .into_iter()
                        .find(|option| option.name() == name.trim())
                })
                .collect(),
        }
    }

    fn name(&self) -> String {
        let format = if self.json { "json" } else { "text" };
        let mut name = format!("application/vnd.pgrst.plan+{format}; for=\"{}\"", self.of.name());
        for (index, option) in self.options.iter().enumerate() {
            name.push_str(if index == 0 { "; options=" } else { "|" });
            name.push_str(option.name());
        }
        name
    }
}

/// An item of `Accept` without its weight, and its weight.
fn weighted(part: &str) -> (&str, f32) {
    let Some(at) = part.find(";q=").or_else(|| part.find("; q=")) else {
        return (part, 1.0);
    };
    let weight = part[at..].split('=').nth(1).unwrap_or_default();
    let weight = weight.split(';').next().unwrap_or_default();
    (&part[..at], weight.trim().parse().unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_is_ordered_by_weight() {
        assert_eq!(
            MediaType::accepted(Some(
                "text/csv;q=0.5, application/vnd.pgrst.object+json;nulls=stripped, */*;q=0.1"
            )),
            [
                MediaType::Object { stripped: true },
                MediaType::Csv,
                MediaType::Any
            ]
        );
        assert_eq!(MediaType::accepted(None), [MediaType::Any]);
        assert_eq!(
            MediaType::accepted(Some("image/png")),
            [MediaType::Other("image/png".to_owned())]
        );
        assert_eq!(
            MediaType::accepted(Some("*/*, text/csv")),
            [MediaType::Csv, MediaType::Any]
        );
    }

    #[test]
    fn names_say_what_was_understood() {
        for (sent, said) in [
            (
                "application/vnd.pgrst.array+json",
                "application/json; charset=utf-8",
            ),
            (
                "application/vnd.pgrst.array;nulls=stripped",
                "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8",
            ),
            (
                "application/vnd.pgrst.object",
                "application/vnd.pgrst.object+json; charset=utf-8",
            ),
            (
                "application/vnd.pgrst.plan; options=analyze|x|wal;",
                "application/vnd.pgrst.plan+text; for=\"application/json\"; options=analyze|wal; charset=utf-8",
            ),
            (
                "application/vnd.pgrst.plan+json; for=\"application/vnd.pgrst.object\"",
                "application/vnd.pgrst.plan+json; for=\"application/vnd.pgrst.object+json\"; charset=utf-8",
            ),
            ("Image/PNG;a=b", "image/png"),
            ("undefined", "undefined"),
            (
                "application/openapi+json",
                "application/openapi+json; charset=utf-8",
            ),
            ("application/X-NDJSON", "application/x-ndjson; charset=utf-8"),
            ("application/jsonl; x=y", "application/jsonl; charset=utf-8"),
            ("application/json; $$ x=y $$", "application/json; charset=utf-8"),
        ] {
            assert_eq!(MediaType::parse(sent).content_type(), said, "{sent}");
        }
    }
}
