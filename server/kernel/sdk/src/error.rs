//! The one error that commands, queries and engines return.
//!
//! It knows nothing of HTTP but a [`Kind`]; `crate::http` turns that into a status. The code is stable and stands in
//! `docs/ERRORS.md`; message, details and hint are for people.

use std::borrow::Cow;

use tokio_postgres::error::SqlState;

/// What sort of failure it is; each maps to one HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The input is malformed (400).
    Invalid,
    /// Nobody is signed in, or the token is not good (401).
    Unauthenticated,
    /// The caller may not do this (403).
    Forbidden,
    /// There is no such thing, or the caller may not know of it (404).
    NotFound,
    /// The state of things does not allow it now (409).
    Conflict,
    /// More than the limit (413).
    TooLarge,
    /// Well-formed, but a rule forbids it (422).
    Unprocessable,
    /// Too many requests (429).
    RateLimited,
    /// Something Tenon needs is away for the moment (503).
    Unavailable,
    /// A fault of Tenon itself (500); its cause is logged, not sent.
    Internal,
    /// A status that the database or a wire protocol prescribes.
    Status(u16),
}

/// A failure with a stable code and words a person can act on.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Error {
    /// The sort of failure.
    pub kind: Kind,
    /// Stable, `module.reason`; SQLSTATE for errors of the database.
    pub code: Cow<'static, str>,
    /// What went wrong, one sentence.
    pub message: String,
    /// The particulars: which field, which row, which permission.
    pub details: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Seconds after which the same request may go through.
    pub retry_after: Option<u32>,
}

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! builders {
    ($($(#[$doc:meta])* $name:ident => $kind:ident),* $(,)?) => { $(
        $(#[$doc])*
        pub fn $name(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
            Self::new(Kind::$kind, code, message)
        }
    )* };
}

impl Error {
    /// An error of the given kind.
    pub fn new(kind: Kind, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            message: message.into(),
            details: None,
            hint: None,
            retry_after: None,
        }
    }

    builders! {
        /// Malformed input.
        invalid => Invalid,
        /// Not signed in.
        unauthenticated => Unauthenticated,
        /// Not allowed.
        forbidden => Forbidden,
        /// No such thing.
        not_found => NotFound,
        /// Not in this state.
        conflict => Conflict,
        /// Over a limit of size.
        too_large => TooLarge,
        /// Against a rule.
        unprocessable => Unprocessable,
        /// Too often.
        rate_limited => RateLimited,
        /// Away for the moment.
        unavailable => Unavailable,
    }

    /// A fault of Tenon itself: the cause goes to the log, the caller learns only that it happened.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(
            Kind::Internal,
            "internal",
            "Something went wrong inside Tenon; it has been logged.",
        )
    }

    /// Adds the particulars.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says after how many seconds the same request may go through; at least one.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(u32::try_from(seconds).unwrap_or(u32::MAX).max(1));
        self
    }

    /// Another in its place, if it says that there is a row of the same key already.
    #[must_use]
    pub fn if_taken(self, other: impl FnOnce() -> Self) -> Self {
        if self.code == "23505" { other() } else { self }
    }

    /// The HTTP status of this error's kind.
    pub fn status(&self) -> u16 {
        match self.kind {
            Kind::Invalid => 400,
            Kind::Unauthenticated => 401,
            Kind::Forbidden => 403,
            Kind::NotFound => 404,
            Kind::Conflict => 409,
            Kind::TooLarge => 413,
            Kind::Unprocessable => 422,
            Kind::RateLimited => 429,
            Kind::Unavailable => 503,
            Kind::Internal => 500,
            Kind::Status(status) => status,
        }
    }

    /// An error as PostgreSQL reported it.
    ///
    /// SQLSTATE class `TN` is Tenon's own (`kernel.raise`): the three characters after it are the HTTP status, and the
    /// stable code travels in the constraint-name field. Everything else becomes what PostgREST would answer.
    pub fn from_sqlstate(
        state: &str,
        message: String,
        details: Option<String>,
        hint: Option<String>,
        constraint: Option<&str>,
        context: Option<&str>,
    ) -> Self {
        let own_status = state.strip_prefix("TN").and_then(|status| status.parse().ok());
        let kind = match own_status {
            Some(404) => Kind::NotFound,
            Some(403) => Kind::Forbidden,
            Some(status) => Kind::Status(status),
            // A limit of PostgreSQL's that the request itself ran into: it asks for too much.
            None if state.starts_with("54") && !is_of_code(context) => Kind::Invalid,
            None => kind_of_sqlstate(state),
        };
        let code = match constraint {
            Some(code) if state.starts_with("TN") => code.to_owned(),
            _ => state.to_owned(),
        };
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self {
            kind,
            code: code.into(),
            message,
            details: filled(details),
            hint: filled(hint),
            retry_after: None,
        }
    }
}

/// Whether the context of an error names a function or trigger, and not only a value that could not be read.
pub fn is_of_code(context: Option<&str>) -> bool {
    let words = ["PL/", "SQL function", "SQL statement"];
    let lines = context.unwrap_or_default().lines();
    lines
        .into_iter()
        .any(|line| words.iter().any(|word| line.starts_with(word)))
}

/// What `PostgREST` answers to an error of PostgreSQL, as far as commands can meet it; the data API has the whole table.
fn kind_of_sqlstate(state: &str) -> Kind {
    match (state, state.get(..2).unwrap_or_default()) {
        ("42501", _) => Kind::Forbidden,
        ("23503" | "23505" | "23P01", _) => Kind::Conflict,
        ("25006", _) => Kind::Status(405),
        ("42883" | "42P01", _) => Kind::NotFound,
        (_, "08" | "53") => Kind::Unavailable,
        (_, "22" | "23" | "42" | "P0") => Kind::Invalid,
        _ => Kind::Internal,
    }
}

/// How the driver begins the text of an error that the way to the database made, not a statement.
const WAY: [&str; 4] = [
    "error connecting to server",
    "error communicating with the server",
    "error performing TLS handshake",
    "timeout waiting for server",
];

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            let text = error.to_string();
            return if error.is_closed() || WAY.iter().any(|way| text.starts_with(way)) {
                tracing::warn!(%error, "database out of reach");
                let details = std::error::Error::source(&error).map_or(text, ToString::to_string);
                Self::unavailable(
                    "database.unavailable",
                    "The database is not reachable at the moment.",
                )
                .details(details)
                .hint("Try again in a few seconds.")
            } else {
                Self::internal(format!("database driver: {error:?}"))
            };
        };
        if [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
        ]
        .contains(db.code())
        {
            return Self::unavailable("database.unavailable", "The database is restarting.")
                .hint("Try again in a few seconds.");
        }
        let error = Self::from_sqlstate(
            db.code().code(),
            db.message().to_owned(),
            db.detail().map(str::to_owned),
            db.hint().map(str::to_owned),
            db.constraint(),
            db.where_(),
        );
        if error.kind == Kind::Internal {
            tracing::error!(code = %error.code, message = %error.message, details = ?error.details, "database error");
        }
        error
    }
}

impl From<deadpool_postgres::PoolError> for Error {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => error.into(),
            other => {
                tracing::warn!(error = %other, "no database connection");
                Self::unavailable("database.busy", "All database connections are in use.")
                    .hint("Try again in a few seconds.")
            }
        }
    }
}
