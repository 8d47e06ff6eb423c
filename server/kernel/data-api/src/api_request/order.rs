//! `order=`: columns, JSON paths and to-one embeds, directions and the place of nulls.

use winnow::combinator::{alt, cut_err, delimited, opt, preceded, separated};
use winnow::prelude::*;

use super::lexical::{expected, field, lexeme, name, parse_all};
use super::types::{Nulls, OrderTerm};
use crate::error::Result;

/// Parses the value of `order`.
pub(super) fn parse(value: &str) -> Result<Vec<OrderTerm>> {
    parse_all("order", value, |input: &mut &str| {
        separated(1.., lexeme(term), ',').parse_next(input)
    })
}

fn term(input: &mut &str) -> ModalResult<OrderTerm> {
    let related = (name, delimited('(', field, ')')).map(|(relation, field)| (Some(relation), field));
    let (relation, field) = alt((related, field.map(|field| (None, field)))).parse_next(input)?;
    let descending = opt(preceded('.', alt(("asc".value(false), "desc".value(true))))).parse_next(input)?;
    let words = alt(("nullsfirst".value(Nulls::First), "nullslast".value(Nulls::Last)));
    let words = if descending.is_some() {
        cut_err(words.context(expected("\"nullsfirst\" or \"nullslast\""))).parse_next_or(input)?
    } else {
        cut_err(words.context(expected("\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"")))
            .parse_next_or(input)?
    };
    Ok(OrderTerm {
        relation,
        field,
        descending,
        nulls: words,
    })
}

/// What may follow a `.` at the end of a term.
trait AfterDot<'i, O>: Parser<&'i str, O, winnow::error::ErrMode<winnow::error::ContextError>> + Sized {
    fn parse_next_or(self, input: &mut &'i str) -> ModalResult<Option<O>> {
        opt(preceded('.', self)).parse_next(input)
    }
}

impl<'i, O, P> AfterDot<'i, O> for P where
    P: Parser<&'i str, O, winnow::error::ErrMode<winnow::error::ContextError>>
{
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_terms_are_understood() {
        let terms = parse("name.desc.nullsfirst,data->k.asc, clients(name).nullslast,id").expect("parses");
        let shown: Vec<_> = terms
            .iter()
            .map(|term| {
                (
                    term.relation.as_deref(),
                    term.field.name.as_str(),
                    term.descending,
                    term.nulls,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (None, "name", Some(true), Some(Nulls::First)),
                (None, "data", Some(false), None),
                (Some("clients"), "name", None, Some(Nulls::Last)),
                (None, "id", None, None),
            ]
        );
    }

    #[test]
    fn wrong_directions_are_told() {
        for (text, column) in [
            ("id.ac", 4),
            ("id.descc", 8),
            ("id.asc.nlsfst", 8),
            ("clients(name,id)", 8),
            ("", 1),
            ("id.smth34", 4),
        ] {
            let error = parse(text).expect_err(text);
            let end = format!("(line 1, column {column})");
            assert!(error.message.ends_with(&end), "{text}: {}", error.message);
        }
    }
}
