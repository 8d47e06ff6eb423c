//! `select=`: columns, casts, JSON paths, embeds to any depth, spreads, aggregates.

use winnow::combinator::{alt, cut_err, delimited, not, opt, preceded, terminated};
use winnow::prelude::*;

use super::lexical::{expected, field, lexeme, name, parse_all, type_name};
use super::types::{Aggregate, Field, JoinKind, SelectEmbed, SelectField, SelectItem};
use crate::error::Result;

/// Parses the value of `select`.
pub(super) fn parse(value: &str) -> Result<Vec<SelectItem>> {
    parse_all("select parameter", value, items)
}

fn items(input: &mut &str) -> ModalResult<Vec<SelectItem>> {
    let Some(first) = opt(item).parse_next(input)? else {
        return Ok(Vec::new());
    };
    let mut items = vec![first];
    while opt(lexeme(',')).parse_next(input)?.is_some() {
        items.push(cut_err(item).parse_next(input)?);
    }
    Ok(items)
}

fn item(input: &mut &str) -> ModalResult<SelectItem> {
    alt((
        lexeme('*').value(SelectItem::Field(SelectField {
            field: star(),
            alias: None,
            cast: None,
            aggregate: None,
        })),
        count.map(SelectItem::Field),
        embed.map(SelectItem::Embed),
        column.map(SelectItem::Field),
    ))
    .parse_next(input)
}

fn star() -> Field {
    Field {
        name: "*".to_owned(),
        path: Vec::new(),
    }
}

fn alias(input: &mut &str) -> ModalResult<String> {
    terminated(lexeme(name), (':', not(':'))).parse_next(input)
}

fn cast(input: &mut &str) -> ModalResult<String> {
    preceded("::", cut_err(type_name)).parse_next(input)
}

/// `count()` without a column.
fn count(input: &mut &str) -> ModalResult<SelectField> {
    let (alias, _, cast) = lexeme((opt(alias), "count()", opt(cast))).parse_next(input)?;
    Ok(SelectField {
        field: star(),
        alias,
        cast: None,
        aggregate: Some((Aggregate::Count, cast)),
    })
}

fn aggregate(input: &mut &str) -> ModalResult<Aggregate> {
    let function = alt((
        "sum".value(Aggregate::Sum),
        "avg".value(Aggregate::Avg),
        "count".value(Aggregate::Count),
        "max".value(Aggregate::Max),
        "min".value(Aggregate::Min),
    ));
    delimited('.', function, "()").parse_next(input)
}

fn column(input: &mut &str) -> ModalResult<SelectField> {
    let (alias, field, plain, function) =
        lexeme((opt(alias), field, opt(cast), opt((aggregate, opt(cast))))).parse_next(input)?;
    Ok(SelectField {
        field,
        alias,
        cast: plain,
        aggregate: function,
    })
}

enum Parameter {
    Join(JoinKind),
    Hint(String),
}

fn parameter(input: &mut &str) -> ModalResult<Parameter> {
    preceded('!', name)
        .map(|word| match word.as_str() {
            "inner" => Parameter::Join(JoinKind::Inner),
            "left" => Parameter::Join(JoinKind::Left),
            _ => Parameter::Hint(word),
        })
        .parse_next(input)
}

fn embed(input: &mut &str) -> ModalResult<SelectEmbed> {
    let header = |input: &mut &str| -> ModalResult<_> {
        let spread = opt("...").parse_next(input)?.is_some();
        let alias = if spread {
            None
        } else {
            opt(alias).parse_next(input)?
        };
        let parts = (lexeme(name), opt(parameter), opt(parameter), '(').parse_next(input)?;
        Ok((spread, alias, parts))
    };
    let (spread, alias, (relation, first, second, _)) =
        preceded(super::lexical::blanks, header).parse_next(input)?;
    let items = items(input)?;
    let close = ')'.context(expected("\")\"")).context(expected("\",\""));
    lexeme(cut_err(close)).parse_next(input)?;
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
        items,
    })
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
        for (text, column) in [
            ("id,,x", 4),
            ("id,clients(name[])", 16),
            ("a(b", 4),
            ("name::", 7),
            ("*!hint", 2),
            ("a)", 2),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.code, "PGRST100");
            let end = format!("(line 1, column {column})");
            assert!(
                error.message.ends_with(&end),
                "{text}: {} {:?}",
                error.message,
                error.details
            );
        }
    }

    #[test]
    fn deep_nesting_is_refused_before_it_is_followed() {
        let text = "a(".repeat(50_000);
        assert_eq!(parse(&text).map_err(|error| error.code), Err("PGRST100".into()));
    }
}
