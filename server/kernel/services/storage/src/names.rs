//! Names of buckets and objects. What Supabase Storage takes is taken, but for what could mislead a program or a person further on:
//! parts that stand for folders (`.`, `..`), a slash at the start, characters that are not seen or turn the text round.

use tenon_sdk::Result;

use crate::errors;

/// Longest name in bytes, as S3 has it.
const LONGEST: usize = 1024;
/// Besides ASCII letters, digits and `_`.
const MARKS: &str = "!-.*'() &$@=;:+,?";

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || MARKS.contains(c)
}

/// Letters of other languages and the marks on them; nothing that is invisible, private, or changes the direction of text.
fn is_letter_of_any_language(c: char) -> bool {
    !c.is_ascii()
        && !c.is_control()
        && !matches!(c,
            '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fff9}'..='\u{ffff}'
            | '\u{e0000}'..='\u{10ffff}')
}

/// An object's name, as it is.
///
/// Errors: `InvalidKey`.
pub(crate) fn object(name: &str) -> Result<&str> {
    // Empty parts further on are parts of the name, as in S3: `a//b` is neither `a/b` nor an error.
    let good = !name.is_empty()
        && !name.starts_with('/')
        && name.len() <= LONGEST
        && name
            .chars()
            .all(|c| c == '/' || is_plain(c) || is_letter_of_any_language(c))
        && name.split('/').all(|part| !matches!(part, "." | ".."));
    if good {
        Ok(name)
    } else {
        Err(errors::invalid_key(name))
    }
}

/// A bucket's name, as it is.
///
/// Errors: `InvalidBucketName`.
pub(crate) fn bucket(name: &str) -> Result<&str> {
    let good = (1..=100).contains(&name.len())
        && name.chars().all(is_plain)
        && !matches!(name, "." | "..")
        && name.trim() == name;
    if good {
        Ok(name)
    } else {
        Err(errors::invalid_bucket_name())
    }
}

/// The last part of a name: what people call the file.
pub(crate) fn file(name: &str) -> &str {
    name.trim_end_matches('/').rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_language_are_good_and_those_that_mislead_are_not() {
        for good in [
            "a",
            "folder/b.txt",
            "special file @+$,;=?.txt",
            "!-_*.'()&:",
            "Größe/übersicht.pdf",
            "報告/二〇二六年.pdf",
            "отчёт.pdf",
            "..a/b..",
            "folder/",
            "...",
            "a//b",
            "a.txt///b",
            "a//",
            &"a".repeat(1024),
        ] {
            assert!(object(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "/a",
            "//a",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "./a",
            "a/.",
            "a\0b",
            "a\nb",
            "a\tb",
            "a\\b",
            "a%2fb",
            "a#b",
            "a~b",
            "<script>",
            "a\u{202e}gpj.exe",
            "a\u{200b}b",
            "a\u{7f}",
            &"a".repeat(1025),
        ] {
            assert!(object(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_bucket_has_one_part_and_no_surprises() {
        for good in ["avatars", "my bucket", "a.b-c_d"] {
            assert!(bucket(good).is_ok(), "{good}");
        }
        for bad in ["", "a/b", "..", ".", " a", "ä", "a\0", "a%", &"a".repeat(101)] {
            assert!(bucket(bad).is_err(), "{bad:?}");
        }
    }
}
