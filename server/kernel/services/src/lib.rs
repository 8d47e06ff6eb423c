//! The kernel's services: identity, tenancy, events, jobs, webhooks, the embedded PostgreSQL, and the server made of them.

pub mod access;
pub mod events;
pub mod identity;
pub mod jobs;
pub mod notifications;
pub mod operator;
pub mod postgres;
pub mod server;
pub mod tenancy;
pub mod webhooks;
mod words;

/// The mailbox of a development installation as mail catchers show theirs, to be served on a port of its own: Mailpit's API, and
/// Inbucket's older one. It asks nobody who they are.
pub fn mail_catcher(kernel: &tenon_sdk::Kernel) -> axum::Router {
    notifications::catcher(kernel)
}
