//! `having=(…)`: tests on groups of rows, combined like those of `and=(…)`.

use super::filter::{operation, parse_path, tree_value, trees};
use super::lexical::{delimiter, name};
use super::parser::{Parsed, Parser, parse as parse_with};
use super::select::aggregated;
use super::types::{EmbedPath, GroupField, GroupFilter, HavingTree};
use crate::error::Result;

/// Parses one parameter: the tests that must all hold.
pub(super) fn parse(key: &str, value: &str) -> Result<(EmbedPath, Vec<HavingTree>)> {
    let (path, _) = parse_path(key)?;
    let tests = parse_with("having", value, value, |input| {
        let tests = trees(input, test)?;
        input.end()?;
        Ok(tests)
    })?;
    Ok((path, tests))
}

/// `value.sum().gt.100`, or by the name in the output `total.gt.100`.
fn test(input: &mut Parser<'_>) -> Parsed<GroupFilter> {
    let aggregate = |input: &mut Parser<'_>| {
        input.attempt(|input| {
            let aggregate = aggregated(input)?;
            delimiter(input)?;
            Ok(GroupField::Aggregate(aggregate))
        })
    };
    let output = |input: &mut Parser<'_>| {
        let output = name(input)?;
        delimiter(input)?;
        Ok(GroupField::Output(output))
    };
    let field = input.either(aggregate, output)?;
    let (negated, operation) = operation(input, &tree_value)?;
    Ok(GroupFilter {
        field,
        negated,
        operation,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_request::{Aggregate, Logic, LogicTree, Operation, Operator};

    fn of(value: &str) -> Vec<HavingTree> {
        parse("having", value)
            .unwrap_or_else(|error| panic!("{value}: {error} {:?}", error.details))
            .1
    }

    fn shown(tree: &HavingTree) -> String {
        match tree {
            LogicTree::Filter(filter) => {
                let field = match &filter.field {
                    GroupField::Output(name) => name.clone(),
                    GroupField::Aggregate(item) => {
                        let (function, cast) = item.aggregate.clone().expect("an aggregate");
                        let before = item.cast.clone().unwrap_or_default();
                        let after = cast.unwrap_or_default();
                        format!("{after} {}({before} {})", function.name(), item.field.name)
                    }
                };
                let not = if filter.negated { "not " } else { "" };
                format!("{not}{field} {:?}", filter.operation)
            }
            LogicTree::Group {
                negated,
                logic,
                trees,
            } => {
                let trees: Vec<String> = trees.iter().map(shown).collect();
                format!("{negated} {logic:?} [{}]", trees.join("; "))
            }
        }
    }

    #[test]
    fn tests_take_aggregates_and_their_names() {
        let tests =
            of("(value.sum().gt.100,count().gte.2,total.not.in.(1,2),data->>k::int.max()::text.like.a*)");
        let told: Vec<String> = tests.iter().map(shown).collect();
        assert_eq!(
            told,
            [
                r#" sum( value) Compare(Greater, None, "100")"#,
                r#" count( *) Compare(GreaterEqual, None, "2")"#,
                r#"not total In(["1", "2"])"#,
                r#"text max(int data) Compare(Like, None, "a*")"#,
            ]
        );
    }

    #[test]
    fn tests_nest_and_stand_on_embeds() {
        let (path, tests) = parse(
            "entries.having",
            "( or(a.min().lt.1, not.and(n.eq.2,b.avg().is.null)) )",
        )
        .expect("parses");
        assert_eq!(path, ["entries"]);
        let LogicTree::Group {
            negated: false,
            logic: Logic::Or,
            trees,
        } = &tests[0]
        else {
            panic!("{tests:?}")
        };
        assert_eq!(
            shown(&trees[1]),
            r#"true And [n Compare(Equal, None, "2"); b avg() Is(Null)]"#.replace("b avg()", " avg( b)")
        );
    }

    #[test]
    fn a_quoted_name_may_look_like_anything() {
        let tests = of(r#"("a.sum()".eq."x,)","b\"(".max().gt.1)"#);
        let LogicTree::Filter(first) = &tests[0] else {
            panic!("{tests:?}")
        };
        assert_eq!(first.field, GroupField::Output("a.sum()".to_owned()));
        assert_eq!(
            first.operation,
            Operation::Compare(Operator::Equal, None, "x,)".to_owned())
        );
        let LogicTree::Filter(GroupFilter {
            field: GroupField::Aggregate(item),
            ..
        }) = &tests[1]
        else {
            panic!("{tests:?}")
        };
        assert_eq!(item.field.name, "b\"(");
        assert_eq!(item.aggregate, Some((Aggregate::Max, None)));
    }

    #[test]
    fn what_is_no_having_is_refused() {
        for wrong in [
            "()",
            "(",
            "(value.sum())",
            "(value.sum().gt)",
            "(sum().gt.1)",
            "(value.median().gt.1)",
            "(count().gt.1",
            "(count().gt.1)x",
            "(value.sum().gt.1;drop table x)y",
            "(or(count().gt.1)",
            "(value::int);.sum().gt.1)",
        ] {
            assert_eq!(
                parse("having", wrong).map_err(|error| error.code),
                Err("PGRST100".into()),
                "{wrong}"
            );
        }
    }
}
