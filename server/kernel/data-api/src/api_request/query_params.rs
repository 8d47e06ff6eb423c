//! Sorts the parameters of the query string: reserved words to their parsers, the rest are filters or arguments.

use std::collections::{BTreeMap, HashSet};

use percent_encoding::utf8_percent_encode;

use super::columns::{self, NestedColumns};
use super::lexical::{lexeme, name};
use super::names::HiddenName;
use super::parser::parse as parse_with;
use super::types::{EmbedPath, Filter, HavingTree, LogicTree, OrderTerm, Range, SelectItem};
use super::{filter, having, order, range, select};
use crate::error::{Error, Result};
use crate::respond::UNRESERVED;

/// Longest query string; what comes as an address is no longer, so that operations of a batch are not either.
const MAX_LENGTH: usize = 65_534;

/// The query string, understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryParams {
    /// `select`; `*` if missing.
    pub select: Vec<SelectItem>,
    /// `column=op.value` of every level.
    pub filters: Vec<(EmbedPath, Filter)>,
    /// `and`/`or` of every level.
    pub logic: Vec<(EmbedPath, LogicTree)>,
    /// `having` of every level.
    pub having: Vec<(EmbedPath, Vec<HavingTree>)>,
    /// `order` of every level.
    pub order: Vec<(EmbedPath, Vec<OrderTerm>)>,
    /// `limit`/`offset` of every level.
    pub ranges: BTreeMap<EmbedPath, Range>,
    /// `columns`
    pub columns: Option<Vec<String>>,
    /// `columns` with rows inside rows.
    pub nested: Option<NestedColumns>,
    /// `on_conflict`
    pub on_conflict: Option<Vec<String>>,
    /// Arguments of a function called with GET.
    pub arguments: Vec<(String, String)>,
    /// Names used although an alias hides them.
    pub hidden_names: Vec<HiddenName>,
    /// All parameters in the order of their names, as they stand in a link.
    pub canonical: String,
}

impl QueryParams {
    /// Parses a raw query string. `call` is a function call by GET, whose parameters need no operator.
    pub fn parse(query: &str, call: bool) -> Result<Self> {
        if query.len() > MAX_LENGTH {
            return Err(Error::query_too_long());
        }
        let mut found = Self {
            canonical: canonical(query),
            ..Self::default()
        };
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
                "columns" if found.columns.is_none() => {
                    found.nested = columns::parse(&value)?;
                    found.columns = Some(match &found.nested {
                        Some(nested) => nested.names.clone(),
                        None => names("columns parameter", &value)?,
                    });
                }
                "on_conflict" if found.on_conflict.is_none() => {
                    found.on_conflict = Some(names("on_conflict parameter", &value)?);
                }
                "select" | "columns" | "on_conflict" => {}
                key => found.take(key, &value, call)?,
            }
        }
        if found.select.is_empty() {
            found.select = select::parse("*")?;
        }
        Ok(found)
    }

    fn take(&mut self, key: &str, value: &str, call: bool) -> Result<()> {
        let last = key.rsplit('.').next().unwrap_or(key);
        match last {
            "and" | "or" => self.logic.push(filter::parse_logic(key, value)?),
            // No filter begins like that; an argument of a function may.
            "having" if value.trim_start().starts_with('(') => match having::parse(key, value) {
                Ok(having) => self.having.push(having),
                Err(_) if call => self.arguments.push((key.to_owned(), value.to_owned())),
                Err(error) => return Err(error),
            },
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
            _ if call => match filter::parse_or_argument(key, value)? {
                Some(filter) => self.filters.push(filter),
                None => self.arguments.push((key.to_owned(), value.to_owned())),
            },
            _ => self.filters.push(filter::parse(key, value)?),
        }
        Ok(())
    }
}

/// The parameters sorted by name, and all but letters, digits and `-_.~` escaped.
fn canonical(query: &str) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    pairs.sort_by(|(left, _), (right, _)| left.cmp(right));
    let mut text = String::with_capacity(query.len() + 8);
    for (key, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.extend(utf8_percent_encode(&key, UNRESERVED));
        text.push('=');
        text.extend(utf8_percent_encode(&value, UNRESERVED));
    }
    text
}

fn names(what: &str, value: &str) -> Result<Vec<String>> {
    let parsed: Vec<String> = parse_with(what, value, value, |input| {
        input.separated(|input| lexeme(input, |input| input.char(',')), name)
    })?;
    let mut seen = HashSet::with_capacity(parsed.len());
    let first = |name: &String| seen.insert(name.clone());
    Ok(parsed.into_iter().filter(first).collect())
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
    fn without_columns_all_are_meant_and_links_have_their_parameters_in_order() {
        let parsed = QueryParams::parse("b=eq.x%20y&select=&a=eq.%28", false).expect("parses");
        assert_eq!(parsed.select.len(), 1);
        assert_eq!(parsed.canonical, "a=eq.%28&b=eq.x%20y&select=");
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
