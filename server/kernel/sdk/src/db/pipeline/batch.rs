//! What travels to the server with one `Sync`, and what comes back.

use std::{collections::HashMap, fmt, sync::Arc};

use bytes::Bytes;
use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::ErrorResponseBody;

use super::statements::Role;
use crate::error::is_of_code;

/// A value sent to the server in text form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// The type's OID; 0 lets the server infer it from the statement.
    pub oid: u32,
    /// The value, `None` for NULL.
    pub value: Option<Bytes>,
}

impl Param {
    /// A value whose type the server infers.
    pub fn text(value: impl Into<String>) -> Self {
        Self {
            oid: 0,
            value: Some(Bytes::from(value.into())),
        }
    }
}

/// One statement with its values. The same text is prepared once a connection and role.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The text, with `$1` … for values.
    pub sql: Arc<str>,
    /// The values.
    pub params: Vec<Param>,
}

impl Statement {
    /// A statement without values.
    pub fn new(sql: impl Into<Arc<str>>) -> Self {
        Self {
            sql: sql.into(),
            params: Vec::new(),
        }
    }
}

/// One row in the server's text form.
pub type TextRow = Vec<Option<Bytes>>;

/// A statement of a batch, and the role that it runs as.
#[derive(Clone, Debug)]
pub(in crate::db) struct Step {
    pub(in crate::db) role: Role,
    pub(in crate::db) statement: Statement,
}

impl Step {
    /// A statement that is the same for all roles.
    pub(in crate::db) fn common(statement: Statement) -> Self {
        Self {
            role: Role::ANY,
            statement,
        }
    }
}

/// Statements that stand or fall together. Without `BEGIN` among them the server runs them as one implicit transaction.
#[derive(Debug)]
pub(in crate::db) struct Batch {
    pub(in crate::db) steps: Vec<Step>,
    /// Its transaction stays open for what comes next on the same connection.
    pub(in crate::db) stays_open: bool,
    /// Statements are kept prepared.
    pub(in crate::db) prepared: bool,
    /// What is handed out before the answer is complete.
    pub(in crate::db) feed: Feed,
}

/// What of a batch's answer is handed out piece by piece, while it arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::db) enum Feed {
    /// Nothing.
    #[default]
    Nothing,
    /// The last value of this step's row, if it is large.
    LargeValue(usize),
    /// The rows of this step.
    Rows(usize),
}

impl Batch {
    /// `COMMIT` or `ROLLBACK` alone.
    pub(in crate::db) fn end(sql: &'static str) -> Self {
        Self {
            steps: vec![Step::common(Statement::new(sql))],
            stays_open: false,
            prepared: true,
            feed: Feed::Nothing,
        }
    }
}

/// An error as the server reported it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    /// `ERROR`, `FATAL` or `PANIC`.
    pub severity: String,
    /// SQLSTATE.
    pub code: String,
    /// Primary message.
    pub message: String,
    /// `DETAIL`.
    pub detail: Option<String>,
    /// `HINT`.
    pub hint: Option<String>,
    /// Name of the constraint.
    pub constraint: Option<String>,
    /// Functions, triggers and the like in which it happened.
    pub context: Option<String>,
}

impl ServerError {
    pub(super) fn read(body: &ErrorResponseBody) -> Self {
        let mut fields = HashMap::new();
        let mut iterator = body.fields();
        while let Ok(Some(field)) = iterator.next() {
            fields.insert(
                field.type_(),
                String::from_utf8_lossy(field.value_bytes()).into_owned(),
            );
        }
        // `V` is `S` without translation, since PostgreSQL 9.6.
        let severity = fields.remove(&b'V').or_else(|| fields.remove(&b'S'));
        Self {
            severity: severity.unwrap_or_default(),
            code: fields.remove(&b'C').unwrap_or_default(),
            message: fields.remove(&b'M').unwrap_or_default(),
            detail: fields.remove(&b'D'),
            hint: fields.remove(&b'H'),
            constraint: fields.remove(&b'n'),
            context: fields.remove(&b'W'),
        }
    }

    /// It happened inside a function or trigger, not in what the request itself asked for.
    pub fn is_of_code(&self) -> bool {
        is_of_code(self.context.as_deref())
    }

    /// A prepared statement has to be prepared anew: it is gone, or its result changed under DDL.
    pub(super) fn is_stale(&self) -> bool {
        self.code == "26000" || (self.code == "0A000" && self.message.contains("cached plan"))
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.severity, self.message, self.code)
    }
}

impl std::error::Error for ServerError {}

impl From<ServerError> for crate::error::Error {
    fn from(error: ServerError) -> Self {
        Self::from_sqlstate(
            &error.code,
            error.message,
            error.detail,
            error.hint,
            error.constraint.as_deref(),
            error.context.as_deref(),
        )
    }
}
