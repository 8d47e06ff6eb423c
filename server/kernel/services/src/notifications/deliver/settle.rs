//! What is written down after a try, and what follows from it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tenon_sdk::{Kernel, Result, SystemTx};

use super::{Outcome, claim::Due};

/// Tries, with pauses of 30 s that double: the last about an hour after the first.
const ATTEMPTS: i32 = 8;
/// What is kept waiting by a provider's limits is not given up before.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// As long as Resend knows a key, with some to spare.
const RESEND_REMEMBERS: SignedDuration = SignedDuration::from_hours(23);
/// How soon a provider that can be asked knows of what it took.
const ASK_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// Questions to it.
const QUESTIONS: i32 = 8;
/// The longest that a provider may tell us to wait.
const LONGEST_HOLD: SignedDuration = SignedDuration::from_hours(1);

/// What becomes of a message.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    Sent,
    Kept,
    /// It is tried again then.
    Again(Timestamp),
    Failed,
    /// Nobody knows; the provider is asked then, or an operator decides.
    Uncertain(Option<Timestamp>),
}

/// The pause before the next try: it doubles, and differs at random so that many do not come back at once.
fn pause(kernel: &Kernel, attempt: i32) -> SignedDuration {
    let mut random = [0; 1];
    kernel.env().fill_random(&mut random);
    let whole = 30_000_i64 << attempt.clamp(1, ATTEMPTS).abs_diff(1);
    SignedDuration::from_millis(whole - whole / 4 * i64::from(random[0]) / 255)
}

/// How long a channel rests whose provider said that it is too much.
pub(super) fn rest(asked: Option<Duration>) -> SignedDuration {
    let asked = asked.and_then(|asked| SignedDuration::try_from(asked).ok());
    asked
        .unwrap_or(SignedDuration::from_secs(30))
        .clamp(SignedDuration::from_secs(1), LONGEST_HOLD)
}

/// What follows from a try.
pub(super) fn next(due: &Due, outcome: &Outcome, now: Timestamp, pause: SignedDuration) -> Next {
    let left = due.attempt < ATTEMPTS;
    match outcome {
        Outcome::Taken(_) => Next::Sent,
        Outcome::Kept => Next::Kept,
        Outcome::NotNow(_) if left => Next::Again(now + pause),
        Outcome::Hold(_, asked) if now.duration_since(due.since) < PATIENCE => {
            Next::Again(now + rest(*asked))
        }
        Outcome::NotNow(_) | Outcome::Hold(..) | Outcome::Never(_) => Next::Failed,
        Outcome::Doubt(_) => match due.provider.as_str() {
            // The same key brings the same message.
            "resend" if left && now.duration_since(due.since) < RESEND_REMEMBERS => Next::Again(now + pause),
            // Operators' own hooks were always called until they answered.
            "hook" if left => Next::Again(now + pause),
            "hook" => Next::Failed,
            "twilio" if due.asked < QUESTIONS => Next::Uncertain(Some(now + ASK_AFTER)),
            _ => Next::Uncertain(None),
        },
    }
}

/// Writes down what became of a try. It is tried until the database takes it: what is not written down is in doubt.
pub(super) async fn settle(kernel: &Kernel, due: &Due, outcome: &Outcome) {
    let now = kernel.env().now();
    let next = next(due, outcome, now, pause(kernel, due.attempt));
    let (id, kind, attempt) = (due.id, due.kind.as_str(), due.attempt);
    let why = outcome.why().unwrap_or_default();
    match &next {
        Next::Sent | Next::Kept => tracing::debug!(%id, kind, "message sent"),
        Next::Again(_) => tracing::warn!(%id, kind, "message not sent in attempt {attempt}: {why}"),
        Next::Failed => tracing::error!(%id, kind, "message given up after {attempt} attempts: {why}"),
        Next::Uncertain(_) => {
            tracing::warn!(%id, kind, "message may have been sent or not in attempt {attempt}: {why}");
        }
    }
    for second in 0..60 {
        match write(kernel, due, outcome, &next, now).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(%id, kind, "message cannot be settled: {error}"),
        }
        tokio::time::sleep(Duration::from_secs(1 + second / 10)).await;
    }
}

async fn write(kernel: &Kernel, due: &Due, outcome: &Outcome, next: &Next, now: Timestamp) -> Result<()> {
    let (state, at) = match next {
        Next::Sent => ("sent", None),
        Next::Kept => ("kept", None),
        Next::Again(at) => ("queued", Some(*at)),
        Next::Failed => ("failed", None),
        Next::Uncertain(at) => ("uncertain", *at),
    };
    let provider_id = match outcome {
        Outcome::Taken(id) => id.as_deref(),
        _ => None,
    };
    let sent_at = (*next == Next::Sent).then_some(now);
    // What is over is not kept, but what an operator may send again; never a link that is as good as a password.
    let forget = match next {
        Next::Sent => true,
        Next::Failed | Next::Uncertain(None) => due.proof,
        Next::Kept | Next::Again(_) | Next::Uncertain(Some(_)) => false,
    };
    // The word of whoever armed it counts, also if it comes late; never that of one before.
    let tx = SystemTx::begin(kernel.db(), "messages").await?;
    tx.execute_and_commit(
        "update notifications.messages set state = $3, next_attempt_at = $4, error = $5, \
         provider_id = coalesce($6, provider_id), sent_at = coalesce($7, sent_at), \
         body_text = case when $8 then '' else body_text end, body_html = case when $8 then '' else body_html end, \
         hook = case when $8 or $3 = 'failed' then null else hook end \
         where id = $1 and attempts = $2 and state in ('sending', 'uncertain')",
        &[
            &due.id,
            &due.attempt,
            &state,
            &at,
            &outcome.why(),
            &provider_id,
            &sent_at,
            &forget,
        ],
    )
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: SignedDuration = SignedDuration::from_secs(30);

    fn after(provider: &str, attempt: i32, outcome: &Outcome) -> Next {
        let due = Due {
            provider: provider.into(),
            attempt,
            ..Due::sample()
        };
        next(&due, outcome, due.since + SignedDuration::from_secs(1), PAUSE)
    }

    fn doubt() -> Outcome {
        Outcome::Doubt("the connection broke".into())
    }

    #[test]
    fn what_may_have_been_taken_is_sent_again_only_where_two_cannot_come_of_it() {
        for provider in ["smtp", "sendgrid", "ses", "vonage", "twilio_verify"] {
            assert_eq!(after(provider, 1, &doubt()), Next::Uncertain(None), "{provider}");
        }
        assert!(matches!(after("resend", 1, &doubt()), Next::Again(_)));
        assert_eq!(after("resend", ATTEMPTS, &doubt()), Next::Uncertain(None));
        assert!(matches!(after("twilio", 1, &doubt()), Next::Uncertain(Some(_))));
        let late = Due {
            provider: "resend".into(),
            ..Due::sample()
        };
        let day = late.since + SignedDuration::from_hours(24);
        assert_eq!(next(&late, &doubt(), day, PAUSE), Next::Uncertain(None));
        let asked = Due {
            provider: "twilio".into(),
            asked: QUESTIONS,
            ..Due::sample()
        };
        assert_eq!(next(&asked, &doubt(), day, PAUSE), Next::Uncertain(None));
    }

    #[test]
    fn what_was_surely_not_taken_is_tried_again_and_given_up_at_last() {
        let not_now = Outcome::NotNow("451".into());
        assert!(matches!(after("smtp", 1, &not_now), Next::Again(_)));
        assert_eq!(after("smtp", ATTEMPTS, &not_now), Next::Failed);
        assert_eq!(after("smtp", 1, &Outcome::Never("550".into())), Next::Failed);
    }

    #[test]
    fn who_is_told_to_wait_waits_so_long_and_does_not_use_up_tries() {
        let hold = Outcome::Hold("429".into(), Some(Duration::from_secs(90)));
        let due = Due {
            attempt: 99,
            ..Due::sample()
        };
        let now = due.since + SignedDuration::from_hours(1);
        assert_eq!(
            next(&due, &hold, now, PAUSE),
            Next::Again(now + SignedDuration::from_secs(90))
        );
        let day = due.since + SignedDuration::from_hours(25);
        assert_eq!(next(&due, &hold, day, PAUSE), Next::Failed);
        assert_eq!(
            rest(Some(Duration::from_secs(u64::MAX))),
            SignedDuration::from_secs(30)
        );
        assert_eq!(rest(Some(Duration::from_hours(48))), LONGEST_HOLD);
        assert_eq!(rest(Some(Duration::ZERO)), SignedDuration::from_secs(1));
    }
}
