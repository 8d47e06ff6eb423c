//! Names of people's choosing as words that addresses and keys can hold.

/// A name in small letters and digits of ASCII with hyphens between its words: `Prüfer & Co.` is `pruefer-co`. Letters of other scripts
/// are left out.
pub(crate) fn hyphenated(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'ä' => words.push_str("ae"),
            'ö' => words.push_str("oe"),
            'ü' => words.push_str("ue"),
            'ß' => words.push_str("ss"),
            letter if letter.is_ascii_alphanumeric() => words.push(letter),
            _ if !words.is_empty() && !words.ends_with('-') => words.push('-'),
            _ => {}
        }
    }
    words.truncate(words.trim_end_matches('-').len());
    words
}
