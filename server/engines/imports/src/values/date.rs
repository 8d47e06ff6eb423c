//! Dates from the many ways in which they are written.
//!
//! `03/04/2025` can mean two days. The whole column decides: if some date in it can only be read day first (or month
//! first), all are read so, by majority where the column contradicts itself; if none can, day first, with a warning.

use jiff::ToSpan;
use jiff::civil::{Date, date};

use crate::detect::normalise;

/// How dates of three numbers are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// `31/12/2025`
    DayFirst,
    /// `12/31/2025`
    MonthFirst,
}

/// What a text turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// A date that can mean one day only.
    Certain(Date),
    /// A date that could be read the other way round as well.
    ByOrder(Date),
    /// Written as a date, but there is no such day.
    Impossible,
    /// No date.
    NotADate,
}

/// Years that are believed.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;

/// Reads a date, ignoring a time of day behind it.
pub fn parse(text: &str, order: Order) -> Parsed {
    let Some(parts) = parts(text) else {
        return Parsed::NotADate;
    };
    let make = |year: Number, month: u32, day: u32| {
        let year = if year.digits <= 2 {
            year.value + if year.value < 70 { 2000 } else { 1900 }
        } else {
            year.value
        };
        let small = |part: u32| i8::try_from(part).ok();
        let (Ok(year), Some(month), Some(day)) = (i16::try_from(year), small(month), small(day)) else {
            return Parsed::Impossible;
        };
        match Date::new(year, month, day) {
            Ok(found) if YEARS.contains(&year) => Parsed::Certain(found),
            _ => Parsed::Impossible,
        }
    };
    match parts {
        Parts::Numbers([year, month, day]) if year.digits == 4 => make(year, month.value, day.value),
        Parts::Numbers([first, second, year]) => {
            let (day, month) = match order {
                Order::DayFirst => (first, second),
                Order::MonthFirst => (second, first),
            };
            match make(year, month.value, day.value) {
                Parsed::Certain(found)
                    if first.value <= 12 && second.value <= 12 && first.value != second.value =>
                {
                    Parsed::ByOrder(found)
                }
                parsed => parsed,
            }
        }
        Parts::Named { day, month, year } => make(year, month, day),
        Parts::Compact(whole) => make(
            Number {
                value: whole / 10_000,
                digits: 4,
            },
            whole / 100 % 100,
            whole % 100,
        ),
    }
}

/// What a text shows about its column: an order, or `None` if it could be either; outer `None` if it shows nothing.
pub fn shows(text: &str) -> Option<Option<Order>> {
    match parts(text)? {
        Parts::Numbers([first, second, _]) if first.digits < 4 => match (first.value, second.value) {
            (13..=31, 1..=12) => Some(Some(Order::DayFirst)),
            (1..=12, 13..=31) => Some(Some(Order::MonthFirst)),
            (a @ 1..=12, b @ 1..=12) if a != b => Some(None),
            _ => None,
        },
        _ => None,
    }
}

/// A date from a number without a date's format: `20250617`, or the days since 30 December 1899 that spreadsheets
/// count, as far as they fall between 1927 and 2173.
pub fn from_number(number: f64) -> Option<Date> {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    if number.fract() == 0.0 && (19_000_101.0..=21_991_231.0).contains(&number) {
        let whole = number as i32;
        let part = |part: i32| i8::try_from(part).ok();
        return Date::new(
            i16::try_from(whole / 10_000).ok()?,
            part(whole / 100 % 100)?,
            part(whole % 100)?,
        )
        .ok();
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (10_000.0..100_000.0)
        .contains(&number)
        .then(|| {
            date(1899, 12, 30)
                .checked_add((number.floor() as i64).days())
                .ok()
        })
        .flatten()
}

#[derive(Debug, Clone, Copy)]
struct Number {
    value: u32,
    digits: usize,
}

enum Parts {
    Numbers([Number; 3]),
    Named { day: u32, month: u32, year: Number },
    Compact(u32),
}

fn parts(text: &str) -> Option<Parts> {
    let text = without_time(text.trim());
    if text.len() > 40 {
        return None;
    }
    let (mut numbers, mut month, mut place) = (Vec::new(), None, 0);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digit = first.is_ascii_digit();
        let length = if digit || first.is_alphabetic() {
            let same = |c: char| {
                if digit {
                    c.is_ascii_digit()
                } else {
                    c.is_alphabetic()
                }
            };
            rest.find(|c| !same(c)).unwrap_or(rest.len())
        } else if first.is_whitespace()
            || matches!(
                first,
                '/' | '.' | '-' | ',' | '\u{2013}' | '\'' | '\u{2019}' | 'º' | '_'
            )
        {
            rest = &rest[first.len_utf8()..];
            continue;
        } else {
            return None;
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        if digit {
            if token.len() > 8 || numbers.len() == 3 {
                return None;
            }
            numbers.push(Number {
                value: token.parse().ok()?,
                digits: token.len(),
            });
        } else if is_filler(token) {
        } else if let Some(found) = month_of(token)
            && month.is_none()
        {
            month = Some(found);
            place = numbers.len();
        } else {
            return None;
        }
    }
    match (numbers.as_slice(), month) {
        (&[first, second, third], None) => {
            let lengths = (first.digits, second.digits, third.digits);
            matches!(lengths, (4, 1..=2, 1..=2) | (1..=2, 1..=2, 2 | 4))
                .then_some(Parts::Numbers([first, second, third]))
        }
        (&[only], None) if only.digits == 8 => Some(Parts::Compact(only.value)),
        (&[first, second], Some(month)) => {
            let (day, year) = if first.digits == 4 {
                (second, first)
            } else {
                (first, second)
            };
            let sensible = day.digits <= 2 && matches!(year.digits, 2 | 4) && place < 2;
            sensible.then_some(Parts::Named {
                day: day.value,
                month,
                year,
            })
        }
        _ => None,
    }
}

/// Cuts off a time of day: what follows the last space or `T` before the first colon.
fn without_time(text: &str) -> &str {
    let Some(colon) = text.find(':') else { return text };
    match text[..colon].rfind(['T', 't', ' ', '\u{a0}', ',']) {
        Some(cut) => text[..cut].trim_end(),
        None => text,
    }
}

/// Weekdays, endings of ordinals and little words, in the languages of the months below.
fn is_filler(word: &str) -> bool {
    const LITTLE: &[&str] = &[
        "st", "nd", "rd", "th", "er", "de", "del", "den", "der", "do", "of", "the", "le", "am", "el", "il",
        "a", "o",
    ];
    const DAYS: &[&str] = &[
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "montag",
        "dienstag",
        "mittwoch",
        "donnerstag",
        "freitag",
        "samstag",
        "sonnabend",
        "sonntag",
        "lundi",
        "mardi",
        "mercredi",
        "jeudi",
        "vendredi",
        "samedi",
        "dimanche",
        "lunes",
        "martes",
        "miercoles",
        "jueves",
        "viernes",
        "sabado",
        "domingo",
        "lunedi",
        "martedi",
        "mercoledi",
        "giovedi",
        "venerdi",
        "sabato",
        "domenica",
        "maandag",
        "dinsdag",
        "woensdag",
        "donderdag",
        "vrijdag",
        "zaterdag",
        "zondag",
        "segunda",
        "terca",
        "quarta",
        "quinta",
        "sexta",
    ];
    let word = normalise(word);
    LITTLE.contains(&word.as_str())
        // "mar" is a month; two letters are enough for German weekdays.
        || (word.len() >= 2 && DAYS.iter().any(|day| day.starts_with(&word)) && month_of(&word).is_none())
}

/// The month a word means in English, German, French, Spanish, Italian, Dutch or Portuguese, also cut short.
fn month_of(word: &str) -> Option<u32> {
    const MONTHS: [&[&str]; 12] = [
        &[
            "january", "januar", "jaenner", "janvier", "enero", "gennaio", "januari", "janeiro",
        ],
        &[
            "february",
            "februar",
            "fevrier",
            "febrero",
            "febbraio",
            "februari",
            "fevereiro",
        ],
        &[
            "march", "marz", "maerz", "mars", "marzo", "maart", "marco", "mrz", "mrt",
        ],
        &["april", "avril", "abril", "aprile"],
        &["may", "mai", "mayo", "maggio", "mei", "maio"],
        &["june", "juni", "juin", "junio", "giugno", "junho"],
        &["july", "juli", "juillet", "julio", "luglio", "julho"],
        &["august", "aout", "agosto", "augustus"],
        &[
            "september",
            "septembre",
            "septiembre",
            "setiembre",
            "settembre",
            "setembro",
        ],
        &["october", "oktober", "octobre", "octubre", "ottobre", "outubro"],
        &["november", "novembre", "noviembre", "novembro"],
        &[
            "december",
            "dezember",
            "decembre",
            "diciembre",
            "dicembre",
            "dezembro",
        ],
    ];
    let word = normalise(word);
    if word.len() < 3 {
        return None;
    }
    let mut found = (1..)
        .zip(MONTHS)
        .filter(|(_, names)| names.iter().any(|name| name.starts_with(&word)));
    match (found.next(), found.next()) {
        (Some((month, _)), None) => Some(month),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
