//! The file's grammar: lines of `key = value`, comments from `#` on, strings in double quotes with backslashes;
//! `$(NAME)` in a string is a variable of the environment, `$$` a dollar.

use std::collections::BTreeMap;

use super::ConfigError;

pub(super) fn parse(
    text: &str,
    variables: &BTreeMap<String, String>,
) -> Result<Vec<(String, String)>, ConfigError> {
    let mut pairs = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |reason: &str| ConfigError(format!("line {}: {reason}", index + 1));
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| wrong("expected key = value"))?;
        let name = name.trim().trim_matches('"');
        let value = value.trim();
        let value = if let Some(rest) = value.strip_prefix('"') {
            quoted(rest, variables).map_err(|reason| wrong(&reason))?
        } else {
            let bare = value.split('#').next().unwrap_or_default().trim();
            if bare.is_empty() || bare.contains(char::is_whitespace) {
                return Err(wrong(
                    "expected a value: a string in double quotes, a number, true or false",
                ));
            }
            bare.to_owned()
        };
        pairs.push((name.to_owned(), value));
    }
    Ok(pairs)
}

fn quoted(rest: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let mut value = String::new();
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                let after = characters.as_str().trim();
                if after.is_empty() || after.starts_with('#') {
                    return Ok(value);
                }
                return Err("there is something after the string".to_owned());
            }
            '\\' => match characters.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some(other @ ('"' | '\\')) => value.push(other),
                _ => return Err("an unknown escape in a string".to_owned()),
            },
            '$' => match characters.next() {
                Some('$') => value.push('$'),
                Some('(') => {
                    let (name, after) = characters.as_str().split_once(')').ok_or("a $( without its )")?;
                    let known = variables
                        .get(name)
                        .ok_or_else(|| format!("no such variable in the environment: {name}"))?;
                    value.push_str(known);
                    characters = after.chars();
                }
                _ => return Err("a $ that is neither $$ nor $(NAME)".to_owned()),
            },
            other => value.push(other),
        }
    }
    Err("a string without its end".to_owned())
}

/// A string as it stands in a file.
pub(in crate::standalone) fn quote(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace('$', "$$");
    format!("\"{escaped}\"")
}
