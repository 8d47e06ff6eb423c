//! `order=`: columns, JSON paths and to-one embeds, directions and the place of nulls.

use super::lexical::{delimiter, field, lexeme, name};
use super::parser::{Parsed, Parser, parse as parse_with};
use super::types::{Nulls, OrderTerm};
use crate::error::Result;

/// Parses the value of `order`.
pub(super) fn parse(value: &str) -> Result<Vec<OrderTerm>> {
    parse_with("order", value, value, |input| {
        input.separated(
            |input| input.char(','),
            |input| {
                lexeme(input, |input| {
                    input.either(|input| input.attempt(related), |input| term(input, None))
                })
            },
        )
    })
}

/// `relation(field).desc`
fn related(input: &mut Parser<'_>) -> Parsed<OrderTerm> {
    let relation = name(input)?;
    input.char('(')?;
    let field = field(input)?;
    input.char(')')?;
    directed(input, Some(relation), field)
}

fn term(input: &mut Parser<'_>, relation: Option<String>) -> Parsed<OrderTerm> {
    let field = field(input)?;
    directed(input, relation, field)
}

fn directed(
    input: &mut Parser<'_>,
    relation: Option<String>,
    field: super::types::Field,
) -> Parsed<OrderTerm> {
    let descending = input.optional(|input| word(input, [("asc", false), ("desc", true)]))?;
    let nulls = input.either(
        |input| {
            let places = [("nullsfirst", Nulls::First), ("nullslast", Nulls::Last)];
            let nulls = input.optional(|input| word(input, places))?;
            end(input)?;
            Ok(nulls)
        },
        |input| end(input).map(|()| None),
    )?;
    Ok(OrderTerm {
        relation,
        field,
        descending,
        nulls,
    })
}

/// A dot and one of two words.
fn word<T: Copy>(input: &mut Parser<'_>, words: [(&str, T); 2]) -> Parsed<T> {
    let one = |input: &mut Parser<'_>, (text, value): (&str, T)| {
        input.attempt(|input| {
            delimiter(input)?;
            input.text(text)?;
            Ok(value)
        })
    };
    input.either(|input| one(input, words[0]), |input| one(input, words[1]))
}

fn end(input: &mut Parser<'_>) -> Parsed<()> {
    input.either(
        |input| input.attempt(|input| input.ahead(|input| input.char(','))),
        |input| input.attempt(Parser::end),
    )
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
        let words = "expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"";
        let nulls = "expecting \"nullsfirst\" or \"nullslast\"";
        for (text, column, told) in [
            ("id.ac", 4, format!("unexpected \"c\" {words}")),
            ("id.descc", 8, "unexpected 'c' expecting delimiter (.), \",\" or end of input".to_owned()),
            ("id.smth34", 4, format!("unexpected \"s\" {words}")),
            ("id.nulsfist", 4, format!("unexpected \"n\" {words}")),
            ("id.nullslasttt", 13, "unexpected 't' expecting \",\" or end of input".to_owned()),
            ("id.asc.nlsfst", 8, format!("unexpected \"l\" {nulls}")),
            ("id.asc.smth34", 8, format!("unexpected \"s\" {nulls}")),
            ("id.asc.nullslasttt", 17, "unexpected 't' expecting \",\" or end of input".to_owned()),
            (
                "clients(name,id)",
                8,
                "unexpected '(' expecting letter, digit, \"-\", \"->>\", \"->\", delimiter (.), \",\" or end of input"
                    .to_owned(),
            ),
        ] {
            let error = parse(text).expect_err(text);
            let place = format!("\"failed to parse order ({text})\" (line 1, column {column})");
            let details = error.details.as_ref().and_then(|details| details.as_str());
            assert_eq!((error.message.as_str(), details), (place.as_str(), Some(told.as_str())), "{text}");
        }
    }
}
