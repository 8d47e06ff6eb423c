//! When jobs come again: a cron expression, read in a time zone.

use croner::{
    Cron,
    parser::{CronParser, Seconds},
};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What happens when a job of the schedule is due and the one before is not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It is left out.
    #[default]
    Skip,
    /// It begins when the one before is over.
    Queue,
    /// It begins beside it.
    Allow,
}

/// What happens to times that went by while no worker ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// They are gone.
    Skip,
    /// One job stands for all of them.
    #[default]
    Once,
    /// Each has its job, the last hundred at most.
    All,
}

macro_rules! words {
    ($type:ident: $($variant:ident = $word:literal),*) => {
        impl $type {
            /// The word in the database and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// The value of a word, if there is one.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
words!(Overlap: Skip = "skip", Queue = "queue", Allow = "allow");
words!(Missed: Skip = "skip", Once = "once", All = "all");

/// A schedule as it is written down.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Five fields (minute, hour, day, month, weekday), or six with seconds first.
    pub cron: String,
    /// An IANA name such as `Europe/Berlin`.
    pub zone: String,
    /// When the one before is not over.
    pub overlap: Overlap,
    /// When nobody was there.
    pub missed: Missed,
}

/// A schedule that was understood.
#[derive(Clone, Debug)]
pub struct Times {
    cron: Cron,
    zone: TimeZone,
}

fn refused(message: &str, details: impl std::fmt::Display) -> Error {
    Error::unprocessable("jobs.schedule_invalid", message).details(details.to_string())
}

impl Schedule {
    /// Reads expression and zone.
    pub fn times(&self) -> Result<Times> {
        Times::parse(&self.cron, &self.zone)
    }
}

impl Times {
    /// Reads an expression and a zone.
    pub fn parse(cron: &str, zone: &str) -> Result<Self> {
        if cron.len() > 200 || zone.len() > 100 {
            return Err(refused("The schedule is too long.", "At most 200 characters."));
        }
        let parser = CronParser::builder().seconds(Seconds::Optional).build();
        let cron = parser
            .parse(cron)
            .map_err(|error| refused("The schedule is no cron expression.", error))?;
        let zone = TimeZone::get(zone).map_err(|error| refused("There is no such time zone.", error))?;
        Ok(Self { cron, zone })
    }

    /// The first time after a moment; none if there is none in the years to come.
    pub fn after(&self, moment: Timestamp) -> Option<Timestamp> {
        let moment = moment.to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&moment, false).ok()?;
        Some(next.timestamp())
    }

    /// The last times from one moment to another, both included, youngest first.
    pub fn between(&self, from: Timestamp, to: Timestamp, most: usize) -> Vec<Timestamp> {
        let mut found = Vec::new();
        let (mut moment, mut inclusive) = (to.to_zoned(self.zone.clone()), true);
        while found.len() < most {
            let Ok(before) = self.cron.find_previous_occurrence(&moment, inclusive) else {
                break;
            };
            let at = before.timestamp();
            if at < from || found.last().is_some_and(|last| *last <= at) {
                break;
            }
            found.push(at);
            (moment, inclusive) = (before, false);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(cron: &str, zone: &str, from: &str, many: usize) -> Vec<String> {
        let times = Times::parse(cron, zone).unwrap();
        let mut moment: Timestamp = from.parse().unwrap();
        let next = || {
            moment = times.after(moment)?;
            Some(moment.to_string())
        };
        std::iter::from_fn(next).take(many).collect()
    }

    #[test]
    fn an_hour_that_does_not_exist_is_made_up_for_once() {
        // In Berlin the clock went from 2 to 3 on 2026-03-29.
        let found = times("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 4);
        assert_eq!(
            found,
            [
                "2026-03-28T01:30:00Z",
                "2026-03-29T01:00:00Z",
                "2026-03-30T00:30:00Z",
                "2026-03-31T00:30:00Z"
            ]
        );
    }

    #[test]
    fn an_hour_that_comes_twice_counts_once_for_a_time_of_day() {
        // In Berlin the hour from 2 to 3 came twice on 2026-10-25.
        let found = times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2);
        assert_eq!(found, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    }

    #[test]
    fn what_comes_every_so_often_goes_on_through_both() {
        let night = times("*/30 * * * *", "America/New_York", "2026-11-01T05:00:00Z", 5);
        assert_eq!(
            night,
            [
                "2026-11-01T05:30:00Z",
                "2026-11-01T06:00:00Z",
                "2026-11-01T06:30:00Z",
                "2026-11-01T07:00:00Z",
                "2026-11-01T07:30:00Z"
            ]
        );
        let spring = times("0 * * * *", "America/New_York", "2026-03-08T05:30:00Z", 3);
        assert_eq!(
            spring,
            [
                "2026-03-08T06:00:00Z",
                "2026-03-08T07:00:00Z",
                "2026-03-08T08:00:00Z"
            ]
        );
    }

    #[test]
    fn times_that_went_by_are_found_from_the_youngest_on() {
        let times = Times::parse("*/10 * * * * *", "UTC").unwrap();
        let (from, to) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:25Z");
        let found = times.between(from.parse().unwrap(), to.parse().unwrap(), 100);
        let seconds: Vec<i64> = found.iter().map(|at| at.as_second() % 60).collect();
        assert_eq!(seconds, [20, 10, 0]);
        assert_eq!(
            times.between(from.parse().unwrap(), to.parse().unwrap(), 2).len(),
            2
        );
        let year = times.between("2025-01-01T00:00:00Z".parse().unwrap(), to.parse().unwrap(), 100);
        assert_eq!(year.len(), 100);
    }

    #[test]
    fn days_that_never_come_have_no_next_time_and_nonsense_is_refused() {
        let never = Times::parse("0 0 30 2 *", "UTC");
        assert!(never.is_err() || never.unwrap().after(Timestamp::UNIX_EPOCH).is_none());
        for (cron, zone) in [
            ("", "UTC"),
            ("* * *", "UTC"),
            ("61 * * * *", "UTC"),
            ("* * * * *", "Europe/Atlantis"),
            ("* * * * *", ""),
            ("* * * * *", "../../etc/passwd"),
            ("ยามเช้า", "UTC"),
            (&"*".repeat(9000), "UTC"),
        ] {
            let refused = Times::parse(cron, zone).unwrap_err();
            assert_eq!(refused.code, "jobs.schedule_invalid", "{cron} {zone}");
        }
    }
}
