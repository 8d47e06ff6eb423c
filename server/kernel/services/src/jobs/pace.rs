//! How long a failed job waits before it is tried again, and whether it is.

use std::time::Duration;

use tenon_sdk::{Error, error::Kind};

/// Longest pause that a far end may ask for.
const LONGEST: f64 = 86_400.0;

/// Whether trying again may help.
pub(super) fn may_pass(error: &Error) -> bool {
    matches!(
        error.kind,
        Kind::Unavailable | Kind::Internal | Kind::RateLimited | Kind::Conflict
    )
}

/// Doubling from one second up to five minutes, spread by up to a half so that failures do not come back together. An error that says
/// when to come again is believed, up to a day; the spread comes on top, since it was told to others, too.
pub(crate) fn pause_seconds(attempt: i32, jitter: f64, retry_after: Option<u32>) -> f64 {
    let base = 2_f64.powi((attempt - 1).clamp(0, 12)).min(300.0);
    let jitter = jitter.clamp(0.0, 1.0);
    let own = base * (0.5 + jitter);
    let asked = retry_after.map_or(0.0, |seconds| {
        f64::from(seconds).min(LONGEST) + jitter * base.min(10.0)
    });
    own.max(asked)
}

/// How many jobs to have ready beside those that run: as many as are done in a twentieth of a second, so that short jobs do not wait for the
/// queue and long ones do not wait here.
pub(super) fn ahead(slots: usize, mean: Duration) -> usize {
    let each = NEAR.as_micros() / mean.as_micros().max(1);
    usize::try_from(each).map_or(MOST_AHEAD, |each| slots.saturating_mul(each).min(MOST_AHEAD))
}

const NEAR: Duration = Duration::from_millis(50);
const MOST_AHEAD: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_stay_within_their_bounds() {
        let steady: Vec<f64> = (1..=4).map(|attempt| pause_seconds(attempt, 0.5, None)).collect();
        assert_eq!(steady, [1.0, 2.0, 4.0, 8.0]);
        for attempt in -3..100 {
            for jitter in [-1.0, 0.0, 0.3, 1.0, 7.0] {
                let pause = pause_seconds(attempt, jitter, None);
                assert!((0.5..=450.0).contains(&pause), "{attempt} {jitter} {pause}");
            }
        }
    }

    #[test]
    fn a_far_end_is_not_asked_before_it_wants_to_be_and_cannot_put_a_job_off_for_ever() {
        for jitter in [0.0, 0.5, 1.0] {
            let pause = pause_seconds(1, jitter, Some(120));
            assert!((120.0..=121.0).contains(&pause), "{pause}");
            assert!(pause_seconds(12, jitter, Some(3)) >= 150.0);
            assert!(pause_seconds(5, jitter, Some(u32::MAX)) <= LONGEST + 10.0);
        }
    }

    #[test]
    fn long_jobs_are_not_taken_ahead_and_short_ones_are() {
        assert_eq!(ahead(2, Duration::from_secs(1)), 0);
        assert_eq!(ahead(2, Duration::from_millis(10)), 10);
        assert_eq!(ahead(2, Duration::ZERO), MOST_AHEAD);
    }
}
