//! `order=`: columns, JSON paths, to-one embeds and aggregates, directions and the place of nulls.

use super::lexical::{delimiter, field, lexeme, name};
use super::parser::{Parsed, Parser, parse as parse_with};
use super::select::aggregated;
use super::types::{Nulls, OrderBy, OrderTerm};
use crate::error::Result;

/// Parses the value of `order`.
pub(super) fn parse(value: &str) -> Result<Vec<OrderTerm>> {
    parse_with("order", value, value, |input| {
        input.separated(
            |input| input.char(','),
            |input| {
                lexeme(input, |input| {
                    input.either(
                        |input| input.quietly(aggregate),
                        |input| input.either(|input| input.attempt(related), term),
                    )
                })
            },
        )
    })
}

/// `column.sum().desc`
fn aggregate(input: &mut Parser<'_>) -> Parsed<OrderTerm> {
    let aggregate = aggregated(input)?;
    directed(input, OrderBy::Aggregate(aggregate))
}

/// `relation(field).desc`
fn related(input: &mut Parser<'_>) -> Parsed<OrderTerm> {
    let relation = name(input)?;
    input.char('(')?;
    let field = field(input)?;
    input.char(')')?;
    directed(input, OrderBy::Related(relation, field))
}

fn term(input: &mut Parser<'_>) -> Parsed<OrderTerm> {
    let field = field(input)?;
    directed(input, OrderBy::Field(field))
}

fn directed(input: &mut Parser<'_>, by: OrderBy) -> Parsed<OrderTerm> {
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
        by,
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
    use crate::api_request::Aggregate;

    #[test]
    fn order_terms_are_understood() {
        let terms = parse("name.desc.nullsfirst,data->k.asc, clients(name).nullslast,id").expect("parses");
        let shown: Vec<_> = terms
            .iter()
            .map(|term| {
                let (relation, field) = match &term.by {
                    OrderBy::Field(field) => (None, field),
                    OrderBy::Related(relation, field) => (Some(relation.as_str()), field),
                    OrderBy::Aggregate(_) => panic!("{term:?}"),
                };
                (relation, field.name.as_str(), term.descending, term.nulls)
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
    fn aggregates_may_be_sorted_by() {
        let terms =
            parse("value.sum().desc,count(),data->>k::int.max()::text.asc.nullslast, sum").expect("parses");
        let shown: Vec<_> = terms
            .iter()
            .map(|term| match &term.by {
                OrderBy::Aggregate(item) => {
                    let (function, cast) = item.aggregate.clone().expect("an aggregate");
                    let name = item.field.name.as_str();
                    (name, item.cast.as_deref(), Some(function), cast, term.descending)
                }
                OrderBy::Field(field) => (field.name.as_str(), None, None, None, term.descending),
                OrderBy::Related(..) => panic!("{term:?}"),
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("value", None, Some(Aggregate::Sum), None, Some(true)),
                ("*", None, Some(Aggregate::Count), None, None),
                (
                    "data",
                    Some("int"),
                    Some(Aggregate::Max),
                    Some("text".to_owned()),
                    Some(false)
                ),
                ("sum", None, None, None, None),
            ]
        );
        for wrong in [
            "value.sum(",
            "value.sum()x",
            "value.median()",
            "sum()",
            "a:value.sum()",
            "value.sum().down",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
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
