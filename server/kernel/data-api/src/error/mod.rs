//! The errors of the dialect: `{code, message, details, hint}` with an HTTP status, in `PostgREST`'s words.
//!
//! `auth` has the `PGRST3xx` errors, `batch` the codes of batches, `request` the `PGRST1xx` errors, `schema` the
//! `PGRST2xx`, `database` translates what PostgreSQL reports.

mod auth;
mod batch;
mod database;
mod nested;
mod request;
mod schema;

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

pub use database::DatabaseError;

/// Where the words of a status line stand among the headers; no header can have this name.
pub(crate) const REASON: &str = ":reason";

/// What a refused request is answered with.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    /// HTTP status.
    pub status: u16,
    /// `PGRSTnnn`, an SQLSTATE, or a stable code of Tenon's own (`<module>.<reason>`).
    pub code: Cow<'static, str>,
    /// One sentence for people.
    pub message: String,
    /// What exactly was found; text, or a list of candidates.
    pub details: Option<Box<Value>>,
    /// What to try instead.
    pub hint: Option<String>,
    /// Further headers of the answer, and under [`REASON`] what the status line says, if not the usual.
    pub headers: Vec<(String, String)>,
    /// Which operation of a batch was refused.
    pub operation: Option<Box<OperationName>>,
}

/// An operation of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationName {
    /// Its place, from 0.
    pub index: usize,
    /// Its id, if it has one.
    pub id: Option<String>,
}

/// The result of every pure stage.
pub type Result<T> = std::result::Result<T, Error>;

#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    details: &'a Option<Box<Value>>,
    hint: &'a Option<String>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: &'a Option<Box<OperationName>>,
}

impl Error {
    pub(crate) fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            details: None,
            hint: None,
            headers: Vec::new(),
            operation: None,
        }
    }

    pub(crate) fn details(mut self, details: impl Into<Value>) -> Self {
        self.details = Some(Box::new(details.into()));
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn hint_if(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// Names the operation of a batch that was refused, unless it is named already.
    pub(crate) fn of_operation(mut self, index: usize, id: Option<&str>) -> Self {
        self.operation.get_or_insert_with(|| {
            Box::new(OperationName {
                index,
                id: id.map(str::to_owned),
            })
        });
        self
    }

    /// What the kernel refused before or while PostgreSQL was asked; its code is Tenon's own.
    pub fn from_kernel(error: tenon_sdk::Error) -> Self {
        let mut answer = Self::new(error.status(), error.code, error.message).hint_if(error.hint);
        answer.details = error.details.map(|details| Box::new(Value::String(details)));
        if answer.status == 503 {
            answer.headers.push(("Retry-After".to_owned(), "1".to_owned()));
        }
        answer
    }

    /// The JSON body, always with all four keys.
    pub fn body(&self) -> Vec<u8> {
        let body = Body {
            code: &self.code,
            message: &self.message,
            details: &self.details,
            hint: &self.hint,
            operation: &self.operation,
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}
