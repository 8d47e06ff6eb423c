//! What is wrong with a batch itself; an operation that is refused keeps the error it would have alone.

use super::Error;

impl Error {
    pub(crate) fn batch(message: impl Into<String>) -> Self {
        Self::new(400, "rest.batch_invalid", message)
    }

    pub(crate) fn batch_too_large(message: impl Into<String>) -> Self {
        Self::new(413, "rest.batch_too_large", message).hint("Send several batches.")
    }

    pub(crate) fn reference(reference: &str, details: &str) -> Self {
        Self::new(
            400,
            "rest.reference_unknown",
            format!("The reference '{reference}' leads nowhere."),
        )
        .details(details)
    }
}
