//! A place in the order of all changes.

use std::{fmt, str::FromStr};

/// Where a transaction committed in the log, and which of its changes it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Where the transaction ended.
    pub log: u64,
    /// The number of the change in it.
    pub number: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:X}/{:X}.{}",
            self.log >> 32,
            self.log & 0xffff_ffff,
            self.number
        )
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (log, number) = text.split_once('.').unwrap_or((text, "0"));
        let (high, low) = log.split_once('/').ok_or(())?;
        let part = |text: &str| u32::from_str_radix(text, 16).map(u64::from).map_err(drop);
        Ok(Self {
            log: part(high)? << 32 | part(low)?,
            number: number.parse().map_err(drop)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_position_survives_being_written(log: u64, number: u32) {
            let position = Position { log, number };
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }

        #[test]
        fn anything_else_is_refused_in_peace(text in ".{0,24}") {
            let _ = text.parse::<Position>();
        }
    }
}
