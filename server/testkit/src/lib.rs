//! What tests of the server share: a PostgreSQL, a database of their own cloned from a template, a server that listens
//! on a real port, and builders for people and organisations.

// Everything here panics when it fails: a test has nothing to go on with.
#![allow(clippy::missing_panics_doc)]

pub mod postgres;

mod clock;
mod database;
mod people;
mod server;

pub use clock::TestClock;
pub use database::TestDatabase;
pub use people::{TestOrg, TestUser, answer};
pub use server::{
    JWT_SECRET, MASTER_KEY, PASSWORD, SERVICE_KEY, TestServer, TestServerOptions, with_services,
};
