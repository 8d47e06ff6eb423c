//! `docs/ERRORS.md` lists every stable code, and no code that is gone. Codes are found in the sources: the first text
//! given to a builder of errors, the second argument of `kernel.raise`, and the remarks that an import makes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Functions whose first text is a code. `new` counts for an error's own type only.
const BUILDERS: [&str; 12] = [
    "new",
    "challenge",
    "invalid",
    "unauthenticated",
    "forbidden",
    "not_found",
    "conflict",
    "too_large",
    "unprocessable",
    "rate_limited",
    "unavailable",
    "unreadable",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Sources of the server with the given ending, without tests and what serves them.
fn sources(folder: &Path, ending: &str, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("a folder of the sources") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if name != "tests" && name != "testkit" {
                sources(&path, ending, found);
            }
        } else if name.ends_with(ending) && !name.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).expect("a source");
            found.push((
                path,
                text.split("#[cfg(test)]").next().unwrap_or_default().to_owned(),
            ));
        }
    }
}

fn is_code(text: &str) -> bool {
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let postgrest = text.strip_prefix("PGRST").is_some_and(|number| number.len() == 3);
    // As Supabase Storage has them.
    let storage = text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.contains(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_alphanumeric());
    postgrest || storage || text.split('.').count() <= 2 && text.split('.').all(word)
}

/// The text at the start of `rest`, if it is a literal with more arguments after it.
fn literal_argument(rest: &str) -> Option<&str> {
    let (text, after) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
    after.trim_start().starts_with(',').then_some(text)
}

/// Codes in calls of builders.
fn in_builders(source: &str) -> Vec<String> {
    let mut codes = Vec::new();
    for (at, _) in source.match_indices('(') {
        let path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let called = source[..at].rsplit(|c| !path(c)).next().unwrap_or_default();
        let (owner, name) = called.rsplit_once("::").unwrap_or(("", called));
        let ours = owner.is_empty()
            || ["Error", "Self", "fault"].contains(&owner.rsplit("::").next().unwrap_or(owner));
        if !ours || !BUILDERS.contains(&name) || name == "new" && owner.is_empty() {
            continue;
        }
        let rest = source[at + 1..].trim_start();
        // Some builders take the kind or the status before the code.
        let kind = rest
            .split_once(',')
            .filter(|(first, _)| first.contains("Kind::") || first.parse::<u16>().is_ok());
        let code = literal_argument(rest).or_else(|| literal_argument(kind?.1));
        codes.extend(code.filter(|code| is_code(code)).map(str::to_owned));
    }
    codes
}

/// Codes that functions of the database raise or store.
fn in_sql(source: &str) -> Vec<String> {
    let raised = source
        .split("kernel.raise(")
        .skip(1)
        .filter_map(|call| call.split('\'').nth(1));
    let stored = source
        .split("'code', '")
        .skip(1)
        .filter_map(|rest| rest.split('\'').next());
    raised
        .chain(stored)
        .filter(|code| is_code(code))
        .map(str::to_owned)
        .collect()
}

/// Codes of remarks about rows, in the files that make such remarks.
fn in_remarks(source: &str) -> Vec<String> {
    if !source.contains("Issue::") && !source.contains("Notice {") {
        return Vec::new();
    }
    let mut codes = Vec::new();
    for (at, _) in source.match_indices('"') {
        let before = source[..at].trim_end();
        let argument = before.ends_with(['(', ',']) || before.ends_with("code:");
        let Some(text) = literal_argument(&source[at..]).filter(|text| argument && is_code(text)) else {
            continue;
        };
        if !text.contains('.') && (text.contains('_') || before.ends_with("field,")) {
            codes.push(text.to_owned());
        }
    }
    codes
}

/// Codes with a place where each is made.
fn made() -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let (mut rust, mut sql) = (Vec::new(), Vec::new());
    sources(&root().join("server"), ".rs", &mut rust);
    sources(&root().join("server"), ".sql", &mut sql);
    for (path, text) in rust {
        let codes = in_builders(&text).into_iter().chain(in_remarks(&text));
        found.extend(codes.map(|code| (code, path.clone())));
    }
    for (path, text) in sql {
        found.extend(in_sql(&text).into_iter().map(|code| (code, path.clone())));
    }
    found
}

/// The first cells of the page's tables.
fn documented() -> BTreeSet<String> {
    let page = fs::read_to_string(root().join("docs/ERRORS.md")).expect("docs/ERRORS.md");
    let mut codes = BTreeSet::new();
    for line in page.lines() {
        if let Some(code) = line.strip_prefix("| `").and_then(|rest| rest.split('`').next()) {
            assert!(codes.insert(code.to_owned()), "docs/ERRORS.md lists {code} twice");
        }
    }
    codes
}

#[test]
fn every_code_that_the_server_can_answer_stands_in_the_list_of_errors() {
    let documented = documented();
    let missing: Vec<String> = made()
        .iter()
        .filter(|(code, _)| !documented.contains(*code))
        .map(|(code, path)| {
            format!(
                "{code}  ({})",
                path.strip_prefix(root()).unwrap_or(path).display()
            )
        })
        .collect();
    assert!(
        missing.is_empty(),
        "\nAdd these codes to docs/ERRORS.md, with status, meaning and what to do about them:\n  {}\n",
        missing.join("\n  ")
    );
}

#[test]
fn the_list_of_errors_has_no_code_that_nothing_makes() {
    let made = made();
    assert!(made.len() > 100, "the sources are read: {}", made.len());
    let gone: Vec<String> = documented()
        .into_iter()
        .filter(|code| !made.contains_key(code))
        .collect();
    assert!(
        gone.is_empty(),
        "\nNothing in the sources makes these codes any more; clients may still look for them. Take them off \
         docs/ERRORS.md, or bring them back:\n  {}\n",
        gone.join("\n  ")
    );
}

#[test]
fn codes_are_found_however_a_builder_is_called() {
    let source = r#"
        Error::not_found("a.one", "x"); fault::unreadable(
            "a.two",
            format!("{x}"));
        Error::new(Kind::Status(415), "a.three", "x"); Self::new(400, "PGRST100", m); invalid("a.four", m)
        Event::new("a.event", id, x); Module::new("word", "Title"); field("word", x); Error::invalid(code, "x y");
    "#;
    assert_eq!(
        in_builders(source),
        ["a.one", "a.two", "a.three", "PGRST100", "a.four"]
    );
    assert_eq!(in_sql("perform kernel.raise(404, 'a.five', 'Text');"), ["a.five"]);
}
