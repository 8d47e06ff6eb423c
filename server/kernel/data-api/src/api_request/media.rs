//! Media types of `Accept` and `Content-Type`.

/// A media type as far as the dialect tells them apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `*/*`
    Any,
    /// `application/json`
    Json,
    /// `application/vnd.pgrst.object+json`: one object, 406 unless there is exactly one row.
    Object {
        /// `;nulls=stripped`
        stripped: bool,
    },
    /// `application/vnd.pgrst.array+json`
    Array {
        /// `;nulls=stripped`
        stripped: bool,
    },
    /// `text/csv`
    Csv,
    /// `text/plain`
    Text,
    /// `text/xml`
    Xml,
    /// `application/octet-stream`
    Bytes,
    /// `application/x-www-form-urlencoded`
    Form,
    /// Any other, as it was sent.
    Other(String),
}

impl MediaType {
    /// Reads one media type with its parameters.
    pub fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
        let kind = parts.next().unwrap_or_default();
        let stripped = parts.any(|parameter| parameter == "nulls=stripped");
        match kind.as_str() {
            "*/*" => Self::Any,
            "application/json" | "application/*" => Self::Json,
            "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Self::Object { stripped },
            "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => Self::Array { stripped },
            "text/csv" => Self::Csv,
            "text/plain" => Self::Text,
            "text/xml" => Self::Xml,
            "application/octet-stream" => Self::Bytes,
            "application/x-www-form-urlencoded" => Self::Form,
            _ => Self::Other(text.trim().to_owned()),
        }
    }

    /// The media types of an `Accept` header, best first.
    pub fn accepted(header: Option<&str>) -> Vec<Self> {
        let Some(header) = header.filter(|header| !header.trim().is_empty()) else {
            return vec![Self::Any];
        };
        let mut weighted: Vec<(f32, Self)> = header
            .split(',')
            .filter(|part| !part.trim().is_empty())
            .map(|part| {
                let weight = part
                    .split(';')
                    .find_map(|parameter| parameter.trim().strip_prefix("q=")?.parse().ok());
                (weight.unwrap_or(1.0), Self::parse(part))
            })
            .collect();
        weighted.sort_by(|(left, _), (right, _)| right.total_cmp(left));
        weighted.into_iter().map(|(_, media)| media).collect()
    }

    /// Value of `Content-Type`.
    pub fn content_type(&self) -> &str {
        match self {
            Self::Any | Self::Json => "application/json; charset=utf-8",
            Self::Object { stripped: false } => "application/vnd.pgrst.object+json; charset=utf-8",
            Self::Object { stripped: true } => {
                "application/vnd.pgrst.object+json; nulls=stripped; charset=utf-8"
            }
            Self::Array { stripped: false } => "application/vnd.pgrst.array+json; charset=utf-8",
            Self::Array { stripped: true } => {
                "application/vnd.pgrst.array+json; nulls=stripped; charset=utf-8"
            }
            Self::Csv => "text/csv; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
            Self::Xml => "text/xml; charset=utf-8",
            Self::Bytes => "application/octet-stream",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Other(text) => text,
        }
    }

    /// Whether PostgreSQL should leave nulls out of the JSON.
    pub fn strips_nulls(&self) -> bool {
        matches!(
            self,
            Self::Object { stripped: true } | Self::Array { stripped: true }
        )
    }

    /// Whether exactly one row is wanted, as an object.
    pub fn is_singular(&self) -> bool {
        matches!(self, Self::Object { .. })
    }
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
    }
}
