//! "Did you mean": the name most like one that was not found.
//!
//! Names are compared by the runs of three letters that they share, or of two if no name shares three; the best of these by
//! the number of edits between them. Clients see the same suggestions as from other servers of the dialect.

use std::collections::HashMap;

/// Least similarity of a suggestion, of 0 to 1.
const NEAR: f64 = 0.33;

/// Least similarity of a relation, which guessing must not find: only slips are helped.
const NEAR_RELATION: f64 = 0.75;

/// Schemas with so many relations have names that nobody types.
const MANY_RELATIONS: usize = 500;

/// So many of the names that share runs of letters are compared by edits.
const COMPARED: usize = 50;

/// What is longer is no slip of a name or of a list of arguments, and would take long to compare.
const LONGEST: usize = 8192;

/// The name most similar to `wanted`, if any is similar enough and none is equal.
pub(super) fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    nearest_of(wanted, names.into_iter().collect(), NEAR)
}

/// Like [`nearest`], for the relation that a request asks for.
pub(super) fn nearest_relation<'n>(
    wanted: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let names: Vec<&str> = names.into_iter().collect();
    (names.len() < MANY_RELATIONS).then(|| nearest_of(wanted, names, NEAR_RELATION))?
}

fn nearest_of<'n>(wanted: &str, names: Vec<&'n str>, least: f64) -> Option<&'n str> {
    if wanted.len() > LONGEST {
        return None;
    }
    let mut names: Vec<(String, &str)> = names
        .into_iter()
        .map(|name| (name.to_lowercase(), name))
        .collect();
    names.sort_unstable();
    names.dedup_by(|one, other| one.0 == other.0);
    let lower = wanted.to_lowercase();
    if let Some((_, same)) = names.iter().find(|(known, _)| *known == lower) {
        return (*same != wanted).then_some(same);
    }
    [3, 2]
        .into_iter()
        .find_map(|size| best(&lower, &names, size, least))
}

fn best<'n>(wanted: &str, names: &[(String, &'n str)], size: usize, least: f64) -> Option<&'n str> {
    let of_wanted = runs(wanted, size);
    let mut sharing: Vec<(f64, &(String, &str))> = names
        .iter()
        .map(|name| (cosine(&of_wanted, &runs(&name.0, size)), name))
        .filter(|(score, _)| *score > 0.0)
        .collect();
    sharing.sort_by(|one, other| other.0.total_cmp(&one.0));
    sharing
        .into_iter()
        .take(COMPARED)
        .map(|(_, (lower, name))| (strsim::normalized_levenshtein(wanted, lower), *name))
        .filter(|(score, _)| *score >= least)
        // The first of equals, which shares most.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, name)| name)
}

/// How often each run of `size` letters, digits, blanks and commas is in a name between two dashes.
fn runs(name: &str, size: usize) -> HashMap<Vec<char>, u32> {
    let kept = name
        .chars()
        .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | ','));
    let letters: Vec<char> = std::iter::once('-')
        .chain(kept)
        .chain(std::iter::once('-'))
        .collect();
    let mut found = HashMap::new();
    for run in letters.windows(size) {
        *found.entry(run.to_vec()).or_insert(0) += 1;
    }
    found
}

fn cosine(one: &HashMap<Vec<char>, u32>, other: &HashMap<Vec<char>, u32>) -> f64 {
    let shared = one
        .iter()
        .map(|(run, count)| count.saturating_mul(other.get(run).copied().unwrap_or(0)))
        .fold(0, u32::saturating_add);
    let length = |runs: &HashMap<Vec<char>, u32>| {
        f64::from(
            runs.values()
                .map(|count| count.saturating_mul(*count))
                .fold(0, u32::saturating_add),
        )
        .sqrt()
    };
    let lengths = length(one) * length(other);
    if lengths > 0.0 {
        f64::from(shared) / lengths
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let names = ["directors", "roles", "actors"];
        assert_eq!(nearest("role", names), Some("roles"));
        assert_eq!(nearest("actor", names), Some("actors"));
        assert_eq!(nearest("Actors", names), Some("actors"));
        assert_eq!(nearest("noclosealternative", names), None);
        assert_eq!(nearest("actors", names), None);
        assert_eq!(nearest("", names), None);
    }

    #[test]
    fn relations_are_suggested_for_slips_only() {
        let names = ["orders", "suppliers"];
        assert_eq!(nearest_relation("order", names), Some("orders"));
        assert_eq!(nearest_relation("ordexxx", names), None);
        let many: Vec<String> = (0..MANY_RELATIONS)
            .map(|number| format!("orders{number}"))
            .collect();
        assert_eq!(nearest_relation("orders", many.iter().map(String::as_str)), None);
    }

    #[test]
    fn monstrous_names_are_compared_with_nothing() {
        for letter in ["a", "aé"] {
            let name = letter.repeat(100_000);
            assert_eq!(nearest(&name, ["aaaa", "actors"]), None);
        }
    }

    #[test]
    fn lists_of_arguments_are_compared_as_texts() {
        let lists = ["(name, supplier)", "(a, b, c)", "()"];
        assert_eq!(nearest("(nam, suplier)", lists), Some("(name, supplier)"));
        assert_eq!(nearest("(a, b)", lists), Some("(a, b, c)"));
    }
}
