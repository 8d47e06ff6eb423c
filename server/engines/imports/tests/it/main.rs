//! What the import engine makes of whole files.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail like the test")]

mod hostile;
mod purchasing;
mod support;
mod text_files;
mod workbooks;
mod written;
