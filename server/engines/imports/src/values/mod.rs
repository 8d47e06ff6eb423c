//! From a cell as found to a value of a field, or to an issue that names what was found.
//!
//! Two things are decided for a whole column rather than for each cell: how dates of three numbers are read, and
//! what a single separator before three digits means. [`Evidence`] gathers what the cells show; [`ColumnRules`] is
//! the decision.

pub mod currency;
pub mod date;
pub mod decimal;

use std::borrow::Cow;

use rust_decimal::Decimal;
use tenon_sdk::imports::{Field, FieldKind, Issue, Value};

use crate::detect::normalise;
use crate::reader::{Cell, is_error_text};
use date::{Order, Parsed};
use decimal::{Amount, Convention, Shows};

/// How the cells of one column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnRules {
    /// Reading of dates of three numbers.
    pub order: Order,
    /// Whether the column showed that order; otherwise ambiguous dates get a warning.
    pub order_known: bool,
    /// Meaning of separators.
    pub convention: Convention,
}

impl Default for ColumnRules {
    fn default() -> Self {
        Self {
            order: Order::DayFirst,
            order_known: false,
            convention: Convention::Unknown,
        }
    }
}

/// What the cells of one column show about how it is to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evidence {
    day_first: u32,
    month_first: u32,
    dot: u32,
    comma: u32,
    undecided: u32,
}

impl Evidence {
    /// Takes a cell into account.
    pub fn note(&mut self, kind: FieldKind, cell: &Cell<'_>) {
        let Cell::Text(text) = cell else { return };
        match kind {
            FieldKind::Date => match date::shows(text) {
                Some(Some(Order::DayFirst)) => self.day_first += 1,
                Some(Some(Order::MonthFirst)) => self.month_first += 1,
                Some(None) => self.undecided += 1,
                None => {}
            },
            FieldKind::Decimal { .. } => match decimal::shows(text) {
                Shows::Dot => self.dot += 1,
                Shows::Comma => self.comma += 1,
                Shows::Either => self.undecided += 1,
                Shows::Nothing => {}
            },
            _ => {}
        }
    }

    /// Whether cells were seen that could mean two things, and none that decides.
    pub fn is_undecided(&self) -> bool {
        self.undecided > 0 && self.day_first == self.month_first && self.dot == self.comma
    }

    /// The decision: by majority; day first and no convention where there is none.
    pub fn rules(&self) -> ColumnRules {
        ColumnRules {
            order: if self.month_first > self.day_first {
                Order::MonthFirst
            } else {
                Order::DayFirst
            },
            order_known: self.month_first != self.day_first,
            convention: match self.dot.cmp(&self.comma) {
                std::cmp::Ordering::Greater => Convention::Dot,
                std::cmp::Ordering::Less => Convention::Comma,
                std::cmp::Ordering::Equal => Convention::Unknown,
            },
        }
    }
}

/// Parses one cell. Issues carry the field's key; an error leaves the value empty, except for a number below the
/// minimum, which is kept.
pub fn parse(field: &Field, cell: &Cell<'_>, rules: ColumnRules, issues: &mut Vec<Issue>) -> Value {
    if cell.is_blank() {
        if field.required {
            issues.push(error(
                field,
                "required_missing",
                format!("{} is missing.", field.label),
            ));
        }
        return Value::Empty;
    }
    if let Some(message) = formula_error(field, cell) {
        issues.push(error(field, "formula_error", message));
        return Value::Empty;
    }
    if !field.required && !matches!(field.kind, FieldKind::Text { .. }) && stands_for_nothing(cell) {
        issues.push(warning(
            field,
            "read_as_empty",
            format!("{}: {} was read as empty.", field.label, quoted(cell)),
        ));
        return Value::Empty;
    }
    let parsed = match field.kind {
        FieldKind::Text { max } => text(field, cell, max),
        FieldKind::Decimal { scale, min } => number(field, cell, scale, min, rules, issues),
        FieldKind::Date => day(field, cell, rules, issues),
        FieldKind::Currency => money(field, cell, issues),
        FieldKind::Choice(choices) => choice(field, cell, choices),
    };
    match parsed {
        Ok(value) => value,
        Err(issue) => {
            issues.push(issue);
            Value::Empty
        }
    }
}

/// A dash or "n/a", which people put where there is nothing to say.
fn stands_for_nothing(cell: &Cell<'_>) -> bool {
    matches!(cell, Cell::Text(text) if matches!(text.trim(), "-" | "–" | "—" | "n/a" | "N/A" | "n.a."))
}

fn formula_error(field: &Field, cell: &Cell<'_>) -> Option<String> {
    match cell {
        Cell::Error(found) => Some(format!("{}: the formula gives {found}.", field.label)),
        Cell::Text(found) if is_error_text(found) => {
            Some(format!("{}: the formula gave {}.", field.label, found.trim()))
        }
        Cell::Uncalculated => Some(format!(
            "{}: the file holds a formula here but not its result. Open it in a spreadsheet program and save it again.",
            field.label
        )),
        _ => None,
    }
}

fn text(field: &Field, cell: &Cell<'_>, max: usize) -> Result<Value, Issue> {
    let found = clean(cell);
    // Counting characters is only needed where the bytes do not settle it.
    if found.len() > max {
        let length = found.chars().count();
        if length > max {
            return Err(error(
                field,
                "too_long",
                format!("{} has {length} characters; at most {max} are kept.", field.label),
            ));
        }
    }
    Ok(if found.is_empty() {
        Value::Empty
    } else {
        Value::Text(found.into_owned())
    })
}

/// The text without white space at its ends and without the control characters of ASCII; the database does not take
/// all of them and people see none of them.
fn clean<'c>(cell: &'c Cell<'_>) -> Cow<'c, str> {
    let unwanted = |letter: char| letter.is_ascii_control() && !matches!(letter, '\n' | '\r' | '\t');
    let text = cell.text();
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    // A fold over all bytes is quicker than stopping at the first: it runs on many bytes at once.
    if text
        .bytes()
        .fold(false, |found, byte| found | byte.is_ascii_control())
        && text.contains(unwanted)
    {
        return Cow::Owned(text.replace(unwanted, "").trim().to_owned());
    }
    text
}

fn number(
    field: &Field,
    cell: &Cell<'_>,
    scale: u32,
    min: Option<&'static str>,
    rules: ColumnRules,
    issues: &mut Vec<Issue>,
) -> Result<Value, Issue> {
    let refuse = |what: &str| {
        Err(error(
            field,
            "not_a_number",
            format!("{}: {} {what}.", field.label, quoted(cell)),
        ))
    };
    let found = match cell {
        Cell::Number(number) => match decimal::from_f64(*number) {
            Some(value) => value,
            None => return refuse("is too large a number"),
        },
        Cell::Text(text) => match decimal::parse(text, rules.convention, scale) {
            Amount::Number { value, assumed } => {
                if assumed {
                    issues.push(warning(
                        field,
                        "ambiguous_number",
                        format!("{}: {} was read as {value}.", field.label, quoted(cell)),
                    ));
                }
                value
            }
            Amount::Percent => return refuse("is a percentage; an amount is wanted"),
            Amount::TooLarge => return refuse("has too many digits"),
            Amount::NotANumber => return refuse("is not a number"),
        },
        Cell::Date(_) => return refuse("is a date, not a number"),
        _ => return refuse("is not a number"),
    };
    let value = match decimal::round(found, scale) {
        None => decimal::drop_zeros(found, scale),
        Some(rounded) => {
            issues.push(warning(
                field,
                "rounded",
                format!("{}: {} was rounded to {rounded}.", field.label, quoted(cell)),
            ));
            rounded
        }
    };
    let value = if value.is_zero() { value.abs() } else { value };
    if let Some(least) = min.and_then(|min| min.parse::<Decimal>().ok())
        && value < least
    {
        issues.push(if least.is_zero() {
            error(
                field,
                "negative_not_allowed",
                format!("{}: {} is negative.", field.label, quoted(cell)),
            )
        } else {
            error(
                field,
                "below_minimum",
                format!("{}: {} is less than {least}.", field.label, quoted(cell)),
            )
        });
    }
    Ok(Value::Decimal(value))
}

fn day(field: &Field, cell: &Cell<'_>, rules: ColumnRules, issues: &mut Vec<Issue>) -> Result<Value, Issue> {
    let refuse = || {
        Err(error(
            field,
            "not_a_date",
            format!("{}: {} is not a date.", field.label, quoted(cell)),
        ))
    };
    match cell {
        Cell::Date(moment) => Ok(Value::Date(moment.date())),
        Cell::Number(number) => match date::from_number(*number) {
            Some(found) => {
                issues.push(warning(
                    field,
                    "date_from_number",
                    format!("{}: the number {} was read as {found}.", field.label, cell.text()),
                ));
                Ok(Value::Date(found))
            }
            None => refuse(),
        },
        Cell::Text(text) => match date::parse(text, rules.order) {
            Parsed::Certain(found) => Ok(Value::Date(found)),
            Parsed::ByOrder(found) => {
                if !rules.order_known {
                    issues.push(warning(
                        field,
                        "ambiguous_date",
                        format!(
                            "{}: {} was read day first, as {found}.",
                            field.label,
                            quoted(cell)
                        ),
                    ));
                }
                Ok(Value::Date(found))
            }
            Parsed::Impossible => {
                let order = match rules.order {
                    Order::DayFirst => "day first",
                    Order::MonthFirst => "month first",
                };
                Err(error(
                    field,
                    "impossible_date",
                    format!(
                        "{}: there is no date {} (read {order}).",
                        field.label,
                        quoted(cell)
                    ),
                ))
            }
            Parsed::NotADate => refuse(),
        },
        _ => refuse(),
    }
}

fn money(field: &Field, cell: &Cell<'_>, issues: &mut Vec<Issue>) -> Result<Value, Issue> {
    let found = clean(cell);
    match currency::parse(&found) {
        Some((code, guess)) => {
            if guess {
                issues.push(warning(
                    field,
                    "currency_assumed",
                    format!("{}: {} was read as {code}.", field.label, quoted(cell)),
                ));
            }
            Ok(Value::Text(code.to_owned()))
        }
        None => Err(error(
            field,
            "unknown_currency",
            format!(
                "{}: {} is not a currency (a code such as GBP or EUR).",
                field.label,
                quoted(cell)
            ),
        )),
    }
}

fn choice(
    field: &Field,
    cell: &Cell<'_>,
    choices: &'static [(&'static str, &'static [&'static str])],
) -> Result<Value, Issue> {
    let wanted = normalise(&cell.text());
    let fits = |(code, words): &&(&str, &[&str])| {
        normalise(code) == wanted || words.iter().any(|word| normalise(word) == wanted)
    };
    if let Some((code, _)) = choices.iter().find(fits) {
        return Ok(Value::Text((*code).to_owned()));
    }
    let codes: Vec<&str> = choices.iter().map(|(code, _)| *code).collect();
    Err(error(
        field,
        "not_a_choice",
        format!(
            "{}: {} is none of {}.",
            field.label,
            quoted(cell),
            codes.join(", ")
        ),
    ))
}

/// What was found, in quotation marks, cut to a length one can read.
fn quoted(cell: &Cell<'_>) -> String {
    const LONGEST: usize = 60;
    let text = cell.text();
    let text = text.trim();
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("“{}…”", &text[..at]),
        None => format!("“{text}”"),
    }
}

fn error(field: &Field, code: &'static str, message: String) -> Issue {
    Issue::error(Some(field.key), code, message)
}

fn warning(field: &Field, code: &'static str, message: String) -> Issue {
    Issue::warning(Some(field.key), code, message)
}

#[cfg(test)]
mod tests;
