//! Filters: `column=op.value`, and the trees of `and=(…)`, `or=(…)`.

use super::lexical::{delimiter, field, identifier, json_path, lexeme, name, plain, quoted_alone};
use super::parser::{Parsed, Parser, parse as parse_with};
use super::types::{
    EmbedPath, Field, Filter, FullText, IsValue, Logic, LogicTree, Operation, Operator, Quantifier,
};
use crate::error::{Error, Result};

/// Parses one filter parameter.
pub(super) fn parse(key: &str, value: &str) -> Result<(EmbedPath, Filter)> {
    let (path, field) = parse_path(key)?;
    let (negated, operation) = parse_with("filter", value, value, |input| operation(input, &root_value))?;
    let filter = Filter {
        field,
        negated,
        operation,
    };
    Ok((path, filter))
}

/// Parses a parameter of a function call: a filter, or an argument if it does not begin like one.
pub(super) fn parse_or_argument(key: &str, value: &str) -> Result<Option<(EmbedPath, Filter)>> {
    let (path, field) = parse_path(key)?;
    let found = parse_with("filter", value, value, |input| {
        input.optional(|input| operation(input, &root_value))
    })?;
    Ok(found.map(|(negated, operation)| {
        let filter = Filter {
            field,
            negated,
            operation,
        };
        (path, filter)
    }))
}

/// Parses `embed.embed.field->path`.
pub(super) fn parse_path(key: &str) -> Result<(EmbedPath, Field)> {
    parse_with("tree path", key, key, path)
}

pub(super) fn path(input: &mut Parser<'_>) -> Parsed<(EmbedPath, Field)> {
    if let Some(name) = input.bare_word(b"") {
        let (name, path) = (name.to_owned(), Vec::new());
        return Ok((EmbedPath::new(), Field { name, path }));
    }
    let mut path = input.separated(delimiter, name)?;
    let steps = json_path(input)?;
    let name = path.pop().unwrap_or_default();
    Ok((path, Field { name, path: steps }))
}

/// Parses `embed.not.or` and its tree. The place of an error counts from the word before the parenthesis.
pub(super) fn parse_logic(key: &str, value: &str) -> Result<(EmbedPath, LogicTree)> {
    let mut path: Vec<String> = parse_with("logic path", key, key, |input| input.separated(delimiter, name))?;
    let word = path.pop().unwrap_or_default();
    let negated = path.iter().any(|part| part == "not");
    path.retain(|part| part != "not");
    let text = format!("{}{word}{value}", if negated { "not." } else { "" });
    match parse_with("logic tree", value, &text, tree)? {
        // The word and what follows it, read together as the name of a column.
        LogicTree::Filter(_) => Err(Error::query(
            format!(
                "\"failed to parse logic tree ({value})\" (line 1, column {})",
                text.len() - value.len() + 1
            ),
            "expecting \"(\"",
        )),
        group @ LogicTree::Group { .. } => Ok((path, group)),
    }
}

pub(super) type Value<'p> = dyn Fn(&mut Parser<'_>) -> Parsed<String> + 'p;

fn root_value(input: &mut Parser<'_>) -> Parsed<String> {
    input.take_rest().map(str::to_owned)
}

/// Inside a tree a value ends at `,` or `)`, unless it is quoted or an array.
pub(super) fn tree_value(input: &mut Parser<'_>) -> Parsed<String> {
    let array = |input: &mut Parser<'_>| {
        input.text("{")?;
        let inside = input.take_while(0, &[], |c| !matches!(c, '{' | '}'))?.to_owned();
        input.text("}")?;
        Ok(format!("{{{inside}}}"))
    };
    input.either(quoted_alone, |input| {
        input.either(|input| input.attempt(array), plain)
    })
}

/// `not.op.value`
pub(super) fn operation(input: &mut Parser<'_>, value: &Value<'_>) -> Parsed<(bool, Operation)> {
    let negated = input.either(
        |input| {
            input.attempt(|input| {
                input.text("not")?;
                delimiter(input)?;
                Ok(true)
            })
        },
        |_| Ok(false),
    )?;
    let operation = input.labelled("operator (eq, gt, ...)", |input| {
        first_of(
            input,
            &[
                &|input| {
                    word(input, "in")?;
                    list(input).map(Operation::In)
                },
                &|input| {
                    word(input, "is")?;
                    is_value(input).map(Operation::Is)
                },
                &|input| {
                    word(input, "isdistinct")?;
                    value(input).map(Operation::IsDistinct)
                },
                &|input| input.attempt(|input| full_text(input, value)),
                &|input| input.attempt(|input| compare(input, value)),
                &|input| input.attempt(|input| compare_many(input, value)),
            ],
        )
    })?;
    Ok((negated, operation))
}

type Alternative<'p, T> = &'p dyn Fn(&mut Parser<'_>) -> Parsed<T>;

fn first_of<T>(input: &mut Parser<'_>, alternatives: &[Alternative<'_, T>]) -> Parsed<T> {
    match alternatives {
        [] => input.fail(),
        [only] => only(input),
        [first, others @ ..] => input.either(first, |input| first_of(input, others)),
    }
}

/// A word and its dot.
fn word(input: &mut Parser<'_>, text: &str) -> Parsed<()> {
    input.attempt(|input| {
        input.text(text)?;
        delimiter(input)
    })
}

/// One of some words, without its dot.
fn one_word<T: Copy>(input: &mut Parser<'_>, words: &[(&str, T)]) -> Parsed<T> {
    match words {
        [] => input.fail(),
        [(text, value), others @ ..] => input.either(
            |input| input.attempt(|input| input.text(text).map(|()| *value)),
            |input| one_word(input, others),
        ),
    }
}

fn compare(input: &mut Parser<'_>, value: &Value<'_>) -> Parsed<Operation> {
    const WORDS: [(&str, Operator); 9] = [
        ("neq", Operator::NotEqual),
        ("cs", Operator::Contains),
        ("cd", Operator::ContainedIn),
        ("ov", Operator::Overlaps),
        ("sl", Operator::StrictlyLeft),
        ("sr", Operator::StrictlyRight),
        ("nxr", Operator::NotExtendsRight),
        ("nxl", Operator::NotExtendsLeft),
        ("adj", Operator::Adjacent),
    ];
    let operator = one_word(input, &WORDS)?;
    delimiter(input)?;
    Ok(Operation::Compare(operator, None, value(input)?))
}

fn compare_many(input: &mut Parser<'_>, value: &Value<'_>) -> Parsed<Operation> {
    const WORDS: [(&str, Operator); 9] = [
        ("eq", Operator::Equal),
        ("gte", Operator::GreaterEqual),
        ("gt", Operator::Greater),
        ("lte", Operator::LessEqual),
        ("lt", Operator::Less),
        ("like", Operator::Like),
        ("ilike", Operator::ILike),
        ("match", Operator::Match),
        ("imatch", Operator::IMatch),
    ];
    let operator = one_word(input, &WORDS)?;
    let quantifier = input.optional(|input| {
        input.attempt(|input| {
            input.char('(')?;
            let quantifier = input.either(
                |input| input.attempt(|input| input.text("any").map(|()| Quantifier::Any)),
                |input| input.text("all").map(|()| Quantifier::All),
            )?;
            input.char(')')?;
            Ok(quantifier)
        })
    })?;
    delimiter(input)?;
    Ok(Operation::Compare(operator, quantifier, value(input)?))
}

fn full_text(input: &mut Parser<'_>, value: &Value<'_>) -> Parsed<Operation> {
    const WORDS: [(&str, FullText); 4] = [
        ("fts", FullText::Plain),
        ("plfts", FullText::Words),
        ("phfts", FullText::Phrase),
        ("wfts", FullText::Web),
    ];
    let form = one_word(input, &WORDS)?;
    let language = input.optional(|input| {
        input.attempt(|input| {
            input.char('(')?;
            let language = identifier(input)?;
            input.char(')')?;
            Ok(language)
        })
    })?;
    delimiter(input)?;
    Ok(Operation::FullText(form, language, value(input)?))
}

fn is_value(input: &mut Parser<'_>) -> Parsed<IsValue> {
    const WORDS: [(&str, IsValue); 5] = [
        ("null", IsValue::Null),
        ("not_null", IsValue::NotNull),
        ("true", IsValue::True),
        ("false", IsValue::False),
        ("unknown", IsValue::Unknown),
    ];
    fn one_of(input: &mut Parser<'_>, words: &[(&str, IsValue)]) -> Parsed<IsValue> {
        let Some(((word, value), others)) = words.split_first() else {
            return input.fail();
        };
        input.either(
            |input| {
                input.attempt(|input| {
                    for letter in word.chars() {
                        input.one(&[], |c| c.eq_ignore_ascii_case(&letter))?;
                    }
                    Ok(*value)
                })
            },
            |input| one_of(input, others),
        )
    }
    input.labelled("isVal: (null, not_null, true, false, unknown)", |input| {
        one_of(input, &WORDS)
    })
}

/// `(a,"b,c",d)`; `()` is the empty list.
fn list(input: &mut Parser<'_>) -> Parsed<Vec<String>> {
    lexeme(input, |input| input.char('('))?;
    let elements = input.separated(|input| input.char(','), |input| input.either(quoted_alone, plain))?;
    lexeme(input, |input| input.char(')'))?;
    let empty = elements.len() == 1 && elements[0].is_empty();
    Ok(if empty { Vec::new() } else { elements })
}

fn tree(input: &mut Parser<'_>) -> Parsed<LogicTree> {
    tree_of(input, leaf)
}

/// A test, or `and(…)`, `or(…)` of them.
pub(super) fn tree_of<T>(
    input: &mut Parser<'_>,
    leaf: fn(&mut Parser<'_>) -> Parsed<T>,
) -> Parsed<LogicTree<T>> {
    input.either(
        |input| input.attempt(leaf).map(LogicTree::Filter),
        |input| group(input, leaf),
    )
}

fn leaf(input: &mut Parser<'_>) -> Parsed<Filter> {
    let field = field(input)?;
    delimiter(input)?;
    let (negated, operation) = operation(input, &tree_value)?;
    Ok(Filter {
        field,
        negated,
        operation,
    })
}

fn group<T>(input: &mut Parser<'_>, leaf: fn(&mut Parser<'_>) -> Parsed<T>) -> Parsed<LogicTree<T>> {
    let negated = input.labelled("negation operator (not)", |input| {
        input.either(|input| word(input, "not").map(|()| true), |_| Ok(false))
    })?;
    let logic = input.labelled("logic operator (and, or)", |input| {
        input.either(
            |input| input.attempt(|input| input.text("and").map(|()| Logic::And)),
            |input| input.text("or").map(|()| Logic::Or),
        )
    })?;
    let trees = trees(input, leaf)?;
    Ok(LogicTree::Group {
        negated,
        logic,
        trees,
    })
}

/// `(a,b)`
pub(super) fn trees<T>(
    input: &mut Parser<'_>,
    leaf: fn(&mut Parser<'_>) -> Parsed<T>,
) -> Parsed<Vec<LogicTree<T>>> {
    lexeme(input, |input| input.char('('))?;
    let comma = |input: &mut Parser<'_>| lexeme(input, |input| input.char(','));
    let trees = input.nested(|input| input.separated(comma, |input| tree_of(input, leaf)))?;
    lexeme(input, |input| input.char(')'))?;
    Ok(trees)
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

    fn told(error: &crate::error::Error) -> (&str, &str) {
        let place = error
            .message
            .rsplit_once("(line 1, column ")
            .map_or("", |(_, place)| place);
        let details = error.details.as_ref().and_then(|details| details.as_str());
        (place.trim_end_matches(')'), details.unwrap_or_default())
    }

    #[test]
    fn a_wrong_operator_is_told() {
        let operator = "operator (eq, gt, ...)";
        for (value, column, expected) in [
            (
                "noop.0",
                "1",
                format!("unexpected \"o\" expecting \"not\" or {operator}"),
            ),
            (
                "val",
                "1",
                format!("unexpected \"v\" expecting \"not\" or {operator}"),
            ),
            (
                "0",
                "1",
                format!("unexpected \"0\" expecting \"not\" or {operator}"),
            ),
            (
                "fts().value",
                "5",
                format!("unexpected \")\" expecting {operator}"),
            ),
            (
                "eq().value",
                "4",
                format!("unexpected \")\" expecting {operator}"),
            ),
            (
                "is().value",
                "3",
                format!("unexpected \"(\" expecting {operator}"),
            ),
            (
                "in().value",
                "3",
                format!("unexpected \"(\" expecting {operator}"),
            ),
            (
                "is.nil",
                "5",
                "unexpected \"i\" expecting isVal: (null, not_null, true, false, unknown)".to_owned(),
            ),
        ] {
            let error = parse("a.b", value).expect_err(value);
            assert!(
                error
                    .message
                    .starts_with(&format!("\"failed to parse filter ({value})\"")),
                "{}",
                error.message
            );
            assert_eq!(told(&error), (column, expected.as_str()), "{value}");
        }
        for wrong in ["", "eq", "neq(any).1", "is.nul", "in.1", "in.(1", "not.x"] {
            assert!(parse("id", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_follows_a_list_is_not_looked_at() {
        assert_eq!(of("in.(1)x").1, Operation::In(vec!["1".to_owned()]));
    }

    #[test]
    fn a_parameter_of_a_call_is_a_filter_or_an_argument() {
        let is_filter = |value: &str| parse_or_argument("a", value).map(|found| found.is_some());
        assert_eq!(is_filter("eq.1"), Ok(true));
        assert_eq!(is_filter("1"), Ok(false));
        assert!(is_filter("in.1").is_err());
    }

    #[test]
    fn a_broken_tree_is_told() {
        for (key, value, column, expected) in [
            (
                "or",
                "()",
                "4",
                "unexpected \")\" expecting field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)",
            ),
            (
                "or",
                "(id.in.1,2,id.eq.3)",
                "10",
                "unexpected \"1\" expecting \"(\"",
            ),
            ("or", ")(", "3", "unexpected \")\" expecting \"(\""),
            (
                "and",
                "(ord(id.eq.1,id.eq.1),id.eq.2)",
                "7",
                "unexpected \"d\" expecting \"(\"",
            ),
            (
                "or",
                "(id.eq.1,not.xor(id.eq.2,id.eq.3))",
                "16",
                "unexpected \"x\" expecting logic operator (and, or)",
            ),
        ] {
            let error = parse_logic(key, value).expect_err(value);
            assert_eq!(told(&error), (column, expected), "{value}");
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
