//! `Range` headers and `limit`/`offset` parameters as one range of rows.

use super::types::Range;
use crate::error::{Error, Result};

impl Range {
    /// All rows.
    pub const ALL: Self = Self {
        offset: 0,
        limit: None,
    };

    /// The range that a `Range: 0-9` header asks for; anything that is no such range asks for all.
    pub(super) fn from_header(header: Option<&str>) -> Result<Self> {
        let Some((from, to)) = header.map(str::trim).and_then(|text| text.split_once('-')) else {
            return Ok(Self::ALL);
        };
        let Ok(offset) = from.parse::<u64>() else {
            return Ok(Self::ALL);
        };
        if to.is_empty() {
            return Ok(Self { offset, limit: None });
        }
        let Ok(last) = to.parse::<u64>() else {
            return Ok(Self::ALL);
        };
        match last.checked_sub(offset) {
            Some(more) => Ok(Self {
                offset,
                limit: Some(more.saturating_add(1)),
            }),
            None => Err(Error::range(
                "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
            )),
        }
    }

    /// The rows in both: the header's range narrows the parameters', as positions in the whole result.
    pub(super) fn intersect(self, other: Self) -> Result<Self> {
        if other.limit == Some(0) {
            return Ok(Self {
                offset: other.offset,
                limit: Some(0),
            });
        }
        let offset = self.offset.max(other.offset);
        let end = |range: Self| range.limit.map(|limit| range.offset.saturating_add(limit));
        let end = match (end(self), end(other)) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (left, right) => left.or(right),
        };
        match end {
            None => Ok(Self { offset, limit: None }),
            Some(end) if end > offset => Ok(Self {
                offset,
                limit: Some(end - offset),
            }),
            Some(_) => Err(Error::range(
                "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
            )),
        }
    }

    /// At most `rows` rows.
    pub(crate) fn capped(self, rows: Option<u64>) -> Self {
        let limit = match (self.limit, rows) {
            (Some(limit), Some(cap)) => Some(limit.min(cap)),
            (limit, cap) => limit.or(cap),
        };
        Self { limit, ..self }
    }
}

/// Reads `limit`: negative is refused, what is no number is ignored.
pub(super) fn limit(value: &str) -> Result<Option<u64>> {
    match value.trim().parse::<i64>() {
        Ok(rows) => match u64::try_from(rows) {
            Ok(rows) => Ok(Some(rows)),
            Err(_) => Err(Error::range("Limit should be greater than or equal to zero.")),
        },
        Err(_) => Ok(None),
    }
}

/// Reads `offset`; negative or no number is none.
pub(super) fn offset(value: &str) -> u64 {
    value
        .trim()
        .parse::<i64>()
        .ok()
        .and_then(|rows| u64::try_from(rows).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(offset: u64, limit: Option<u64>) -> Range {
        Range { offset, limit }
    }

    #[test]
    fn header_ranges_are_read() {
        for (header, expected) in [
            (None, range(0, None)),
            (Some("0-9"), range(0, Some(10))),
            (Some("5-"), range(5, None)),
            (Some("abc"), range(0, None)),
            (Some("-5"), range(0, None)),
            (Some("0-18446744073709551615"), range(0, Some(u64::MAX))),
        ] {
            assert_eq!(Range::from_header(header), Ok(expected), "{header:?}");
        }
        assert_eq!(
            Range::from_header(Some("9-0")).map_err(|error| error.status),
            Err(416)
        );
    }

    #[test]
    fn ranges_intersect_as_positions_in_the_whole_result() {
        assert_eq!(
            range(0, Some(10)).intersect(range(5, None)),
            Ok(range(5, Some(5)))
        );
        assert_eq!(
            range(2, Some(10)).intersect(range(0, Some(5))),
            Ok(range(2, Some(3)))
        );
        assert_eq!(range(0, None).intersect(range(0, Some(0))), Ok(range(0, Some(0))));
        assert!(range(20, Some(5)).intersect(range(0, Some(5))).is_err());
    }

    #[test]
    fn limits_are_read() {
        assert_eq!(limit("5"), Ok(Some(5)));
        assert_eq!(limit("x"), Ok(None));
        assert_eq!(limit("-1").map_err(|error| error.code), Err("PGRST103".into()));
        assert_eq!((offset("7"), offset("-7"), offset("x")), (7, 0, 0));
    }
}
