//! The nouns of purchasing and their rules: thresholds, utilisation, levels, and the life of an alert.
//!
//! Pure: no I/O and no clock. The formulas are those of the app's README; nothing else in the app repeats them, except
//! that the database derives `orders.utilisation` for sorting and display.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far an order is used up, from harmless to worst. The order of the variants is the order of severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Below the warning threshold.
    OnTrack,
    /// From the warning threshold, below the critical one.
    Warning,
    /// From the critical threshold up to and including 100 %.
    Critical,
    /// Above 100 %, or billed at all against an order without value.
    OverBudget,
}

impl Level {
    /// All levels in the order of severity.
    pub const ALL: [Self; 4] = [Self::OnTrack, Self::Warning, Self::Critical, Self::OverBudget];

    /// The name used in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnTrack => "on_track",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::OverBudget => "over_budget",
        }
    }

    /// Whether whoever acknowledges an alert of this level has to say something about it.
    pub fn needs_note(self) -> bool {
        self >= Self::Critical
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A stored name that is none of the names this version knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {name:?}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
}

impl FromStr for Level {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|level| level.as_str() == name);
        found.ok_or_else(|| UnknownName {
            what: "level",
            name: name.to_owned(),
        })
    }
}

/// Where `warning` and `critical` begin, in per cent: `0 < warning < critical <= 100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    warning: Decimal,
    critical: Decimal,
}

/// Why two numbers cannot be thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// `warning` is zero or less.
    #[error("the warning threshold must be above 0 %")]
    WarningNotPositive,
    /// `critical` is not above `warning`.
    #[error("the critical threshold must be above the warning threshold")]
    CriticalNotAboveWarning,
    /// `critical` is above 100.
    #[error("the critical threshold must be at most 100 %")]
    CriticalAboveHundred,
}

impl Thresholds {
    /// Checks and builds.
    pub fn new(warning: Decimal, critical: Decimal) -> Result<Self, ThresholdError> {
        if warning <= Decimal::ZERO {
            Err(ThresholdError::WarningNotPositive)
        } else if critical <= warning {
            Err(ThresholdError::CriticalNotAboveWarning)
        } else if critical > Decimal::ONE_HUNDRED {
            Err(ThresholdError::CriticalAboveHundred)
        } else {
            Ok(Self { warning, critical })
        }
    }

    /// Where `warning` begins, in per cent.
    pub fn warning(self) -> Decimal {
        self.warning
    }

    /// Where `critical` begins, in per cent.
    pub fn critical(self) -> Decimal {
        self.critical
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            warning: Decimal::from(80),
            critical: Decimal::from(95),
        }
    }
}

/// Billed to date as a percentage of the current value; none if there is no value to measure against.
pub fn utilisation(current_value: Decimal, billed: Decimal) -> Option<Decimal> {
    (billed * Decimal::ONE_HUNDRED).checked_div(current_value)
}

/// The level of an order. Compares products instead of the quotient, so that boundaries are exact.
///
/// `current_value` is never negative (the schema forbids it) and has at most 15 digits before the point, so no
/// product here leaves the range of [`Decimal`].
pub fn level_of(current_value: Decimal, billed: Decimal, thresholds: Thresholds) -> Level {
    let reached = |percent: Decimal| billed * Decimal::ONE_HUNDRED >= percent * current_value;
    if current_value.is_zero() {
        if billed > Decimal::ZERO {
            Level::OverBudget
        } else {
            Level::OnTrack
        }
    } else if billed > current_value {
        Level::OverBudget
    } else if reached(thresholds.critical) {
        Level::Critical
    } else if reached(thresholds.warning) {
        Level::Warning
    } else {
        Level::OnTrack
    }
}

/// What a change of level means for the alerts of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// Nothing: the level is what it was.
    None,
    /// Upward: open an alert of this level, unless one is live already.
    Raise(Level),
    /// Downward: every live alert above this level is closed.
    CloseAbove(Level),
}

/// Compares the level an order had with the one it has now.
pub fn crossing(before: Level, after: Level) -> Crossing {
    match after.cmp(&before) {
        std::cmp::Ordering::Greater => Crossing::Raise(after),
        std::cmp::Ordering::Less => Crossing::CloseAbove(after),
        std::cmp::Ordering::Equal => Crossing::None,
    }
}

/// The life of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Raised, and nobody has reacted.
    Open,
    /// Nobody reacted in time, so the next role was told.
    Escalated,
    /// Somebody has taken note of it.
    Acknowledged,
    /// The order fell back below the level, or somebody settled it.
    Resolved,
}

/// What can happen to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertStep {
    /// A person takes note.
    Acknowledge,
    /// The time for a reaction is over.
    Escalate,
    /// A person settles it.
    Resolve,
    /// The order fell back below the level.
    FallBack,
}

impl AlertState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Open, Self::Escalated, Self::Acknowledged, Self::Resolved];

    /// The name used in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Escalated => "escalated",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }

    /// The state after a step, or none if the step is not allowed here.
    pub const fn after(self, step: AlertStep) -> Option<Self> {
        match (self, step) {
            (Self::Open | Self::Escalated, AlertStep::Acknowledge) => Some(Self::Acknowledged),
            (Self::Open, AlertStep::Escalate) => Some(Self::Escalated),
            (Self::Acknowledged, AlertStep::Resolve)
            | (Self::Open | Self::Escalated | Self::Acknowledged, AlertStep::FallBack) => {
                Some(Self::Resolved)
            }
            _ => None,
        }
    }
}

impl fmt::Display for AlertState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AlertState {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == name);
        found.ok_or_else(|| UnknownName {
            what: "alert state",
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
