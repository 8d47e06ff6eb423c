//! References to what earlier operations returned: `{"$ref":"order/0/id"}` in a body, `$ref:order/0/id` as the value of
//! a filter or argument. The first part names an operation by its id or number, the rest is a JSON Pointer (RFC 6901)
//! into its result, in which `*` stands for every element of an array.

use std::borrow::Cow;

use super::json::{elements, member, skip_blank, string, string_end, value_end};
use crate::api_request::{ApiRequest, LogicTree, Operation};
use crate::error::{Error, Result};
use crate::plan::array_literal;

/// A body's key that makes its object a reference.
const REFERENCE: &str = "\"$ref\"";

/// A body's key whose value is taken as it is, whatever it looks like.
const VERBATIM: &str = "\"$value\"";

/// Begins a value that is a reference; one `$` more, and it is the rest as it stands.
const VALUE: &str = "$ref:";

/// What the operations so far returned.
pub(super) struct Results {
    done: Vec<Done>,
    /// Bytes that may still be looked through or copied for references.
    budget: usize,
}

struct Done {
    id: Option<String>,
    body: Option<String>,
    /// Where the elements of a body that is an array begin and end.
    rows: Option<Vec<(usize, usize)>>,
}

/// What a reference points at.
#[derive(Debug, PartialEq, Eq)]
enum Found<'r> {
    One(&'r str),
    Many(Vec<&'r str>),
}

impl Results {
    /// Nothing done yet; references may cost so much altogether.
    pub(super) fn new(budget: usize) -> Self {
        Self {
            done: Vec::new(),
            budget,
        }
    }

    /// One more operation is done; `body` if it returned JSON.
    pub(super) fn push(&mut self, id: Option<&str>, body: Option<&str>) {
        self.done.push(Done {
            id: id.map(str::to_owned),
            body: body.map(str::to_owned),
            rows: None,
        });
    }

    fn spend(&mut self, bytes: usize) -> Result<()> {
        self.budget = self
            .budget
            .checked_sub(bytes)
            .ok_or_else(|| Error::batch_too_large("The references of the batch copy or search too much."))?;
        Ok(())
    }

    fn find(&mut self, reference: &str) -> Result<Found<'_>> {
        let (name, pointer) = reference.split_once('/').unwrap_or((reference, ""));
        let named = |done: &Done| done.id.as_deref() == Some(name);
        let index = self
            .done
            .iter()
            .position(named)
            .or_else(|| name.parse().ok().filter(|index| *index < self.done.len()));
        let index =
            index.ok_or_else(|| Error::reference(reference, "No earlier operation has this name."))?;
        if self.done[index].body.is_none() {
            return Err(Error::reference(
                reference,
                "The operation returned no JSON; ask it for return=representation.",
            ));
        }
        let mut steps = pointer.split('/').filter(|_| !pointer.is_empty());
        let first = steps.next();
        let start = self.first(index, first)?;
        let body = self.done[index].body.as_deref().unwrap_or_default();
        let mut found = match start {
            Start::Whole => Found::One(body),
            Start::Part(begin, end) => Found::One(&body[begin..end]),
            Start::All => {
                let rows = self.done[index].rows.iter().flatten();
                Found::Many(rows.map(|(begin, end)| &body[*begin..*end]).collect())
            }
            Start::Nowhere => return Err(Error::reference(reference, "There is nothing at this place.")),
        };
        let mut cost = 0_usize;
        for step in steps {
            let next = step_into(&found, step, &mut cost);
            found = next.ok_or_else(|| Error::reference(reference, "There is nothing at this place."))?;
        }
        self.budget = self
            .budget
            .checked_sub(cost)
            .ok_or_else(|| Error::batch_too_large("The references of the batch copy or search too much."))?;
        Ok(found)
    }

    /// The first step: into an array through its index, which is made once.
    fn first(&mut self, index: usize, step: Option<&str>) -> Result<Start> {
        let Some(step) = step else {
            return Ok(Start::Whole);
        };
        let length = self.done[index].body.as_deref().map_or(0, str::len);
        let done = &self.done[index];
        let Some(body) = done.body.as_deref() else {
            return Ok(Start::Nowhere);
        };
        if done.rows.is_none() && elements(body).is_some() {
            let base = body.as_ptr() as usize;
            let rows = elements(body).into_iter().flatten().map(|row| {
                let begin = row.as_ptr() as usize - base;
                (begin, begin + row.len())
            });
            let rows = rows.collect();
            self.spend(length)?;
            self.done[index].rows = Some(rows);
        }
        let done = &self.done[index];
        match (&done.rows, &done.body) {
            (Some(_), _) if step == "*" => Ok(Start::All),
            (Some(rows), _) => Ok(position(step)
                .and_then(|position| rows.get(position))
                .map_or(Start::Nowhere, |(begin, end)| Start::Part(*begin, *end))),
            (None, Some(body)) => {
                let place = member(body, &unescaped(step)).map(|value| {
                    let begin = value.as_ptr() as usize - body.as_ptr() as usize;
                    (begin, begin + value.len())
                });
                self.spend(length)?;
                Ok(place.map_or(Start::Nowhere, |(begin, end)| Start::Part(begin, end)))
            }
            (None, None) => Ok(Start::Nowhere),
        }
    }

    /// A body with its references replaced; at most `limit` bytes long.
    pub(super) fn fill(&mut self, body: &str, limit: usize) -> Result<String> {
        if !body.contains(REFERENCE) && !body.contains(VERBATIM) {
            return Ok(body.to_owned());
        }
        let bytes = body.as_bytes();
        let mut out = String::with_capacity(body.len());
        let (mut at, mut copied) = (0, 0);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => at = string_end(body, at),
                b'{' => match special(body, at) {
                    None => at += 1,
                    Some((key, value, end)) => {
                        out.push_str(&body[copied..at]);
                        if key == VERBATIM {
                            out.push_str(value);
                        } else {
                            let reference = string(value)
                                .ok_or_else(|| Error::reference(value, "A reference is a text."))?;
                            let before = out.len();
                            match self.find(&reference)? {
                                Found::One(found) => out.push_str(found),
                                Found::Many(found) => {
                                    out.push('[');
                                    out.push_str(&found.join(","));
                                    out.push(']');
                                }
                            }
                            self.spend(out.len() - before)?;
                        }
                        at = end;
                        copied = end;
                    }
                },
                _ => at += 1,
            }
            if out.len() > limit {
                return Err(Error::batch_too_large(
                    "With its references filled in, the body is too large.",
                ));
            }
        }
        out.push_str(&body[copied..]);
        Ok(out)
    }

    /// Replaces the values of a request's filters and arguments that are references.
    pub(super) fn fill_values(&mut self, request: &mut ApiRequest) -> Result<()> {
        for (_, filter) in &mut request.query.filters {
            self.fill_operation(&mut filter.operation)?;
        }
        for (_, tree) in &mut request.query.logic {
            self.fill_tree(tree, |filter| &mut filter.operation)?;
        }
        for (_, trees) in &mut request.query.having {
            for tree in trees {
                self.fill_tree(tree, |filter| &mut filter.operation)?;
            }
        }
        for (_, value) in &mut request.query.arguments {
            self.fill_value(value, false)?;
        }
        Ok(())
    }

    fn fill_tree<T>(
        &mut self,
        tree: &mut LogicTree<T>,
        operation: fn(&mut T) -> &mut Operation,
    ) -> Result<()> {
        match tree {
            LogicTree::Filter(filter) => self.fill_operation(operation(filter)),
            LogicTree::Group { trees, .. } => trees
                .iter_mut()
                .try_for_each(|tree| self.fill_tree(tree, operation)),
        }
    }

    fn fill_operation(&mut self, operation: &mut Operation) -> Result<()> {
        match operation {
            Operation::Compare(_, quantifier, value) => self.fill_value(value, quantifier.is_some()),
            Operation::IsDistinct(value) | Operation::FullText(_, _, value) => self.fill_value(value, false),
            Operation::Is(_) => Ok(()),
            Operation::In(values) => {
                let mut filled = Vec::with_capacity(values.len());
                for value in values.drain(..) {
                    match self.values(&value)? {
                        None => filled.push(value),
                        Some(Values::Literal(text)) => filled.push(text),
                        Some(Values::One(text)) => match elements(&text) {
                            Some(list) => filled.extend(list.map(|value| plain(value).into_owned())),
                            None => filled.push(plain(&text).into_owned()),
                        },
                        Some(Values::Many(texts)) => {
                            filled.extend(texts.iter().map(|text| plain(text).into_owned()));
                        }
                    }
                }
                *values = filled;
                Ok(())
            }
        }
    }

    /// `list`: what is found becomes an array as PostgreSQL writes it.
    fn fill_value(&mut self, value: &mut String, list: bool) -> Result<()> {
        let array = |texts: &[&str]| {
            let texts: Vec<Cow<'_, str>> = texts.iter().map(|text| plain(text)).collect();
            array_literal(&texts)
        };
        let filled = match self.values(value)? {
            None => return Ok(()),
            Some(Values::Literal(text)) => text,
            Some(Values::Many(texts)) => array(&texts.iter().map(String::as_str).collect::<Vec<_>>()),
            Some(Values::One(text)) => match elements(&text) {
                Some(found) if list => array(&found.collect::<Vec<_>>()),
                _ => plain(&text).into_owned(),
            },
        };
        *value = filled;
        Ok(())
    }

    fn values(&mut self, value: &str) -> Result<Option<Values>> {
        if let Some(literal) = value.strip_prefix('$').filter(|rest| rest.starts_with(VALUE)) {
            return Ok(Some(Values::Literal(literal.to_owned())));
        }
        let Some(reference) = value.strip_prefix(VALUE) else {
            return Ok(None);
        };
        let values = match self.find(reference)? {
            Found::One(text) => Values::One(text.to_owned()),
            Found::Many(texts) => Values::Many(texts.into_iter().map(str::to_owned).collect()),
        };
        let null = match &values {
            Values::One(text) => text == "null",
            Values::Many(texts) => texts.iter().any(|text| text == "null"),
            Values::Literal(_) => false,
        };
        if null {
            return Err(Error::reference(
                reference,
                "It is null, with which nothing can be compared.",
            ));
        }
        let size = match &values {
            Values::One(text) | Values::Literal(text) => text.len(),
            Values::Many(texts) => texts.iter().map(String::len).sum(),
        };
        self.spend(size)?;
        Ok(Some(values))
    }
}

enum Values {
    Literal(String),
    One(String),
    Many(Vec<String>),
}

enum Start {
    Whole,
    All,
    Part(usize, usize),
    Nowhere,
}

fn step_into<'r>(found: &Found<'r>, step: &str, cost: &mut usize) -> Option<Found<'r>> {
    let mut into = |text: &'r str| {
        *cost += text.len();
        match elements(text) {
            Some(mut list) => list.nth(position(step)?),
            None => member(text, &unescaped(step)),
        }
    };
    match found {
        Found::One(text) if step == "*" => {
            *cost += text.len();
            Some(Found::Many(elements(text)?.collect()))
        }
        Found::One(text) => Some(Found::One(into(text)?)),
        Found::Many(texts) if step == "*" => {
            let mut all = Vec::new();
            for text in texts {
                *cost += text.len();
                all.extend(elements(text)?);
            }
            Some(Found::Many(all))
        }
        Found::Many(texts) => Some(Found::Many(
            texts.iter().map(|text| into(text)).collect::<Option<_>>()?,
        )),
    }
}

/// An index as RFC 6901 writes it.
fn position(step: &str) -> Option<usize> {
    let digits = step.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && !(step.len() > 1 && step.starts_with('0'));
    step.parse().ok().filter(|_| plain)
}

fn unescaped(step: &str) -> Cow<'_, str> {
    if step.contains('~') {
        Cow::Owned(step.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(step)
    }
}

/// A JSON value as a filter's value: the text of a string, else as it stands.
fn plain(text: &str) -> Cow<'_, str> {
    string(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Whether the object at `at` is a reference or a value taken as it is: its key, the value's text, and its end.
fn special(body: &str, at: usize) -> Option<(&str, &str, usize)> {
    let bytes = body.as_bytes();
    let begin = skip_blank(body, at + 1);
    (bytes.get(begin) == Some(&b'"')).then_some(())?;
    let end = string_end(body, begin);
    let key = &body[begin..end];
    (key == REFERENCE || key == VERBATIM).then_some(())?;
    let colon = skip_blank(body, end);
    let value = skip_blank(body, colon + 1);
    let value_ends = value_end(body, value);
    let close = skip_blank(body, value_ends);
    // With other keys beside it, it is an object like any other.
    (bytes.get(close) == Some(&b'}')).then_some((key, &body[value..value_ends], close + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> Results {
        let mut results = Results::new(1 << 20);
        results.push(
            Some("order"),
            Some(r#"[{"id":"a\"b","n":12345678901234567890.10,"x~y":{"/":[1,2]}},{"id":"c","n":null,"x~y":{"/":[3]}}]"#),
        );
        results.push(None, Some(r#"{"one":true,"tags":["p","q,r"]}"#));
        results.push(Some("quiet"), None);
        results
    }

    #[test]
    fn references_point_into_earlier_results() {
        let mut results = results();
        for (reference, found) in [
            ("order/0/n", Found::One("12345678901234567890.10")),
            ("0/1/id", Found::One("\"c\"")),
            ("1/one", Found::One("true")),
            ("order/0/x~0y/~1/1", Found::One("2")),
            ("order/*/id", Found::Many(vec![r#""a\"b""#, "\"c\""])),
            ("order/*/x~0y/~1/*", Found::Many(vec!["1", "2", "3"])),
        ] {
            assert_eq!(results.find(reference), Ok(found), "{reference}");
        }
        for wrong in [
            "other/0",
            "3",
            "order/2",
            "order/00",
            "order/0/nothing",
            "order/x",
            "1/one/0",
            "quiet/0",
            "1/*",
            "order/0/id/*",
        ] {
            assert_eq!(
                results.find(wrong).expect_err(wrong).code,
                "rest.reference_unknown",
                "{wrong}"
            );
        }
    }

    #[test]
    fn bodies_are_filled_in_and_everything_else_stays() {
        let mut results = results();
        for (body, filled) in [
            (
                r#"{"a": 1.10, "b":"{\"$ref\":\"order\"}"}"#,
                r#"{"a": 1.10, "b":"{\"$ref\":\"order\"}"}"#,
            ),
            (
                r#"[ {"o":{"$ref":"order/0/id"}, "n": { "$ref" : "order/0/n" } } ]"#,
                r#"[ {"o":"a\"b", "n": 12345678901234567890.10 } ]"#,
            ),
            (r#"{"ids":{"$ref":"order/*/id"}}"#, r#"{"ids":["a\"b","c"]}"#),
            (
                r#"{"s":{"$value":{"$ref":"order/0/id"}}}"#,
                r#"{"s":{"$ref":"order/0/id"}}"#,
            ),
            (r#"{"s":{"$ref":"x","more":1}}"#, r#"{"s":{"$ref":"x","more":1}}"#),
        ] {
            assert_eq!(results.fill(body, 1000).as_deref(), Ok(filled), "{body}");
        }
        assert!(results.fill(r#"{"$ref":1}"#, 1000).is_err());
    }

    #[test]
    fn references_cannot_blow_a_batch_up() {
        let mut results = Results::new(10_000);
        results.push(Some("big"), Some(&format!("\"{}\"", "x".repeat(1000))));
        let body = format!("[{}]", vec![r#"{"$ref":"big"}"#; 50].join(","));
        assert_eq!(results.fill(&body, 5000).expect_err("too large").status, 413);
        assert_eq!(results.fill(&body, 1 << 20).expect_err("too much").status, 413);
    }

    #[test]
    fn values_of_filters_are_values_whatever_they_contain() {
        let mut results = results();
        let mut value = |text: &str, list: bool| {
            let mut value = text.to_owned();
            results.fill_value(&mut value, list).map(|()| value)
        };
        assert_eq!(value("$ref:order/0/id", false).as_deref(), Ok("a\"b"));
        assert_eq!(
            value("$ref:order/0/n", false).as_deref(),
            Ok("12345678901234567890.10")
        );
        assert_eq!(value("$ref:1/tags", true).as_deref(), Ok(r#"{"p","q,r"}"#));
        assert_eq!(value("$ref:1/tags/*", false).as_deref(), Ok(r#"{"p","q,r"}"#));
        assert_eq!(value("$$ref:order", false).as_deref(), Ok("$ref:order"));
        assert_eq!(value("a$ref:order", false).as_deref(), Ok("a$ref:order"));
        assert!(value("$ref:order/1/n", false).is_err());
        let mut list = Operation::In(vec![
            "x".to_owned(),
            "$ref:1/tags/*".to_owned(),
            "$ref:1/one".to_owned(),
        ]);
        results.fill_operation(&mut list).expect("found");
        assert_eq!(
            list,
            Operation::In(["x", "p", "q,r", "true"].map(str::to_owned).to_vec())
        );
    }
}
