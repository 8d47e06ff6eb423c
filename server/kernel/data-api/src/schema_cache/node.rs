//! Reads the trees in which PostgreSQL keeps queries (`pg_node_tree`), as far as the origin of a view's columns needs it.
//!
//! `{NAME :field value :field value}` is a node and `(…)` a list; a value is a word, a node or a list. Blanks, brackets and
//! backslashes inside a word stand behind a backslash.

/// Where a column of a query was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    /// Number of the query's own column.
    pub column: i16,
    /// Number of the relation.
    pub table: u32,
    /// Number of the relation's column.
    pub table_column: i16,
}

/// The columns of a view's query that were taken from some relation as they are. What is no such tree has none.
pub(super) fn origins(action: &str) -> Vec<Origin> {
    let mut tokens = Tokens { rest: action };
    let mut found = Vec::new();
    if tokens.next() != Some(Token::Open) || tokens.next() != Some(Token::Open) {
        return found;
    }
    // Inside the query's node: its target list is one of its own fields.
    while let Some(token) = tokens.next() {
        match token {
            Token::Word(":targetList") => break,
            Token::Open => tokens.skip_group(),
            Token::Close => return found,
            Token::Word(_) => {}
        }
    }
    if tokens.next() != Some(Token::Open) {
        return found;
    }
    while tokens.next() == Some(Token::Open) {
        found.extend(entry(&mut tokens));
    }
    found
}

/// One entry of a target list, after its opening bracket and up to its closing one.
fn entry(tokens: &mut Tokens<'_>) -> Option<Origin> {
    let (mut column, mut table, mut table_column, mut junk) = (None, None, None, false);
    while let Some(token) = tokens.next() {
        match token {
            Token::Open => tokens.skip_group(),
            Token::Close => break,
            Token::Word(field) if field.starts_with(':') => match tokens.next() {
                Some(Token::Word(value)) => match field {
                    ":resno" => column = value.parse().ok(),
                    ":resorigtbl" => table = value.parse().ok(),
                    ":resorigcol" => table_column = value.parse().ok(),
                    ":resjunk" => junk = value == "true",
                    _ => {}
                },
                Some(Token::Open) => tokens.skip_group(),
                Some(Token::Close) | None => break,
            },
            Token::Word(_) => {}
        }
    }
    let (table, table_column) = (table?, table_column?);
    (!junk && table != 0 && table_column > 0).then_some(Origin {
        column: column?,
        table,
        table_column,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    Word(&'a str),
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\t']);
        let first = self.rest.chars().next()?;
        let single = match first {
            '(' | '{' => Some(Token::Open),
            ')' | '}' => Some(Token::Close),
            _ => None,
        };
        if let Some(token) = single {
            self.rest = &self.rest[1..];
            return Some(token);
        }
        let mut escaped = false;
        let end = self.rest.find(|character: char| {
            if escaped {
                escaped = false;
                return false;
            }
            escaped = character == '\\';
            matches!(character, ' ' | '\n' | '\t' | '(' | ')' | '{' | '}')
        });
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        Some(Token::Word(word))
    }

    /// Goes behind the bracket that closes the one just read.
    fn skip_group(&mut self) {
        let mut depth = 1;
        while depth > 0 {
            match self.next() {
                Some(Token::Open) => depth += 1,
                Some(Token::Close) => depth -= 1,
                Some(Token::Word(_)) => {}
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A word as PostgreSQL writes it.
    fn escaped(word: &str) -> String {
        let mut text = String::new();
        for character in word.chars() {
            if matches!(character, ' ' | '\n' | '\t' | '(' | ')' | '{' | '}' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        if text.is_empty() { "<>".to_owned() } else { text }
    }

    fn tree(columns: &[(String, u32, i16, bool)]) -> String {
        let entries: Vec<String> = columns
            .iter()
            .zip(1..)
            .map(|((name, table, column, junk), number)| {
                format!(
                    "{{TARGETENTRY :expr {{CONST :constvalue 4 [ 1 0 0 0 ] :args ({{VAR :resno 9}})}} :resno {number} \
                     :resname {} :ressortgroupref 0 :resorigtbl {table} :resorigcol {column} :resjunk {junk}}}",
                    escaped(name)
                )
            })
            .collect();
        format!(
            "({{QUERY :commandType 1 :utilityStmt <> :cteList ({{COMMONTABLEEXPR :ctequery {{QUERY :targetList ({{TARGETENTRY \
             :resno 7 :resorigtbl 7 :resorigcol 7 :resjunk false}})}}}}) :rtable (b 1 2) :targetList ({}) :returningList <>}})",
            entries.join(" ")
        )
    }

    #[test]
    fn only_the_view_s_own_columns_are_read() {
        let columns = [
            ("id".to_owned(), 16_400, 1, false),
            (":resno".to_owned(), 16_400, 2, false),
            ("a) {b".to_owned(), 16_401, 3, false),
            ("sum".to_owned(), 0, 0, false),
            ("sorted".to_owned(), 16_400, 4, true),
        ];
        let read: Vec<_> = origins(&tree(&columns))
            .iter()
            .map(|origin| (origin.column, origin.table, origin.table_column))
            .collect();
        assert_eq!(read, [(1, 16_400, 1), (2, 16_400, 2), (3, 16_401, 3)]);
    }

    #[test]
    fn what_is_no_query_has_no_columns() {
        for text in [
            "",
            "(",
            "({",
            "<>",
            "()",
            "({QUERY})",
            "({QUERY :targetList <>})",
            "({QUERY :targetList ({",
        ] {
            assert_eq!(origins(text), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_column_is_found_whatever_it_is_called(
            columns in prop::collection::vec((".{0,12}", 0..5_u32, -2..4_i16, any::<bool>()), 0..12)
        ) {
            let expected: Vec<Origin> = columns
                .iter()
                .zip(1..)
                .filter(|((_, table, column, junk), _)| !junk && *table != 0 && *column > 0)
                .map(|((_, table, table_column, _), column)| Origin {
                    column,
                    table: *table,
                    table_column: *table_column,
                })
                .collect();
            prop_assert_eq!(origins(&tree(&columns)), expected);
        }

        #[test]
        fn no_text_makes_it_fail(text in "[({:} )a-z\\\\<>0-9]{0,80}") {
            origins(&text);
            origins(&format!("({{QUERY :targetList ({text}"));
        }
    }
}
