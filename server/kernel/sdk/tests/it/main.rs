//! The door to data: what these tests hold it to is in the invariants of the architecture.

// Clippy's own exception covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod breaks;
mod cancelled;
mod context;
mod login;
mod outbound;
mod places;
mod plain;
mod streams;
mod support;
mod transactions;
