//! `columns=`: names of columns, and with parentheses those of rows inside rows: `number,lines(sku,taxes(rate))`.

use super::lexical::{lexeme, name};
use super::parser::{Parsed, Parser, parse as parse_with};
use crate::error::Result;

/// Columns of one level of a nested insert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NestedColumns {
    /// Columns by their names.
    pub names: Vec<String>,
    /// `*`: whatever keys the objects have.
    pub all: bool,
    /// Rows inside these rows.
    pub inside: Vec<NestedRows>,
    /// What is no column is rows inside these rows, here and in them: `Prefer: nested=insert`.
    pub found: bool,
}

impl NestedColumns {
    /// Whatever the objects have, rows inside them too; or of the outermost ones what `columns` names.
    pub(super) fn found(names: Option<&Vec<String>>) -> Self {
        Self {
            names: names.cloned().unwrap_or_default(),
            all: names.is_none(),
            inside: Vec::new(),
            found: true,
        }
    }
}

/// `alias:relation!hint(columns)`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NestedRows {
    /// Table, constraint or foreign-key column.
    pub relation: String,
    /// Key in the body, if it is not the relation's name.
    pub alias: Option<String>,
    /// Which relationship, if there are several.
    pub hint: Option<String>,
    /// What is taken of the rows.
    pub columns: NestedColumns,
}

impl NestedRows {
    /// The key in the body under which the rows stand.
    pub fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.relation)
    }
}

/// Parses the value of `columns` if there are parentheses in it.
pub(super) fn parse(value: &str) -> Result<Option<NestedColumns>> {
    if !has_parentheses(value) {
        return Ok(None);
    }
    let parse = |input: &mut Parser<'_>| {
        let columns = list(input)?;
        input.end()?;
        Ok(columns)
    };
    parse_with("columns parameter", value, value, parse).map(Some)
}

/// There is a parenthesis that is not inside a quoted name.
fn has_parentheses(value: &str) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for character in value.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => return true,
            _ => {}
        }
    }
    false
}

enum Item {
    All,
    Name(String),
    Rows(NestedRows),
}

fn list(input: &mut Parser<'_>) -> Parsed<NestedColumns> {
    let items = input.separated(|input| lexeme(input, |input| input.char(',')), item)?;
    let mut columns = NestedColumns::default();
    for item in items {
        match item {
            Item::All => columns.all = true,
            Item::Name(name) if columns.names.contains(&name) => {}
            Item::Name(name) => columns.names.push(name),
            Item::Rows(rows) => columns.inside.push(rows),
        }
    }
    Ok(columns)
}

fn item(input: &mut Parser<'_>) -> Parsed<Item> {
    lexeme(input, |input| {
        input.either(
            |input| input.char('*').map(|_| Item::All),
            |input| {
                input.either(
                    |input| {
                        let rows = input.attempt(head)?;
                        inside(input, rows)
                    },
                    |input| name(input).map(Item::Name),
                )
            },
        )
    })
}

/// What stands before the parentheses, and the first of them.
fn head(input: &mut Parser<'_>) -> Parsed<NestedRows> {
    let alias = input.optional(|input| {
        input.attempt(|input| {
            let alias = name(input)?;
            input.char(':')?;
            Ok(alias)
        })
    })?;
    let relation = name(input)?;
    let hint = input.optional(|input| {
        input.char('!')?;
        name(input)
    })?;
    input.char('(')?;
    Ok(NestedRows {
        relation,
        alias,
        hint,
        columns: NestedColumns::default(),
    })
}

fn inside(input: &mut Parser<'_>, rows: NestedRows) -> Parsed<Item> {
    let columns = input.either(list, |_| Ok(NestedColumns::default()))?;
    input.char(')')?;
    Ok(Item::Rows(NestedRows { columns, ..rows }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(relation: &str, alias: Option<&str>, hint: Option<&str>, columns: NestedColumns) -> NestedRows {
        NestedRows {
            relation: relation.to_owned(),
            alias: alias.map(str::to_owned),
            hint: hint.map(str::to_owned),
            columns,
        }
    }

    fn columns(names: &[&str], all: bool, inside: Vec<NestedRows>) -> NestedColumns {
        NestedColumns {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            all,
            inside,
            found: false,
        }
    }

    #[test]
    fn rows_stand_in_rows() {
        let parsed = parse("number, lines(sku,taxes:line_taxes!line_fk(*)) ,\"a(b\",labels(),number");
        let taxes = rows(
            "line_taxes",
            Some("taxes"),
            Some("line_fk"),
            columns(&[], true, Vec::new()),
        );
        let lines = rows("lines", None, None, columns(&["sku"], false, vec![taxes]));
        let labels = rows("labels", None, None, NestedColumns::default());
        assert_eq!(
            parsed,
            Ok(Some(columns(&["number", "a(b"], false, vec![lines, labels])))
        );
    }

    #[test]
    fn without_parentheses_it_is_a_list_of_names() {
        for flat in ["", "a,b", "*", "\"a(b\",c", "\"a\\\"(\""] {
            assert_eq!(parse(flat), Ok(None), "{flat}");
        }
    }

    #[test]
    fn what_does_not_close_is_refused() {
        for wrong in [
            "a(", "a(b", "a(b))", "(a)", "a(b)c", "a:b:c(d)", "a!b!c(d)", "a(,)",
        ] {
            let error = parse(wrong).expect_err(wrong);
            assert_eq!((error.status, error.code.as_ref()), (400, "PGRST100"), "{wrong}");
        }
        let deep = "a(".repeat(60);
        assert_eq!(parse(&deep).map_err(|error| error.status), Err(400));
    }
}
