//! Tests of purchasing against a real server and database.

// Clippy's own exception covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod acknowledge_alert;
mod board;
mod books;
mod demo;
mod evaluate;
mod imports;
mod load;
mod register;
mod set_thresholds;
mod statements;
mod undo;
