//! What an attempt means for its delivery, and what an endpoint's text may be. Pure.

use std::time::Duration;

use tenon_sdk::{Error, Result, events};

/// Seconds before the second attempt, the third and so on, as the standard proposes them: three days in all.
const PAUSES: [f64; 9] = [
    5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0,
];
/// Longest pause that an endpoint may ask for.
const LONGEST: f64 = 86_400.0;
/// Kinds of events of one endpoint, at most.
const MOST_EVENTS: usize = 50;

/// What comes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    /// The endpoint has it.
    Taken,
    /// The endpoint wants no more, ever.
    Gone,
    /// It is tried again, in so many seconds.
    Again(f64),
    /// It was tried often enough.
    Over,
}

/// What comes of the attempt number `tries` of a round that was answered so, or not at all. `jitter` from 0 to 1 spreads those that failed
/// together.
pub(super) fn outcome(status: Option<u16>, tries: i32, asked: Option<Duration>, jitter: f64) -> Outcome {
    match status {
        Some(200..=299) => return Outcome::Taken,
        Some(410) => return Outcome::Gone,
        _ => {}
    }
    let pause = usize::try_from(tries - 1)
        .ok()
        .and_then(|tries| PAUSES.get(tries));
    let Some(pause) = pause else { return Outcome::Over };
    let spread = pause * 0.1 * jitter.clamp(0.0, 1.0);
    let asked = asked.map_or(0.0, |asked| asked.as_secs_f64().min(LONGEST));
    Outcome::Again(pause.max(asked) + spread)
}

/// The first bytes of an answer as text that a database can hold.
pub(super) fn text(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).replace('\0', "\u{fffd}")
}

/// Kinds of events as somebody wrote them, each once.
pub(super) fn kinds(written: &[String]) -> Result<Vec<String>> {
    let mut kinds: Vec<String> = written.iter().map(|kind| kind.trim().to_owned()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.is_empty() || kinds.len() > MOST_EVENTS {
        return Err(Error::unprocessable(
            "webhooks.events_invalid",
            format!("Name 1 to {MOST_EVENTS} kinds of events."),
        )
        .hint("All of a module is purchasing.*, and everything is *."));
    }
    if let Some(bad) = kinds.iter().find(|kind| !events::is_pattern(kind)) {
        let shown: String = bad.chars().take(80).collect();
        return Err(
            Error::unprocessable("webhooks.events_invalid", "This is no kind of event.")
                .details(shown)
                .hint("Kinds are such as purchasing.import_committed; all of a module is purchasing.*, and everything is *."),
        );
    }
    Ok(kinds)
}

/// A description as somebody wrote it.
pub(super) fn description(written: &str) -> Result<&str> {
    let written = written.trim();
    if written.chars().count() > 500 || written.contains('\0') {
        return Err(Error::unprocessable(
            "webhooks.description_invalid",
            "The description has at most 500 characters.",
        ));
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_tried_ten_times_in_three_days() {
        let pauses: Vec<f64> = (1..)
            .map_while(|tries| match outcome(Some(500), tries, None, 0.0) {
                Outcome::Again(pause) => Some(pause),
                other => {
                    assert_eq!((other, tries), (Outcome::Over, 10));
                    None
                }
            })
            .collect();
        assert_eq!(pauses, PAUSES);
        let days = pauses.iter().sum::<f64>() / 86_400.0;
        assert!((3.0..3.5).contains(&days), "{days}");
    }

    #[test]
    fn only_a_success_is_one_and_only_gone_is_for_ever() {
        for status in 100..600 {
            let expected = match status {
                200..=299 => Outcome::Taken,
                410 => Outcome::Gone,
                _ => Outcome::Again(5.0),
            };
            assert_eq!(outcome(Some(status), 1, None, 0.0), expected, "{status}");
        }
        assert_eq!(outcome(None, 10, None, 0.0), Outcome::Over);
    }

    #[test]
    fn an_endpoint_that_asks_for_time_has_it_within_a_day() {
        let again = |asked, jitter| match outcome(Some(429), 1, Some(Duration::from_secs(asked)), jitter) {
            Outcome::Again(pause) => pause,
            other => panic!("{other:?}"),
        };
        assert!((120.0..=120.5).contains(&again(120, 1.0)));
        assert!((5.0..=5.5).contains(&again(0, 1.0)));
        assert!(again(u64::MAX, 7.0) <= 86_401.0);
        assert_eq!(
            outcome(Some(503), 10, Some(Duration::from_secs(1)), 0.0),
            Outcome::Over
        );
    }

    #[test]
    fn kinds_are_written_once_and_nonsense_is_refused() {
        let of = |words: &[&str]| kinds(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["b.*", " a.b", "b.*"]).unwrap(), ["a.b", "b.*"]);
        let many: Vec<String> = (0..51).map(|n| format!("a.k{n}")).collect();
        for bad in [&[][..], &[""], &["x"], &["**"], &["a.b", "A.b"], &["\u{202e}.b"]] {
            assert_eq!(of(bad).unwrap_err().code, "webhooks.events_invalid", "{bad:?}");
        }
        assert!(kinds(&many).is_err());
    }

    #[test]
    fn answers_become_text_whatever_they_are() {
        assert_eq!(text(b"a\0b\xffc"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(text("é".as_bytes().get(..1).unwrap()), "\u{fffd}");
    }
}
