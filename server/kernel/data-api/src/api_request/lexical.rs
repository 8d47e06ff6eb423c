//! Words of the query-string grammar: names, quoted values, JSON paths, and how parse errors are told.

use winnow::ascii::digit1;
use winnow::combinator::{alt, delimited, eof, not, opt, peek, preceded, repeat, separated, terminated};
use winnow::error::{ContextError, StrContext, StrContextValue};
use winnow::prelude::*;
use winnow::token::{any, none_of, take_while};

use super::types::{Field, JsonOperand, JsonStep};
use crate::error::{Error, Result};

/// Deepest nesting of parentheses; keeps the recursive parsers and the planner off the end of the stack.
const MAX_DEPTH: usize = 48;

/// Runs a parser over a whole parameter; a failure is told as `PGRST100` with its position.
pub(super) fn parse_all<'i, O>(
    what: &str,
    input: &'i str,
    mut parser: impl Parser<&'i str, O, winnow::error::ErrMode<ContextError>>,
) -> Result<O> {
    check_depth(what, input)?;
    parser.parse(input).map_err(|error| {
        let offset = error.offset().min(input.len());
        failure(what, input, offset, error.inner())
    })
}

/// A `PGRST100` that names the parameter, the column and what was found and expected there.
fn failure(what: &str, input: &str, offset: usize, context: &ContextError) -> Error {
    let before = input.get(..offset).unwrap_or(input);
    let column = before.chars().count() + 1;
    let found = input.get(offset..).and_then(|rest| rest.chars().next());
    let found = found.map_or_else(|| "end of input".to_owned(), |found| format!("{found:?}"));
    let expected: Vec<String> = context
        .context()
        .filter_map(|context| match context {
            StrContext::Expected(StrContextValue::Description(text)) => Some((*text).to_owned()),
            StrContext::Expected(value) => Some(value.to_string()),
            _ => None,
        })
        .collect();
    let expecting = if expected.is_empty() {
        "end of input".to_owned()
    } else {
        expected.join(" or ")
    };
    Error::query(
        format!("\"failed to parse {what} ({input})\" (line 1, column {column})"),
        format!("unexpected {found} expecting {expecting}"),
    )
}

fn check_depth(what: &str, input: &str) -> Result<()> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (offset, character) in input.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(Error::query(
                format!("\"failed to parse {what}\" (line 1, column {})", offset + 1),
                format!("nested more than {MAX_DEPTH} levels deep"),
            ));
        }
    }
    Ok(())
}

/// Says what a parser looks for, for the error text.
pub(super) fn expected(text: &'static str) -> StrContext {
    StrContext::Expected(StrContextValue::Description(text))
}

/// Surrounding blanks are not part of a token.
pub(super) fn lexeme<'i, O>(
    parser: impl Parser<&'i str, O, winnow::error::ErrMode<ContextError>>,
) -> impl Parser<&'i str, O, winnow::error::ErrMode<ContextError>> {
    delimited(blanks, parser, blanks)
}

pub(super) fn blanks<'i>(input: &mut &'i str) -> ModalResult<&'i str> {
    take_while(0.., (' ', '\t')).parse_next(input)
}

/// Letters, digits, `_`, `$` and inner blanks.
fn identifier<'i>(input: &mut &'i str) -> ModalResult<&'i str> {
    take_while(1.., |c: char| c.is_alphanumeric() || matches!(c, '_' | ' ' | '$'))
        .map(str::trim)
        .verify(|name: &str| !name.is_empty())
        .parse_next(input)
}

/// A type name for a cast. It goes into the SQL text as it is, so nothing that could end it is let through.
pub(super) fn type_name(input: &mut &str) -> ModalResult<String> {
    take_while(1.., |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ' '))
        .map(str::trim)
        .verify(|name: &str| !name.is_empty())
        .map(str::to_owned)
        .context(expected("letter or digit"))
        .parse_next(input)
}

/// `"…"` with `\"` and `\\` inside.
pub(super) fn quoted(input: &mut &str) -> ModalResult<String> {
    let character = alt((preceded('\\', any), none_of(['\\', '"'])));
    delimited(
        '"',
        repeat(0.., character).fold(String::new, |mut text, c| {
            text.push(c);
            text
        }),
        '"',
    )
    .parse_next(input)
}

/// A dash that is not the start of `->`.
fn dash(input: &mut &str) -> ModalResult<()> {
    ('-', not('>')).void().parse_next(input)
}

/// A column, table or alias.
pub(super) fn name(input: &mut &str) -> ModalResult<String> {
    let dashed = separated(1.., identifier, dash).map(|parts: Vec<&str>| parts.join("-"));
    alt((quoted, dashed))
        .context(expected("field name (* or [a..z0..9_$])"))
        .parse_next(input)
}

fn json_key(input: &mut &str) -> ModalResult<String> {
    let part = take_while(1.., |c: char| {
        !matches!(c, '(' | '-' | ':' | '.' | ',' | '>' | ')')
    })
    .map(str::trim);
    let dashed = separated(1.., part, dash).map(|parts: Vec<&str>| parts.join("-"));
    alt((quoted, dashed))
        .context(expected("any non reserved character different from: .,>()"))
        .parse_next(input)
}

fn json_index(input: &mut &str) -> ModalResult<String> {
    let end = peek(alt(("->", "::", ".", ",", ")", eof)));
    terminated((opt('-'), digit1).take(), end)
        .map(str::to_owned)
        .parse_next(input)
}

fn json_step(input: &mut &str) -> ModalResult<JsonStep> {
    let as_text = alt(("->>".value(true), "->".value(false))).parse_next(input)?;
    let operand =
        alt((json_index.map(JsonOperand::Index), json_key.map(JsonOperand::Key))).parse_next(input)?;
    Ok(JsonStep { as_text, operand })
}

/// `name->path->>path`
pub(super) fn field(input: &mut &str) -> ModalResult<Field> {
    lexeme((name, repeat(0.., json_step)).map(|(name, path)| Field { name, path })).parse_next(input)
}
