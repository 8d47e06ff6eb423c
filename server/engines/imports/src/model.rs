//! The states of an import and what leads from one to the next. Pure.

use serde::{Deserialize, Serialize};
use tenon_sdk::Error;
use utoipa::ToSchema;

/// How far an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The file is here.
    Uploaded,
    /// It is being read.
    Parsing,
    /// It was read, but a person has to say which column is which.
    Parsed,
    /// Sheets and columns are matched; its rows are being checked.
    Mapped,
    /// Every row is checked.
    Validated,
    /// Somebody has looked at the result.
    Previewed,
    /// Somebody has said go.
    Confirmed,
    /// It is on its way into the app's tables.
    Committing,
    /// It has arrived, whole.
    Committed,
    /// It cannot go on; nothing arrived.
    Failed,
    /// Somebody stopped it; nothing arrived.
    Cancelled,
    /// It had arrived and was taken back, whole.
    Undone,
}

impl State {
    /// All states.
    pub const ALL: [State; 12] = [
        State::Uploaded,
        State::Parsing,
        State::Parsed,
        State::Mapped,
        State::Validated,
        State::Previewed,
        State::Confirmed,
        State::Committing,
        State::Committed,
        State::Failed,
        State::Cancelled,
        State::Undone,
    ];

    /// The state's word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Uploaded => "uploaded",
            State::Parsing => "parsing",
            State::Parsed => "parsed",
            State::Mapped => "mapped",
            State::Validated => "validated",
            State::Previewed => "previewed",
            State::Confirmed => "confirmed",
            State::Committing => "committing",
            State::Committed => "committed",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
            State::Undone => "undone",
        }
    }

    /// The state of a word, if there is one.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether one state may follow another.
    pub fn may_become(self, next: State) -> bool {
        use State::{
            Cancelled, Committed, Committing, Confirmed, Failed, Mapped, Parsed, Parsing, Previewed, Undone,
            Uploaded, Validated,
        };
        match next {
            Uploaded => false,
            Parsing => matches!(self, Uploaded | Parsing),
            Parsed => matches!(self, Parsing | Mapped),
            // A new mapping, or data that changed since the check.
            Mapped => matches!(
                self,
                Parsing | Parsed | Mapped | Validated | Previewed | Committing
            ),
            Validated => self == Mapped,
            Previewed => self == Validated,
            Confirmed => matches!(self, Validated | Previewed),
            Committing => matches!(self, Confirmed | Committing),
            Committed => self == Committing,
            Failed => !matches!(self, Committed | Failed | Cancelled | Undone),
            Cancelled => matches!(
                self,
                Uploaded | Parsing | Parsed | Mapped | Validated | Previewed | Failed
            ),
            Undone => self == Committed,
        }
    }

    /// An error, unless the next state may follow.
    pub fn check(self, next: State) -> Result<(), Error> {
        if self.may_become(next) {
            return Ok(());
        }
        Err(Error::conflict(
            "imports.wrong_state",
            "The import is not in a state that allows this.",
        )
        .details(format!("It is {}.", self.as_str()))
        .hint("Look at the import anew; somebody may have gone on with it."))
    }
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn the_way_through_is_open_and_ends_stay_ends() {
        use State::{
            Cancelled, Committed, Committing, Confirmed, Mapped, Parsing, Previewed, Undone, Uploaded,
            Validated,
        };
        let way = [
            Uploaded, Parsing, Mapped, Validated, Previewed, Confirmed, Committing, Committed, Undone,
        ];
        assert!(way.windows(2).all(|pair| pair[0].may_become(pair[1])));
        for end in [Cancelled, Undone] {
            assert!(
                State::ALL.into_iter().all(|next| !end.may_become(next)),
                "{end:?}"
            );
        }
        assert!(
            State::ALL
                .into_iter()
                .all(|next| !Committed.may_become(next) || next == Undone)
        );
    }

    #[test]
    fn nothing_is_cancelled_once_it_is_on_its_way_into_the_tables() {
        use State::{Cancelled, Committed, Committing, Confirmed};
        for state in [Confirmed, Committing, Committed] {
            assert!(!state.may_become(Cancelled), "{state:?}");
        }
    }

    #[test]
    fn only_a_confirmed_import_is_committed() {
        for state in State::ALL {
            let committing = state.may_become(State::Committing);
            assert_eq!(
                committing,
                matches!(state, State::Confirmed | State::Committing),
                "{state:?}"
            );
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
    }
}
