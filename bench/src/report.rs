//! Figures over several rounds, and how they compare with what is wanted.

use std::time::Duration;

/// What several rounds gave for one figure.
#[derive(Debug, Clone)]
pub struct Rounds(Vec<f64>);

impl Rounds {
    /// None yet.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a round.
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Adds a round that took so long, in seconds.
    pub fn add_time(&mut self, value: Duration) {
        self.add(value.as_secs_f64());
    }

    /// The latest round.
    pub fn last(&self) -> f64 {
        self.0.last().copied().unwrap_or(f64::NAN)
    }

    /// The middle one; of an even number the mean of the two in the middle.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match (sorted.len(), sorted.len() / 2) {
            (0, _) => f64::NAN,
            (count, middle) if count % 2 == 1 => sorted[middle],
            (_, middle) => f64::midpoint(sorted[middle - 1], sorted[middle]),
        }
    }

    /// Smallest and largest.
    pub fn bounds(&self) -> (f64, f64) {
        self.0
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(*value), high.max(*value))
            })
    }

    /// Median and bounds as text.
    pub fn text(&self, decimals: usize, unit: &str) -> String {
        let (low, high) = self.bounds();
        format!(
            "{:.decimals$}{unit} ({low:.decimals$} to {high:.decimals$})",
            self.median()
        )
    }

    /// Whether the rounds are so far apart that their median says little.
    pub fn is_unsteady(&self) -> bool {
        let (low, high) = self.bounds();
        high - low > 0.25 * self.median()
    }
}

/// Prints a figure with its target.
pub fn verdict(what: &str, measured: &str, target: &str, met: bool) {
    println!(
        "  {} {what}: {measured}, target {target}",
        if met { "meets " } else { "misses" }
    );
}

/// Says when a figure should be measured again.
pub fn warn_if_unsteady(what: &str, rounds: &Rounds) {
    if rounds.is_unsteady() {
        println!(
            "  note: the rounds of {what} lie more than a quarter apart; something else was busy, measure again"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::Rounds;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert!((Rounds(vec![4.0, 1.0, 3.0, 2.0]).median() - 2.5).abs() < 1e-9);
        assert!((Rounds(vec![9.0, 1.0, 3.0]).median() - 3.0).abs() < 1e-9);
    }

    #[test]
    fn rounds_far_apart_are_unsteady() {
        assert!(Rounds(vec![1.0, 1.0, 1.4]).is_unsteady());
        assert!(!Rounds(vec![1.0, 1.0, 1.1]).is_unsteady());
    }
}
