//! The errors that refuse a whole file. Errors of single cells are issues of their row instead.

use tenon_sdk::error::Error;

/// The file is of a kind, or in a state, that cannot be read.
pub(crate) fn unreadable(code: &'static str, message: impl Into<String>) -> Error {
    Error::unprocessable(code, message)
}

/// The file is larger than a limit.
pub(crate) fn too_large(code: &'static str, message: impl Into<String>) -> Error {
    Error::too_large(code, message)
}

/// The file is damaged, or made to harm.
pub(crate) fn malformed(file: &str, details: impl Into<String>) -> Error {
    unreadable(
        "imports.file_malformed",
        format!("{file} is damaged or incomplete."),
    )
    .details(details)
    .hint("Open the file in the program that made it, save it again and upload the new file.")
}

/// The file is protected by a password.
pub(crate) fn encrypted(file: &str) -> Error {
    unreadable(
        "imports.file_encrypted",
        format!("{file} is protected by a password."),
    )
    .hint("Save a copy without a password and upload that.")
}
