//! The kernel's services: identity, tenancy, events, jobs, the embedded PostgreSQL, and the server made of them.

pub mod access;
pub mod events;
pub mod identity;
pub mod jobs;
pub mod notifications;
pub mod operator;
pub mod postgres;
pub mod server;
pub mod tenancy;
