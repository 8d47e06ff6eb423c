//! Filters: `column=op.value`, and the trees of `and=(…)`, `or=(…)`.

use winnow::ascii::Caseless;
use winnow::combinator::{
    alt, cut_err, delimited, empty, eof, fail, opt, peek, preceded, repeat, separated, terminated,
};
use winnow::error::{ContextError, ErrMode};
use winnow::prelude::*;
use winnow::token::{rest, take_till, take_while};

use super::lexical::{blanks, expected, field, lexeme, name, parse_all, quoted};
use super::types::{
    EmbedPath, Field, Filter, FullText, IsValue, Logic, LogicTree, Operation, Operator, Quantifier,
};
use crate::error::Result;

/// Parses one filter parameter.
pub(super) fn parse(key: &str, value: &str) -> Result<(EmbedPath, Filter)> {
    let (path, field) = parse_path(key)?;
    let (negated, operation) = parse_all("filter", value, |input: &mut &str| {
        operation(input, &mut root_value)
    })?;
    Ok((
        path,
        Filter {
            field,
            negated,
            operation,
        },
    ))
}

/// Parses `embed.embed.field->path`.
pub(super) fn parse_path(key: &str) -> Result<(EmbedPath, Field)> {
    let prefix = repeat(0.., terminated(name, '.'));
    parse_all("tree path", key, (prefix, field))
}

/// Parses `embed.not.or` and its tree.
pub(super) fn parse_logic(key: &str, value: &str) -> Result<(EmbedPath, LogicTree)> {
    let mut path: Vec<String> = parse_all("logic path", key, separated(1.., name, '.'))?;
    let word = path.pop().unwrap_or_default();
    let negated = path.iter().any(|part| part == "not");
    path.retain(|part| part != "not");
    let logic = if word == "or" { Logic::Or } else { Logic::And };
    let trees = parse_all("logic tree", value, group_body)?;
    Ok((
        path,
        LogicTree::Group {
            negated,
            logic,
            trees,
        },
    ))
}

type Value<'p> = dyn FnMut(&mut &str) -> ModalResult<String> + 'p;

fn root_value(input: &mut &str) -> ModalResult<String> {
    rest.map(str::to_owned).parse_next(input)
}

/// Inside a tree a value ends at `,` or `)`, unless it is quoted or an array.
fn tree_value(input: &mut &str) -> ModalResult<String> {
    let end = || peek(alt((",", ")", eof)));
    let array = ('{', take_till(0.., ['{', '}']), '}').take().map(str::to_owned);
    alt((
        terminated(quoted, end()),
        terminated(array, end()),
        take_till(0.., [',', ')']).map(str::to_owned),
    ))
    .parse_next(input)
}

/// `not.op.value`. Failing at the operator leaves the input where the operator starts, for the error's position.
fn operation(input: &mut &str, value: &mut Value<'_>) -> ModalResult<(bool, Operation)> {
    let negated = opt("not.").parse_next(input)?.is_some();
    let start = input.checkpoint();
    let word: &str = take_while(0.., 'a'..='z').parse_next(input)?;
    let parsed = match word {
        "in" => preceded('.', list).map(Operation::In).parse_next(input),
        "is" => preceded('.', cut_err(is_value))
            .map(Operation::Is)
            .parse_next(input),
        "isdistinct" => delimiter(input)
            .and_then(|()| value(input))
            .map(Operation::IsDistinct),
        "fts" => full_text(input, FullText::Plain, value),
        "plfts" => full_text(input, FullText::Words, value),
        "phfts" => full_text(input, FullText::Phrase, value),
        "wfts" => full_text(input, FullText::Web, value),
        _ => compare(input, word, value),
    };
    match parsed {
        Err(ErrMode::Backtrack(_)) => {
            input.reset(&start);
            if negated {
                fail.context(expected("operator (eq, gt, ...)")).parse_next(input)
            } else {
                fail.context(expected("\"not\""))
                    .context(expected("operator (eq, gt, ...)"))
                    .parse_next(input)
            }
        }
        other => other.map(|operation| (negated, operation)),
    }
}

fn delimiter(input: &mut &str) -> ModalResult<()> {
    '.'.void().context(expected("delimiter (.)")).parse_next(input)
}

fn backtrack<T>(input: &mut &str) -> ModalResult<T> {
    fail::<_, T, ErrMode<ContextError>>.parse_next(input)
}

fn compare(input: &mut &str, word: &str, value: &mut Value<'_>) -> ModalResult<Operation> {
    let (operator, quantifiable) = match word {
        "eq" => (Operator::Equal, true),
        "gt" => (Operator::Greater, true),
        "gte" => (Operator::GreaterEqual, true),
        "lt" => (Operator::Less, true),
        "lte" => (Operator::LessEqual, true),
        "like" => (Operator::Like, true),
        "ilike" => (Operator::ILike, true),
        "match" => (Operator::Match, true),
        "imatch" => (Operator::IMatch, true),
        "neq" => (Operator::NotEqual, false),
        "cs" => (Operator::Contains, false),
        "cd" => (Operator::ContainedIn, false),
        "ov" => (Operator::Overlaps, false),
        "sl" => (Operator::StrictlyLeft, false),
        "sr" => (Operator::StrictlyRight, false),
        "nxr" => (Operator::NotExtendsRight, false),
        "nxl" => (Operator::NotExtendsLeft, false),
        "adj" => (Operator::Adjacent, false),
        _ => return backtrack(input),
    };
    let quantifier = if quantifiable {
        opt(alt((
            "(any)".value(Quantifier::Any),
            "(all)".value(Quantifier::All),
        )))
        .parse_next(input)?
    } else {
        None
    };
    delimiter(input)?;
    Ok(Operation::Compare(operator, quantifier, value(input)?))
}

fn full_text(input: &mut &str, form: FullText, value: &mut Value<'_>) -> ModalResult<Operation> {
    let word = take_while(1.., |c: char| c.is_alphanumeric() || matches!(c, '_' | ' ' | '$')).map(str::trim);
    let language: Option<&str> = opt(delimited('(', word, ')')).parse_next(input)?;
    let language = language.map(str::to_owned);
    delimiter(input)?;
    Ok(Operation::FullText(form, language, value(input)?))
}

fn is_value(input: &mut &str) -> ModalResult<IsValue> {
    alt((
        Caseless("not_null").value(IsValue::NotNull),
        Caseless("null").value(IsValue::Null),
        Caseless("true").value(IsValue::True),
        Caseless("false").value(IsValue::False),
        Caseless("unknown").value(IsValue::Unknown),
    ))
    .context(expected("isVal: (null, not_null, true, false, unknown)"))
    .parse_next(input)
}

/// `(a,"b,c",d)`; `()` is the empty list.
fn list(input: &mut &str) -> ModalResult<Vec<String>> {
    let element = alt((
        terminated(quoted, peek(alt((",", ")")))),
        take_till(0.., [',', ')']).map(str::to_owned),
    ));
    let elements: Vec<String> = delimited(
        cut_err(lexeme('(')).context(expected("\"(\"")),
        separated(1.., element, ','),
        cut_err(lexeme(')')).context(expected("\")\"")),
    )
    .parse_next(input)?;
    let empty = elements.len() == 1 && elements[0].is_empty();
    Ok(if empty { Vec::new() } else { elements })
}

fn group_head(input: &mut &str) -> ModalResult<(bool, Logic)> {
    let negated = opt("not.").map(|not| not.is_some());
    let logic = alt(("and".value(Logic::And), "or".value(Logic::Or)));
    terminated((negated, logic), (blanks, peek('('))).parse_next(input)
}

fn group_body(input: &mut &str) -> ModalResult<Vec<LogicTree>> {
    delimited(
        cut_err(lexeme('(')).context(expected("\"(\"")),
        separated(1.., cut_err(tree), lexeme(',')),
        cut_err(lexeme(')'))
            .context(expected("\",\""))
            .context(expected("\")\"")),
    )
    .parse_next(input)
}

fn tree(input: &mut &str) -> ModalResult<LogicTree> {
    blanks(input)?;
    if let Some((negated, logic)) = opt(group_head).parse_next(input)? {
        let trees = group_body(input)?;
        return Ok(LogicTree::Group {
            negated,
            logic,
            trees,
        });
    }
    let field = field
        .context(expected("negation operator (not)"))
        .context(expected("logic operator (and, or)"))
        .parse_next(input)?;
    delimiter(input)?;
    let (negated, operation) = operation(input, &mut tree_value)?;
    empty.parse_next(input)?;
    Ok(LogicTree::Filter(Filter {
        field,
        negated,
        operation,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> (bool, Operation) {
        let (_, filter) =
            parse("id", value).unwrap_or_else(|error| panic!("{value}: {error} {:?}", error.details));
        (filter.negated, filter.operation)
    }

    #[test]
    fn every_operator_is_understood() {
        for (word, operator) in [
            ("eq", Operator::Equal),
            ("neq", Operator::NotEqual),
            ("gt", Operator::Greater),
            ("gte", Operator::GreaterEqual),
            ("lt", Operator::Less),
            ("lte", Operator::LessEqual),
            ("like", Operator::Like),
            ("ilike", Operator::ILike),
            ("match", Operator::Match),
            ("imatch", Operator::IMatch),
            ("cs", Operator::Contains),
            ("cd", Operator::ContainedIn),
            ("ov", Operator::Overlaps),
            ("sl", Operator::StrictlyLeft),
            ("sr", Operator::StrictlyRight),
            ("nxr", Operator::NotExtendsRight),
            ("nxl", Operator::NotExtendsLeft),
            ("adj", Operator::Adjacent),
        ] {
            let compare = Operation::Compare(operator, None, "a.b,(c)".to_owned());
            assert_eq!(of(&format!("{word}.a.b,(c)")), (false, compare.clone()));
            assert_eq!(of(&format!("not.{word}.a.b,(c)")), (true, compare));
        }
    }

    #[test]
    fn quantifiers_lists_and_tests_are_understood() {
        let text = |value: &str| value.to_owned();
        assert_eq!(
            of("eq(any).{1,2}").1,
            Operation::Compare(Operator::Equal, Some(Quantifier::Any), text("{1,2}"))
        );
        assert_eq!(
            of("like(all).{a*,b}").1,
            Operation::Compare(Operator::Like, Some(Quantifier::All), text("{a*,b}"))
        );
        assert_eq!(
            of("in.(1,\"a,b\",\"c\\\"d\")").1,
            Operation::In(vec![text("1"), text("a,b"), text("c\"d")])
        );
        assert_eq!(of("in.()").1, Operation::In(Vec::new()));
        assert_eq!(of("in.(,)").1, Operation::In(vec![text(""), text("")]));
        assert_eq!(of("is.NULL").1, Operation::Is(IsValue::Null));
        assert_eq!(of("is.not_null").1, Operation::Is(IsValue::NotNull));
        assert_eq!(of("isdistinct.4").1, Operation::IsDistinct(text("4")));
        assert_eq!(
            of("fts(english).a & b").1,
            Operation::FullText(FullText::Plain, Some(text("english")), text("a & b"))
        );
        assert_eq!(
            of("wfts.cat").1,
            Operation::FullText(FullText::Web, None, text("cat"))
        );
        assert_eq!(of("eq.").1, Operation::Compare(Operator::Equal, None, text("")));
    }

    #[test]
    fn a_filter_may_stand_on_an_embed_and_on_a_json_path() {
        let (path, filter) = parse("orders.suppliers.data->a->>b", "eq.1").expect("parses");
        assert_eq!(path, ["orders", "suppliers"]);
        assert_eq!((filter.field.name.as_str(), filter.field.path.len()), ("data", 2));
    }

    #[test]
    fn a_wrong_operator_is_told_as_postgrest_tells_it() {
        let error = parse("a.b", "noop.0").expect_err("refused");
        assert_eq!(
            error.message,
            "\"failed to parse filter (noop.0)\" (line 1, column 1)"
        );
        let details = error.details.expect("has details").to_string();
        assert!(details.contains("operator (eq, gt, ...)"), "{details}");
        for wrong in [
            "",
            "val",
            "eq",
            "eq().1",
            "neq(any).1",
            "is.nul",
            "in.1",
            "in.(1",
            "in.(1)x",
            "fts().a",
            "not.x",
        ] {
            assert!(parse("id", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn trees_nest_and_negate() {
        let (path, tree) = parse_logic(
            "orders.not.or",
            "(a.eq.1,and(b.gt.2,not.or(c.is.null,d.in.(1,2))), e.eq.\"x,)\")",
        )
        .expect("parses");
        assert_eq!(path, ["orders"]);
        let LogicTree::Group {
            negated: true,
            logic: Logic::Or,
            trees,
        } = tree
        else {
            panic!("{tree:?}")
        };
        assert_eq!(trees.len(), 3);
        let LogicTree::Filter(last) = &trees[2] else {
            panic!("{trees:?}")
        };
        assert_eq!(
            last.operation,
            Operation::Compare(Operator::Equal, None, "x,)".to_owned())
        );
    }

    #[test]
    fn broken_trees_are_refused() {
        for wrong in [
            "",
            "()",
            "(",
            "(a.eq.1",
            "a.eq.1)",
            "(a.eq.1))",
            "(a.foo.1)",
            "(and(a.eq.1)",
            "(ord(a.eq.1))",
            "(a)",
        ] {
            assert_eq!(
                parse_logic("and", wrong).map_err(|error| error.code),
                Err("PGRST100".into()),
                "{wrong}"
            );
        }
    }

    #[test]
    fn arrays_in_trees_keep_their_commas() {
        let (_, tree) = parse_logic("and", "(tags.cs.{a,b},x.eq.1)").expect("parses");
        let LogicTree::Group { trees, .. } = tree else {
            panic!("{tree:?}")
        };
        assert_eq!(trees.len(), 2);
    }
}
