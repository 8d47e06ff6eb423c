//! Parsers that tell what they expected: a small engine of combinators with the error rules of Parsec, since its wording of
//! `unexpected … expecting …` is part of the dialect.
//!
//! An error has a place and messages. A parser that fails or succeeds without consuming anything adds what it would have
//! liked to what was wanted before it at the same place; the error at the farthest place wins. A parser that fails after
//! consuming something is final, unless it was an [`Parser::attempt`].
//!
//! Nothing of that is kept on the way to a success: texts are parsed without it first, and once more with it if they are
//! refused.

use crate::error::Error;

/// Deepest nesting of embeds or logic; keeps the recursive parsers and the planner off the end of the stack.
const MAX_DEPTH: usize = 48;

/// A parser did not match; why is in the [`Parser`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failed;

pub(super) type Parsed<T> = Result<T, Failed>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Message {
    /// The character that no parser took; none at the end.
    Found(Option<char>),
    /// What was found and is refused, as it is shown.
    Refused(String),
    /// What would have been taken.
    Expected(String),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Expectation {
    at: usize,
    messages: Vec<Message>,
}

impl Expectation {
    fn merge(self, other: Self) -> Self {
        if other.messages.is_empty() && !self.messages.is_empty() {
            return self;
        }
        if self.messages.is_empty() && !other.messages.is_empty() {
            return other;
        }
        match self.at.cmp(&other.at) {
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Equal => {
                let mut messages = self.messages;
                work::done(messages.len());
                messages.extend(other.messages);
                Self {
                    at: self.at,
                    messages,
                }
            }
        }
    }

    fn relabel(&mut self, text: &str) {
        self.messages
            .retain(|message| !matches!(message, Message::Expected(_)));
        self.messages.push(Message::Expected(text.to_owned()));
    }
}

/// What a parser inside a combinator left behind.
struct Outcome<T> {
    consumed: bool,
    expectation: Expectation,
    result: Parsed<T>,
}

/// A text being parsed.
pub(super) struct Parser<'i> {
    text: &'i str,
    at: usize,
    consumed: bool,
    expectation: Expectation,
    tells: bool,
    depth: usize,
    /// Where it went deeper than it may.
    too_deep: Option<usize>,
}

impl<'i> Parser<'i> {
    fn new(text: &'i str, tells: bool) -> Self {
        Self {
            text,
            at: 0,
            consumed: false,
            expectation: Expectation::default(),
            tells,
            depth: 0,
            too_deep: None,
        }
    }

    /// What a parser calls itself through. It must have consumed something before.
    pub fn nested<T>(&mut self, parser: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            self.too_deep.get_or_insert(self.at);
            return self.fail();
        }
        self.depth += 1;
        let result = parser(self);
        self.depth -= 1;
        result
    }

    /// What is left.
    pub fn rest(&self) -> &'i str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// ASCII letters, digits and `_` up to one of these characters or the end. A shortcut for what the parser that would
    /// otherwise be tried takes as well; there is none while messages are collected, since it tells nothing.
    pub fn bare_word(&mut self, ends: &[u8]) -> Option<&'i str> {
        let rest = self.rest();
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = rest.bytes().position(|byte| !fits(&byte)).unwrap_or(rest.len());
        let ended = rest.as_bytes().get(length).is_none_or(|byte| ends.contains(byte));
        if self.tells || length == 0 || !ended {
            return None;
        }
        self.advance(length);
        rest.get(..length)
    }

    /// Takes all that is left.
    pub fn take_rest(&mut self) -> Parsed<&'i str> {
        self.take_while(0, &[], |_| true)
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self, bytes: usize) {
        work::done(bytes);
        self.at += bytes;
        if bytes > 0 {
            self.settle(true, self.nothing());
        }
    }

    fn nothing(&self) -> Expectation {
        Expectation {
            at: self.at,
            messages: Vec::new(),
        }
    }

    fn missing(&self, at: usize, found: Option<char>, expected: &[&str]) -> Expectation {
        if !self.tells {
            return self.nothing();
        }
        let mut messages = vec![Message::Found(found)];
        messages.extend(expected.iter().map(|text| Message::Expected((*text).to_owned())));
        Expectation { at, messages }
    }

    fn settle(&mut self, consumed: bool, expectation: Expectation) {
        if consumed {
            self.consumed = true;
            self.expectation = expectation;
        } else if self.tells {
            let before = std::mem::take(&mut self.expectation);
            self.expectation = before.merge(expectation);
        }
    }

    fn inside<T>(&mut self, parser: impl FnOnce(&mut Self) -> Parsed<T>) -> Outcome<T> {
        work::done(1);
        let consumed = std::mem::replace(&mut self.consumed, false);
        let nothing = self.nothing();
        let expectation = std::mem::replace(&mut self.expectation, nothing);
        let result = parser(self);
        Outcome {
            consumed: std::mem::replace(&mut self.consumed, consumed),
            expectation: std::mem::replace(&mut self.expectation, expectation),
            result,
        }
    }

    /// Characters that fit, at least `least`; `expected` is what a further one would have been.
    pub fn take_while(
        &mut self,
        least: usize,
        expected: &[&str],
        fits: impl Fn(char) -> bool,
    ) -> Parsed<&'i str> {
        let rest = self.rest();
        let length = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let taken = &rest[..length];
        self.advance(length);
        let short = least > 0 && taken.chars().take(least).count() < least;
        let missing = self.missing(self.at, self.peek(), expected);
        self.settle(length > 0, missing);
        if short { Err(Failed) } else { Ok(taken) }
    }

    /// Any one character.
    pub fn any(&mut self) -> Parsed<char> {
        self.one(&[], |_| true)
    }

    /// One character that fits.
    pub fn one(&mut self, expected: &[&str], fits: impl Fn(char) -> bool) -> Parsed<char> {
        if let Some(c) = self.peek().filter(|c| fits(*c)) {
            self.advance(c.len_utf8());
            return Ok(c);
        }
        let missing = self.missing(self.at, self.peek(), expected);
        self.settle(false, missing);
        Err(Failed)
    }

    /// This character.
    pub fn char(&mut self, wanted: char) -> Parsed<char> {
        if self.peek() == Some(wanted) {
            self.advance(wanted.len_utf8());
            return Ok(wanted);
        }
        let shown = if self.tells {
            show_text(&wanted.to_string())
        } else {
            String::new()
        };
        let missing = self.missing(self.at, self.peek(), &[&shown]);
        self.settle(false, missing);
        Err(Failed)
    }

    /// This text. It is wanted as a whole, at the place where it would begin.
    pub fn text(&mut self, wanted: &str) -> Parsed<()> {
        let rest = self.rest();
        if rest.starts_with(wanted) {
            self.advance(wanted.len());
            return Ok(());
        }
        let mut given = rest.chars();
        let mut begun = false;
        let found = wanted.chars().find_map(|c| match given.next() {
            Some(other) if other == c => {
                begun = true;
                None
            }
            other => Some(other),
        });
        let shown = if self.tells {
            show_text(wanted)
        } else {
            String::new()
        };
        let missing = self.missing(self.at, found.flatten(), &[&shown]);
        self.settle(begun, missing);
        Err(Failed)
    }

    /// Nothing is left.
    pub fn end(&mut self) -> Parsed<()> {
        let Some(c) = self.peek() else {
            return self.labelled("end of input", |parser| {
                let missing = parser.missing(parser.at, None, &[]);
                parser.settle(false, missing);
                Ok(())
            });
        };
        self.refuse(self.at, c, Some("end of input"))
    }

    fn refuse(&mut self, at: usize, c: char, expected: Option<&str>) -> Parsed<()> {
        if self.tells {
            let mut messages = vec![Message::Refused(show_char(c))];
            messages.extend(expected.map(|text| Message::Expected(text.to_owned())));
            self.settle(false, Expectation { at, messages });
        }
        Err(Failed)
    }

    /// A failure that has nothing to say.
    pub fn fail<T>(&mut self) -> Parsed<T> {
        let nothing = self.nothing();
        self.settle(false, nothing);
        Err(Failed)
    }

    /// Whatever the parser consumed before it failed is given back.
    pub fn attempt<T>(&mut self, parser: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let start = self.at;
        let outcome = self.inside(parser);
        let failed = outcome.result.is_err();
        if failed {
            self.at = start;
        }
        self.settle(outcome.consumed && !failed, outcome.expectation);
        outcome.result
    }

    /// Like [`Parser::attempt`], but what it would have liked is told to nobody: for what is not part of the dialect as
    /// others know it.
    pub fn quietly<T>(&mut self, parser: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let tells = std::mem::replace(&mut self.tells, false);
        let result = self.attempt(parser);
        self.tells = tells;
        result
    }

    /// The first, or else the other unless the first has consumed something.
    pub fn either<T>(
        &mut self,
        first: impl FnOnce(&mut Self) -> Parsed<T>,
        other: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        let outcome = self.inside(first);
        if outcome.result.is_ok() || outcome.consumed {
            self.settle(outcome.consumed, outcome.expectation);
            return outcome.result;
        }
        let second = self.inside(other);
        let expectation = if second.consumed {
            second.expectation
        } else {
            outcome.expectation.merge(second.expectation)
        };
        self.settle(second.consumed, expectation);
        second.result
    }

    /// It, if it is there.
    pub fn optional<T>(&mut self, parser: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<Option<T>> {
        self.either(|this| parser(this).map(Some), |_| Ok(None))
    }

    /// Errors at the first character are told by this text.
    pub fn labelled<T>(&mut self, text: &str, parser: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let mut outcome = self.inside(parser);
        let says = outcome.result.is_err() || !outcome.expectation.messages.is_empty();
        if self.tells && !outcome.consumed && says {
            outcome.expectation.relabel(text);
        }
        self.settle(outcome.consumed, outcome.expectation);
        outcome.result
    }

    /// As many as there are.
    pub fn many<T>(&mut self, mut parser: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut all = Vec::new();
        loop {
            let outcome = self.inside(&mut parser);
            match outcome.result {
                Ok(one) if outcome.consumed => {
                    self.settle(true, outcome.expectation);
                    all.push(one);
                }
                Err(failed) if outcome.consumed => {
                    self.settle(true, outcome.expectation);
                    return Err(failed);
                }
                _ => {
                    self.settle(!all.is_empty(), outcome.expectation);
                    return Ok(all);
                }
            }
        }
    }

    /// One and more, with something between them.
    pub fn separated<T, S>(
        &mut self,
        mut separator: impl FnMut(&mut Self) -> Parsed<S>,
        mut parser: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let first = parser(self)?;
        let mut all = vec![first];
        all.extend(self.many(|this| {
            separator(this)?;
            parser(this)
        })?);
        Ok(all)
    }

    /// It is there, but is left there.
    pub fn ahead<T>(&mut self, parser: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<()> {
        let start = self.at;
        let outcome = self.inside(parser);
        if outcome.result.is_ok() {
            self.at = start;
            let nothing = self.nothing();
            self.settle(false, nothing);
            return Ok(());
        }
        self.settle(outcome.consumed, outcome.expectation);
        Err(Failed)
    }

    /// It is not there.
    pub fn unless(&mut self, parser: impl FnOnce(&mut Self) -> Parsed<char>) -> Parsed<()> {
        let start = self.at;
        let outcome = self.inside(parser);
        let after = std::mem::replace(&mut self.at, start);
        if let Ok(c) = outcome.result {
            return self.refuse(after, c, None);
        }
        self.settle(false, outcome.expectation);
        Ok(())
    }
}

/// Parses a parameter; a failure is told as `PGRST100`. `what` names the kind of parameter, `shown` its value.
pub(super) fn parse<'i, T>(
    what: &str,
    shown: &str,
    text: &'i str,
    mut parser: impl FnMut(&mut Parser<'i>) -> Parsed<T>,
) -> Result<T, Error> {
    let mut quiet = Parser::new(text, false);
    if let Ok(value) = parser(&mut quiet) {
        return Ok(value);
    }
    if let Some(at) = quiet.too_deep {
        let (line, column) = place(text.get(..at).unwrap_or(text));
        return Err(Error::query(
            format!("\"failed to parse {what}\" (line {line}, column {column})"),
            format!("nested more than {MAX_DEPTH} levels deep"),
        ));
    }
    let mut telling = Parser::new(text, true);
    match parser(&mut telling) {
        Ok(value) => Ok(value),
        Err(Failed) => Err(failure(what, shown, text, &telling.expectation)),
    }
}

/// What a parser makes of a text without and with messages, and how far it came if it was good.
#[cfg(test)]
pub(super) fn both_ways<'i, T>(
    text: &'i str,
    parser: impl Fn(&mut Parser<'i>) -> Parsed<T>,
) -> [Parsed<(T, usize)>; 2] {
    [false, true].map(|tells| {
        let mut input = Parser::new(text, tells);
        parser(&mut input).map(|value| (value, input.at))
    })
}

fn failure(what: &str, shown: &str, text: &str, expectation: &Expectation) -> Error {
    let (line, column) = place(text.get(..expectation.at).unwrap_or(text));
    Error::query(
        format!("\"failed to parse {what} ({shown})\" (line {line}, column {column})"),
        told(&expectation.messages),
    )
}

/// Line and column after a text; a tab goes to the next column that is one more than a multiple of eight.
fn place(before: &str) -> (usize, usize) {
    before.chars().fold((1, 1), |(line, column), c| match c {
        '\n' => (line + 1, 1),
        '\t' => (line, column + 8 - (column - 1) % 8),
        _ => (line, column + 1),
    })
}

/// `unexpected … expecting …`
fn told(messages: &[Message]) -> String {
    let refused = messages.iter().find_map(|message| match message {
        Message::Refused(text) => Some(text.clone()),
        _ => None,
    });
    let found = messages.iter().find_map(|message| match message {
        Message::Found(Some(c)) => Some(show_text(&c.to_string())),
        Message::Found(None) => Some("end of input".to_owned()),
        _ => None,
    });
    let mut expected: Vec<&str> = Vec::new();
    for message in messages {
        if let Message::Expected(text) = message
            && !expected.contains(&text.as_str())
        {
            expected.push(text);
        }
    }
    let expecting = match expected.as_slice() {
        [] => None,
        [only] => Some(format!("expecting {only}")),
        [others @ .., last] => Some(format!("expecting {} or {last}", others.join(", "))),
    };
    let unexpected = refused.or(found).map(|text| format!("unexpected {text}"));
    let parts: Vec<String> = unexpected.into_iter().chain(expecting).collect();
    if parts.is_empty() {
        "unknown parse error".to_owned()
    } else {
        parts.join(" ")
    }
}

/// A character as Haskell shows it inside quotes.
fn shown(c: char, quote: char) -> String {
    const CONTROLS: [&str; 32] = [
        "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "a", "b", "t", "n", "v", "f", "r", "SO", "SI",
        "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS",
        "US",
    ];
    match c {
        _ if c == quote || c == '\\' => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        '\u{7f}' => "\\DEL".to_owned(),
        _ => match CONTROLS.get(c as usize) {
            Some(name) => format!("\\{name}"),
            None => format!("\\{}", u32::from(c)),
        },
    }
}

fn show_char(c: char) -> String {
    format!("'{}'", shown(c, '\''))
}

fn show_text(text: &str) -> String {
    let inside: String = text.chars().map(|c| shown(c, '"')).collect();
    format!("\"{inside}\"")
}

/// How much was done, so that tests can say that it is not much.
mod work {
    #[cfg(test)]
    thread_local! {
        static DONE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    #[cfg(test)]
    pub(crate) fn done(steps: usize) {
        DONE.set(DONE.get() + steps);
    }

    #[cfg(not(test))]
    pub(super) fn done(_: usize) {}

    #[cfg(test)]
    pub(crate) fn so_far() -> usize {
        DONE.get()
    }
}

#[cfg(test)]
pub(super) use work::so_far as work_so_far;
