//! Currencies: ISO 4217 codes, and the signs and names people write instead.

use iso_currency::Currency;

/// Signs and names, with whether they could mean other currencies too.
const KNOWN: &[(&str, &str, bool)] = &[
    ("£", "GBP", false),
    ("€", "EUR", false),
    ("$", "USD", true),
    ("¥", "JPY", true),
    ("us$", "USD", false),
    ("a$", "AUD", false),
    ("au$", "AUD", false),
    ("c$", "CAD", false),
    ("ca$", "CAD", false),
    ("nz$", "NZD", false),
    ("s$", "SGD", false),
    ("hk$", "HKD", false),
    ("r$", "BRL", false),
    ("₹", "INR", false),
    ("₽", "RUB", false),
    ("₩", "KRW", false),
    ("₺", "TRY", false),
    ("₴", "UAH", false),
    ("₪", "ILS", false),
    ("₫", "VND", false),
    ("₱", "PHP", false),
    ("₦", "NGN", false),
    ("zł", "PLN", false),
    ("kč", "CZK", false),
    ("ft", "HUF", false),
    ("sfr", "CHF", false),
    ("fr", "CHF", true),
    ("rs", "INR", true),
    ("euro", "EUR", false),
    ("euros", "EUR", false),
    ("pound", "GBP", true),
    ("pounds", "GBP", true),
    ("sterling", "GBP", false),
    ("pound sterling", "GBP", false),
    ("pounds sterling", "GBP", false),
    ("british pound", "GBP", false),
    ("dollar", "USD", true),
    ("dollars", "USD", true),
    ("us dollar", "USD", false),
    ("us dollars", "USD", false),
    ("swiss franc", "CHF", false),
    ("swiss francs", "CHF", false),
    ("yen", "JPY", false),
    ("norwegian krone", "NOK", false),
    ("danish krone", "DKK", false),
    ("swedish krona", "SEK", false),
    ("zloty", "PLN", false),
    ("rupee", "INR", true),
    ("rupees", "INR", true),
    ("australian dollar", "AUD", false),
    ("canadian dollar", "CAD", false),
];

/// Words that stand beside an amount without naming one currency.
const BESIDE: &[&str] = &[
    "kr", "fr", "sfr", "rs", "zł", "kč", "ft", "lei", "r", "a", "au", "c", "ca", "nz", "s", "hk", "us",
];

/// The ISO 4217 code a text means, and whether that is a guess. `None` if it means no currency: the codes for tests
/// and for "no currency" (XTS, XXX) are none.
pub fn parse(text: &str) -> Option<(&'static str, bool)> {
    let text = text.trim().trim_end_matches('.');
    if text.len() == 3 && text.is_ascii() {
        let upper = text.to_ascii_uppercase();
        if let Some(currency) =
            Currency::from_code(&upper).filter(|_| !matches!(upper.as_str(), "XXX" | "XTS"))
        {
            return Some((currency.code(), false));
        }
    }
    let lower = text.to_lowercase();
    let lower = lower.split_whitespace().collect::<Vec<_>>().join(" ");
    KNOWN
        .iter()
        .find(|(known, ..)| *known == lower)
        .map(|(_, code, guess)| (*code, *guess))
}

/// An amount's text without the currency sign, code or word at one of its ends.
pub(super) fn strip(text: &str) -> Option<&str> {
    let inside =
        |c: char| c.is_ascii_digit() || c == '(' || c == ')' || c == '-' || c == '+' || c.is_whitespace();
    let start = text.find(inside).unwrap_or(text.len());
    let (before, rest) = text.split_at(start);
    if !before.is_empty() && !before.starts_with(['.', ',']) {
        // "Fr." keeps its dot; ".5" is an amount.
        return is_currency(before).then_some(rest);
    }
    let end = text
        .rfind(|c: char| inside(c) || matches!(c, '.' | ','))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    // A dot behind the word belongs to it: "99 kr."
    let dotless = text.strip_suffix('.').unwrap_or(text);
    let end = if end == text.len() && dotless.ends_with(char::is_alphabetic) {
        dotless.rfind(inside).map_or(0, |at| {
            at + dotless[at..].chars().next().map_or(1, char::len_utf8)
        })
    } else {
        end
    };
    let (rest, after) = text.split_at(end);
    (!after.is_empty() && is_currency(after)).then_some(rest)
}

fn is_currency(text: &str) -> bool {
    let word = text.trim().trim_end_matches('.');
    let mut letters = word.chars();
    if let (Some(only), None) = (letters.next(), letters.next())
        && is_sign(only)
    {
        return true;
    }
    let unsigned = word.trim_matches(is_sign);
    unsigned.is_empty() && !word.is_empty()
        || BESIDE.contains(&unsigned.to_lowercase().as_str())
        || parse(unsigned).is_some_and(|_| unsigned.chars().count() >= 3)
}

/// Unicode's currency signs.
fn is_sign(letter: char) -> bool {
    matches!(
        letter,
        '$' | '¢' | '£' | '¤' | '¥' | '֏' | '؋' | '৳' | '฿' | '\u{20a0}'
            ..='\u{20c0}' | '﷼' | '＄' | '￡' | '￥' | '￦'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_signs_and_names_are_known() {
        assert_eq!(parse("gbp"), Some(("GBP", false)));
        assert_eq!(parse(" € "), Some(("EUR", false)));
        assert_eq!(parse("Pounds  Sterling"), Some(("GBP", false)));
        assert_eq!(parse("$"), Some(("USD", true)));
        for none in ["QQQ", "XXX", "XTS", "", "kr", "G B P"] {
            assert_eq!(parse(none), None, "{none}");
        }
    }

    #[test]
    fn a_currency_is_taken_off_either_end() {
        assert_eq!(strip("£5"), Some("5"));
        assert_eq!(strip("US$5"), Some("5"));
        assert_eq!(strip("5 EUR"), Some("5 "));
        assert_eq!(strip("5 kr."), Some("5 "));
        assert_eq!(strip("Fr. 5"), Some(" 5"));
        assert_eq!(strip("5 apples"), None);
        assert_eq!(strip("tbc"), None);
        assert_eq!(strip(".5"), None);
    }
}
