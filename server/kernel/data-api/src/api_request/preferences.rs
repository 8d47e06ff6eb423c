//! The `Prefer` header (RFC 7240) and which of its wishes were granted.

/// What a write answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Return {
    /// No body.
    Minimal,
    /// No body, but `Location`.
    HeadersOnly,
    /// The changed rows.
    Representation,
}

/// How the total is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Count {
    /// By counting.
    Exact,
    /// By the planner's estimate.
    Planned,
    /// Exact up to the row limit of the server, else the planner's estimate.
    Estimated,
}

/// What an insert does with rows that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// They are updated.
    MergeDuplicates,
    /// They are left alone.
    IgnoreDuplicates,
}

/// What a missing key of the payload means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missing {
    /// The column's default.
    Default,
    /// Null.
    Null,
}

/// How the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TxEnd {
    /// Kept.
    Commit,
    /// A rehearsal: nothing is kept.
    Rollback,
}

/// What happens to wishes that are not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Handling {
    /// They are refused.
    Strict,
    /// They are ignored.
    Lenient,
}

/// All wishes of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Preferences {
    /// `resolution=`
    pub resolution: Option<Resolution>,
    /// `missing=`
    pub missing: Option<Missing>,
    /// `nested=insert`: what is no column is rows inside rows.
    pub nested: bool,
    /// `return=`
    pub representation: Option<Return>,
    /// `count=`
    pub count: Option<Count>,
    /// `tx=`, only where the server allows it
    pub tx: Option<TxEnd>,
    /// `handling=`
    pub handling: Option<Handling>,
    /// `timezone=`, for PostgreSQL to judge
    pub timezone: Option<String>,
    /// `max-affected=`, only with `handling=strict`
    pub max_affected: Option<i64>,
    /// What was not understood.
    pub invalid: Vec<String>,
}

impl Preferences {
    /// Reads the values of all `Prefer` headers. The first of two contradicting wishes counts.
    pub fn parse<'a>(headers: impl Iterator<Item = &'a str>, tx_override: bool) -> Self {
        let mut found = Self::default();
        for wish in headers
            .flat_map(|header| header.split(','))
            .map(str::trim)
            .filter(|wish| !wish.is_empty())
        {
            if !found.take(wish, tx_override) {
                found.invalid.push(wish.to_owned());
            }
        }
        if found.handling != Some(Handling::Strict) {
            found.max_affected = None;
        }
        found
    }

    fn take(&mut self, wish: &str, tx_override: bool) -> bool {
        fn keep<T>(slot: &mut Option<T>, value: T) -> bool {
            if slot.is_none() {
                *slot = Some(value);
            }
            true
        }
        match wish {
            "resolution=merge-duplicates" => keep(&mut self.resolution, Resolution::MergeDuplicates),
            "resolution=ignore-duplicates" => keep(&mut self.resolution, Resolution::IgnoreDuplicates),
            "missing=default" => keep(&mut self.missing, Missing::Default),
            "missing=null" => keep(&mut self.missing, Missing::Null),
            "nested=insert" => {
                self.nested = true;
                true
            }
            "return=minimal" => keep(&mut self.representation, Return::Minimal),
            "return=headers-only" => keep(&mut self.representation, Return::HeadersOnly),
            "return=representation" => keep(&mut self.representation, Return::Representation),
            "count=exact" => keep(&mut self.count, Count::Exact),
            "count=planned" => keep(&mut self.count, Count::Planned),
            "count=estimated" => keep(&mut self.count, Count::Estimated),
            "handling=strict" => keep(&mut self.handling, Handling::Strict),
            "handling=lenient" => keep(&mut self.handling, Handling::Lenient),
            "tx=commit" if tx_override => keep(&mut self.tx, TxEnd::Commit),
            "tx=rollback" if tx_override => keep(&mut self.tx, TxEnd::Rollback),
            // Understood, but not granted here: neither an error nor applied.
            "tx=commit" | "tx=rollback" => true,
            _ => match wish.split_once('=') {
                Some(("max-affected", rows)) => {
                    if let Ok(rows) = rows.parse() {
                        keep(&mut self.max_affected, rows);
                    }
                    true
                }
                Some(("timezone", zone)) => keep(&mut self.timezone, zone.to_owned()),
                _ => false,
            },
        }
    }

    /// The value of `Preference-Applied`, in the documented order; none if nothing was wished.
    pub fn applied(&self) -> Option<String> {
        let mut words: Vec<String> = Vec::new();
        let mut say = |word: &str| words.push(word.to_owned());
        match self.resolution {
            Some(Resolution::MergeDuplicates) => say("resolution=merge-duplicates"),
            Some(Resolution::IgnoreDuplicates) => say("resolution=ignore-duplicates"),
            None => {}
        }
        match self.missing {
            Some(Missing::Default) => say("missing=default"),
            Some(Missing::Null) => say("missing=null"),
            None => {}
        }
        if self.nested {
            say("nested=insert");
        }
        match self.representation {
            Some(Return::Minimal) => say("return=minimal"),
            Some(Return::HeadersOnly) => say("return=headers-only"),
            Some(Return::Representation) => say("return=representation"),
            None => {}
        }
        match self.count {
            Some(Count::Exact) => say("count=exact"),
            Some(Count::Planned) => say("count=planned"),
            Some(Count::Estimated) => say("count=estimated"),
            None => {}
        }
        match self.tx {
            Some(TxEnd::Commit) => say("tx=commit"),
            Some(TxEnd::Rollback) => say("tx=rollback"),
            None => {}
        }
        match self.handling {
            Some(Handling::Strict) => say("handling=strict"),
            Some(Handling::Lenient) => say("handling=lenient"),
            None => {}
        }
        if let Some(zone) = &self.timezone {
            say(&format!("timezone={zone}"));
        }
        if let Some(rows) = self.max_affected {
            say(&format!("max-affected={rows}"));
        }
        (!words.is_empty()).then(|| words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_applied_in_the_documented_order() {
        let headers = [
            "max-affected=5, timezone=Europe/Berlin, handling=strict,tx=rollback",
            "count=exact,return=representation, missing=default,resolution=merge-duplicates",
        ];
        let preferences = Preferences::parse(headers.into_iter(), true);
        assert_eq!(
            preferences.applied().as_deref(),
            Some(
                "resolution=merge-duplicates, missing=default, return=representation, count=exact, tx=rollback, handling=strict, timezone=Europe/Berlin, max-affected=5"
            )
        );
    }

    #[test]
    fn a_rehearsal_is_granted_only_where_the_server_allows_it() {
        let preferences = Preferences::parse(["tx=rollback"].into_iter(), false);
        assert_eq!(
            (preferences.tx, preferences.applied(), preferences.invalid.len()),
            (None, None, 0)
        );
    }

    #[test]
    fn unknown_wishes_are_remembered_and_max_affected_needs_strict_handling() {
        let preferences = Preferences::parse(
            ["foo, max-affected=3, return=minimal, return=representation"].into_iter(),
            false,
        );
        assert_eq!(preferences.invalid, ["foo"]);
        assert_eq!(
            (preferences.max_affected, preferences.representation),
            (None, Some(Return::Minimal))
        );
    }
}
