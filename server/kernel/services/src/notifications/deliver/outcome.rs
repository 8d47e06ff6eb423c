//! What became of a try to hand a message on.

use std::time::Duration;

use jiff::Timestamp;
use tenon_sdk::{
    Error,
    outbound::{Answer, never_arrived},
};

/// What is known after a try. The difference that matters is whether the message may have been taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It is in the mailbox of a development installation.
    Kept,
    /// It was taken; the provider's name for it.
    Taken(Option<String>),
    /// It was surely not taken, and may be later.
    NotNow(String),
    /// It was surely not taken, and nothing is to be sent by this way for a while.
    Hold(String, Option<Duration>),
    /// It was surely not taken and never will be.
    Never(String),
    /// It may have been taken, or not.
    Doubt(String),
}

impl Outcome {
    /// Of a call that brought no answer.
    pub(crate) fn no_answer(error: &Error) -> Self {
        let why = error.details.clone().unwrap_or_else(|| error.message.clone());
        if never_arrived(error) {
            Self::NotNow(why)
        } else {
            Self::Doubt(why)
        }
    }

    /// Of an answer whose status says that the message was not taken, by the words for it.
    ///
    /// 500 and 503 are a provider's own word that it did not; 502 and 504 are that of something in between, which does not know.
    /// What a provider says of our account (401, 402, 403) is no word on the message.
    pub(crate) fn refused(now: Timestamp, answer: &Answer, said: String) -> Self {
        match answer.status {
            429 => Self::Hold(said, answer.retry_after(now)),
            503 if answer.retry_after(now).is_some() => Self::Hold(said, answer.retry_after(now)),
            502 | 504 => Self::Doubt(said),
            401..=403 | 408 | 425 | 500.. => Self::NotNow(said),
            400..500 => Self::Never(said),
            // Neither taken nor refused: no provider answers so.
            _ => Self::Doubt(said),
        }
    }

    /// What is written down.
    pub(crate) fn why(&self) -> Option<&str> {
        match self {
            Self::Taken(_) | Self::Kept => None,
            Self::NotNow(why) | Self::Hold(why, _) | Self::Never(why) | Self::Doubt(why) => Some(why),
        }
    }
}

/// What a provider said, short, in one line, and without addresses and numbers of people: it stands in logs.
pub(crate) fn said(text: Option<&str>) -> String {
    let someone = |word: &str| word.contains('@') || word.chars().filter(char::is_ascii_digit).count() > 4;
    let words = text
        .unwrap_or_default()
        .split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words
        .filter(|word| !word.is_empty())
        .map(|word| if someone(word) { "…" } else { word })
        .collect();
    words.join(" ").chars().take(300).collect()
}

/// The words for an answer that is none.
pub(crate) fn answered(provider: &str, answer: &Answer, said: &str) -> String {
    let end = if said.is_empty() {
        ".".to_owned()
    } else {
        format!(": {said}")
    };
    format!("{provider} answered {}{end}", answer.status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_said_names_nobody_and_is_one_line() {
        let text = "The 'To' number +49301234567\r\nof <ada@example.com> is not valid (21211).";
        assert_eq!(said(Some(text)), "The 'To' number … of … is not valid …");
        assert_eq!(said(None), "");
        assert_eq!(said(Some(&"x ".repeat(9000))).chars().count(), 300);
    }
}
