//! The data API: `PostgREST`'s dialect as a compiler.
//!
//! parse ([`api_request`]) → plan ([`plan`], against the [`schema_cache`]) → sql ([`sql`]) → run → respond ([`respond`]).
//! The first three and the last are pure: no clock, no network, no database.

pub mod api_request;
pub mod catalogue;
pub mod client_types;
pub mod cost;
pub mod error;
pub mod openapi;
pub mod plan;
pub mod policies;
pub mod respond;
pub mod schema_cache;
pub mod settings;
pub mod sql;
pub mod standalone;

mod batch;
mod http;
mod own_schemas;
mod routes;
mod run;
mod service;
mod stream;
mod within;

pub use service::module;

#[cfg(test)]
mod fixture;
