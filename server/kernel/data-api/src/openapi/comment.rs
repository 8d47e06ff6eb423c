//! Comments of the database as titles and descriptions.

use super::Keys;

/// The first line, and what follows it if anything does.
pub(super) fn split(comment: &str) -> (&str, Option<&str>) {
    let (first, rest) = comment.split_once('\n').unwrap_or((comment, ""));
    let rest = rest.trim_start_matches('\n');
    (first, Some(rest).filter(|rest| !rest.is_empty()))
}

/// A column's comment with notes on the keys that it belongs to.
pub(super) fn of_column(comment: Option<&str>, column: &str, keys: Option<&Keys>) -> Option<String> {
    let mut notes = Vec::new();
    if let Some(keys) = keys {
        if keys.primary.iter().any(|part| part == column) {
            notes.push("This is a Primary Key.<pk/>".to_owned());
        }
        if let Some((table, target)) = keys.foreign.get(column) {
            notes.push(format!(
                "This is a Foreign Key to `{table}.{target}`.<fk table='{table}' column='{target}'/>"
            ));
        }
    }
    let notes = (!notes.is_empty()).then(|| format!("Note:\n{}", notes.join("\n")));
    match (comment, notes) {
        (Some(comment), Some(notes)) => Some(format!("{comment}\n\n{notes}")),
        (Some(comment), None) => Some(comment.to_owned()),
        (None, notes) => notes,
    }
}
