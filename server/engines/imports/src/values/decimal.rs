//! Exact decimals from the many ways in which amounts are written.
//!
//! A text whose separators can only mean one thing is read by itself. `1,234` and `1.234` can mean two things; they
//! follow what the rest of the column shows (see [`super::Evidence`]).

use rust_decimal::{Decimal, RoundingStrategy};

use super::currency;

/// What a single separator before exactly three digits means in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convention {
    /// `1,234.50`
    Dot,
    /// `1.234,50`
    Comma,
    /// The column does not show; three digits are a group if the field has fewer than three decimal places, or else
    /// the comma groups and the dot divides.
    Unknown,
}

/// What a text turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// A number; `assumed` if its separator could as well mean something else.
    Number {
        /// The number as written, with its decimal places.
        value: Decimal,
        /// Whether the reading is a guess.
        assumed: bool,
    },
    /// A number of per cent or per mille.
    Percent,
    /// A number of more digits than can be held (28).
    TooLarge,
    /// No number.
    NotANumber,
}

/// What a text shows about its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// The dot divides.
    Dot,
    /// The comma divides.
    Comma,
    /// One separator that could mean either.
    Either,
    /// Nothing.
    Nothing,
}

/// Reads an amount. `scale` is the field's greatest number of decimal places.
pub fn parse(text: &str, convention: Convention, scale: u32) -> Amount {
    let trimmed = text.trim();
    if let Some(value) = scientific(trimmed) {
        return value;
    }
    let Some(bare) = bare(trimmed) else {
        return Amount::NotANumber;
    };
    if bare.percent {
        return Amount::Percent;
    }
    let Some(shape) = shape(bare.digits) else {
        return Amount::NotANumber;
    };
    let (divides, assumed) = match shape {
        Shape::Plain(divider) => (divider, false),
        Shape::Either(separator) => match convention {
            Convention::Dot => ((separator == '.').then_some('.'), false),
            Convention::Comma => ((separator == ',').then_some(','), false),
            Convention::Unknown if scale < 3 => (None, false),
            Convention::Unknown => ((separator == '.').then_some('.'), true),
        },
    };
    match assemble(bare.digits, divides, bare.negative) {
        Some(value) => Amount::Number { value, assumed },
        None => Amount::TooLarge,
    }
}

/// What a text shows about how its column divides.
pub fn shows(text: &str) -> Shows {
    match bare(text.trim()).and_then(|bare| shape(bare.digits)) {
        Some(Shape::Either(_)) => Shows::Either,
        Some(Shape::Plain(Some('.'))) => Shows::Dot,
        Some(Shape::Plain(Some(_))) => Shows::Comma,
        Some(Shape::Plain(None)) | None => Shows::Nothing,
    }
}

/// The decimal that a spreadsheet shows for a binary number: its shortest form, and where that is longer than the 15
/// digits a spreadsheet keeps, the number rounded to those.
pub fn from_f64(number: f64) -> Option<Decimal> {
    const POWERS: [f64; 7] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];
    for (scale, power) in (0..).zip(POWERS) {
        let whole = (number * power).round();
        #[expect(clippy::float_cmp, reason = "exactness is what is asked")]
        if whole.abs() < 9e14 && whole / power == number {
            #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
            return Some(Decimal::new(whole as i64, scale));
        }
    }
    let rounded = format!("{number:.14e}");
    Decimal::from_scientific(&rounded)
        .ok()
        .map(|value| value.normalize())
}

/// Rounds half away from zero to the field's decimal places; `None` if nothing was lost.
pub fn round(value: Decimal, scale: u32) -> Option<Decimal> {
    if value.scale() <= scale {
        return None;
    }
    let rounded = value.round_dp_with_strategy(scale, RoundingStrategy::MidpointAwayFromZero);
    (rounded != value).then_some(rounded)
}

/// Drops zeros beyond the field's decimal places.
pub fn drop_zeros(value: Decimal, scale: u32) -> Decimal {
    if value.scale() > scale {
        value.trunc_with_scale(scale.max(value.normalize().scale()))
    } else {
        value
    }
}

/// `1.5E+06`, as spreadsheets write large numbers to text files.
fn scientific(text: &str) -> Option<Amount> {
    let at = text.find(['e', 'E'])?;
    let (mantissa, exponent) = (&text[..at], &text[at + 1..]);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let whole = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (before, after) = whole.split_once(['.', ',']).unwrap_or((whole, "0"));
    if !digits(before) || !digits(after) || !digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)) {
        return None;
    }
    let plain = format!("{}e{exponent}", mantissa.replace(',', "."));
    Some(
        Decimal::from_scientific(&plain).map_or(Amount::TooLarge, |value| Amount::Number {
            value: value.normalize(),
            assumed: false,
        }),
    )
}

/// An amount without its signs, brackets and currency.
struct Bare<'a> {
    digits: &'a str,
    negative: bool,
    percent: bool,
}

fn bare(mut text: &str) -> Option<Bare<'_>> {
    let (mut negative, mut percent, mut sign, mut currency) = (false, false, false, false);
    loop {
        text = text.trim_matches(is_space);
        let first = text.chars().next()?;
        let last = text.chars().next_back()?;
        if first.is_ascii_digit() && last.is_ascii_digit() {
            break;
        }
        if let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
            if sign {
                return None;
            }
            (sign, negative, text) = (true, true, inner);
        } else if let Some(inner) = text.strip_suffix(['%', '\u{2030}']) {
            (percent, text) = (true, inner);
        } else if matches!(first, '-' | '+' | '\u{2212}' | '\u{2013}')
            || matches!(last, '-' | '\u{2212}' | '\u{2013}')
        {
            if sign {
                return None;
            }
            let front = matches!(first, '-' | '+' | '\u{2212}' | '\u{2013}');
            (sign, negative) = (true, first != '+');
            text = if front {
                &text[first.len_utf8()..]
            } else {
                &text[..text.len() - last.len_utf8()]
            };
        } else if let Some(rest) = (!currency).then(|| currency::strip(text)).flatten() {
            (currency, text) = (true, rest);
        } else if matches!(first, '.' | ',') || matches!(last, '.' | ',') {
            break;
        } else {
            return None;
        }
    }
    Some(Bare {
        digits: text,
        negative,
        percent,
    })
}

/// What the separators of an amount mean.
enum Shape {
    /// Whether and with what it divides is certain.
    Plain(Option<char>),
    /// A single separator before three digits.
    Either(char),
}

fn shape(text: &str) -> Option<Shape> {
    let allowed = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',') || is_group(c);
    if !text.chars().all(allowed) || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count = |wanted: char| text.matches(wanted).count();
    let (dots, commas) = (count('.'), count(','));
    let divider = match (dots, commas) {
        (1, 0) => Some('.'),
        (0, 1) => Some(','),
        (0, _) | (_, 0) => None,
        _ => {
            let last = if text.rfind('.') > text.rfind(',') {
                '.'
            } else {
                ','
            };
            if count(last) != 1 {
                return None;
            }
            Some(last)
        }
    };
    let (whole, part) = match divider.and_then(|divider| text.split_once(divider)) {
        Some((whole, part)) => (whole, Some(part)),
        None => (text, None),
    };
    if part.is_some_and(|part| !part.bytes().all(|byte| byte.is_ascii_digit())) || !grouped(whole) {
        return None;
    }
    let single = dots + commas == 1;
    let bare_whole = whole.bytes().all(|byte| byte.is_ascii_digit());
    match (divider, part) {
        (Some(separator), Some(part))
            if single
                && part.len() == 3
                && bare_whole
                && (1..=3).contains(&whole.len())
                && !whole.starts_with('0') =>
        {
            Some(Shape::Either(separator))
        }
        _ => Some(Shape::Plain(divider)),
    }
}

/// Whether the digits before the divider are in groups of one kind: three digits, or two before the last three.
fn grouped(whole: &str) -> bool {
    let Some(separator) = whole.chars().find(|c| !c.is_ascii_digit()) else {
        return true;
    };
    let groups: Vec<&str> = whole.split(separator).collect();
    let Some((last, rest)) = groups.split_last() else {
        return false;
    };
    let digits = |group: &&str| group.bytes().all(|byte| byte.is_ascii_digit());
    groups.iter().all(digits)
        && last.len() == 3
        && (1..=3).contains(&rest[0].len())
        && (rest[1..].iter().all(|group| group.len() == 3) || rest[1..].iter().all(|group| group.len() == 2))
}

fn assemble(text: &str, divides: Option<char>, negative: bool) -> Option<Decimal> {
    let (mut mantissa, mut scale, mut after) = (0_i128, 0_u32, false);
    for letter in text.chars() {
        if let Some(digit) = letter.to_digit(10) {
            mantissa = mantissa.checked_mul(10)?.checked_add(i128::from(digit))?;
            scale += u32::from(after);
        } else if Some(letter) == divides {
            after = true;
        }
    }
    Decimal::try_from_i128_with_scale(if negative { -mantissa } else { mantissa }, scale).ok()
}

fn is_space(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{200b}' | '\u{feff}')
}

/// Characters that only ever group digits.
fn is_group(letter: char) -> bool {
    matches!(
        letter,
        ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '\u{2019}' | '_'
    )
}

#[cfg(test)]
mod tests;
