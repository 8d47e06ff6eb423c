//! `select=`: columns, casts, JSON paths, embeds to any depth, spreads, aggregates.

use super::lexical::{ends, field, lexeme, name, type_name};
use super::parser::{Parsed, Parser, parse as parse_with};
use super::types::{Aggregate, Field, JoinKind, SelectEmbed, SelectField, SelectItem};
use crate::error::Result;

/// Parses the value of `select`. What follows a closed parenthesis that opened nothing is not looked at.
pub(super) fn parse(value: &str) -> Result<Vec<SelectItem>> {
    if value.trim().is_empty() {
        return Ok(Vec::new());
    }
    parse_with("select parameter", value, value, list)
}

pub(super) fn list(input: &mut Parser<'_>) -> Parsed<Vec<SelectItem>> {
    let comma = |input: &mut Parser<'_>| lexeme(input, |input| input.char(','));
    input.separated(comma, item)
}

fn items(input: &mut Parser<'_>) -> Parsed<Vec<SelectItem>> {
    input.either(list, |_| Ok(Vec::new()))
}

fn item(input: &mut Parser<'_>) -> Parsed<SelectItem> {
    // Most items are plain columns.
    if let Some(name) = input.bare_word(b",)") {
        let path = Vec::new();
        let name = name.to_owned();
        return Ok(SelectItem::Field(SelectField {
            field: Field { name, path },
            alias: None,
            cast: None,
            aggregate: None,
        }));
    }
    input.either(
        |input| {
            let head = input.attempt(spread)?;
            embed(input, head)
        },
        |input| {
            input.either(
                |input| {
                    let head = input.attempt(relation)?;
                    embed(input, head)
                },
                |input| column(input).map(SelectItem::Field),
            )
        },
    )
}

fn alias(input: &mut Parser<'_>) -> Parsed<Option<String>> {
    input.optional(|input| {
        input.attempt(|input| {
            let alias = name(input)?;
            input.char(':')?;
            input.unless(|input| input.char(':'))?;
            Ok(alias)
        })
    })
}

fn cast(input: &mut Parser<'_>) -> Parsed<Option<String>> {
    input.optional(|input| {
        input.text("::")?;
        type_name(input)
    })
}

fn column_end(input: &mut Parser<'_>) -> Parsed<()> {
    ends(input, &[")", ","])
}

fn column(input: &mut Parser<'_>) -> Parsed<SelectField> {
    lexeme(input, |input| {
        input.either(
            |input| input.attempt(star),
            |input| input.either(|input| input.attempt(count), value),
        )
    })
}

fn every() -> Field {
    Field {
        name: "*".to_owned(),
        path: Vec::new(),
    }
}

fn star(input: &mut Parser<'_>) -> Parsed<SelectField> {
    input.text("*")?;
    column_end(input)?;
    Ok(SelectField {
        field: every(),
        alias: None,
        cast: None,
        aggregate: None,
    })
}

/// `count()` without a column.
fn count(input: &mut Parser<'_>) -> Parsed<SelectField> {
    let alias = alias(input)?;
    input.text("count()")?;
    let cast = cast(input)?;
    column_end(input)?;
    Ok(SelectField {
        field: every(),
        alias,
        cast: None,
        aggregate: Some((Aggregate::Count, cast)),
    })
}

/// An aggregate outside of `select`: `column::cast.sum()::cast`, or `count()`.
pub(super) fn aggregated(input: &mut Parser<'_>) -> Parsed<SelectField> {
    let rows = |input: &mut Parser<'_>| {
        input.text("count()")?;
        Ok((every(), None, Aggregate::Count))
    };
    let column = |input: &mut Parser<'_>| {
        let field = field(input)?;
        let cast = cast(input)?;
        Ok((field, cast, function(input)?))
    };
    let (field, before, function) = input.either(|input| input.attempt(rows), column)?;
    Ok(SelectField {
        field,
        alias: None,
        cast: before,
        aggregate: Some((function, cast(input)?)),
    })
}

/// `.sum()`
fn function(input: &mut Parser<'_>) -> Parsed<Aggregate> {
    input.char('.')?;
    let function = aggregate(input)?;
    input.text("()")?;
    Ok(function)
}

fn value(input: &mut Parser<'_>) -> Parsed<SelectField> {
    let alias = alias(input)?;
    let field = field(input)?;
    let plain = cast(input)?;
    let function = input.optional(|input| input.attempt(function))?;
    let after = cast(input)?;
    column_end(input)?;
    let (cast, aggregate) = match function {
        Some(function) => (plain, Some((function, after))),
        None => (plain.or(after), None),
    };
    Ok(SelectField {
        field,
        alias,
        cast,
        aggregate,
    })
}

fn aggregate(input: &mut Parser<'_>) -> Parsed<Aggregate> {
    let named = |input: &mut Parser<'_>, function: Aggregate| input.text(function.name()).map(|()| function);
    let extreme = |input: &mut Parser<'_>| {
        input.either(
            |input| input.attempt(|input| named(input, Aggregate::Max)),
            |input| input.attempt(|input| named(input, Aggregate::Min)),
        )
    };
    input.either(
        |input| named(input, Aggregate::Sum),
        |input| {
            input.either(
                |input| named(input, Aggregate::Avg),
                |input| input.either(|input| named(input, Aggregate::Count), extreme),
            )
        },
    )
}

/// An embed before its parentheses.
fn relation(input: &mut Parser<'_>) -> Parsed<SelectEmbed> {
    lexeme(input, |input| {
        let alias = alias(input)?;
        let relation = name(input)?;
        if relation == "count" {
            return input.fail();
        }
        parameters(input, relation, alias, false)
    })
}

fn spread(input: &mut Parser<'_>) -> Parsed<SelectEmbed> {
    lexeme(input, |input| {
        input.text("...")?;
        let relation = name(input)?;
        parameters(input, relation, None, true)
    })
}

enum Parameter {
    Join(JoinKind),
    Hint(String),
}

fn parameter(input: &mut Parser<'_>) -> Parsed<Parameter> {
    // A hint may begin like one of the words.
    let join = |input: &mut Parser<'_>, word: &str, kind: JoinKind| {
        input.attempt(|input| {
            input.text(word)?;
            input.unless(|input| input.one(&[], |c| c.is_alphanumeric() || matches!(c, '_' | '$' | '-')))?;
            Ok(Parameter::Join(kind))
        })
    };
    input.char('!')?;
    input.either(
        |input| join(input, "left", JoinKind::Left),
        |input| {
            input.either(
                |input| join(input, "inner", JoinKind::Inner),
                |input| input.attempt(|input| name(input).map(Parameter::Hint)),
            )
        },
    )
}

fn parameters(
    input: &mut Parser<'_>,
    relation: String,
    alias: Option<String>,
    spread: bool,
) -> Parsed<SelectEmbed> {
    let first = input.optional(parameter)?;
    let second = input.optional(parameter)?;
    input.attempt(|input| input.ahead(|input| input.text("(")))?;
    let (mut hint, mut join) = (None, None);
    for parameter in [first, second].into_iter().flatten() {
        match parameter {
            Parameter::Join(kind) => join = join.or(Some(kind)),
            Parameter::Hint(name) => hint = hint.or(Some(name)),
        }
    }
    Ok(SelectEmbed {
        relation,
        alias,
        hint,
        join,
        spread,
        items: Vec::new(),
    })
}

fn embed(input: &mut Parser<'_>, head: SelectEmbed) -> Parsed<SelectItem> {
    input.char('(')?;
    let items = input.nested(items)?;
    input.char(')')?;
    Ok(SelectItem::Embed(SelectEmbed { items, ..head }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A compact print of what was understood, so that a table of cases can be read.
    fn show(items: &[SelectItem]) -> String {
        let shown: Vec<String> = items
            .iter()
            .map(|item| match item {
                SelectItem::Field(field) => {
                    let path: String = field
                        .field
                        .path
                        .iter()
                        .map(|step| format!("{:?}", step.operand))
                        .collect::<Vec<_>>()
                        .join("/");
                    format!(
                        "{}|{path}|{}|{}|{:?}",
                        field.field.name,
                        field.alias.as_deref().unwrap_or(""),
                        field.cast.as_deref().unwrap_or(""),
                        field.aggregate.as_ref().map(|(function, _)| *function)
                    )
                }
                SelectItem::Embed(embed) => format!(
                    "{}{}|{}|{}|{:?}[{}]",
                    if embed.spread { "..." } else { "" },
                    embed.relation,
                    embed.alias.as_deref().unwrap_or(""),
                    embed.hint.as_deref().unwrap_or(""),
                    embed.join,
                    show(&embed.items)
                ),
            })
            .collect();
        shown.join(" ; ")
    }

    #[test]
    fn select_understands_the_dialect() {
        for (text, meaning) in [
            ("", ""),
            ("*", "*||||None"),
            ("id, name", "id||||None ; name||||None"),
            ("total:amount::text", "amount||total|text|None"),
            ("data->a->>0::int", "data|Key(\"a\")/Index(\"0\")||int|None"),
            ("x:data->\"k.1\"->-1", "data|Key(\"k.1\")/Index(\"-1\")|x||None"),
            ("\"odd:name\",with-dash", "odd:name||||None ; with-dash||||None"),
            ("count()", "*||||Some(Count)"),
            ("n:count()", "*||n||Some(Count)"),
            ("amount.sum()::text", "amount||||Some(Sum)"),
            ("amount::int.avg()", "amount|||int|Some(Avg)"),
            ("suppliers(*)", "suppliers|||None[*||||None]"),
            (
                "id,s:suppliers!fk!inner(id,name)",
                "id||||None ; suppliers|s|fk|Some(Inner)[id||||None ; name||||None]",
            ),
            ("a!inner!fk(b(c()))", "a||fk|Some(Inner)[b|||None[c|||None[]]]"),
            ("...suppliers(name)", "...suppliers|||None[name||||None]"),
            ("client( id )", "client|||None[id||||None]"),
        ] {
            assert_eq!(
                parse(text).map(|items| show(&items)),
                Ok(meaning.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn select_tells_where_it_went_wrong() {
        for (text, column, told) in [
            (
                "name!hint",
                5,
                "unexpected '!' expecting letter, digit, \"-\", \"->>\", \"->\", \"::\", \".\", \")\", \",\" or end of input",
            ),
            (
                "id,clients(name[])",
                16,
                "unexpected '[' expecting letter, digit, \"-\", \"->>\", \"->\", \"::\", \".\", \")\", \",\" or end of input",
            ),
            ("*!hint", 2, ""),
            ("name::", 7, "unexpected end of input expecting letter or digit"),
            (
                "data->>-78xy",
                11,
                "unexpected 'x' expecting digit, \"->\", \"::\", \".\", \",\" or end of input",
            ),
            ("a(b", 4, ""),
            ("id,,x", 4, ""),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.code, "PGRST100");
            let place = format!("\"failed to parse select parameter ({text})\" (line 1, column {column})");
            assert_eq!(error.message, place);
            let details = error.details.as_ref().and_then(|details| details.as_str());
            if !told.is_empty() {
                assert_eq!(details, Some(told), "{text}");
            }
        }
    }

    #[test]
    fn what_follows_the_last_parenthesis_is_not_looked_at() {
        for text in ["a(b)'", "a(b))", "a)"] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_before_it_is_followed() {
        let text = "a(".repeat(50_000);
        assert_eq!(parse(&text).map_err(|error| error.code), Err("PGRST100".into()));
    }
}
