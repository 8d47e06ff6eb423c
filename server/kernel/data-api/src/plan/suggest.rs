//! "Did you mean": the nearest name, if it is near enough not to give away names by guessing.

/// Least similarity of a suggestion.
const NEAR: f64 = 0.8;

/// The name most similar to `wanted`, if any is similar enough and none is equal.
pub(super) fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let mut best: Option<(f64, &str)> = None;
    for name in names {
        if name == wanted {
            return None;
        }
        let score = strsim::jaro_winkler(wanted, name);
        let better = best.is_none_or(|(highest, held)| {
            score > highest || (score.total_cmp(&highest).is_eq() && name < held)
        });
        if score >= NEAR && better {
            best = Some((score, name));
        }
    }
    best.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let names = ["directors", "roles", "actors"];
        assert_eq!(nearest("role", names), Some("roles"));
        assert_eq!(nearest("actor", names), Some("actors"));
        assert_eq!(nearest("noclosealternative", names), None);
        assert_eq!(nearest("actors", names), None);
    }
}
