//! Sorts the parameters of the query string: reserved words to their parsers, the rest are filters or arguments.

use std::collections::BTreeMap;

use winnow::combinator::separated;
use winnow::prelude::*;

use super::lexical::{lexeme, name, parse_all};
use super::types::{EmbedPath, Filter, LogicTree, OrderTerm, Range, SelectItem};
use super::{filter, order, range, select};
use crate::error::Result;

/// The query string, understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryParams {
    /// `select`; `*` if missing.
    pub select: Vec<SelectItem>,
    /// `column=op.value` of every level.
    pub filters: Vec<(EmbedPath, Filter)>,
    /// `and`/`or` of every level.
    pub logic: Vec<(EmbedPath, LogicTree)>,
    /// `order` of every level.
    pub order: Vec<(EmbedPath, Vec<OrderTerm>)>,
    /// `limit`/`offset` of every level.
    pub ranges: BTreeMap<EmbedPath, Range>,
    /// `columns`
    pub columns: Option<Vec<String>>,
    /// `on_conflict`
    pub on_conflict: Option<Vec<String>>,
    /// Arguments of a function called with GET.
    pub arguments: Vec<(String, String)>,
}

impl QueryParams {
    /// Parses a raw query string. `call` is a function call by GET, whose parameters need no operator.
    pub fn parse(query: &str, call: bool) -> Result<Self> {
        let mut found = Self::default();
        let mut selected = false;
        for pair in query.split('&').filter(|pair| pair.contains('=')) {
            let Some((key, value)) = form_urlencoded::parse(pair.as_bytes()).next() else {
                continue;
            };
            match key.as_ref() {
                "select" if !selected => {
                    selected = true;
                    found.select = select::parse(&value)?;
                }
                "columns" => found.columns = Some(names("columns parameter", &value)?),
                "on_conflict" => found.on_conflict = Some(names("on_conflict parameter", &value)?),
                "select" => {}
                key => found.take(key, &value, call)?,
            }
        }
        if !selected {
            found.select = select::parse("*")?;
        }
        Ok(found)
    }

    fn take(&mut self, key: &str, value: &str, call: bool) -> Result<()> {
        let last = key.rsplit('.').next().unwrap_or(key);
        match last {
            "and" | "or" => self.logic.push(filter::parse_logic(key, value)?),
            "order" => self
                .order
                .push((filter::parse_path(key)?.0, order::parse(value)?)),
            "limit" => {
                let path = filter::parse_path(key)?.0;
                self.ranges.entry(path).or_default().limit = range::limit(value)?;
            }
            "offset" => {
                let path = filter::parse_path(key)?.0;
                self.ranges.entry(path).or_default().offset = range::offset(value);
            }
            _ => match filter::parse(key, value) {
                Ok(filter) => self.filters.push(filter),
                Err(_) if call => self.arguments.push((key.to_owned(), value.to_owned())),
                Err(error) => return Err(error),
            },
        }
        Ok(())
    }
}

fn names(what: &str, value: &str) -> Result<Vec<String>> {
    let parsed: Vec<String> = parse_all(what, value, |input: &mut &str| {
        separated(1.., name, lexeme(',')).parse_next(input)
    })?;
    let mut unique: Vec<String> = Vec::with_capacity(parsed.len());
    for name in parsed {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    Ok(unique)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_sorted_by_their_last_word() {
        let parsed = QueryParams::parse(
            "select=id,name&id=eq.1&orders.name=like.a%25*&or=(a.eq.1,b.eq.2)&orders.order=id.desc&limit=5&orders.limit=3&orders.offset=2&columns=a,%22b%22&flag",
            false,
        )
        .expect("parses");
        assert_eq!(
            (
                parsed.select.len(),
                parsed.filters.len(),
                parsed.logic.len(),
                parsed.order.len()
            ),
            (2, 2, 1, 1)
        );
        assert_eq!(
            parsed.ranges[&Vec::new()],
            Range {
                offset: 0,
                limit: Some(5)
            }
        );
        assert_eq!(
            parsed.ranges[&vec!["orders".to_owned()]],
            Range {
                offset: 2,
                limit: Some(3)
            }
        );
        assert_eq!(parsed.columns, Some(vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn a_call_takes_parameters_without_operator_as_arguments() {
        let parsed = QueryParams::parse("a=1&b=eq.2&c=x+y", true).expect("parses");
        assert_eq!(
            parsed.arguments,
            [
                ("a".to_owned(), "1".to_owned()),
                ("c".to_owned(), "x y".to_owned())
            ]
        );
        assert_eq!(parsed.filters.len(), 1);
        assert!(QueryParams::parse("a=1", false).is_err());
    }
}
