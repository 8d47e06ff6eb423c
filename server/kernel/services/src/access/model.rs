//! Patterns of permissions and what they grant. Pure: which permissions there are is passed in.

use std::collections::BTreeSet;

use tenon_sdk::permission::{PermissionDef, Role};

/// Longest pattern looked at, in bytes.
const MAX_PATTERN: usize = 120;

/// Whether a text can stand in a role: words of small letters, digits and underscores, or `*` in place of a word, joined by dots.
pub fn is_pattern(text: &str) -> bool {
    let word = |part: &str| {
        part == "*"
            || part.starts_with(|c: char| c.is_ascii_lowercase())
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    text.len() <= MAX_PATTERN && text.split('.').count() <= 3 && text.split('.').all(word)
}

/// Whether a pattern names a permission. `*` stands for one word, and at the end for all that follow: `purchasing.*` names all of
/// an app's, `*.orders.read` that of every app, `*` all there are.
pub fn names(pattern: &str, permission: &str) -> bool {
    let mut words = permission.split('.');
    let mut parts = pattern.split('.').peekable();
    while let Some(part) = parts.next() {
        match (part, words.next()) {
            ("*", Some(_)) if parts.peek().is_none() => return true,
            ("*", Some(_)) => {}
            (part, Some(word)) if part == word => {}
            _ => return false,
        }
    }
    words.next().is_none()
}

/// The permissions of `all` that some pattern of `includes` names and none of `excludes`: whatever is excluded is out.
pub fn expand<'a>(
    includes: &[String],
    excludes: &[String],
    all: impl IntoIterator<Item = &'a str>,
) -> BTreeSet<&'a str> {
    let any = |patterns: &[String], permission| patterns.iter().any(|pattern| names(pattern, permission));
    all.into_iter()
        .filter(|permission| any(includes, permission) && !any(excludes, permission))
        .collect()
}

/// What a role grants under the permissions there are now, given what it granted before. A permission that is new is taken up if
/// the patterns name it and the built-in role of whoever wrote the role has it: a pattern never grows beyond its writer.
pub fn regrow<'a>(
    includes: &[String],
    excludes: &[String],
    ceiling: Role,
    before: &str,
    all: impl IntoIterator<Item = &'a PermissionDef>,
) -> BTreeSet<&'a str> {
    let before: BTreeSet<&str> = split(before).collect();
    let may = all
        .into_iter()
        .filter(|def| def.from <= ceiling || before.contains(def.name))
        .map(|def| def.name);
    expand(includes, excludes, may)
}

/// The names in a text of the form `,a.b.c,d.e.f,`.
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(|name| !name.is_empty())
}

/// Names as the text that policies look into: `,a.b.c,d.e.f,`.
pub fn join<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::from(",");
    for name in names {
        text.push_str(name);
        text.push(',');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::subsequence};

    use super::*;

    const ALL: [&str; 8] = [
        "hub.pages.read",
        "hub.pages.update",
        "imports.runs.create",
        "imports.runs.read",
        "purchasing.orders.import",
        "purchasing.orders.read",
        "purchasing.settings.update",
        "tenancy.members.read",
    ];

    fn owned(patterns: &[&str]) -> Vec<String> {
        patterns.iter().map(ToString::to_string).collect()
    }

    fn granted(includes: &[&str], excludes: &[&str]) -> Vec<&'static str> {
        expand(&owned(includes), &owned(excludes), ALL)
            .into_iter()
            .collect()
    }

    #[test]
    fn a_star_stands_for_a_word_and_at_the_end_for_the_rest() {
        assert_eq!(
            granted(&["purchasing.*"], &[]),
            [
                "purchasing.orders.import",
                "purchasing.orders.read",
                "purchasing.settings.update"
            ]
        );
        assert_eq!(granted(&["*.orders.read"], &[]), ["purchasing.orders.read"]);
        assert_eq!(
            granted(&["*.*.read"], &["tenancy.*", "hub.pages.read"]),
            ["imports.runs.read", "purchasing.orders.read"]
        );
        assert_eq!(granted(&["*"], &[]), ALL);
        assert_eq!(granted(&["*.*"], &[]), ALL);
        assert_eq!(granted(&["*"], &["*"]), [""; 0]);
        assert_eq!(
            granted(&["purchasing", "purchasing.orders", "orders.read"], &[]),
            [""; 0]
        );
        assert_eq!(granted(&["purchasing.orders.read.*"], &[]), [""; 0]);
        assert_eq!(granted(&["purch*", ""], &[]), [""; 0]);
    }

    #[test]
    fn what_is_no_pattern_is_told_apart() {
        for good in [
            "*",
            "purchasing.*",
            "*.orders.read",
            "a.b.c",
            "a.*.c",
            "hub2.x_y.z",
        ] {
            assert!(is_pattern(good), "{good}");
        }
        let long = "a".repeat(200);
        for bad in [
            "", ".", "a.", ".a", "a..b", "A.b", "a.b*", "a b", "a.b.c.d", "ä.b", "a,b", "1.a", "**", &long,
        ] {
            assert!(!is_pattern(bad), "{bad}");
        }
    }

    #[test]
    fn a_new_permission_is_taken_up_only_as_far_as_the_writer_of_the_role_reaches() {
        let def = |name, from| PermissionDef {
            name,
            from,
            description: "",
        };
        let all = [
            def("hub.pages.read", Role::Viewer),
            def("hub.pages.update", Role::Admin),
            def("hub.secrets.read", Role::Owner),
            def("hub.pages.publish", Role::Owner),
        ];
        // An owner gave hub.pages.publish once; hub.secrets.read came later.
        let before = ",hub.pages.publish,hub.gone.read,";
        let now = regrow(&owned(&["hub.*"]), &[], Role::Admin, before, &all);
        assert_eq!(
            now.into_iter().collect::<Vec<_>>(),
            ["hub.pages.publish", "hub.pages.read", "hub.pages.update"]
        );
    }

    fn patterns() -> impl Strategy<Value = Vec<String>> {
        let word = prop::sample::select(vec![
            "*",
            "hub",
            "purchasing",
            "imports",
            "orders",
            "runs",
            "read",
            "update",
        ]);
        vec(vec(word, 1..4).prop_map(|words| words.join(".")), 0..5)
    }

    fn some() -> impl Strategy<Value = Vec<&'static str>> {
        subsequence(ALL.to_vec(), 0..=ALL.len())
    }

    proptest! {
        #[test]
        fn nothing_is_granted_that_does_not_exist_or_is_excluded(i in patterns(), e in patterns(), all in some()) {
            let granted = expand(&i, &e, all.iter().copied());
            for name in &granted {
                prop_assert!(all.contains(name));
                prop_assert!(i.iter().any(|p| names(p, name)));
                prop_assert!(!e.iter().any(|p| names(p, name)));
            }
            // And nothing is forgotten.
            for name in all.iter().filter(|name| !granted.contains(*name)) {
                prop_assert!(!i.iter().any(|p| names(p, name)) || e.iter().any(|p| names(p, name)));
            }
        }

        #[test]
        fn more_includes_grant_more_and_more_excludes_less(i in patterns(), e in patterns(), more in patterns()) {
            let granted = expand(&i, &e, ALL);
            let wider = expand(&[i.clone(), more.clone()].concat(), &e, ALL);
            let narrower = expand(&i, &[e.clone(), more].concat(), ALL);
            prop_assert!(granted.is_subset(&wider));
            prop_assert!(narrower.is_subset(&granted));
        }

        #[test]
        fn order_and_repetition_of_patterns_do_not_matter(i in patterns(), e in patterns()) {
            let reversed = |list: &[String]| list.iter().rev().chain(list).cloned().collect::<Vec<_>>();
            prop_assert_eq!(expand(&i, &e, ALL), expand(&reversed(&i), &reversed(&e), ALL));
        }

        #[test]
        fn names_written_out_grant_themselves(wanted in some()) {
            let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
            let granted: Vec<&str> = expand(&wanted, &[], ALL).into_iter().collect();
            prop_assert_eq!(&granted, &wanted);
            let text = join(granted.iter().copied());
            prop_assert_eq!(split(&text).collect::<Vec<_>>(), granted);
        }

        #[test]
        fn any_text_is_read_without_harm(text in ".{0,200}", name in ".{0,60}") {
            let _ = (is_pattern(&text), names(&text, &name));
            prop_assert_eq!(expand(std::slice::from_ref(&text), std::slice::from_ref(&text), ALL).len(), 0);
        }
    }
}
