//! When a message may go to somebody: after their quiet hours, or with their next digest. Pure.

use jiff::{
    Timestamp,
    civil::{DateTime, Time},
    tz::TimeZone,
};
use tenon_sdk::schedule::Times;

/// Hours in which somebody is left in peace, in their time zone. They may go over midnight; where both ends are the same there are none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quiet {
    pub(super) from: Time,
    pub(super) until: Time,
}

impl Quiet {
    fn holds(self, time: Time) -> bool {
        if self.from <= self.until {
            self.from <= time && time < self.until
        } else {
            time >= self.from || time < self.until
        }
    }

    /// When the quiet hours end that hold at a moment; none if none hold.
    pub(super) fn end(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = now.to_zoned(zone.clone()).datetime();
        if !self.holds(local.time()) {
            return None;
        }
        let day = if local.time() < self.until {
            local.date()
        } else {
            local.date().tomorrow().ok()?
        };
        moment(day.to_datetime(self.until), now, zone)
    }
}

/// A local time as a moment after `now`. One that the clock leaps over comes when it has leapt; of one that comes twice the first that is
/// still to come counts.
fn moment(local: DateTime, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let first = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    if first > now {
        return Some(first);
    }
    let second = zone.to_ambiguous_timestamp(local).later().ok()?;
    (second > now).then_some(second)
}

/// When somebody's digests go out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DigestTime {
    /// Once a week instead of every day.
    pub(super) weekly: bool,
    /// From 0.
    pub(super) hour: i32,
    /// 1 is Monday.
    pub(super) weekday: i32,
}

impl DigestTime {
    /// The next time after a moment.
    pub(super) fn after(self, now: Timestamp, zone: &str) -> Timestamp {
        let Self {
            weekly,
            hour,
            weekday,
        } = self;
        let days = if weekly {
            weekday.to_string()
        } else {
            "*".to_owned()
        };
        let next = |zone| {
            let times = Times::parse(&format!("0 {hour} * * {days}"), zone).ok()?;
            times.after(now)
        };
        // A zone that is gone from the machine's data does not keep a digest back.
        next(zone).or_else(|| next("UTC")).unwrap_or(now)
    }
}

/// A time zone by its name; UTC where the name is none.
pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(from: &str, until: &str, now: &str, place: &str) -> Option<String> {
        let quiet = Quiet {
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
        };
        let end = quiet.end(now.parse().unwrap(), &zone(place))?;
        Some(end.to_string())
    }

    #[test]
    fn quiet_hours_over_midnight_end_in_the_morning() {
        let berlin = |now| end("22:00", "07:00", now, "Europe/Berlin");
        assert_eq!(
            berlin("2026-06-01T20:30:00Z").as_deref(),
            Some("2026-06-02T05:00:00Z")
        );
        assert_eq!(
            berlin("2026-06-02T02:00:00Z").as_deref(),
            Some("2026-06-02T05:00:00Z")
        );
        assert_eq!(berlin("2026-06-02T05:00:00Z"), None);
        assert_eq!(berlin("2026-06-01T19:59:59Z"), None);
        assert_eq!(
            berlin("2026-06-01T20:00:00Z").as_deref(),
            Some("2026-06-02T05:00:00Z")
        );
    }

    #[test]
    fn quiet_hours_within_a_day_end_that_day_and_none_hold_where_both_ends_are_the_same() {
        assert_eq!(
            end("12:00", "13:30", "2026-06-01T12:15:00Z", "UTC").as_deref(),
            Some("2026-06-01T13:30:00Z")
        );
        assert_eq!(end("12:00", "12:00", "2026-06-01T12:00:00Z", "UTC"), None);
        assert_eq!(end("00:00", "00:00", "2026-06-01T00:00:00Z", "UTC"), None);
    }

    #[test]
    fn an_end_that_the_clock_leaps_over_comes_when_it_has_leapt() {
        // In Berlin the clock went from 2 to 3 on 2026-03-29.
        let found = end("22:00", "02:30", "2026-03-29T00:30:00Z", "Europe/Berlin");
        assert_eq!(found.as_deref(), Some("2026-03-29T01:30:00Z"));
    }

    #[test]
    fn an_end_that_comes_twice_is_never_in_the_past() {
        // In Berlin the hour from 2 to 3 came twice on 2026-10-25.
        let berlin = |now| end("22:00", "02:30", now, "Europe/Berlin");
        assert_eq!(
            berlin("2026-10-24T23:00:00Z").as_deref(),
            Some("2026-10-25T00:30:00Z")
        );
        // The second time that the clock shows ten past two.
        assert_eq!(
            berlin("2026-10-25T01:10:00Z").as_deref(),
            Some("2026-10-25T01:30:00Z")
        );
    }

    #[test]
    fn a_digest_comes_at_its_hour_where_the_person_is() {
        let time = DigestTime {
            weekly: false,
            hour: 8,
            weekday: 1,
        };
        let at = |time: DigestTime, now: &str, place| time.after(now.parse().unwrap(), place).to_string();
        assert_eq!(
            at(time, "2026-11-23T02:00:00Z", "Asia/Kathmandu"),
            "2026-11-23T02:15:00Z"
        );
        assert_eq!(
            at(time, "2026-11-23T02:15:00Z", "Asia/Kathmandu"),
            "2026-11-24T02:15:00Z"
        );
        // Berlin's summer ends between the two.
        assert_eq!(
            at(time, "2026-10-24T06:00:00Z", "Europe/Berlin"),
            "2026-10-25T07:00:00Z"
        );
        let weekly = DigestTime {
            weekly: true,
            hour: 8,
            weekday: 7,
        };
        assert_eq!(at(weekly, "2026-11-23T02:00:00Z", "UTC"), "2026-11-29T08:00:00Z");
        assert_eq!(
            at(weekly, "2026-11-23T02:00:00Z", "Europe/Atlantis"),
            "2026-11-29T08:00:00Z"
        );
    }
}
