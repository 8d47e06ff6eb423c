//! Tests of the kernel's services.

// Clippy's own exception covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod chores;
mod events;
mod identity;
mod jobs;
mod postgres;
mod tenancy;
mod workers;
