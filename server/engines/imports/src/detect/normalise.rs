//! Headings and names in a form in which equal ones are equal.

/// Lower case, accents removed, camel case and punctuation split into single spaces, and the many ways to write
/// "number" made one: `"PO No."`, `"po_nr"` and `"PO #"` all become `"po no"`.
pub fn normalise(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut lower_before = false;
    let mut finish = |word: &mut String| {
        if !word.is_empty() {
            let whole = std::mem::take(word);
            words.push(match whole.as_str() {
                "number" | "num" | "nr" | "nbr" | "numero" | "nummer" => "no".to_owned(),
                _ => whole,
            });
        }
    };
    for letter in text.chars() {
        if letter.is_alphanumeric() {
            if letter.is_uppercase() && lower_before {
                finish(&mut word);
            }
            lower_before = letter.is_lowercase();
            for small in letter.to_lowercase() {
                match plain(small) {
                    "" => word.push(small),
                    letters => word.push_str(letters),
                }
            }
        } else {
            lower_before = false;
            match letter {
                // "No." and "N°" are one word; "ID's" too.
                '\'' | '\u{2019}' => {}
                '#' | '\u{2116}' => {
                    finish(&mut word);
                    word.push_str("no");
                    finish(&mut word);
                }
                '°' | 'º' if word == "n" => word.push('o'),
                _ => finish(&mut word),
            }
        }
    }
    finish(&mut word);
    words.join(" ")
}

/// A heading without what stands in brackets, such as a unit: `"Value (GBP)"`.
pub fn without_brackets(text: &str) -> Option<&str> {
    let at = text.find(['(', '[', '{'])?;
    let head = text[..at].trim();
    (!head.is_empty()).then_some(head)
}

/// Letters without their accents, for the scripts of western and central Europe.
fn plain(letter: char) -> &'static str {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => "o",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ț' | 'ţ' => "t",
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        'æ' => "ae",
        'œ' => "oe",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_that_mean_the_same_become_the_same() {
        for heading in [
            "PO No.",
            "po_no",
            "PO #",
            "PO Number",
            "  Po   nr ",
            "po-№",
            "PO N°",
        ] {
            assert_eq!(normalise(heading), "po no", "{heading}");
        }
        assert_eq!(normalise("orderValue"), "order value");
        assert_eq!(normalise("Fälligkeit"), "falligkeit");
        assert_eq!(normalise("Straße"), "strasse");
        assert_eq!(normalise("—"), "");
        assert_eq!(without_brackets("Order Value (GBP)"), Some("Order Value"));
        assert_eq!(without_brackets("(GBP)"), None);
    }
}
