//! What is wrong with rows inside rows of an insert.

use super::Error;

impl Error {
    pub(crate) fn nested(message: impl Into<String>) -> Self {
        Self::new(400, "rest.nested_invalid", message)
    }

    pub(crate) fn nested_too_large(details: impl Into<String>) -> Self {
        Self::new(
            413,
            "rest.nested_too_large",
            "Too many rows have rows of their own.",
        )
        .details(details.into())
        .hint("Send them in several requests.")
    }
}
