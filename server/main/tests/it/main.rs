//! Rules that hold for the whole server.

// Clippy's own exception covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod imports;
mod rest;
mod support;
