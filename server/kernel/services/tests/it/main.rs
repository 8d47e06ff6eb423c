//! Tests of the kernel's services.

// Clippy's own exception covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod identity;
mod postgres;
mod tenancy;
