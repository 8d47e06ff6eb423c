//! Walks JSON text that is known to be valid without building it: where a value ends, what an array or object holds.
//! Numbers keep their digits, and depth costs nothing.

/// Where the value that begins at `at` ends.
pub(super) fn value_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = at;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(text, at),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            _ if depth == 0 => {
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
                let length = bytes[at..].iter().position(ends);
                return length.map_or(bytes.len(), |length| at + length);
            }
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

/// Where the string that begins at `at` ends.
pub(super) fn string_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The first place from `at` on that is not blank.
pub(super) fn skip_blank(text: &str, at: usize) -> usize {
    let rest = &text.as_bytes()[at.min(text.len())..];
    at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The elements of an array; none for anything else.
pub(super) fn elements(text: &str) -> Option<impl Iterator<Item = &str>> {
    let start = skip_blank(text, 0);
    let mut at = (text.as_bytes().get(start) == Some(&b'[')).then_some(start + 1)?;
    Some(std::iter::from_fn(move || {
        at = skip_blank(text, at);
        if text.as_bytes().get(at) == Some(&b',') {
            at = skip_blank(text, at + 1);
        }
        if matches!(text.as_bytes().get(at), None | Some(b']')) {
            return None;
        }
        let begin = at;
        at = value_end(text, at);
        (at > begin).then(|| &text[begin..at])
    }))
}

/// The value of a member of an object; the last of its name, as PostgreSQL's `jsonb` has it.
pub(super) fn member<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let bytes = text.as_bytes();
    let mut at = skip_blank(text, 0);
    (bytes.get(at) == Some(&b'{')).then_some(())?;
    at += 1;
    let mut found = None;
    loop {
        at = skip_blank(text, at);
        if bytes.get(at) == Some(&b',') {
            at = skip_blank(text, at + 1);
        }
        if bytes.get(at) != Some(&b'"') {
            return found;
        }
        let end = string_end(text, at);
        let key = &text[at..end];
        let colon = skip_blank(text, end);
        let begin = skip_blank(text, colon + 1);
        at = value_end(text, begin);
        if string(key).is_some_and(|key| key == name) {
            found = Some(&text[begin..at]);
        }
    }
}

/// What a string's text means; none for what is no string.
pub(super) fn string(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn arrays_and_objects_are_taken_apart() {
        let list: Vec<&str> = elements(r#" [1, "a,]" ,{"x":[{}]},[] , -1.50e3]"#)
            .expect("an array")
            .collect();
        assert_eq!(list, ["1", r#""a,]""#, r#"{"x":[{}]}"#, "[]", "-1.50e3"]);
        assert_eq!(elements("[ ]").expect("an array").count(), 0);
        assert!(elements("{}").is_none());
        let object = r#"{ "a" : 1.10 , "b\"c": {"a":2}, "d":[1,2] }"#;
        assert_eq!(member(object, "a"), Some("1.10"));
        assert_eq!(member(object, "b\"c"), Some(r#"{"a":2}"#));
        assert_eq!(member(object, "d"), Some("[1,2]"));
        assert_eq!(member(object, "e"), None);
        assert_eq!(member("[]", "a"), None);
        assert_eq!(member(r#"{"a":1,"a":2}"#, "a"), Some("2"));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("\\PC{0,4}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_is_there(value in any_json()) {
            let text = serde_json::to_string_pretty(&value).expect("serialises");
            prop_assert_eq!(value_end(&text, 0), text.len());
            if let Value::Array(list) = &value {
                let found: Vec<Value> = elements(&text).expect("an array")
                    .map(|text| serde_json::from_str(text).expect("valid")).collect();
                prop_assert_eq!(&found, list);
            }
            if let Value::Object(members) = &value {
                for (name, value) in members {
                    let found: Value = serde_json::from_str(member(&text, name).expect("there")).expect("valid");
                    prop_assert_eq!(&found, value);
                }
            }
        }

        #[test]
        fn nothing_panics_on_what_is_no_json(text in "[\\[\\]{}\",: a0é\\\\]{0,24}") {
            value_end(&text, 0);
            if let Some(list) = elements(&text) {
                list.take(50).for_each(drop);
            }
            member(&text, "a");
        }
    }
}
