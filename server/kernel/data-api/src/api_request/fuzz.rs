//! Every parser, given anything. For `fuzz/` and for the property tests below: none may panic, whatever it is given, and
//! none may have more to do than the text is long.

use bytes::Bytes;

use super::lexical::json_path;
use super::parser::parse as parse_with;
use super::{MediaType, Payload, Preferences, QueryParams, Range, filter, order, select};

fn text(data: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(data)
}

/// A whole query string, of a relation and of a function.
pub fn query(data: &[u8]) {
    let text = text(data);
    for call in [false, true] {
        if let Ok(mut parsed) = QueryParams::parse(&text, call) {
            parsed.resolve_hidden_names();
        }
    }
}

/// `select=`
pub fn selection(data: &[u8]) {
    let _ = select::parse(&text(data));
}

/// `or=` and `and=`
pub fn logic(data: &[u8]) {
    let text = text(data);
    for key in ["or", "a.not.and"] {
        let _ = filter::parse_logic(key, &text);
    }
    let _ = filter::parse("a", &text);
}

/// The path of a column into JSON.
pub fn path(data: &[u8]) {
    let text = text(data);
    let _ = parse_with("path", &text, &text, json_path);
    let _ = filter::parse_path(&text);
}

/// `order=`
pub fn sorting(data: &[u8]) {
    let _ = order::parse(&text(data));
}

/// Bodies of every kind, for a relation and for a function.
pub fn body(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    for media in [MediaType::Json, MediaType::Csv, MediaType::Form, MediaType::Text] {
        for columns in [false, true] {
            let _ = Payload::for_table(&body, &media, columns);
        }
        let _ = Payload::for_function(&body, &media);
    }
}

/// `Accept`, `Content-Type`, `Prefer` and `Range`.
pub fn headers(data: &[u8]) {
    let text = text(data);
    let _ = MediaType::accepted(Some(&text));
    let _ = MediaType::parse(&text).name().len();
    let _ = Preferences::parse(text.lines(), true).applied();
    let _ = Range::from_header(Some(&text)).and_then(|range| range.intersect(Range::ALL));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::parser::{both_ways, work_so_far};
    use super::*;

    type Parser = (&'static str, fn(&[u8]));

    const PARSERS: [Parser; 7] = [
        ("query", query),
        ("select", selection),
        ("logic", logic),
        ("path", path),
        ("order", sorting),
        ("body", body),
        ("headers", headers),
    ];

    /// Words that the grammars know.
    fn words() -> impl Strategy<Value = String> {
        let word = prop::sample::select(vec![
            "a",
            "id",
            "*",
            "select=",
            "order=",
            "or=",
            "and",
            "not",
            ".",
            ",",
            "(",
            ")",
            "\"",
            "\\",
            "->",
            "->>",
            "::",
            ":",
            "!",
            "inner",
            "...",
            "eq",
            "in",
            "is",
            "null",
            "fts",
            "like",
            "(any)",
            "{",
            "}",
            "[",
            "]",
            "&",
            "=",
            "-",
            "0",
            "9",
            "limit=",
            "columns=",
            "on_conflict=",
            "%00",
            "%ff",
            "%",
            "+",
            " ",
            "\t",
            "\n",
            "\u{0}",
            "é",
            "\u{2028}",
            "count()",
            ".sum()",
            "asc",
            "nullslast",
            "q=",
            ";",
            "/",
            "application/json",
            "for=",
            "max-affected=",
            "18446744073709551615",
        ]);
        prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
    }

    proptest! {
        #[test]
        fn nothing_makes_a_parser_panic(words in words(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for (_, parser) in PARSERS {
                parser(words.as_bytes());
                parser(&bytes);
            }
        }
    }

    /// Texts of a column list or path, most of them good.
    fn columns() -> impl Strategy<Value = String> {
        let word = prop::sample::select(vec![
            "a", "Id_9", "é", "a-b", " ", ",", ",", ".", ":", "::text", "->>k", "(", ")", "\"q\"", "*",
            "count", "count()",
        ]);
        prop::collection::vec(word, 0..8).prop_map(|words| words.concat())
    }

    proptest! {
        #[test]
        fn shortcuts_lead_where_the_long_way_does(text in columns()) {
            let [short, long] = both_ways(&text, select::list);
            prop_assert_eq!(short, long);
            let [short, long] = both_ways(&text, filter::path);
            prop_assert_eq!(short, long);
        }
    }

    fn work(parser: fn(&[u8]), text: &str) -> usize {
        let before = work_so_far();
        parser(text.as_bytes());
        work_so_far() - before
    }

    #[test]
    fn thrice_as_much_is_thrice_the_work() {
        for (begin, unit, end) in [
            ("select=", "a,", "a"),
            ("select=", "a(", ""),
            ("select=", "a->b", ""),
            ("select=", "\"", ""),
            ("select=\"", "\\\\", ""),
            ("select=", "a-", ""),
            ("select=a", "!b", ""),
            ("select=a", "::b", ""),
            ("", "(", ""),
            ("(", "or(", ""),
            ("(a.eq.\",", "and(a.eq.1,", ""),
            ("(a.in.(", "\"x\",", "))"),
            ("(", "a.cs.{,", ""),
            ("eq.", "{", ""),
            ("", "not.", "eq.1"),
            ("", "a.", "eq.1"),
            ("a", "->b", ""),
            ("a", "->-1", ""),
            ("", "a.asc,", ""),
            ("", "a(b),", ""),
            ("columns=", "a,", ""),
            ("", "a=eq.1&", ""),
            ("", "b.limit=1&", ""),
            ("", "or=(a.eq.1,b.eq.2)&", ""),
            ("", "a,", ""),
            ("", "a=b&", ""),
        ] {
            let text = |bytes: usize| format!("{begin}{}{end}", unit.repeat(bytes / unit.len()));
            let (third, whole) = (text(5_000), text(15_000));
            for (name, parser) in PARSERS {
                let (short, long) = (work(parser, &third), work(parser, &whole));
                assert!(
                    long <= short * 4 + 1000,
                    "{name} of {begin}{unit}…: {short}, {long}"
                );
            }
        }
    }
}
