//! Where a token names the role: `.realm_access.roles[?(@ ^== "api_")][4:]`.
//!
//! Keys after dots, in double quotes if they have other characters than letters, digits, `_`, `$`, `@`; positions in
//! brackets; the first element of a list that compares to a text; at last a slice of the text that was found.

use serde_json::Value;
use winnow::ascii::{dec_int, dec_uint, multispace0};
use winnow::combinator::{alt, delimited, opt, preceded, repeat, separated_pair, terminated};
use winnow::error::ContextError;
use winnow::prelude::*;
use winnow::token::{take_until, take_while};

/// A path, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RolePath {
    steps: Vec<Step>,
    slice: Option<(Option<i64>, Option<i64>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    First(Comparison, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equals,
    Differs,
    StartsWith,
    EndsWith,
    Contains,
}

impl RolePath {
    /// Reads a path; none if it is malformed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (steps, slice) = path.parse(text).ok()?;
        Some(Self { steps, slice })
    }

    /// The text at the path's end.
    pub(super) fn find(&self, claims: &Value) -> Option<String> {
        let mut at = claims;
        for step in &self.steps {
            at = match step {
                Step::Key(key) => at.as_object()?.get(key)?,
                Step::Index(index) => at.as_array()?.get(*index)?,
                Step::First(comparison, wanted) => at.as_array()?.iter().find(|element| {
                    element.as_str().is_some_and(|text| match comparison {
                        Comparison::Equals => text == wanted,
                        Comparison::Differs => text != wanted,
                        Comparison::StartsWith => text.starts_with(wanted),
                        Comparison::EndsWith => text.ends_with(wanted),
                        Comparison::Contains => text.contains(wanted),
                    })
                })?,
            };
        }
        let text = match at {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let Some((from, to)) = self.slice else {
            return Some(text);
        };
        let characters: Vec<char> = text.chars().collect();
        let place = |at: i64| {
            let size = i64::try_from(characters.len()).unwrap_or(i64::MAX);
            let at = if at < 0 { size + at } else { at };
            usize::try_from(at.clamp(0, size)).unwrap_or_default()
        };
        let from = from.map_or(0, place);
        let to = to.map_or(characters.len(), place);
        Some(characters.get(from..to.max(from))?.iter().collect())
    }
}

type Slice = (Option<i64>, Option<i64>);

fn path(input: &mut &str) -> Result<(Vec<Step>, Option<Slice>), ContextError> {
    (repeat(1.., step), opt(slice)).parse_next(input)
}

fn step(input: &mut &str) -> Result<Step, ContextError> {
    alt((key, index, filter)).parse_next(input)
}

fn key(input: &mut &str) -> Result<Step, ContextError> {
    let bare = take_while(1.., |c: char| c.is_alphanumeric() || "_$@".contains(c));
    preceded('.', alt((quoted, bare.map(str::to_owned))))
        .map(Step::Key)
        .parse_next(input)
}

fn quoted(input: &mut &str) -> Result<String, ContextError> {
    delimited('"', take_until(0.., '"'), '"')
        .map(str::to_owned)
        .parse_next(input)
}

fn index(input: &mut &str) -> Result<Step, ContextError> {
    delimited('[', dec_uint, ']').map(Step::Index).parse_next(input)
}

fn filter(input: &mut &str) -> Result<Step, ContextError> {
    let comparison = alt((
        "==^".value(Comparison::EndsWith),
        "^==".value(Comparison::StartsWith),
        "*==".value(Comparison::Contains),
        "==".value(Comparison::Equals),
        "!=".value(Comparison::Differs),
    ));
    let test = (
        preceded(('@', multispace0), comparison),
        preceded(multispace0, quoted),
    );
    delimited("[?(", terminated(test, multispace0), ")]")
        .map(|(comparison, text)| Step::First(comparison, text))
        .parse_next(input)
}

fn slice(input: &mut &str) -> Result<Slice, ContextError> {
    delimited('[', separated_pair(opt(dec_int), ':', opt(dec_int)), ']').parse_next(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(path: &str, claims: &Value) -> Option<String> {
        RolePath::parse(path).expect(path).find(claims)
    }

    #[test]
    fn a_path_leads_to_the_role() {
        let claims = serde_json::json!({
            "role": "plain",
            "a": {"roles": ["other", "author"]},
            "https://example.com/role": {"key": "far"},
            "groups": ["/groupa", "/groupb/"],
        });
        for (path, expected) in [
            (".role", Some("plain")),
            (".a.roles[1]", Some("author")),
            (".\"https://example.com/role\".key", Some("far")),
            (".a.roles[?(@ == \"author\")]", Some("author")),
            (".a.roles[?(@ != \"other\")]", Some("author")),
            (".a.roles[?(@ ^== \"aut\")]", Some("author")),
            (".a.roles[?(@ ==^ \"hor\")]", Some("author")),
            (".a.roles[?(@ *== \"utho\")]", Some("author")),
            (".groups[0][1:]", Some("groupa")),
            (".groups[1][1:-1]", Some("groupb")),
            (".groups[1][:]", Some("/groupb/")),
            (".groups[1][5:2]", Some("")),
            (".a.roles[2]", None),
            (".b.roles", None),
            (".a.roles[?(@ == \"nobody\")]", None),
        ] {
            assert_eq!(role(path, &claims).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_malformed_path_is_refused() {
        for path in [
            "",
            "role",
            ".",
            ".a[",
            ".a[x]",
            ".a[?(@ = \"b\")]",
            ".a b",
            ".a[1:2][0]",
        ] {
            assert_eq!(RolePath::parse(path), None, "{path}");
        }
    }
}
