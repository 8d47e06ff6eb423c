//! Words of the query-string grammar: names, quoted values, JSON paths.

use super::parser::{Parsed, Parser};
use super::types::{Field, JsonOperand, JsonStep};

/// Surrounding blanks are not part of a token.
pub(super) fn lexeme<T>(
    input: &mut Parser<'_>,
    parser: impl FnOnce(&mut Parser<'_>) -> Parsed<T>,
) -> Parsed<T> {
    blanks(input)?;
    let value = parser(input)?;
    blanks(input)?;
    Ok(value)
}

fn blanks(input: &mut Parser<'_>) -> Parsed<()> {
    input.take_while(0, &[], |c| matches!(c, ' ' | '\t')).map(drop)
}

/// Letters, digits, `_`, `$` and inner blanks.
pub(super) fn identifier(input: &mut Parser<'_>) -> Parsed<String> {
    let fits = |c: char| c.is_alphabetic() || c.is_ascii_digit() || matches!(c, '_' | ' ' | '$');
    let taken = input.take_while(1, &["letter", "digit"], fits)?;
    Ok(taken.trim().to_owned())
}

/// A type name for a cast. It goes into the SQL text as it is, so nothing that could end it is let through.
pub(super) fn type_name(input: &mut Parser<'_>) -> Parsed<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ');
    let taken = input.take_while(1, &["letter", "digit"], fits)?.trim();
    if taken.is_empty() {
        return input.fail();
    }
    Ok(taken.to_owned())
}

/// `"…"` with `\"` and `\\` inside.
pub(super) fn quoted(input: &mut Parser<'_>) -> Parsed<String> {
    input.char('"')?;
    let parts = input.many(|input| {
        input.either(
            |input| {
                let plain = input.take_while(1, &[], |c| !matches!(c, '\\' | '"'))?;
                Ok(plain.to_owned())
            },
            |input| {
                input.char('\\')?;
                Ok(input.any()?.to_string())
            },
        )
    })?;
    input.char('"')?;
    Ok(parts.concat())
}

/// A dash that is not the start of `->`.
fn dash(input: &mut Parser<'_>) -> Parsed<()> {
    input.attempt(|input| {
        input.char('-')?;
        input.unless(|input| input.char('>'))
    })
}

/// A column, table or alias.
pub(super) fn name(input: &mut Parser<'_>) -> Parsed<String> {
    if let Some(name) = input.bare_word(b".,:()") {
        return Ok(name.to_owned());
    }
    input.labelled("field name (* or [a..z0..9_$])", |input| {
        input.either(quoted, |input| Ok(input.separated(dash, identifier)?.join("-")))
    })
}

fn json_key(input: &mut Parser<'_>) -> Parsed<String> {
    let part = |input: &mut Parser<'_>| {
        let fits = |c| !matches!(c, '(' | '-' | ':' | '.' | ',' | '>' | ')');
        Ok(input.take_while(1, &[], fits)?.trim().to_owned())
    };
    input.labelled("any non reserved character different from: .,>()", |input| {
        input.either(quoted, |input| Ok(input.separated(dash, part)?.join("-")))
    })
}

fn json_index(input: &mut Parser<'_>) -> Parsed<String> {
    let sign = input.optional(|input| input.char('-'))?;
    let digits = input.take_while(1, &["digit"], |c| c.is_ascii_digit())?;
    ends(input, &["->", "::", ".", ","])?;
    Ok(match sign {
        Some(_) => format!("-{digits}"),
        None => digits.to_owned(),
    })
}

/// One of these texts comes next, or the end. None of them is consumed.
pub(super) fn ends(input: &mut Parser<'_>, texts: &[&str]) -> Parsed<()> {
    let Some((first, others)) = texts.split_first() else {
        return input.attempt(Parser::end);
    };
    input.either(
        |input| input.attempt(|input| input.ahead(|input| input.text(first))),
        |input| ends(input, others),
    )
}

fn json_step(input: &mut Parser<'_>) -> Parsed<JsonStep> {
    let as_text = input.either(
        |input| input.attempt(|input| input.text("->>").map(|()| true)),
        |input| input.attempt(|input| input.text("->").map(|()| false)),
    )?;
    let operand = input.either(
        |input| input.attempt(|input| json_index(input).map(JsonOperand::Index)),
        |input| input.attempt(|input| json_key(input).map(JsonOperand::Key)),
    )?;
    Ok(JsonStep { as_text, operand })
}

/// `->path->>path`
pub(super) fn json_path(input: &mut Parser<'_>) -> Parsed<Vec<JsonStep>> {
    input.many(json_step)
}

/// `name->path->>path`
pub(super) fn field(input: &mut Parser<'_>) -> Parsed<Field> {
    lexeme(input, |input| {
        let name = name(input)?;
        let path = json_path(input)?;
        Ok(Field { name, path })
    })
}

/// The dot between words.
pub(super) fn delimiter(input: &mut Parser<'_>) -> Parsed<()> {
    input.labelled("delimiter (.)", |input| input.char('.').map(drop))
}

/// A value inside a tree or list: quoted, and then nothing more of it follows.
pub(super) fn quoted_alone(input: &mut Parser<'_>) -> Parsed<String> {
    input.attempt(|input| {
        let text = quoted(input)?;
        input.unless(|input| input.one(&[], |c| !matches!(c, ',' | ')')))?;
        Ok(text)
    })
}

/// A value inside a tree or list as it stands there.
pub(super) fn plain(input: &mut Parser<'_>) -> Parsed<String> {
    let taken = input.take_while(0, &[], |c| !matches!(c, ',' | ')'))?;
    Ok(taken.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::parser::parse;
    use super::*;

    fn details(parser: impl FnMut(&mut Parser<'_>) -> Parsed<String>, text: &str) -> (String, String) {
        let error = parse("it", text, text, parser).expect_err(text);
        let details = error.details.as_ref().and_then(|details| details.as_str());
        let place = error
            .message
            .rsplit_once("(line 1, ")
            .map(|(_, place)| place.to_owned());
        (place.unwrap_or_default(), details.unwrap_or_default().to_owned())
    }

    #[test]
    fn names_are_plain_dashed_or_quoted() {
        for (text, expected) in [
            ("identifier", "identifier"),
            (" with inner blanks ", "with inner blanks"),
            ("with-dashes", "with-dashes"),
            ("123", "123"),
            ("$", "$"),
            ("straße", "straße"),
            ("\":\"", ":"),
            ("\" kept \"", " kept "),
            (r#""a\"b\\c""#, r#"a"b\c"#),
        ] {
            assert_eq!(parse("it", text, text, name), Ok(expected.to_owned()), "{text}");
        }
        assert_eq!(
            details(name, ":"),
            (
                "column 1)".to_owned(),
                "unexpected \":\" expecting field name (* or [a..z0..9_$])".to_owned()
            )
        );
    }

    #[test]
    fn json_paths_have_keys_and_indexes() {
        let shown = |text: &str| {
            let steps = parse("it", text, text, json_path).expect(text);
            let shown: Vec<String> = steps.iter().map(|step| format!("{:?}", step.operand)).collect();
            shown.join(" ")
        };
        assert_eq!(shown("->text->>1"), "Key(\"text\") Index(\"1\")");
        assert_eq!(shown("->!@#$%^&*_a"), "Key(\"!@#$%^&*_a\")");
        assert_eq!(shown("->0.desc"), "Index(\"0\")");
        assert_eq!(shown("->-2,other"), "Index(\"-2\")");
        assert_eq!(
            shown("->0xy1->23-xy-45->xy-6"),
            "Key(\"0xy1\") Key(\"23-xy-45\") Key(\"xy-6\")"
        );
    }

    #[test]
    fn broken_json_paths_tell_what_was_wanted() {
        let broken = |text: &str| details(|input| json_path(input).map(|_| String::new()), text);
        for (text, place, told) in [
            (
                "->>-78xy",
                "column 7)",
                "unexpected 'x' expecting digit, \"->\", \"::\", \".\", \",\" or end of input",
            ),
            ("->>--34", "column 5)", "unexpected \"-\" expecting digit"),
            ("->>-xy-4", "column 5)", "unexpected \"x\" expecting digit"),
            (
                "->(a",
                "column 3)",
                "unexpected \"(\" expecting \"-\", digit or any non reserved character different from: .,>()",
            ),
        ] {
            assert_eq!(broken(text), (place.to_owned(), told.to_owned()), "{text}");
        }
    }
}
